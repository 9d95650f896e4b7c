"""Optical flow from what is known already: each pixel's depth and instance, both eyes and states.

Exact for the city and for rigid bodies; wheels and limbs are taken to move as their body does.
Draws nothing.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from math import cos, radians, sin, tan

import numpy as np
from numpy.typing import NDArray

from game.view.camera import Eye
from game.view.labels import FIRST_BUILDING, Train, entity_instance
from game.world.entity import EntityState
from game.world.state import WorldState

Floats = NDArray[np.float64]
Flow = NDArray[np.float32]
Places = NDArray[np.int64]
_ROWS, _PIXELS = 48, 8192  # worked on at a time


def focal(width: int, height: int, fov_degrees: float) -> float:
    """Focal length [px] where the field of view spans the shorter side."""
    return min(width, height) / 2.0 / tan(radians(fov_degrees) / 2.0)


def basis(eye: Eye) -> Floats:
    """Rows: the eye's forward, right and up as unit vectors of the world."""
    c, s, cp, sp = cos(eye.yaw), sin(eye.yaw), cos(eye.pitch), sin(eye.pitch)
    return np.array([[c * cp, s * cp, sp], [s, -c, 0.0], [-c * sp, -s * sp, cp]])


@dataclass(frozen=True, slots=True)
class Lens:
    """A picture's geometry. focal, size [px]."""

    focal: float
    width: int
    height: int

    def rays(self) -> tuple[Flow, Flow]:
        """Rightwards (w) and upwards (h, 1) over forwards, of the middle of each pixel."""
        u = (np.arange(self.width) + 0.5 - self.width / 2) / self.focal
        v = (self.height / 2 - np.arange(self.height) - 0.5) / self.focal
        return u.astype(np.float32), v.astype(np.float32)[:, None]


def _moved(u: Flow, v: Flow, z: Flow, turn: Flow, shift: Flow, focal_px: float) -> Flow:
    """Flow of points z (1, u, v), seen before at turn z (1, u, v) + shift; NaN where behind.

    turn: (3, 3) of all points, or (3, 3, n) of each; shift likewise.
    """
    ahead, right, up = ((turn[k, 0] + turn[k, 1] * u) + turn[k, 2] * v for k in range(3))
    for line, shift_k in zip((ahead, right, up), shift, strict=True):
        line *= z
        line += shift_k
    ahead[ahead <= 1e-3] = np.nan
    made = np.empty((*ahead.shape, 2), np.float32)
    for k, (line, ray) in enumerate(((right, u), (up, v))):
        line /= ahead
        np.subtract(ray, line, out=line)
        np.multiply(line, np.float32(focal_px), out=made[..., k])
    return made


def flow(
    depth: Flow, instance: NDArray[np.uint32], kinds: NDArray[np.uint8], lens: Lens,
    now: tuple[Eye, WorldState], before: tuple[Eye, WorldState],
) -> Flow:  # fmt: skip
    """Where each pixel's point came from: float32 (h, w, 2), now minus before [px], right and up
    positive. NaN where it lay behind the eye before, or where its entity was not there yet."""
    eye, was = now[0], before[0]
    here, there = basis(eye), basis(was)
    u, v = lens.rays()
    place, old = np.array([eye.x, eye.y, eye.z]), np.array([was.x, was.y, was.z])
    turn, shift = (there @ here.T).astype(np.float32), (there @ (place - old)).astype(np.float32)
    made = np.empty((*depth.shape, 2), np.float32)
    for low in range(0, lens.height, _ROWS):  # a few rows at a time stay near the processor
        part = slice(low, low + _ROWS)
        made[part] = _moved(u, v[part], depth[part], turn, shift, lens.focal)
    flat, deep, level = made.reshape(-1, 2), depth.reshape(-1), v[:, 0]
    sky = np.flatnonzero(kinds.reshape(-1) == Train.SKY)  # infinitely far: turns, never shifts
    row, column = np.divmod(sky, lens.width)
    one, none = np.ones(len(sky), np.float32), np.zeros(3, np.float32)
    flat[sky] = _moved(u[column], level[row], one, turn, none, lens.focal)
    present, turns, shifts = _rigid(now[1], before[1])
    turns, shifts = there @ turns @ here.T, (turns @ place + shifts - old) @ there.T
    each = np.ascontiguousarray(turns.transpose(1, 2, 0), np.float32)
    slide = np.ascontiguousarray(shifts.T, np.float32)
    moving, who = _pixels(instance, present)
    for low in range(0, len(moving), _PIXELS):
        some, index = moving[low : low + _PIXELS], who[low : low + _PIXELS]
        row, column = np.divmod(some, lens.width)
        flat[some] = _moved(u[column], level[row], deep[some], each.take(index, 2),
                            slide.take(index, 1), lens.focal)  # fmt: skip
    return made


def _everyone(state: WorldState) -> Iterable[EntityState]:
    return (state.ego, *state.actors)


def _rigid(now: WorldState, before: WorldState) -> tuple[list[int], Floats, Floats]:
    """Instances of all present, and what takes points of each body to where they were before:
    turns (n, 3, 3) and shifts (n, 3), NaN of those who were not there yet."""
    earlier = {e.id: (e.x, e.y, e.heading) for e in _everyone(before)}
    nowhere = (np.nan,) * 3
    everyone = list(_everyone(now))
    at = np.array([(e.x, e.y, e.heading) for e in everyone])
    was = np.array([earlier.get(e.id, nowhere) for e in everyone])
    c, s = np.cos(was[:, 2] - at[:, 2]), np.sin(was[:, 2] - at[:, 2])
    turns, shifts = np.zeros((len(everyone), 3, 3)), np.zeros((len(everyone), 3))
    turns[:, 0, 0], turns[:, 0, 1], turns[:, 1, 0], turns[:, 1, 1] = c, -s, s, c
    turns[:, 2, 2] = 1.0
    shifts[:, 0] = was[:, 0] - (c * at[:, 0] - s * at[:, 1])
    shifts[:, 1] = was[:, 1] - (s * at[:, 0] + c * at[:, 1])
    return [entity_instance(e.id) for e in everyone], turns, shifts


def _pixels(instance: NDArray[np.uint32], present: list[int]) -> tuple[Places, Places]:
    """Flat indices of the pixels of those present, and which of them each shows."""
    number = np.full(FIRST_BUILDING, -1, np.int64)
    number[present] = np.arange(len(present))
    flat = instance.reshape(-1)
    some = np.flatnonzero((flat > 0) & (flat < FIRST_BUILDING))
    who = number[flat[some]]
    return some[who >= 0], who[who >= 0]
