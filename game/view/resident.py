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


class Resident:
    """Pieces by row, of which `nodes` holds those that are made: row -> its hidden nodes."""

    def __init__(
        self,
        low: Floats,
        high: Floats,
        make: Callable[[Sequence[int]], dict[int, list[Any]]],
        kept: int,
    ) -> None:
        """low, high: corners (n, 2) of all of each piece [m]. make: nodes of some rows, stashed."""
        self.middle, self.half = (low + high) / 2, (high - low) / 2
        self.nodes: dict[int, list[Any]] = {}
        self.shown: set[int] = set()
        self._make, self._kept = make, kept
        self._lacking = np.ones(len(low), np.bool_)
        self._about = np.zeros(0, np.int64), 0.0, 0.0, -1.0  # rows, and the circle they meet

    def away(self, eye: Eye, within: float = inf) -> Floats:
        """How far each piece is from the eye [m]; infinite where it is farther than `within`."""
        rows, x, y, about = self._about
        if hypot(eye.x - x, eye.y - y) + within > about:
            about = within + _STRIDE
            rows = np.flatnonzero(self._far(slice(None), eye) <= about)
            self._about = rows, eye.x, eye.y, about
        found = np.full(len(self.middle), inf)
        far = self._far(rows, eye)
        far[far > within] = inf
        found[rows] = far
        return found

    def _far(self, rows: Ints | slice, eye: Eye) -> Floats:
        apart = np.abs(self.middle[rows] - (eye.x, eye.y)) - self.half[rows]
        x, y = np.maximum(apart, 0.0).T
        return np.asarray(np.sqrt(x * x + y * y))

    def ready(self, rows: Ints, away: Floats, reach: float) -> None:
        """Make what lacks of `rows`; where nothing does, the nearest other within reach.

        After a jump everything round about is made at once.
        """
        lacking = np.flatnonzero((away < reach + AROUND) & self._lacking).tolist()
        if self._lacking[rows].any():
            missing = set(rows.tolist()) - self.nodes.keys()
            self.make(sorted(missing.union(lacking)))
        elif lacking:
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
