"""`session view`: one folder that shows a drive in any browser, from the file system alone.

Writes `index.html`, `data.js`, `source.mp4` and `styled.mp4`. Both films have their ticks as
time, so one moment is the same in both. Holds no wallet, no claim and no path.
"""

import html
import json
import os
import shutil
from collections.abc import Callable
from importlib import resources
from pathlib import Path
from typing import Any

from game.dataset import charts
from game.dataset.boxes import Sight, seen
from game.dataset.drive import TTC_CAP, Drive, ttc_s
from game.dataset.errors import DatasetError, FolderTaken
from game.dataset.video import Mp4
from game.session.format import TrackId
from game.session.reader import Session
from game.world.city import City, Point
from game.world.controls import UNIT
from game.world.state import WorldState

MARK = ".scale-diffusion-page"
NEAR_MISS_S = 1.5
"""A time to collision below this is an event of its own [s]."""
_EVERY = 6  # ticks between values of the curves

Progress = Callable[[int, int], None]


def write(
    session: Session, city: City, out: Path, progress: Progress = lambda done, of: None
) -> Path:
    """Make or replace the page in folder `out` and return the path of index.html."""
    if out.exists() and any(out.iterdir()) and not (out / MARK).exists():
        raise FolderTaken(out)
    drive = Drive(session)
    if not drive.pairs:
        raise DatasetError("this session holds no pair of pictures, so there is nothing to show")
    part = out.with_name(f".{out.name}.{os.getpid()}.part")
    shutil.rmtree(part, ignore_errors=True)
    part.mkdir(parents=True)
    (part / MARK).write_text("", encoding="utf-8")
    _films(drive, part, progress)
    data = document(drive, city)
    text = json.dumps(data, separators=(",", ":"), allow_nan=False)
    (part / "data.js").write_text(f"window.DRIVE={text};\n", encoding="utf-8")
    (part / "index.html").write_text(_page(drive, city), encoding="utf-8")
    shutil.rmtree(out, ignore_errors=True)
    part.replace(out)
    return out / "index.html"


def _films(drive: Drive, folder: Path, progress: Progress) -> None:
    """Source and styled of every pair, each at the time of its tick."""
    capture = drive.session.manifest.capture
    size = (capture.width, capture.height)
    ticks = sorted(drive.pairs)
    with (
        Mp4(folder / "source.mp4", drive.hz, size, crf=21) as before,
        Mp4(folder / "styled.mp4", drive.hz, size, crf=21) as after,
    ):
        for number, (tick, drawn, styled) in enumerate(drive.pictures(ticks), 1):
            before.put(drawn, tick - ticks[0])
            after.put(styled, tick - ticks[0])
            progress(number, len(ticks))


def document(drive: Drive, city: City) -> dict[str, Any]:
    """All that the page's script needs, as plain values. Times are ticks."""
    session, manifest = drive.session, drive.session.manifest
    states = session.ticks()
    sight = Sight(city, [(states[t].ego.x, states[t].ego.y) for t in range(0, len(states), 60)])
    frames = []
    for tick in sorted(drive.pairs):
        boxes = [
            [s.id, s.body, round(s.distance, 1), *(round(v, 4) for v in s.box)]
            for s in seen(states[tick], manifest.capture, sight)
        ]
        frames.append([tick, drive.pairs[tick].styled.shown, boxes])
    path = [[s.tick, round(s.ego.x, 2), round(s.ego.y, 2), round(s.ego.heading, 4),
             round(s.ego.speed, 2)] for s in _every(drive, 2)]  # fmt: skip
    others = [
        [s.tick, [[a.id, round(a.x, 1), round(a.y, 1), round(a.heading, 2)] for a in s.actors]]
        for s in _every(drive, _EVERY)
    ]
    pairs_of_steps = drive.controls[: len(drive.controls) // 2 * 2].reshape(-1, 2, 8)
    asked = pairs_of_steps[:, :, :3].mean(axis=1) / UNIT  # a bot may change pedals every tick
    inputs = [[2 * i, *(round(float(v), 3) for v in row)] for i, row in enumerate(asked)]
    danger = [[s.tick, round(ttc_s(s), 3)] for s in _every(drive, _EVERY)]
    return {
        "hz": drive.hz, "first": min(drive.pairs), "last": len(states) - 1,
        "size": [manifest.capture.width, manifest.capture.height], "frames": frames,
        "path": path, "others": others, "inputs": inputs, "ttc": danger, "cap": TTC_CAP,
        "events": events(drive, danger),
    }  # fmt: skip


def _every(drive: Drive, ticks: int) -> list[WorldState]:
    states = drive.session.ticks()
    return [states[tick] for tick in range(0, len(states), ticks)]


def events(drive: Drive, danger: list[list[float]]) -> list[dict[str, Any]]:
    """Moments worth jumping to, in order: kind, tick and a line of text."""
    found: list[dict[str, Any]] = []
    names = {a.id: a.body for s in _every(drive, _EVERY) for a in s.actors}
    for event in drive.session.events():
        kind, tick = event.get("k"), event.get("tick")
        if type(tick) is not int:
            continue
        if kind == "contact":
            other = event.get("other")
            what = names.get(other, "something") if type(other) is int and other > 0 else "building"
            speed = event.get("speed")
            pace = f" at {speed * 3.6:.0f} km/h" if isinstance(speed, int | float) else ""
            found.append({"kind": "contact", "tick": tick, "text": f"contact: {what}{pace}"})
        elif kind == "prompt":
            text = str(event.get("prompt", ""))[:300]
            found.append({"kind": "prompt", "tick": tick, "text": f"prompt: {text}"})
        elif kind in ("pause", "resume"):
            found.append({"kind": "pause", "tick": tick, "text": str(kind)})
        elif kind == "clock" and (text := clock_text(event)):
            found.append({"kind": "clock", "tick": tick, "text": text})
        elif kind == "outcome":
            outcome = event.get("outcome")
            good = isinstance(outcome, dict) and outcome.get("success") is True
            text = f"outcome: {'passed' if good else 'failed or ended early'}"
            found.append({"kind": "outcome", "tick": tick, "text": text})
    below = False
    for at, value in danger:
        if value < NEAR_MISS_S and not below:
            text = f"close: {value:.1f} s to collision"
            found.append({"kind": "near", "tick": int(at), "text": text})
        below = value < NEAR_MISS_S
    return sorted(found, key=lambda each: int(each["tick"]))


def clock_text(event: dict[str, Any]) -> str:
    """What the clocks did, '' where nothing happened to them."""
    said = {
        "lost_ns": "nothing was lived for", "slept_ns": "the machine slept for",
        "jumped_ns": "the wall clock was set by",
    }  # fmt: skip
    found = [
        f"{text} {event[name] / 1e9:.1f} s"
        for name, text in said.items()
        if type(event.get(name)) is int
    ]
    return ", ".join(found)


def _page(drive: Drive, city: City) -> str:
    manifest = drive.session.manifest
    path: list[Point] = [(s.ego.x, s.ego.y) for s in _every(drive, _EVERY)]
    marks = {"start": path[0], "end": path[-1]}
    end = drive.session.end or {}
    shares = f"{len(drive.pairs)} pairs of {len(drive.session.frames(TrackId.SOURCE))} frames"
    facts = (
        f"{manifest.pack} · seed {manifest.seed} · driven by a {manifest.driver.kind} · "
        f"backend {manifest.backend} · {len(drive.session.ticks()) / drive.hz:.1f} s · {shares} · "
        f"{'sealed' if end else 'not sealed'}"
    )
    template = resources.files("game.dataset").joinpath("page.html").read_text(encoding="utf-8")
    for name, text in (
        ("@TITLE@", html.escape(manifest.scenario)),
        ("@FACTS@", html.escape(facts)),
        ("@MAP@", charts.plan(city, {"ego": path}, marks)),
    ):
        template = template.replace(name, text)
    return template
