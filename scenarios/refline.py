"""Reference lines as OpenDRIVE knows them: straights, arcs that round the corners, cubic turns.

Owns the geometry of the export alone; nothing here feeds the state.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from math import atan2, cos, dist, fabs, pi, remainder, sin, sqrt, tan, tau

from game.world.city import Point

STRAIGHT = 1e-4
"""Corners below this are none [rad]."""
ROUND_M = 6.0
"""How far from a corner its arc may begin [m]."""
SHARE = 0.45
"""Of the shorter neighbour, at most, goes into an arc."""
HANDLE = 0.4
"""Length of a turn's handles as a share of its chord: near a circle's 0.39 for 90 degrees."""
# nodes and weights of Gauss-Legendre with five points on [-1, 1] (Abramowitz and Stegun 25.4)
_GAUSS = (
    (0.0, 0.5688888888888889),
    (-0.5384693101056831, 0.47862867049936647),
    (0.5384693101056831, 0.47862867049936647),
    (-0.906179845938664, 0.23692688505618908),
    (0.906179845938664, 0.23692688505618908),
)


@dataclass(frozen=True, slots=True)
class Pose:
    """A point [m] and a direction [rad]."""

    x: float
    y: float
    heading: float

    def beside(self, left: float) -> "Pose":
        """The pose so many metres to the left, in the same direction."""
        return Pose(
            self.x - left * sin(self.heading), self.y + left * cos(self.heading), self.heading
        )

    def turned(self) -> "Pose":
        """The same point, looking back."""
        return Pose(self.x, self.y, self.heading + pi)


@dataclass(frozen=True, slots=True)
class Piece:
    """One geometry of a plan view: where it starts, how long it is [m], what it does.

    curvature [1/m] for a straight (0) or an arc. u, v: cubic coefficients a..d over p in 0..1 of
    a turn, along and across its start heading; empty otherwise.
    """

    start: Pose
    length: float
    curvature: float = 0.0
    u: tuple[float, ...] = ()
    v: tuple[float, ...] = ()

    def end(self) -> Pose:
        """Where it ends and in which direction."""
        if self.u:
            return self._at(sum(self.u), sum(self.v), _slope(self.u, 1.0), _slope(self.v, 1.0))
        if self.curvature == 0.0:
            return self._at(self.length, 0.0, 1.0, 0.0)
        turn = self.curvature * self.length
        radius = 1.0 / self.curvature
        return self._at(radius * sin(turn), radius * (1.0 - cos(turn)), cos(turn), sin(turn))

    def _at(self, along: float, across: float, du: float, dv: float) -> Pose:
        s, c = sin(self.start.heading), cos(self.start.heading)
        return Pose(
            self.start.x + along * c - across * s,
            self.start.y + along * s + across * c,
            self.start.heading + atan2(dv, du),
        )


def rounded(points: Sequence[Point]) -> tuple[Piece, ...]:
    """A polyline as straights with an arc in every corner, so that no heading jumps.

    The arc leaves the polyline by at most ROUND_M tan(turn / 4): 0.13 m for 5 degrees.
    """
    line = [points[0]]
    line += [point for before, point in pairwise(points) if dist(before, point) > 1e-6]
    pieces: list[Piece] = []
    at, heading = line[0], _heading(line[0], line[1])
    for corner, after in pairwise(line[1:]):
        onward = _heading(corner, after)
        turn = remainder(onward - heading, tau)
        if fabs(turn) < STRAIGHT:
            cut = 0.0
        else:
            cut = min(ROUND_M, SHARE * min(dist(at, corner), dist(corner, after)))
        straight = Piece(Pose(*at, heading), dist(at, corner) - cut)
        pieces.append(straight)
        if cut > 0.0:
            bend = tan(fabs(turn) / 2.0) / cut * (1.0 if turn > 0.0 else -1.0)
            pieces.append(Piece(straight.end(), turn / bend, bend))
        end = pieces[-1].end()
        at, heading = (end.x, end.y), _heading((end.x, end.y), after)
    pieces.append(Piece(Pose(*at, heading), dist(at, line[-1])))
    return tuple(pieces)


def turn(start: Pose, end: Pose) -> Piece:
    """One cubic that leaves `start` in its direction and arrives at `end` in its own."""
    run = dist((start.x, start.y), (end.x, end.y))
    s, c = sin(start.heading), cos(start.heading)
    dx, dy = end.x - start.x, end.y - start.y
    u1, v1 = dx * c + dy * s, dy * c - dx * s
    angle = end.heading - start.heading
    handle = 3.0 * HANDLE * run  # of the Hermite form
    du, dv = handle * cos(angle), handle * sin(angle)
    u = (0.0, handle, 3.0 * u1 - 2.0 * handle - du, -2.0 * u1 + handle + du)
    v = (0.0, 0.0, 3.0 * v1 - dv, -2.0 * v1 + dv)
    return Piece(start, _arc_length(u, v), 0.0, u, v)


def _slope(k: Sequence[float], p: float) -> float:
    return k[1] + p * (2.0 * k[2] + p * 3.0 * k[3])


def _arc_length(u: Sequence[float], v: Sequence[float], parts: int = 32) -> float:
    """Length of a cubic by Gauss-Legendre on so many equal parts [m]."""
    total = 0.0
    for i in range(parts):
        for node, weight in _GAUSS:
            p = (i + 0.5 + 0.5 * node) / parts
            du, dv = _slope(u, p), _slope(v, p)
            total += 0.5 * weight / parts * sqrt(du * du + dv * dv)
    return total


def _heading(a: Point, b: Point) -> float:
    return atan2(b[1] - a[1], b[0] - a[0])
