"""The ground of a whole city as nodes: roadways, pavements, parks, water, kerbs, signal poles.

Made tile by tile before the eye can see them. Tiles are drawn in a fixed order, whichever was made
first, since they may overlap.
"""

from collections import defaultdict
from collections.abc import Sequence
from typing import Any

import numpy as np

from game.view import kerbs, streets
from game.view.buildings import tile_keys
from game.view.horizon import Boxes, Sight
from game.view.mesh import Mesh, geom_node, join, parted
from game.view.mouths import Half
from game.view.resident import AROUND, Resident
from game.view.room import Room
from game.view.signals import Signals
from game.world.city import City

_KEPT = 260  # tiles
_ARM, _TOP = 8.0, 7.0  # how far a signal's arm reaches out of its tile, and the highest pole [m]


class Land:
    """All ground of a city. layers: what roadways without and with lanes for bicycles, other ground
    and things on it are hung into."""

    def __init__(
        self, city: City, parts: list[Half], room: Room, signals: Signals, layers: Sequence[Any]
    ) -> None:
        self._tiles = streets.Tiles(city, parts)
        self._layers, self._signals = layers, signals
        self._room = room
        self._halves: dict[int, list[Half]] = defaultdict(list)
        for key, half in zip(streets.tile_of(parts).tolist(), parts, strict=True):
            self._halves[key].append(half)
        keys = tile_keys(signals.feet)
        self._order = np.argsort(keys, kind="stable")
        self._sorted = keys[self._order]
        self.resident = Resident(self._tiles.low, self._tiles.high, self._make, _KEPT)
        self._boxes = Boxes(self._tiles.low - _ARM, self._tiles.high + _ARM)

    def show(self, sight: Sight, reach: float) -> None:
        """What lies within reach of the eye [m] and is not hidden by walls."""
        away = self.resident.away(sight.eye, reach + AROUND)
        rows = np.flatnonzero(away < reach)
        self.resident.ready(rows, away, reach)
        self.resident.show(sight.shows(sight.before(self._boxes, rows), _TOP), away)

    def _make(self, rows: Sequence[int]) -> dict[int, list[Any]]:
        return {row: self._nodes(row) for row in rows}

    def _nodes(self, row: int) -> list[Any]:
        on, off = self._tiles.made(self._tiles.keys[row])
        last = 2 * len(self._tiles.keys) + row  # all roadways come before any other ground
        pieces: list[tuple[Any, Mesh, int]] = [(self._layers[2], off, last)]
        if on is not None:
            flags = on[0]["paint"][on[1].reshape(-1, 3)[:, 2], 1]
            bikes = flags & (streets.BIKE | streets.PLAIN) == streets.BIKE
            for k, mesh in enumerate(parted(on, ~bikes)):
                if len(mesh[0]):
                    pieces.append((self._layers[k], mesh, 2 * row + k))
        things = self._things(self._tiles.keys[row])
        if things:
            pieces.append((self._layers[3], join(things), -1))
        paths = []
        for layer, mesh, order in pieces:
            path = layer.attachNewNode(geom_node("tile", mesh))
            if order >= 0:
                path.setBin("ground", order)
            path.stash()
            paths.append(path)
        return paths

    def _things(self, key: int) -> list[Mesh]:
        """Kerbs and poles of a tile."""
        first, last = np.searchsorted(self._sorted, (key, key + 1)).tolist()
        poles = [self._signals.pole(row) for row in np.sort(self._order[first:last]).tolist()]
        halves = self._halves.get(key)
        return [kerbs.kerbs(halves, streets.lines(halves), self._room), *poles] if halves else poles
