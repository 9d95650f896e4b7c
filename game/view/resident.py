"""Which pieces of a city have their nodes made: those in sight, and ahead of need those near.

A piece is made whole before it is drawn and is a function of the city alone, so what is drawn never
depends on the way that led here. Far pieces are let go, so memory does not grow with that way.
"""

from collections.abc import Callable, Sequence
from math import hypot, inf
from typing import Any

import numpy as np
from numpy.typing import NDArray

from game.view.camera import Eye

AROUND = 260.0  # made ahead of need: this much farther than sight, on all sides [m]
_STRIDE = 100.0  # the eye moves this far before the pieces round about are looked up anew [m]
Floats = NDArray[np.float64]
Ints = NDArray[np.int64]


class Turn:
    """Of all who make pieces ahead of need in a frame, the first one does; the others wait."""

    def __init__(self) -> None:
        self.taken = False


class Resident:
    """Pieces by row, of which `nodes` holds those that are made: row -> its hidden nodes."""

    def __init__(
        self,
        low: Floats,
        high: Floats,
        make: Callable[[Sequence[int]], dict[int, list[Any]]],
        kept: int,
        around: float = AROUND,
    ) -> None:
        """low, high: corners (n, 2) of all of each piece [m]. make: nodes of some rows, stashed."""
        self.middle, self.half = (low + high) / 2, (high - low) / 2
        self.nodes: dict[int, list[Any]] = {}
        self.shown: set[int] = set()
        self.turn: Turn | None = None
        """Shared with others, so that no frame is late because each of them makes a piece."""
        self._make, self._kept, self.around = make, kept, around
        self._lacking = np.ones(len(low), np.bool_)
        self._columns = np.ascontiguousarray(np.concatenate([self.middle.T, self.half.T]))
        # rows, their columns, and the circle that they meet
        self._about = np.zeros(0, np.int64), self._columns[:, :0], 0.0, 0.0, -1.0

    def away(self, eye: Eye, within: float = inf) -> Floats:
        """How far each piece is from the eye [m]; infinite where it is farther than `within`."""
        rows, columns, x, y, about = self._about
        if hypot(eye.x - x, eye.y - y) + within > about:
            about = within + _STRIDE
            rows = np.flatnonzero(_far(self._columns, eye.x, eye.y) <= about)
            columns = self._columns[:, rows]
            self._about = rows, columns, eye.x, eye.y, about
        found = np.full(len(self.middle), inf)
        far = _far(columns, eye.x, eye.y)
        far[far > within] = inf
        found[rows] = far
        return found

    def apart(self, x: float, y: float) -> Floats:
        """How far every piece is from a place [m]."""
        return _far(self._columns, x, y)

    def ready(self, rows: Ints, away: Floats, reach: float) -> None:
        """Make what lacks of `rows`; where nothing does, the nearest other within reach.

        After a jump everything round about is made at once.
        """
        lacking = np.flatnonzero((away < reach + self.around) & self._lacking).tolist()
        if self._lacking[rows].any():
            missing = set(rows.tolist()) - self.nodes.keys()
            self.make(sorted(missing.union(lacking)))
        elif lacking and (self.turn is None or not self.turn.taken):
            if self.turn is not None:
                self.turn.taken = True
            self.make([min(lacking, key=lambda row: float(away[row]))])

    def make(self, rows: Sequence[int]) -> None:
        """Make the nodes of these."""
        self.nodes.update(self._make(rows))
        self._lacking[list(rows)] = False

    def show(self, rows: Ints, away: Floats) -> None:
        """Exactly these, and let go of the farthest where there are too many."""
        wanted = set(rows.tolist())
        for row in self.shown - wanted:
            for path in self.nodes[row]:
                path.stash()
        for row in sorted(wanted - self.shown):
            for path in self.nodes[row]:
                path.unstash()
        self.shown = wanted
        spare = self.nodes.keys() - wanted if len(self.nodes) > self._kept else ()
        if spare:
            last = max(spare, key=lambda row: float(away[row]))
            self._lacking[last] = True
            for path in self.nodes.pop(last):
                path.removeNode()


def _far(columns: Floats, px: float, py: float) -> Floats:
    """How far oblongs (4, n: middles and half sizes) are from a point [m]."""
    x = np.maximum(np.abs(columns[0] - px) - columns[2], 0.0)
    y = np.maximum(np.abs(columns[1] - py) - columns[3], 0.0)
    return np.asarray(np.sqrt(x * x + y * y))


class Nearby:
    """Which of many places lie about the eye: a few candidates, looked up anew now and then."""

    def __init__(self, places: Floats, within: float) -> None:
        """places: (n, 2) [m]. within: how far at most anybody asks, along either axis [m]."""
        self._columns = np.ascontiguousarray(places.T.reshape(2, -1))
        self._within = within
        self._about = np.zeros(0, np.int64), self._columns[:, :0], inf, inf

    def offsets(self, x: float, y: float) -> tuple[Ints, Floats, Floats]:
        """Rows among which all are that lie within reach, and how far each is away in x and y."""
        rows, columns, cx, cy = self._about
        if not max(abs(x - cx), abs(y - cy)) < _STRIDE:
            dx, dy = np.abs(self._columns[0] - x), np.abs(self._columns[1] - y)
            rows = np.flatnonzero(np.maximum(dx, dy) < self._within + _STRIDE)
            columns = self._columns[:, rows]
            self._about = rows, columns, x, y
        return rows, columns[0] - x, columns[1] - y
