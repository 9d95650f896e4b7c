"""How a screen breaks: the pieces of the glass, and where each is at every moment. Pure geometry.

The whole screen is the unit square, x to the right and y downwards. The pieces tile it before the
break, and tile the target square after it.
"""

import math
from dataclasses import dataclass

from game.world.chance import uniform

Point = tuple[float, float]
SPOKES, RINGS = 15, (0.0, 0.07, 0.17, 0.32, 0.52, 0.8, 1.6)
CRACK, FLY = 0.16, 0.55
"""Shares of the whole at which the cracks are through, and the pieces turn back."""


@dataclass(frozen=True, slots=True)
class Shard:
    """One piece: its corners in order, its middle, and how it turns [degree]."""

    corners: tuple[Point, ...]
    middle: Point
    spin: float
    ahead: float


@dataclass(frozen=True, slots=True)
class Pose:
    """Where a piece is: its middle, its turn [degree], its size, and how much of the new picture
    it shows (0 the old one, 1 the new one)."""

    x: float
    y: float
    turn: float
    wide: float
    high: float
    mix: float


def shatter(seed: int, hit: Point = (0.46, 0.42)) -> tuple[Shard, ...]:
    """The pieces of glass struck at a point: spokes and rings, none of them quite regular."""

    def draw(one: int, other: int, what: str) -> float:
        return uniform(seed, one, other, what) - 0.5

    angles = [2 * math.pi * (n + 0.55 * draw(n, 0, "spoke")) / SPOKES for n in range(SPOKES)]
    angles.append(angles[0] + 2 * math.pi)

    def corner(spoke: int, ring: int) -> Point:
        real = spoke % SPOKES
        swing = 0.0 if ring == 0 else 0.10 * draw(real, ring, "swing")
        angle = angles[real] + swing
        inner = RINGS[ring] > 0.0 and ring < len(RINGS) - 1
        far = RINGS[ring] * (1.0 + (0.35 * draw(real, ring, "ring") if inner else 0.0))
        return hit[0] + far * math.cos(angle), hit[1] + far * math.sin(angle)

    out = []
    for spoke in range(SPOKES):
        for ring in range(len(RINGS) - 1):
            ends = [corner(spoke, ring + 1), corner(spoke + 1, ring + 1), corner(spoke + 1, ring)]
            if ring:
                ends.append(corner(spoke, ring))
            inside = _clipped(tuple(ends))
            if area(inside) > 1e-6:
                spin = 520.0 * draw(spoke, ring, "spin")
                out.append(Shard(inside, _middle(inside), spin, draw(spoke, ring, "ahead")))
    return tuple(out)


def pose(shard: Shard, share: float, target: tuple[float, float, float, float],
         hit: Point = (0.46, 0.42)) -> Pose:  # fmt: skip
    """Where a piece is at `share` (0 to 1) of the way. target: left, top, width, height."""
    x, y = shard.middle
    left, top, wide, high = target
    home = (left + x * wide, top + y * high)
    if share <= CRACK:
        out = 0.012 * share / CRACK
        return Pose(x + (x - hit[0]) * out, y + (y - hit[1]) * out, 0.0, 1.0, 1.0, 0.0)
    dx, dy = x - hit[0], y - hit[1]
    throw = (x + dx * 0.9, y + dy * 0.9 + 0.10 + 0.12 * shard.ahead)
    if share <= FLY:
        u = (share - CRACK) / (FLY - CRACK)
        ease = 1.0 - (1.0 - u) ** 2
        start = (x + dx * 0.012, y + dy * 0.012)
        shrink = 1.0 - 0.35 * ease
        return Pose(
            start[0] + (throw[0] - start[0]) * ease, start[1] + (throw[1] - start[1]) * ease,
            shard.spin * ease, shrink, shrink, 0.0,
        )  # fmt: skip
    u = min(1.0, (share - FLY) / (1.0 - FLY))
    lag = 0.18 * (shard.ahead + 0.5)
    u = min(1.0, max(0.0, (u - lag) / (1.0 - 0.18)))
    ease = u * u * (3.0 - 2.0 * u)
    return Pose(
        throw[0] + (home[0] - throw[0]) * ease, throw[1] + (home[1] - throw[1]) * ease,
        shard.spin * (1.0 - ease), 0.65 + (wide - 0.65) * ease, 0.65 + (high - 0.65) * ease, ease,
    )  # fmt: skip


def area(corners: tuple[Point, ...]) -> float:
    """Area of a polygon."""
    total = 0.0
    for (ax, ay), (bx, by) in zip(corners, (*corners[1:], *corners[:1]), strict=True):
        total += ax * by - bx * ay
    return abs(total) / 2


def _middle(corners: tuple[Point, ...]) -> Point:
    count = len(corners)
    return sum(x for x, _ in corners) / count, sum(y for _, y in corners) / count


def _clipped(corners: tuple[Point, ...]) -> tuple[Point, ...]:
    """What of a polygon lies in the unit square (Sutherland and Hodgman's way)."""
    for axis, bound, sign in ((0, 0.0, 1), (0, 1.0, -1), (1, 0.0, 1), (1, 1.0, -1)):
        kept: list[Point] = []
        for one, other in zip(corners, (*corners[1:], *corners[:1]), strict=True):
            here, there = sign * (one[axis] - bound), sign * (other[axis] - bound)
            if here >= 0:
                kept.append(one)
            if here * there < 0:
                u = here / (here - there)
                cut = [one[0] + (other[0] - one[0]) * u, one[1] + (other[1] - one[1]) * u]
                cut[axis] = bound
                kept.append((cut[0], cut[1]))
        corners = tuple(kept)
        if not corners:
            return ()
    return corners
