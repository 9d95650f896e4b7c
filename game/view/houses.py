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
from game.view.horizon import Horizon, Sight, cell_keys
from game.view.mesh import Mesh, geom_node, parted
from game.view.resident import AROUND, Resident
from game.world.city import City, Footprint

_MARGIN = 3.0  # what a cornice or an awning may stand out over its footprint [m]
_KEPT = 1100  # cells
_OVERHEAD = (
    6.0  # a flat roof no lower shows nothing to an eye no higher: half of all roof faces [m]
)
_FRONT = 40.0  # a street farther from a wall is no front of it, half its width aside [m]
Floats = NDArray[np.float64]
Ints = NDArray[np.int64]


class Houses:
    """All buildings of a city. layers: what walls, shop fronts and roofs are to be hung into."""

    def __init__(self, city: City, layers: Sequence[Any]) -> None:
        self._city, self._layers = city, [*layers]
        self._flats = layers[-1].attachNewNode("flats") if layers else None
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
        self.resident = Resident(low, high, self._make, _KEPT)
        self._fronts = np.array(
            [(*np.min(s.points, 0), *np.max(s.points, 0), s.width / 2) for s in city.streets]
        ).reshape(-1, 5)
        self.horizon = Horizon(low, high)
        self.hiding = True
        """Whether what stands hidden is left out; no pixel depends on it."""

    def show(self, eye: Eye, spread: float, far: float, reach: float) -> Sight:
        """Exactly what is in the picture, and the sight with these walls in its way.

        spread, far: see Sight. reach: of anything in sight [m].
        """
        away = self.resident.away(eye, reach + AROUND)
        sight = Sight(eye, spread, far)
        before = sight.before(self.horizon.boxes, np.flatnonzero(away < reach))
        self.resident.ready(before.rows, away, reach)
        if self._flats is not None and self._flats.isStashed() == (eye.z > _OVERHEAD):
            self._flats.unstash() if eye.z > _OVERHEAD else self._flats.stash()
        if self.hiding:
            sight = self.horizon.hiding(sight, before)
        self.resident.show(sight.shows(before, self.horizon.top[before.rows]), away)
        return sight

    def about(self, x: float, y: float, within: float) -> list[Footprint]:
        """Those of all cells that reach within so far of a place [m], in the order of the city."""
        rows = np.flatnonzero(self.resident.apart(x, y) < within).tolist()
        index = [i for row in rows for i in self._own[row].tolist()]
        return [self._city.footprints[i] for i in sorted(index)]

    def whole(self) -> None:
        """Make every cell now."""
        self.resident.make([r for r in range(len(self._own)) if r not in self.resident.nodes])

    def _make(self, rows: Sequence[int]) -> dict[int, list[Any]]:
        if not rows:
            return {}
        nodes: dict[int, list[Any]] = {}
        index = np.concatenate([self._own[row] for row in rows])
        footprints = [self._city.footprints[i] for i in np.sort(index).tolist()]
        at = dict(zip(self._keys[list(rows)].tolist(), rows, strict=True))
        for cell in buildings.cells(footprints, self._frontage(list(rows))):
            meshes = cell.walls, cell.shops, cell.tops
            flat, rest = parted(cell.tops, _flat(cell.tops))
            paths = [
                layer.attachNewNode(geom_node("cell", mesh))
                for layer, mesh in zip(
                    (*self._layers, self._flats), (cell.walls, cell.shops, rest, flat), strict=True
                )
                if len(mesh[0])
            ]
            for path in paths:
                path.stash()
            nodes[at[cell.key]] = paths
            tops = [float(mesh[0]["place"][:, 2].max()) for mesh in meshes if len(mesh[0])]
            self.horizon.fill(at[cell.key], cell.hides, max(tops))
        return nodes

    def _frontage(self, rows: list[int]) -> Frontage | None:
        """Of the streets about these cells; the same there as of all streets."""
        if not len(self._fronts):
            return None
        low = (self.resident.middle - self.resident.half)[rows].min(0) - _FRONT
        high = (self.resident.middle + self.resident.half)[rows].max(0) + _FRONT
        wide = self._fronts[:, 4:]
        near = (self._fronts[:, 2:4] + wide > low) & (self._fronts[:, :2] - wide < high)
        return Frontage([self._city.streets[i] for i in np.flatnonzero(near.all(1)).tolist()])


def _flat(mesh: Mesh) -> NDArray[np.bool_]:
    """Which triangles lie level, face the sky and are no lower than _OVERHEAD."""
    triangles = mesh[1].reshape(-1, 3)
    low = mesh[0]["place"][:, 2][triangles].min(1)
    high = mesh[0]["place"][:, 2][triangles].max(1)
    up = mesh[0]["facing"][triangles[:, 2], 2] == 255
    return np.asarray(up & (low == high) & (low >= _OVERHEAD))
