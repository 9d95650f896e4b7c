"""Where on the ground there is room: how near a point is to lanes, roadways and walls.

Pure numpy over a grid of cells, thousands of points at a time. Knows no furniture.
"""

from collections.abc import Iterable, Sequence
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from game.view.buildings import flatten
from game.world.city import City, Footprint, Point

_CELL = 16.0  # [m]
_PIECE = 24.0  # [m]
Floats = NDArray[np.float64]
Flags = NDArray[np.bool_]
Ints = NDArray[np.int64]


def _key(cell: Ints) -> Ints:
    keys: Ints = (cell[..., 0] + 1_000_000) * 10_000_000 + cell[..., 1] + 1_000_000
    return keys


def _spread(low: Ints, high: Ints) -> tuple[Ints, Ints]:
    """For each row the numbers low..high-1: (row of each, number)."""
    count = high - low
    row = np.repeat(np.arange(len(count)), count)
    first = np.repeat(low - np.concatenate([[0], np.cumsum(count)[:-1]]), count)
    return row, np.arange(int(count.sum())) + first


class _Grid:
    """Rectangles by the cells that they touch."""

    def __init__(self, low: Floats, high: Floats) -> None:
        first = np.floor(low / _CELL).astype(np.int64)
        size = np.floor(high / _CELL).astype(np.int64) - first + 1
        owner, number = _spread(np.zeros(len(size), np.int64), size[:, 0] * size[:, 1])
        wide = size[owner, 0]
        cell = first[owner] + np.column_stack([number % wide, number // wide])
        keys = _key(cell)
        order = np.argsort(keys, kind="stable")
        self._keys, self._owner = keys[order], owner[order]

    def pairs(self, points: Floats) -> tuple[Ints, Ints]:
        """(point, rectangle) for all that share a cell."""
        keys = _key(np.floor(points / _CELL).astype(np.int64))
        low = np.searchsorted(self._keys, keys, "left")
        point, at = _spread(low, np.searchsorted(self._keys, keys, "right"))
        return point, self._owner[at]


class Bands:
    """Stretches a-b (n, 2) [m] with everything within `reach` (n) of them; owner: whose each is."""

    def __init__(self, a: Floats, b: Floats, reach: Floats, owner: Ints, margin: float) -> None:
        """margin: the largest `extra` that will be asked for [m]."""
        self._a, self._d = np.asfortranarray(a), np.asfortranarray(b - a)
        self._reach, self._owner = reach, owner
        self._square = np.maximum((self._d * self._d).sum(1), 1e-12)
        length = np.sqrt(self._square)
        count = np.maximum(np.ceil(length / _PIECE), 1.0).astype(np.int64)
        self._of, number = _spread(np.zeros(len(count), np.int64), count)  # in short pieces: an
        share = (1.0 / count)[self._of]  # oblong about a long slanting stretch would be huge
        start = a[self._of] + self._d[self._of] * (number * share)[:, None]
        end = start + self._d[self._of] * share[:, None]
        room = (reach + margin)[self._of, None]
        self._grid = _Grid(np.minimum(start, end) - room, np.maximum(start, end) + room)

    def touched(self, points: Floats, extra: float | Floats, but: Ints | None = None) -> Flags:
        """Whether each point (n, 2) lies within a band widened by `extra` [m], `but` its own."""
        point, piece = self._grid.pairs(points)
        band = self._of[piece]
        (ax, ay), (dx, dy) = self._a.T, self._d.T  # column by column: far quicker than row sums
        dx, dy = dx[band], dy[band]
        x, y = points[point, 0] - ax[band], points[point, 1] - ay[band]
        along = np.clip((x * dx + y * dy) / self._square[band], 0.0, 1.0)
        x -= along * dx
        y -= along * dy
        wide = self._reach[band] + np.broadcast_to(extra, len(points))[point]
        hit = x * x + y * y < wide * wide
        if but is not None:
            hit &= self._owner[band] != but[point]
        found = np.zeros(len(points), np.bool_)
        found[point[hit]] = True
        return found


def bands(
    chains: Iterable[tuple[int, Sequence[Point], float]], margin: float
) -> Bands:  # owner, points, reach [m]
    """Bands along polylines."""
    a: list[Point] = []
    b: list[Point] = []
    reach: list[float] = []
    owner: list[int] = []
    for ident, points, wide in chains:
        a.extend(points[:-1])
        b.extend(points[1:])
        reach.extend([wide] * (len(points) - 1))
        owner.extend([ident] * (len(points) - 1))
    shape = (-1, 2)
    return Bands(
        np.array(a, float).reshape(shape), np.array(b, float).reshape(shape),
        np.array(reach, float), np.array(owner, np.int64), margin,
    )  # fmt: skip


class Walls:
    """The outlines of all footprints."""

    def __init__(self, footprints: Sequence[Footprint], margin: float) -> None:
        rings = flatten(footprints)
        self._a, self._b = rings.points, rings.points[rings.follow]
        none = np.zeros(len(self._a))
        self._edges = Bands(self._a, self._b, none, rings.owner, margin)
        count = np.bincount(rings.owner, minlength=len(footprints))
        self._first = np.concatenate([[0], np.cumsum(count)]).astype(np.int64)
        low = np.array([f.rings[0] for f in footprints[:0]]).reshape(-1, 2)
        high = low
        if len(footprints):
            low = np.minimum.reduceat(rings.points, self._first[:-1])
            high = np.maximum.reduceat(rings.points, self._first[:-1])
        self._boxes = _Grid(low, high)

    def near(self, points: Floats, within: float | Floats) -> Flags:
        """Whether a wall is nearer than `within` [m], seen from either side."""
        return self._edges.touched(points, within)

    def inside(self, points: Floats) -> Flags:
        """Whether each point lies in a building: an odd number of its edges to the east."""
        point, building = self._boxes.pairs(points)
        pair, edge = _spread(self._first[building], self._first[building + 1])
        at = points[point[pair]]
        a, b = self._a[edge], self._b[edge]
        spans = (a[:, 1] > at[:, 1]) != (b[:, 1] > at[:, 1])
        rise = np.where(spans, b[:, 1] - a[:, 1], 1.0)
        x = a[:, 0] + (at[:, 1] - a[:, 1]) / rise * (b[:, 0] - a[:, 0])
        crossed = np.bincount(pair[spans & (x > at[:, 0])], minlength=len(point))
        found = np.zeros(len(points), np.bool_)
        found[point[crossed % 2 == 1]] = True
        return found


class Room:
    """All questions of one city, each prepared when it is first asked. margin: the largest
    clearance that is asked for [m]."""

    def __init__(self, city: City, margin: float = 3.3) -> None:
        self._city, self._margin = city, margin

    @cached_property
    def lanes(self) -> Bands:
        """The lanes, by their street's id."""
        lanes = self._city.lanes
        return bands(((e.street, e.points, e.width / 2) for e in lanes), self._margin)

    @cached_property
    def roads(self) -> Bands:
        """The roadways, by their street's id."""
        streets = self._city.streets
        return bands(((s.id, s.points, s.width / 2) for s in streets), self._margin)

    @cached_property
    def walls(self) -> Walls:
        """The outlines of all buildings."""
        return Walls(self._city.footprints, self._margin)

    @cached_property
    def _bends(self) -> Bands:
        bent = [(0, (p, p), 12.0) for s in self._city.streets for p in s.points[1:-1]]
        return bands(bent, self._margin)

    def bends(self, points: Floats, within: float) -> Flags:
        """Whether a street's centre line has a corner near by."""
        return self._bends.touched(points, within)
