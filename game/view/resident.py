"""Which pieces of a city have their nodes made: those in sight, and ahead of need those near.

A piece is made whole before it is drawn and is a function of the city alone, so what is drawn never
depends on the way that led here. Far pieces are let go, so memory does not grow with that way.
"""

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from game.view.camera import Eye

AROUND = 260.0  # made ahead of need: this much farther than sight, on all sides [m]
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

    def away(self, eye: Eye) -> Floats:
        """How far each piece is from the eye [m]."""
        apart = np.maximum(np.abs(self.middle - (eye.x, eye.y)) - self.half, 0.0)
        return np.asarray(np.sqrt((apart * apart).sum(1)))

    def ready(self, rows: Ints, away: Floats, reach: float) -> None:
        """Make what lacks of `rows`; where nothing does, the nearest other within reach.

        After a jump everything round about is made at once.
        """
        near = np.flatnonzero(away < reach + AROUND).tolist()
        lacking = [row for row in near if row not in self.nodes]
        if any(row not in self.nodes for row in rows.tolist()):
            missing = set(rows.tolist()) - self.nodes.keys()
            self.make(sorted(missing.union(lacking)))
        elif lacking:
            self.make([min(lacking, key=lambda row: float(away[row]))])

    def make(self, rows: Sequence[int]) -> None:
        """Make the nodes of these."""
        self.nodes.update(self._make(rows))

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
        if len(self.nodes) > self._kept:
            last = max(self.nodes.keys() - wanted, key=lambda row: float(away[row]))
            for path in self.nodes.pop(last):
                path.removeNode()
