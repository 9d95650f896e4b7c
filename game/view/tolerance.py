"""How far two renderers' pictures of the same moments are apart, channel by channel.

Draws a fixed set of views in this process, or in a child of its own under another driver of Mesa;
keeps them in a file, so that two machines can be compared. Knows nothing of who sets limits by it.
"""

import multiprocessing
import os
import tempfile
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from math import ceil, cos, floor, log10, sin
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from game.atlas.load import load
from game.errors import MissingPart
from game.session.format import CaptureProfile
from game.session.protocols import CHANNELS, Picture
from game.view.camera import Eye, eye, standing
from game.view.gallery import PLACES, stand
from game.view.renderer import SceneRenderer
from game.world.state import WorldState

TIMES = ((13.0, "clear"), (22.0, "rain"))
VIEWS = len(PLACES) * len(TIMES)
SAFETY = 16.0  # a graphics card may be this many times as far off as the second software renderer
_STEP = 0.3  # driven since the frame before [m]
_LONGEST_S = 1800.0  # that the second renderer may take
Views = dict[str, dict[str, Picture]]
Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Apart:
    """One channel of all views. unit: of mean, high and largest; a pixel differs from `beyond` on.

    high: what 99.9 % of the pixels stay below. share: of pixels that differ, over all views;
    worst: in the worst view. tolerance: share of pixels that a check may allow another renderer.
    """

    channel: str
    unit: str
    beyond: float
    mean: float
    high: float
    largest: float
    share: float
    worst: float

    @property
    def tolerance(self) -> float:
        """The worst view's share with `SAFETY`, rounded up to one figure, 0.01 % at least."""
        wanted = max(self.worst * SAFETY, 1e-4)
        unit = 10.0 ** floor(log10(wanted))
        return min(round(ceil(wanted / unit - 1e-9) * unit, 10), 1.0)


def draw(
    pack: Path | None, side: int, done: Callable[[str], None] = lambda name: None
) -> tuple[str, Views]:
    """Family of this process's renderer, and every channel of all views, side x side [px]."""
    city = load(pack)
    found: Views = {}
    family = ""
    for hour, weather in TIMES:
        renderer = SceneRenderer(city, CaptureProfile(hour=hour, weather=weather))
        family = renderer.family
        try:
            for place in PLACES:
                state, view = stand(city, place)
                before = _before(state, view, bool(place.height))
                drawn = renderer.render_from(
                    view, state, CHANNELS, side, side, ego=not place.height, before=before
                )
                name = f"{place.at}, {hour:g} h, {weather}"
                found[name] = dict(drawn)
                done(name)
        finally:
            renderer.close()
    return family, found


def _before(state: WorldState, view: Eye, on_foot: bool) -> tuple[Eye, WorldState]:
    """Eye and state of the frame before: everyone a little farther back."""
    back = [
        e._replace(x=e.x - _STEP * cos(e.heading), y=e.y - _STEP * sin(e.heading))
        for e in (state.ego, *state.actors)
    ]
    earlier = replace(state, ego=back[0], actors=tuple(back[1:]))
    if not on_foot:
        return eye(earlier), earlier
    x, y = view.x - _STEP * cos(view.yaw), view.y - _STEP * sin(view.yaw)
    return standing(x, y, view.yaw, view.z, view.pitch), earlier


def _child(driver: str, pack: Path | None, side: int, out: Path) -> None:
    os.putenv("GALLIUM_DRIVER", driver)  # Mesa reads it when the first context is made
    os.putenv("LIBGL_ALWAYS_SOFTWARE", "1")
    save(out, *draw(pack, side))


def draw_with(driver: str, pack: Path | None, side: int) -> tuple[str, Views]:
    """As `draw`, by another of Mesa's drivers, in a process of its own.

    Raises MissingPart where it gives no pictures.
    """
    with tempfile.TemporaryDirectory() as folder:
        out = Path(folder) / "views.npz"
        child = multiprocessing.get_context("spawn").Process(
            target=_child, args=(driver, pack, side, out), daemon=True
        )
        child.start()
        child.join(_LONGEST_S)
        if child.is_alive():
            child.kill()
            child.join()
        if not out.is_file():
            raise MissingPart(
                f"Mesa's driver '{driver}' drew nothing (exit code {child.exitcode})",
                "install Mesa's software drivers: apt-get install libgl1-mesa-dri libegl1",
            )
        return read(out)


def save(path: Path, family: str, views: Views) -> None:
    """Keep drawn views; the file appears whole or not at all."""
    arrays = {f"{name}|{c}": a for name, planes in views.items() for c, a in planes.items()}
    waiting = path.with_name(path.name + ".part")
    path.parent.mkdir(parents=True, exist_ok=True)
    with waiting.open("wb") as file:
        np.savez_compressed(file, family=np.array(family), **arrays)  # type: ignore[arg-type]
    os.replace(waiting, path)


def read(path: Path) -> tuple[str, Views]:
    """What `save` kept. Raises ValueError where the file is something else."""
    found: Views = {}
    with np.load(path, allow_pickle=False) as kept:
        if "family" not in kept:
            raise ValueError(f"{path} holds no views of a renderer")
        for key in kept.files:
            name, _, channel = key.rpartition("|")
            if name:
                found.setdefault(name, {})[channel] = kept[key]
        return str(kept["family"]), found


def compare(one: Views, other: Views) -> list[Apart]:
    """A row a channel. Raises ValueError where the views are not the same ones."""
    if one.keys() != other.keys() or not one:
        raise ValueError("the two renderers drew different views; use one version of the program")
    return [_channel(channel, one, other) for channel in CHANNELS]


_UNITS = {
    "colour": ("levels of 255", 2.0), "class": ("0 or 1", 0.5), "instance": ("0 or 1", 0.5),
    "depth": ("share of the distance", 0.01), "normal": ("radians", 0.05), "flow": ("px", 0.25),
}  # fmt: skip


def _channel(channel: str, one: Views, other: Views) -> Apart:
    unit, beyond = _UNITS[channel]
    each = [away(channel, one[name], other[name]) for name in one]
    shares = [float((view > beyond).mean()) for view in each]
    every = np.concatenate([view.ravel() for view in each])
    return Apart(channel, unit, beyond, float(every.mean()), float(np.quantile(every, 0.999)),
                 float(every.max()), sum(shares) / len(shares), max(shares))  # fmt: skip


def away(channel: str, one: Mapping[str, Picture], other: Mapping[str, Picture]) -> Floats:
    """How far each pixel (h, w) of one channel is apart, in the unit of `Apart`."""
    a, b = one[channel], other[channel]
    if a.shape != b.shape:
        raise ValueError(f"{channel}: {a.shape} against {b.shape}; draw both at one size")
    if channel in ("class", "instance"):
        return np.asarray(a != b, np.float64)
    wide, near = a.astype(np.float64), b.astype(np.float64)
    if channel == "colour":
        return np.asarray(np.abs(wide - near).max(axis=2))
    if channel == "depth":
        return np.asarray(np.abs(wide - near) / np.maximum(np.minimum(wide, near), 0.1))
    if channel == "normal":
        chord = np.linalg.norm(wide - near, axis=2)
        return np.asarray(2.0 * np.arcsin(np.clip(chord / 2.0, 0.0, 1.0)))
    unknown = np.isnan(wide[..., 0]) != np.isnan(near[..., 0])
    gap = np.nan_to_num(np.linalg.norm(wide - near, axis=2))
    return np.asarray(np.where(unknown, a.shape[1], gap), np.float64)
