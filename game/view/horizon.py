"""Which parts of a city stand hidden behind nearer walls, so that they need not be drawn.

All buildings stand on the ground, so per ray over the ground one number says what is hidden: how
high walls nearer than some distance reach. A function of the eye alone; changes no pixel.
"""

from dataclasses import dataclass, replace
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


class Boxes:
    """Upright boxes over the ground, as columns: far quicker to look through than rows."""

    def __init__(self, low: Floats, high: Floats) -> None:
        """low, high: corners (n, 2) [m]."""
        self.x, self.y = np.ascontiguousarray(((low + high) / 2).T)
        self.wide, self.deep = np.ascontiguousarray(((high - low) / 2).T)


@dataclass(frozen=True, slots=True)
class Ahead:
    """The boxes within the picture, hidden or not: rows, and their corners seen from the eye [m].

    near: the nearest corner, along the way that the eye looks. ahead, aside: (4, n) of the corners.
    """

    rows: Ints
    near: Floats
    ahead: Floats
    aside: Floats


@dataclass(frozen=True, slots=True)
class Sight:
    """What a level eye sees. spread: tangent of half the angle of view; far: how far [m].

    reached: per layer of distance and ray, how high walls nearer than that reach [m per m ahead];
    None where no wall hides anything.
    """

    eye: Eye
    spread: float
    far: float
    reached: Floats | None = None

    def before(self, boxes: Boxes, rows: Ints) -> Ahead:
        """What lies within the picture of `rows` of some boxes."""
        ux, uy = cos(self.eye.yaw), sin(self.eye.yaw)
        x, y = boxes.x[rows] - self.eye.x, boxes.y[rows] - self.eye.y
        wide, deep = boxes.wide[rows], boxes.deep[rows]
        ahead, aside = x * ux + y * uy, y * ux - x * uy
        reach = wide * abs(ux) + deep * abs(uy)
        near = ahead - reach
        keep = (ahead + reach > 0.0) & (near < self.far)
        rim = ahead * self.spread  # to either side, less what the box reaches out by
        sx, sy = ux * self.spread, uy * self.spread
        keep &= aside - rim < wide * abs(uy + sx) + deep * abs(ux - sy)
        keep &= aside + rim > -(wide * abs(sx - uy) + deep * abs(ux + sy))
        kept = np.flatnonzero(keep)
        wide, deep = wide[kept], deep[kept]
        a, b, c, d = wide * ux, deep * uy, wide * uy, deep * ux
        return Ahead(
            rows[kept], near[kept],
            ahead[kept] + np.stack([-a - b, a - b, a + b, b - a]),
            aside[kept] + np.stack([c - d, -c - d, d - c, c + d]),
        )  # fmt: skip

    def shows(self, before: Ahead, top: Floats | float) -> Ints:
        """Rows of the boxes, no part higher than `top` [m], that no nearer walls hide."""
        if self.reached is None:
            return before.rows
        return before.rows[self._over(self.reached, before, top)]

    def _over(
        self, reached: Floats, before: Ahead, top: Floats | float
    ) -> NDArray[np.bool_]:  # fmt: skip
        """Whether any ray to a box passes over all that stands before it."""
        size = reached.shape[1] // 2
        scale = (_RAYS // 2 * self.spread / 0.7) / self.spread
        layer = np.searchsorted(_LAYERS, before.near, side="right") - 1
        # what is lower than the eye rises towards it the farther it is: to its height at most
        rise = np.maximum(top - self.eye.z, 0.0) / np.maximum(before.near, 1e-3) + _SLACK
        ratio = before.aside / np.maximum(before.ahead, 1e-3) * scale
        i0 = np.minimum(np.maximum(np.floor(ratio.min(0)) - 1, -size), size).astype(np.int64)
        i1 = np.minimum(np.maximum(np.ceil(ratio.max(0)) + 1, -size), size).astype(np.int64)
        seen = np.ones(len(rise), np.bool_)
        hideable = np.flatnonzero((layer >= 0) & (before.near > 1.0))
        if len(hideable):  # the lowest place over each one's rays, all in one go
            width = reached.shape[1]
            flat = np.append(reached.reshape(-1), np.inf)
            start = layer[hideable] * width + i0[hideable] + size
            spans = np.column_stack([start, start + (i1 - i0)[hideable] + 1]).reshape(-1)
            lowest = np.minimum.reduceat(flat, spans)[::2]
            seen[hideable] = lowest < rise[hideable]
        return seen


class Horizon:
    """The boxes of all cells, and the walls of those that are filled."""

    def __init__(self, low: Floats, high: Floats) -> None:
        """Corners (n, 2) that hold all of each cell [m]."""
        self.boxes = Boxes(low, high)
        self.top = np.full(len(low), np.inf)
        self._walls = [np.zeros((0, 5))] * len(low)
        self._last = b"", np.zeros((8, 0))

    def fill(self, row: int, hides: Floats, top: float) -> None:
        """The walls of a cell as (n, 5): start, end, top; and its highest point [m]."""
        length = np.abs(hides[:, 2:4] - hides[:, :2]).sum(1)
        self._walls[row] = hides[(length > _SHORT) & (hides[:, 4] > _LOW)]
        self.top[row] = top
        self._last = b"", np.zeros((8, 0))

    def hiding(self, sight: Sight, before: Ahead) -> Sight:
        """The same sight with the walls of the cells `before` the eye in its way."""
        eye, way = sight.eye, (cos(sight.eye.yaw), sin(sight.eye.yaw))
        rows = before.rows[before.near < _LAYERS[-1]]
        return replace(sight, reached=self._reached(rows, eye, way, sight.spread))

    def _columns(self, rows: Ints) -> Floats:
        """All walls of these cells as (8, n): start, end, top, way from start to end, and how far
        left of the origin that way passes, times its length."""
        key = rows.tobytes()
        if self._last[0] != key or not key:
            found = np.zeros((0, 5)), *(self._walls[row] for row in rows.tolist())
            ax, ay, bx, by, top = np.concatenate(found).T
            dx, dy = bx - ax, by - ay
            self._last = key, np.stack([ax, ay, bx, by, top, dx, dy, ax * dy - ay * dx])
        return self._last[1]

    def _reached(
        self, rows: Ints, eye: Eye, way: tuple[float, float], spread: float
    ) -> Floats | None:
        """Per layer of distance and ray, how high walls nearer than that reach [m per m ahead]."""
        wall = self._columns(rows)
        dx, dy, past = wall[5:]  # its outside faces the eye: right of the way from start to end
        facing = (past - eye.x * dy + eye.y * dx < 0.0) & (wall[4] > eye.z + _LEAST)
        ax, ay, bx, by, high = wall[:5, facing]
        ux, uy = way
        ax, ay, bx, by, high = ax - eye.x, ay - eye.y, bx - eye.x, by - eye.y, high - eye.z
        da, db = ax * ux + ay * uy, bx * ux + by * uy
        keep = (np.maximum(da, db) > _NEAREST) & (np.minimum(da, db) < _LAYERS[-1])
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
