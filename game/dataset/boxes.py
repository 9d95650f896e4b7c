"""Road users as boxes in the captured picture: the capture camera's own maths, and who is hidden.

Owns projection and line of sight. A box is (left, top, right, bottom) in 0..1 of the picture.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from game.session.format import CaptureProfile
from game.view.camera import Eye, eye
from game.world.city import City
from game.world.entity import BODIES, EntityState
from game.world.state import WorldState

REACH = 120.0
"""Road users further away than this get no box [m]."""
SMALLEST = 0.004
"""Boxes lower than this share of the picture are left out."""

Box = tuple[float, float, float, float]
Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Seen:
    """One road user in the picture. distance: from the eye along the view [m]."""

    id: int
    body: str
    box: Box
    distance: float


def project(points: Floats, view: Eye, capture: CaptureProfile) -> Floats:
    """(n, 3) points [m] -> (n, 3): right and down in 0..1 of the picture, depth [m]."""
    rel = points - (view.x, view.y, view.z)
    cy, sy, cp, sp = (
        math.cos(view.yaw), math.sin(view.yaw), math.cos(view.pitch), math.sin(view.pitch),
    )  # fmt: skip
    ahead = rel[:, 0] * cy + rel[:, 1] * sy
    right = rel[:, 0] * sy - rel[:, 1] * cy
    depth = ahead * cp + rel[:, 2] * sp
    up = rel[:, 2] * cp - ahead * sp
    half = math.tan(math.radians(capture.fov_degrees) / 2.0)
    shorter = min(capture.width, capture.height)
    wide, high = half * capture.width / shorter, half * capture.height / shorter
    safe = np.maximum(depth, 1e-6)
    return np.stack([0.5 + right / safe / wide / 2, 0.5 - up / safe / high / 2, depth], axis=1)


def corners(entity: EntityState) -> Floats:
    """(8, 3) corners of the body's box [m], standing on the ground."""
    body = BODIES[entity.body]
    cosine, sine = math.cos(entity.heading), math.sin(entity.heading)
    out = []
    for a in (-0.5, 0.5):
        for b in (-0.5, 0.5):
            along, across = a * body.length, b * body.width
            x, y = (
                entity.x + along * cosine - across * sine,
                entity.y + along * sine + across * cosine,
            )
            out += [(x, y, 0.0), (x, y, body.height)]
    return np.asarray(out)


class Sight:
    """Which points the eye can see past the buildings of a city near some path."""

    def __init__(self, city: City, near: Sequence[tuple[float, float]]) -> None:
        xs, ys = [p[0] for p in near], [p[1] for p in near]
        x0, x1 = min(xs) - REACH, max(xs) + REACH
        y0, y1 = min(ys) - REACH, max(ys) + REACH
        walls = []
        for footprint in city.footprints:
            ring = footprint.rings[0]
            if any(x0 <= x <= x1 and y0 <= y <= y1 for x, y in ring):
                walls += [(*a, *b) for a, b in zip(ring, (*ring[1:], ring[0]), strict=True)]
        self._walls = np.asarray(walls, np.float64).reshape(-1, 4)

    def clear(self, view: Eye, x: float, y: float) -> bool:
        """No wall stands between the eye and (x, y), as seen from above."""
        w = self._walls
        dx, dy = x - view.x, y - view.y
        ex, ey = w[:, 2] - w[:, 0], w[:, 3] - w[:, 1]
        fx, fy = w[:, 0] - view.x, w[:, 1] - view.y
        cross = dx * ey - dy * ex
        with np.errstate(divide="ignore", invalid="ignore"):
            along, across = (fx * ey - fy * ex) / cross, (fx * dy - fy * dx) / cross
        hit = (cross != 0) & (along > 0) & (along < 1) & (across >= 0) & (across <= 1)
        return not bool(hit.any())


def seen(state: WorldState, capture: CaptureProfile, sight: Sight | None = None) -> list[Seen]:
    """Boxes of the road users in the picture of a state, nearest first."""
    view = eye(state)
    found = []
    for actor in state.actors:
        dx, dy = actor.x - view.x, actor.y - view.y
        if dx * dx + dy * dy > REACH * REACH:
            continue
        points = project(corners(actor), view, capture)
        if points[:, 2].min() < capture.near:
            continue
        left, top = points[:, :2].min(axis=0).clip(0.0, 1.0)
        right, bottom = points[:, :2].max(axis=0).clip(0.0, 1.0)
        if right - left < SMALLEST / 2 or bottom - top < SMALLEST:
            continue
        if sight is not None and not sight.clear(view, actor.x, actor.y):
            continue
        box = (float(left), float(top), float(right), float(bottom))
        found.append(Seen(actor.id, actor.body, box, float(points[:, 2].mean())))
    return sorted(found, key=lambda each: each.distance)
