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


def _turn(angle: float) -> Floats:
    c, s = cos(angle), sin(angle)
    return np.array([[c, -s, 0.0], [s, c, 0.0], [0.0, 0.0, 1.0]])


def _moved(u: Flow, v: Flow, z: Flow, turn: Floats, shift: Floats, focal_px: float) -> Flow:
    """Flow of points z (1, u, v), seen before at turn z (1, u, v) + shift; NaN where behind."""
    m, t = turn.astype(np.float32), shift.astype(np.float32)
    ahead, right, up = ((m[k, 0] + m[k, 1] * u) + m[k, 2] * v for k in range(3))
    for line, shift_k in zip((ahead, right, up), t, strict=True):
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
    turn = there @ here.T
    made = _moved(u, v, depth, turn, there @ (place - old), lens.focal)
    sky = np.flatnonzero(kinds.reshape(-1) == Train.SKY)  # infinitely far: turns, never shifts
    flat = made.reshape(-1, 2)
    column, row = sky % lens.width, sky // lens.width
    one = np.ones(len(sky), np.float32)
    flat[sky] = _moved(u[column], v[row, 0], one, turn, np.zeros(3), lens.focal)
    ids, pixels = _groups(instance)
    earlier = {entity_instance(e.id): e for e in _everyone(before[1])}
    later = {entity_instance(e.id): e for e in _everyone(now[1])}
    for ident, some in zip(ids, pixels, strict=True):
        if ident not in later:
            continue
        if ident not in earlier:
            flat[some] = np.nan
            continue
        swing, slide = _rigid(later[ident], earlier[ident])
        column, row = some % lens.width, some // lens.width
        flat[some] = _moved(
            u[column], v[row, 0], depth.reshape(-1)[some], there @ swing @ here.T,
            there @ (swing @ place + slide - old), lens.focal,
        )  # fmt: skip
    return made


def _everyone(state: WorldState) -> Iterable[EntityState]:
    return (state.ego, *state.actors)


def _rigid(now: EntityState, before: EntityState) -> tuple[Floats, Floats]:
    """Turn and shift that take the body's points of now to where they were before."""
    turn = _turn(before.heading - now.heading)
    at, was = np.array([now.x, now.y, 0.0]), np.array([before.x, before.y, 0.0])
    return turn, was - turn @ at


def _groups(instance: NDArray[np.uint32]) -> tuple[list[int], list[NDArray[np.int64]]]:
    """Entities in sight and the flat indices of their pixels."""
    flat = instance.reshape(-1)
    some = np.flatnonzero((flat > 0) & (flat < FIRST_BUILDING))
    some = some[np.argsort(flat[some], kind="stable")]
    ids, starts = np.unique(flat[some], return_index=True)
    return ids.tolist(), np.split(some, starts[1:]) if len(ids) else []
