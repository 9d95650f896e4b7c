"""A scripted drive from the Battery to 60th Street, and what may be wrong with its pictures."""

from collections.abc import Iterator
from itertools import pairwise
from math import atan2, cos, hypot, radians, sin, tan

import numpy as np
from numpy.typing import NDArray

from game.atlas.route import length, path, route
from game.atlas.streets import find_junction
from game.session.format import CaptureProfile
from game.session.protocols import Picture
from game.view.camera import Eye
from game.view.labels import Train
from game.world.city import City, Point
from game.world.entity import EntityState
from game.world.state import WorldState
from game.world.version import TICK_HZ

START, GOAL = "Battery Place & State Street", "W 60 St & Broadway"
MINUTES = 10.0
_LOOK = 6.0  # ahead on the line, to smooth the heading [m]


def tour(city: City, frames: int, start: str = START, goal: str = GOAL) -> Iterator[WorldState]:
    """`frames` moments, evenly spread, of a drive that takes ten minutes at one speed."""
    line = path(route(city, find_junction(city, start), find_junction(city, goal)))
    whole = length(line)
    speed = whole / (MINUTES * 60.0)
    for number in range(frames):
        gone = whole * number / max(frames - 1, 1)
        x, y = _point(line, gone)
        bx, by = _point(line, max(gone - _LOOK, 0.0))
        ax, ay = _point(line, min(gone + _LOOK, whole))
        heading = atan2(ay - by, ax - bx)
        tick = round(gone / speed * TICK_HZ)
        yield WorldState(tick, 1, EntityState(0, "sedan", x, y, heading, speed))


def _point(line: tuple[Point, ...], along: float) -> Point:
    for (ax, ay), (bx, by) in pairwise(line):
        step = hypot(bx - ax, by - ay)
        if along <= step and step > 0.0:
            return ax + (bx - ax) * along / step, ay + (by - ay) * along / step
        along -= step
    return line[-1]


def ground_depth(eye: Eye, profile: CaptureProfile, side: int) -> NDArray[np.float64]:
    """Along the viewing axis, how far the plane z = 0 is at each pixel centre [m]; inf: above."""
    focal = side / 2 / tan(radians(profile.fov_degrees) / 2)
    up = (side / 2 - np.arange(side) - 0.5) / focal
    fall = -(up * cos(eye.pitch) + sin(eye.pitch))
    rows = np.where(fall > 1e-9, eye.z / np.maximum(fall, 1e-9), np.inf)
    return np.repeat(rows[:, None], side, 1)


def holes(kinds: Picture, depth: Picture, eye: Eye, profile: CaptureProfile) -> int:
    """Pixels that look through the ground: sky, or anything farther than the plane z = 0.

    kinds, depth: (side, side). Where the ground is nearly at the far plane nothing is asked.
    """
    plane = ground_depth(eye, profile, kinds.shape[0])
    asked = plane < profile.far * 0.9
    through = (kinds == Train.SKY) | (depth.astype(np.float64) > plane * 1.01 + 0.05)
    return int((asked & through).sum())
