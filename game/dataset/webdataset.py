"""Clips of one length in tar shards, as world models and video diffusion want them.

A sample is `<key>.source.mp4 .styled.mp4 .actions.npy .states.npy .ticks.npy .json .prompt.txt`.
Owns the sample's layout and the shards; an ordinary tar file, so every reader reads it.
"""

import io
import json
import tarfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from game.dataset import card, drive, splits, video
from game.dataset.drive import Drive, Run
from game.dataset.job import Options, Plan, write_json

SHARD_BYTES = 256 << 20
SUFFIXES = ("source.mp4", "styled.mp4", "actions.npy", "states.npy", "ticks.npy", "json",
            "prompt.txt")  # fmt: skip
ACTIONS = (*drive.ACTION, *drive.BUTTONS, *drive.LOOK)
AGGREGATION = (
    "actions[t]: mean of steer, throttle, brake and look over the simulation ticks in "
    "(ticks[t], ticks[t+1]]; handbrake and horn held in any of them; gear and camera of the last"
)


def make(source: Drive, folder: Path, options: Options) -> dict[str, Any]:
    """The files of every clip of one session."""
    clips = source.runs(options.fps, options.frames, options.frames)
    facts: dict[str, Any] = {
        "frames": sum(c.frames for c in clips), "episodes": len(clips),
        "longest": max((r.frames for r in source.runs(options.fps)), default=0),
    }  # fmt: skip
    for number, clip in enumerate(clips):
        _clip(source, clip, folder, f"{folder.name}-{number:04d}", options)
    return facts


def _clip(source: Drive, clip: Run, folder: Path, key: str, options: Options) -> None:
    capture = source.session.manifest.capture
    size = options.size or (capture.width, capture.height)
    shown = clip.ticks[:-1]
    with (
        video.Mp4(folder / f"{key}.source.mp4", options.fps, size, options.gop) as before,
        video.Mp4(folder / f"{key}.styled.mp4", options.fps, size, options.gop) as after,
    ):
        for _, drawn, styled in source.pictures(shown):
            before.put(drawn)
            after.put(styled)
    acts = [source.action(a, b) for a, b in zip(shown, clip.ticks[1:], strict=True)]
    states = [source.state(tick) for tick in shown]
    np.save(folder / f"{key}.actions.npy", np.stack([np.concatenate(a) for a in acts]).astype("f4"))
    np.save(folder / f"{key}.states.npy", np.stack([drive.ego_row(s) for s in states]))
    np.save(folder / f"{key}.ticks.npy", np.asarray(clip.ticks, np.int64))
    pair = source.pairs[shown[0]]
    facts = {
        "session": folder.name, "fps": options.fps, "frames": clip.frames, "size": size,
        "tick_hz": source.hz, "actions": ACTIONS, "states": drive.STATE,
        "aggregation": AGGREGATION, "timing": card.TIMING,
        "scenario": source.session.manifest.scenario, "style": pair.style,
        "min_ttc_s": min(drive.ttc_s(s) for s in states),
    }  # fmt: skip
    (folder / f"{key}.json").write_text(json.dumps(facts), encoding="utf-8")
    (folder / f"{key}.prompt.txt").write_text(pair.prompt, encoding="utf-8")


def finish(plan: Plan) -> None:
    """Shards of each split: `<split>-000000.tar`, a new one behind SHARD_BYTES."""
    counts: dict[str, list[int]] = {}
    for split in splits.NAMES:
        keys = [
            path.with_suffix("")
            for part in plan.parts
            if part.split == split
            for path in sorted(part.folder.glob("*.json"))
            if path.stem != "done"
        ]
        while keys:
            shard = plan.folder / f"{split}-{len(counts.setdefault(split, [])):06d}.tar"
            counts[split].append(_shard(shard, keys))
            keys = keys[counts[split][-1] :]
    write_json(plan.folder / "index.json", {"samples": counts, "suffixes": SUFFIXES})
    write_json(plan.folder / "provenance.json", card.provenance(plan.parts))


def _shard(path: Path, keys: Sequence[Path]) -> int:
    """Write samples until the shard is full; returns how many it took."""
    with tarfile.open(path, "w", format=tarfile.USTAR_FORMAT) as tar:
        for number, key in enumerate(keys, 1):
            for suffix in SUFFIXES:
                _add(tar, key.with_name(f"{key.name}.{suffix}"))
            if tar.offset > SHARD_BYTES:
                return number
    return len(keys)


def _add(tar: tarfile.TarFile, path: Path) -> None:
    """The file under its bare name, without owner and time: nothing of this machine."""
    data = path.read_bytes()
    member = tarfile.TarInfo(path.name)
    member.size = len(data)
    tar.addfile(member, io.BytesIO(data))
