"""Which cells of a city stand hidden behind nearer walls, so that they need not be drawn.

All buildings stand on the ground, so per ray over the ground one number says what is hidden: how
high walls nearer than some distance reach. A function of the eye alone; changes no pixel.
"""

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
_SHORT, _LOW = 2.0, 5.0  # walls no longer, or with no higher top, hide nothing worth while [m]
_SLACK = 0.01  # of a top over a horizon, as a share of the distance
Floats = NDArray[np.float64]
Ints = NDArray[np.int64]


def cell_keys(points: Floats) -> Ints:
    """The cell of each point as one number."""
    cell = np.floor(points / CELL).astype(np.int64)
    keys: Ints = (cell[:, 0] + 1_000_000) * 10_000_000 + cell[:, 1] + 1_000_000
    return keys


@dataclass(frozen=True, slots=True)
class Ahead:
    """The cells within the picture, hidden or not: rows, and their corners seen from the eye [m].

    near: the nearest corner, along the way that the eye looks.
    """

    rows: Ints
    near: Floats
    ahead: Floats
    aside: Floats


class Horizon:
    """The boxes of all cells, and the walls of those that are filled."""

    def __init__(self, low: Floats, high: Floats) -> None:
        """Corners (n, 2) that hold all of each cell [m]."""
        (x0, y0), (x1, y1) = low.T, high.T
        self._corners = np.stack([x0, x1, x1, x0], 1), np.stack([y0, y0, y1, y1], 1)
        self._top = np.full(len(low), np.inf)
        self._walls = [np.zeros((0, 5))] * len(low)

    def fill(self, row: int, hides: Floats, top: float) -> None:
        """The walls of a cell as (n, 5): start, end, top; and its highest point [m]."""
        length = np.abs(hides[:, 2:4] - hides[:, :2]).sum(1)
        self._walls[row] = hides[(length > _SHORT) & (hides[:, 4] > _LOW)]
        self._top[row] = top

    def ahead(self, rows: Ints, eye: Eye, spread: float, far: float) -> Ahead:
        """What a level eye has before it of `rows`; spread: tangent of half the angle of view."""
        ux, uy = cos(eye.yaw), sin(eye.yaw)
        x, y = self._corners[0][rows] - eye.x, self._corners[1][rows] - eye.y
        ahead = x * ux + y * uy
        aside = y * ux - x * uy
        near = ahead.min(1)
        near_enough = (ahead.max(1) > 0.0) & (near < far)
        left, right = aside - ahead * spread, aside + ahead * spread
        keep = near_enough & (left.min(1) < 0.0) & (right.max(1) > 0.0)
        return Ahead(rows[keep], near[keep], ahead[keep], aside[keep])

    def seen(self, before: Ahead, eye: Eye, spread: float) -> Ints:
        """Rows of those that no nearer walls hide."""
        way = cos(eye.yaw), sin(eye.yaw)
        reached = self._reached(before.rows[before.near < _LAYERS[-1]], eye, way, spread)
        if reached is None:
            return before.rows
        return before.rows[self._over(reached, before, eye, spread)]

    def _reached(
        self, rows: Ints, eye: Eye, way: tuple[float, float], spread: float
    ) -> Floats | None:
        """Per layer of distance and ray, how high walls nearer than that reach [m per m ahead]."""
        wall = np.concatenate([np.zeros((0, 5)), *(self._walls[row] for row in rows.tolist())])
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
        self, reached: Floats, before: Ahead, eye: Eye, spread: float
    ) -> NDArray[np.bool_]:  # fmt: skip
        """Whether any ray to a cell passes over all that stands before it."""
        size = reached.shape[1] // 2
        scale = (_RAYS // 2 * spread / 0.7) / spread
        layer = np.searchsorted(_LAYERS, before.near, side="right") - 1
        rise = (self._top[before.rows] - eye.z) / np.maximum(before.near, 1e-3) + _SLACK
        ratio = before.aside / np.maximum(before.ahead, 1e-3) * scale
        i0 = np.clip(np.floor(ratio.min(1)) - 1, -size, size).astype(np.int64) + size
        i1 = np.clip(np.ceil(ratio.max(1)) + 1, -size, size).astype(np.int64) + size
        seen = np.ones(len(rise), np.bool_)
        hideable = np.flatnonzero((layer >= 0) & (before.ahead.min(1) > 1.0))
        if len(hideable):  # the lowest place over each one's rays, all in one go
            width = reached.shape[1]
            flat = np.append(reached.reshape(-1), np.inf)
            start = layer[hideable] * width + i0[hideable]
            spans = np.column_stack([start, start + (i1 - i0)[hideable] + 1]).reshape(-1)
            lowest = np.minimum.reduceat(flat, spans)[::2]
            seen[hideable] = lowest < rise[hideable]
        return seen
