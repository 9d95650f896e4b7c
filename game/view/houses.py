"""The buildings of a whole city as nodes, built cell by cell before the eye can see them.

What is shown follows from the eye and the city alone: a cell's geometry is a function of its own
buildings, and every cell within the picture is there before it is drawn. Keeps those near by.
"""

from collections.abc import Sequence
from itertools import chain
from typing import Any

import numpy as np
from numpy.typing import NDArray

from game.view import buildings
from game.view.camera import Eye
from game.view.frontage import Frontage
from game.view.horizon import Horizon, cell_keys
from game.view.mesh import geom_node
from game.world.city import City

_ROUND = 260.0  # built ahead of need: this much farther than sight on all sides [m]
_MARGIN = 3.0  # what a cornice or an awning may stand out over its footprint [m]
_KEPT = 1100  # cells
_FRONT = 40.0  # a street farther from a wall is no front of it, half its width aside [m]
Floats = NDArray[np.float64]
Ints = NDArray[np.int64]


class Houses:
    """All buildings of a city. layers: what walls, shop fronts and roofs are to be hung into."""

    def __init__(self, city: City, layers: Sequence[Any]) -> None:
        self._city, self._layers = city, layers
        self._reach = 0.0
        rings = [f.rings[0] for f in city.footprints]
        lengths = np.array([len(ring) for ring in rings], np.int64)
        flat = np.fromiter(chain.from_iterable(chain.from_iterable(rings)), np.float64)
        points = flat.reshape(-1, 2)
        first = np.concatenate([[0], np.cumsum(lengths)[:-1]]).astype(np.int64)
        keys = cell_keys(points[first]) if rings else np.zeros(0, np.int64)
        order = np.argsort(keys, kind="stable")
        self._keys, starts = np.unique(keys[order], return_index=True)
        self._own = np.split(order, starts[1:]) if rings else []
        low, high = np.zeros((0, 2)), np.zeros((0, 2))
        if rings:
            low = np.minimum.reduceat(np.minimum.reduceat(points, first)[order], starts) - _MARGIN
            high = np.maximum.reduceat(np.maximum.reduceat(points, first)[order], starts) + _MARGIN
        self._middle, self._half = (low + high) / 2, (high - low) / 2
        self._fronts = np.array(
            [(*np.min(s.points, 0), *np.max(s.points, 0), s.width / 2) for s in city.streets]
        ).reshape(-1, 5)
        self.horizon = Horizon(low, high)
        self.cells: dict[int, list[Any]] = {}  # row -> its nodes
        self.shown: set[int] = set()
        self.hiding = True
        """Whether what stands hidden is left out; no pixel depends on it."""

    def show(self, eye: Eye, spread: float, far: float) -> None:
        """Exactly what is in the picture; see Horizon.ahead."""
        before = self.horizon.ahead(eye, spread, far)
        self._reach = max(self._reach, far * (1.0 + spread * spread) ** 0.5)
        away = np.linalg.norm(
            np.maximum(np.abs(self._middle - (eye.x, eye.y)) - self._half, 0.0), axis=1
        )
        self._ready(before.rows, away)
        seen = self.horizon.seen(before, eye, spread) if self.hiding else before.rows
        wanted = set(seen.tolist())
        for index in self.shown - wanted:
            for path in self.cells[index]:
                path.stash()
        for index in wanted - self.shown:
            for path in self.cells[index]:
                path.unstash()
        self.shown = wanted
        self._thin(away)

    def _ready(self, rows: Ints, away: Floats) -> None:
        """Build what is in the picture, and ahead of need the nearest cell that is not there."""
        near = np.flatnonzero(away < self._reach + _ROUND)
        lacking = [row for row in near.tolist() if row not in self.cells]
        if any(row not in self.cells for row in rows.tolist()):  # the first picture, or a jump
            self.build(lacking)
        elif lacking:
            self.build([min(lacking, key=lambda row: float(away[row]))])

    def _thin(self, away: Floats) -> None:
        """Let go of the farthest cell where there are too many."""
        if len(self.cells) > _KEPT:
            row = max(self.cells.keys() - self.shown, key=lambda row: float(away[row]))
            for path in self.cells.pop(row):
                path.removeNode()

    def build(self, rows: Sequence[int]) -> None:
        """Make the nodes of these cells, hidden for now."""
        if not rows:
            return
        index = np.concatenate([self._own[row] for row in rows])
        footprints = [self._city.footprints[i] for i in np.sort(index).tolist()]
        at = dict(zip(self._keys[list(rows)].tolist(), rows, strict=True))
        for cell in buildings.cells(footprints, self._frontage(list(rows))):
            meshes = cell.walls, cell.shops, cell.tops
            paths = [
                layer.attachNewNode(geom_node("cell", mesh))
                for layer, mesh in zip(self._layers, meshes, strict=True)
                if len(mesh[0])
            ]
            for path in paths:
                path.stash()
            self.cells[at[cell.key]] = paths
            tops = [float(mesh[0]["place"][:, 2].max()) for mesh in meshes if len(mesh[0])]
            self.horizon.fill(at[cell.key], cell.hides, max(tops))

    def _frontage(self, rows: list[int]) -> Frontage | None:
        """Of the streets about these cells; the same there as of all streets."""
        if not len(self._fronts):
            return None
        low = (self._middle - self._half)[rows].min(0) - _FRONT
        high = (self._middle + self._half)[rows].max(0) + _FRONT
        wide = self._fronts[:, 4:]
        near = (self._fronts[:, 2:4] + wide > low) & (self._fronts[:, :2] - wide < high)
        return Frontage([self._city.streets[i] for i in np.flatnonzero(near.all(1)).tolist()])
