"""Which walls look onto a street: the ground near street lines as a raster, and probes into it."""

from collections.abc import Sequence
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from game.world.city import Street

_CELL = 3.0  # of the raster [m]
_BESIDE = 4.0  # sidewalk that counts as the street's [m]
_PROBES = (3.5, 6.0, 9.0)  # in front of a wall [m]
Floats = NDArray[np.float64]


class Frontage:
    """A raster of all ground at most half a width and `_BESIDE` from a street's centre line."""

    def __init__(self, streets: Sequence[Street]) -> None:
        rows = [
            (*a, *b, street.width / 2 + _BESIDE)
            for street in streets
            for a, b in pairwise(street.points)
        ]
        table = np.array(rows, np.float64).reshape(-1, 5)
        start, move, reach = table[:, :2], table[:, 2:4] - table[:, :2], table[:, 4]
        length = np.linalg.norm(move, axis=1)
        ahead = move / np.maximum(length, 1e-9)[:, None]
        along, row = _steps(np.zeros(len(table)), length)
        across, point = _steps(-reach[row], reach[row])
        row, along = row[point], along[point]
        left = np.column_stack([-ahead[:, 1], ahead[:, 0]])
        spots = start[row] + ahead[row] * along[:, None] + left[row] * across[:, None]
        cells = np.floor(spots / _CELL).astype(np.int64)
        self._low = cells.min(0) if len(cells) else np.zeros(2, np.int64)
        size = cells.max(0) - self._low + 1 if len(cells) else np.ones(2, np.int64)
        self._near = np.zeros(size, np.bool_)
        if len(cells):
            self._near[tuple((cells - self._low).T)] = True

    def faces(self, middle: Floats, normal: Floats) -> NDArray[np.bool_]:
        """Whether walls with these middles and outward normals (n, 2) look onto a street."""
        seen = np.zeros(len(middle), np.bool_)
        for reach in _PROBES:
            cell = np.floor((middle + normal * reach) / _CELL).astype(np.int64) - self._low
            inside = ((cell >= 0) & (cell < self._near.shape)).all(1)
            cell = np.where(inside[:, None], cell, 0)
            seen |= inside & self._near[cell[:, 0], cell[:, 1]]
        return seen


def _steps(low: Floats, high: Floats) -> tuple[Floats, NDArray[np.int64]]:
    """Values from each low to its high, at most a cell apart, and the row of each."""
    count = np.ceil((high - low) / _CELL).astype(np.int64) + 1
    row = np.repeat(np.arange(len(low)), count)
    step = np.arange(len(row)) - np.repeat(np.cumsum(count) - count, count)
    share = step / np.maximum(count[row] - 1, 1)
    return low[row] + (high - low)[row] * share, row
