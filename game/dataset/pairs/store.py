"""A folder of training pairs: written drive by drive, each whole, and continued where it ended.

pairs.json            the recipe: what made it, with which seed
drive-00000/          one drive
    meta.json         place, hour, and street, split and styles of each clip
    source.npy        (clips, frames, size, size, 3) uint8 RGB, as captured and scaled down
    target.npy        (clips, styles, frames, size, size, 3) uint8 RGB
    kinds.npy         (clips, frames, size, size) uint8 train ids
    flow.npy          (clips, frames - 1, size, size, 2) float16 [px], held-out clips only
    depth.npy         (clips, frames, size, size) float16 [m], where labels were asked for
    normal.npy        (clips, frames, size, size, 3) int8, of the world, times 127; likewise
"""

import json
import logging
import random
import shutil
from collections.abc import Callable
from dataclasses import asdict, dataclass
from multiprocessing import get_context
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from game.atlas.load import load
from game.dataset.errors import FolderTaken
from game.dataset.pairs.looks import LOOKS
from game.dataset.pairs.paint import paint, study
from game.dataset.pairs.places import Clip, DrivePlan, Hour, clips, plan
from game.dataset.pairs.shadow import Heights
from game.dataset.pairs.surface import STUDIO, survey
from game.session.append import write_json
from game.view.camera import eye
from game.view.renderer import SceneRenderer

RECIPE = 1
"""Raised whenever the same seed would give other pictures."""

_FARTHEST = 6e4  # that a float16 of depth says [m]
_TOGETHER = 24  # drives of one process: some minutes, beside which loading the city is little

log = logging.getLogger(__name__)

Say = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class PairsConfig:
    """What to make. clips, frames: of a drive, of a clip. styles: drawn for each clip. size [px].

    samples: per side of a pixel of the target. labels: depth and normals too, for networks that are
    told more than the picture.
    """

    out: Path
    drives: int = 60
    seed: int = 1
    clips: int = 5
    frames: int = 2
    styles: int = 3
    size: int = 320
    samples: int = 2
    labels: bool = False

    def __post_init__(self) -> None:
        if not 1 <= self.styles <= len(LOOKS) or self.size % 32 or min(self.drives, self.clips) < 1:
            raise ValueError(f"1 to {len(LOOKS)} styles, a size in steps of 32 px, a drive or more")

    def recipe(self) -> dict[str, Any]:
        """What must agree for a folder to be continued."""
        left = {"out", "drives"} | (set() if self.labels else {"labels"})
        own = {k: v for k, v in asdict(self).items() if k not in left}
        return {"recipe": RECIPE, **own}


def make_pairs(config: PairsConfig, say: Say, jobs: int = 1) -> dict[str, Any]:
    """Make what is missing of the folder. Raises FolderTaken where another recipe is in it."""
    city = load()
    told = {
        **config.recipe(),
        "pack": city.digest,
        "looks": {k: asdict(v) for k, v in LOOKS.items()},
    }
    _claim(config.out, told)
    planned = plan(city, config.seed, config.drives)
    missing = [p for p in planned if not folder_of(config.out, p.index).exists()]
    say(f"{len(planned) - len(missing)} of {len(planned)} drives are there")
    by_hour: dict[Hour, list[DrivePlan]] = {}
    for each in missing:
        by_hour.setdefault(each.hour, []).append(each)
    # a process for each task: renderers that come and go in one process disturb each other
    with get_context("spawn").Pool(jobs, maxtasksperchild=1) as pool:
        tasks = [
            (config, hour, tuple(some[at : at + _TOGETHER]))
            for hour, some in by_hour.items()
            for at in range(0, len(some), _TOGETHER)
        ]
        done = len(planned) - len(missing)
        for finished in pool.imap_unordered(_work, tasks):
            done += finished
            say(f"{done} of {len(planned)} drives")
    return {"path": str(config.out), "drives": done, **config.recipe()}


def folder_of(out: Path, index: int) -> Path:
    """Where a drive's pairs are."""
    return out / f"drive-{index:05d}"


def _claim(out: Path, told: dict[str, Any]) -> None:
    path = out / "pairs.json"
    if path.exists():
        if json.loads(path.read_text("utf-8")) != json.loads(json.dumps(told)):
            raise FolderTaken(out)
        return
    if out.exists() and any(out.iterdir()):
        raise FolderTaken(out)
    out.mkdir(parents=True, exist_ok=True)
    write_json(path, told)


def _work(task: tuple[PairsConfig, Hour, tuple[DrivePlan, ...]]) -> int:
    """Some drives of one light, in a process of its own."""
    config, hour, planned = task
    city = load()
    heights = Heights(city)
    live = SceneRenderer(city, hour.profile())
    studio = SceneRenderer(city, STUDIO)
    try:
        for each in planned:
            made: list[dict[str, Any]] = []
            why = ""
            try:
                for index, clip in enumerate(clips(city, each, config.clips, config.frames)):
                    made.append(_clip(config, each, index, clip, live, studio, heights))
            except Exception as error:  # one drive must not end all others; the folder says why
                why = f"{type(error).__name__}: {error}"
                log.warning("pairs.drive index=%d ended early: %s", each.index, why)
            _write(config, each, made, why)
    finally:
        live.close()
        studio.close()
    return len(planned)


def _clip(
    config: PairsConfig, planned: DrivePlan, index: int, clip: Clip, live: SceneRenderer,
    studio: SceneRenderer, heights: Heights,
) -> dict[str, Any]:  # fmt: skip
    """One clip's arrays and what is said of it."""
    draw = random.Random(f"styles {config.seed} {planned.index} {index}")
    styles = sorted(draw.sample(sorted(LOOKS), config.styles))
    size = config.size
    source = np.empty((config.frames, size, size, 3), np.uint8)
    target = np.empty((config.styles, config.frames, size, size, 3), np.uint8)
    kinds = np.empty((config.frames, size, size), np.uint8)
    flow = np.zeros((config.frames - 1, size, size, 2), np.float16)
    labels: dict[str, NDArray[Any]] = {
        "depth": np.empty((config.frames, size, size), np.float16),
        "normal": np.empty((config.frames, size, size, 3), np.int8),
    }
    for at, state in enumerate(clip.states):
        profile = planned.hour.profile()
        shown = live.render(state, ("colour",), profile.width, profile.height)["colour"]
        source[at] = scaled(np.asarray(shown, np.uint8), size)
        surface = survey(studio, eye(state), state, size, size, config.samples)
        kinds[at] = surface.kinds
        labels["depth"][at] = np.minimum(surface.depth, _FARTHEST)
        labels["normal"][at] = np.rint(surface.normal * 127)
        studied = study(surface, heights)
        for row, style in enumerate(styles):
            target[row, at] = paint(studied, style)
        if at and clip.split != "train":
            moved = studio.render(state, ("flow",), size, size, previous=clip.states[at - 1])
            flow[at - 1] = moved["flow"]
    return {
        "source": source, "target": target, "kinds": kinds, "flow": flow,
        **(labels if config.labels else {}),
        "meta": {"street": clip.street, "split": clip.split, "styles": styles,
                 "ticks": [s.tick for s in clip.states]},
    }  # fmt: skip


def scaled(picture: NDArray[np.uint8], size: int) -> NDArray[np.uint8]:
    """A square picture (h, h, 3) at another size: exact means of the area under each pixel."""
    weights = _area(picture.shape[0], size)
    rows = np.tensordot(weights, picture.astype(np.float32), (1, 0))
    return np.asarray(np.rint(np.einsum("wk,hkc->hwc", weights, rows, optimize=True)), np.uint8)


def _area(before: int, after: int) -> NDArray[np.float32]:
    """(after, before): share of each old pixel in each new one."""
    edge = np.arange(after + 1) * (before / after)
    left = np.maximum(edge[:-1, None], np.arange(before)[None, :])
    right = np.minimum(edge[1:, None], np.arange(before)[None, :] + 1)
    return np.asarray(np.maximum(right - left, 0.0) * (after / before), np.float32)


def _write(
    config: PairsConfig, planned: DrivePlan, made: list[dict[str, Any]], why: str = ""
) -> None:
    """One drive's folder, whole. A drive that could not be staged leaves an empty one.

    why: what ended the drive before its last clip, if anything did.
    """
    there = folder_of(config.out, planned.index)
    raw = there.with_suffix(".part")
    shutil.rmtree(raw, ignore_errors=True)
    raw.mkdir()
    for name in [key for key in made[0] if key != "meta"] if made else ():
        if name != "flow" or any(m["meta"]["split"] != "train" for m in made):
            np.save(raw / f"{name}.npy", np.stack([m[name] for m in made]))
    told = {"drive": asdict(planned), "clips": [m["meta"] for m in made], "why": why}
    (raw / "meta.json").write_text(json.dumps(told), encoding="utf-8")
    raw.rename(there)
