"""Which cells of a city stand hidden behind nearer walls, so that they need not be drawn.

All buildings stand on the ground, so per ray over the ground one number says what is hidden: how
high walls nearer than some distance reach. A function of the eye alone; changes no pixel.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from math import cos, sin

import numpy as np
from numpy.typing import NDArray

from game.view.camera import Eye

CELL = 64.0  # [m]
_LAYERS = np.array([12.0, 22.0, 34.0, 48.0, 66.0, 90.0, 125.0, 175.0, 240.0, 330.0])  # ahead [m]
_RAYS = 640  # over the width of a square picture
_NEAREST = 0.5  # walls are cut off here, ahead of the eye [m]
_LEAST = 1.2  # rises and lengths of walls below this hide nothing worth while [m]
_SLACK = 0.01  # of a top over a horizon, as a share of the distance
Floats = NDArray[np.float64]
Ints = NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Cells:
    """What each cell holds, one row a cell: low and high corner in x, y and highest point [m]."""

    low: Floats
    high: Floats
    top: Floats


def cell_keys(points: Floats) -> Ints:
    """The cell of each point as one number."""
    cell = np.floor(points / CELL).astype(np.int64)
    keys: Ints = (cell[:, 0] + 1_000_000) * 10_000_000 + cell[:, 1] + 1_000_000
    return keys


class Horizon:
    """Walls that hide, by cell, and the boxes of the cells that may be hidden."""

    def __init__(
        self, cells: Cells, start: Floats, end: Floats, top: Floats, cell: Ints
    ) -> None:  # fmt: skip
        """start, end, top: of walls that stand on the ground; cell: the row of each."""
        order = np.argsort(cell, kind="stable")
        self._walls = np.column_stack([start, end, top])[order]
        self._first = np.searchsorted(cell[order], np.arange(len(cells.top) + 1))
        self._cells = cells
        (x0, y0), (x1, y1) = cells.low.T, cells.high.T
        self._corners = np.stack([x0, x1, x1, x0], 1), np.stack([y0, y0, y1, y1], 1)

    def seen(self, eye: Eye, spread: float, far: float) -> Ints:
        """Rows of the cells that a level eye may see; spread: tangent of half the angle of view."""
        ux, uy = cos(eye.yaw), sin(eye.yaw)
        x, y = self._corners[0] - eye.x, self._corners[1] - eye.y
        ahead = x * ux + y * uy
        aside = y * ux - x * uy
        near = ahead.min(1)
        near_enough = (ahead.max(1) > 0.0) & (near < far)
        left, right = aside - ahead * spread, aside + ahead * spread
        rows = np.flatnonzero(near_enough & (left.min(1) < 0.0) & (right.max(1) > 0.0))
        reached = self._reached(rows[near[rows] < _LAYERS[-1]], eye, (ux, uy), spread)
        if reached is None:
            return rows
        return rows[self._over(reached, near[rows], ahead[rows], aside[rows], rows, eye, spread)]

    def _reached(
        self, rows: Ints, eye: Eye, way: tuple[float, float], spread: float
    ) -> Floats | None:
        """Per layer of distance and ray, how high walls nearer than that reach [m per m ahead]."""
        first, last = self._first[rows], self._first[rows + 1]
        count = last - first
        index = np.repeat(first - np.cumsum(count) + count, count) + np.arange(count.sum())
        wall = self._walls[index]
        ux, uy = way
        ax, ay, bx, by = (wall[:, k] - (eye.x, eye.y)[k % 2] for k in range(4))
        facing = ax * by - ay * bx < 0.0  # its outside, right of the way from start to end
        high = wall[:, 4] - eye.z
        da, db = ax * ux + ay * uy, bx * ux + by * uy
        keep = facing & (high > _LEAST) & (np.maximum(da, db) > _NEAREST)
        keep &= np.minimum(da, db) < _LAYERS[-1]
        ax, ay, bx, by, da, db, high = (v[keep] for v in (ax, ay, bx, by, da, db, high))
        sa, sb = ay * ux - ax * uy, by * ux - bx * uy
        for d0, s0, d1, s1 in (
            (da, sa, db, sb),
            (db, sb, da, sa),
        ):  # cut off what is beside the eye
            cut = np.flatnonzero(d0 < _NEAREST)
            share = (_NEAREST - d0[cut]) / (d1[cut] - d0[cut])
            s0[cut] += (s1[cut] - s0[cut]) * share
            d0[cut] = _NEAREST
        half = _RAYS // 2 * spread / 0.7
        ta, tb = sa / da * (half / spread), sb / db * (half / spread)  # rays from the middle
        size = int(half)
        low, top = np.minimum(ta, tb), np.maximum(ta, tb)
        i0 = np.maximum(np.ceil(low).astype(np.int64), -size)
        i1 = np.minimum(np.floor(top).astype(np.int64), size)
        span = np.maximum(i1 - i0 + 1, 0)
        if not span.any():
            return None
        which = np.repeat(np.arange(len(span)), span)
        ray = np.repeat(i0 - np.cumsum(span) + span, span) + np.arange(len(which))
        share = (ray - ta[which]) / np.where(tb == ta, 1.0, tb - ta)[which]
        inverse = 1.0 / da[which] + (1.0 / db - 1.0 / da)[which] * share
        layer = np.searchsorted(_LAYERS, 1.0 / inverse)
        fits = layer < len(_LAYERS)
        reached = np.full((len(_LAYERS), 2 * size + 1), -np.inf)
        spot = layer[fits] * (2 * size + 1) + ray[fits] + size
        np.maximum.at(reached.reshape(-1), spot, (high[which] * inverse)[fits])
        return np.maximum.accumulate(reached, axis=0)

    def _over(
        self, reached: Floats, near: Floats, ahead: Floats, aside: Floats, rows: Ints, eye: Eye,
        spread: float,
    ) -> NDArray[np.bool_]:  # fmt: skip
        """Whether any ray to a cell passes over all that stands before it."""
        size = reached.shape[1] // 2
        scale = (_RAYS // 2 * spread / 0.7) / spread
        layer = np.searchsorted(_LAYERS, near, side="right") - 1
        rise = (self._cells.top[rows] - eye.z) / np.maximum(near, 1e-3) + _SLACK
        ratio = aside / np.maximum(ahead, 1e-3) * scale
        i0 = np.clip(np.floor(ratio.min(1)) - 1, -size, size).astype(np.int64) + size
        i1 = np.clip(np.ceil(ratio.max(1)) + 1, -size, size).astype(np.int64) + size
        seen = np.ones(len(rows), np.bool_)
        for i in np.flatnonzero((layer >= 0) & (ahead.min(1) > 1.0)).tolist():
            seen[i] = reached[layer[i], i0[i] : i1[i] + 1].min() < rise[i]
        return seen


def boxes(groups: Sequence[Floats]) -> Cells:
    """The box about each group of points (n, 3)."""
    low = np.array([g.min(0)[:2] for g in groups]).reshape(-1, 2)
    high = np.array([g.max(0)[:2] for g in groups]).reshape(-1, 2)
    return Cells(low, high, np.array([g[:, 2].max() for g in groups]))
