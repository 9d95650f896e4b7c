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
from game.view.camera import Eye
from game.view.mesh import Mesh, geom_node, join
from game.view.mouths import Half
from game.view.resident import AROUND, Resident
from game.view.room import Room
from game.view.signals import Signals
from game.world.city import City

_KEPT = 260  # tiles


class Land:
    """All ground of a city. layers: what roadways, other ground and things on it are hung into."""

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

    def show(self, eye: Eye, reach: float) -> None:
        """What lies within reach of the eye [m]."""
        away = self.resident.away(eye, reach + AROUND)
        rows = np.flatnonzero(away < reach)
        self.resident.ready(rows, away, reach)
        self.resident.show(rows, away)

    def _make(self, rows: Sequence[int]) -> dict[int, list[Any]]:
        return {row: self._nodes(row) for row in rows}

    def _nodes(self, row: int) -> list[Any]:
        on, off = self._tiles.made(self._tiles.keys[row])
        pieces: list[tuple[Any, Mesh, int]] = [(self._layers[1], off, len(self._tiles.keys) + row)]
        if on is not None:
            pieces.append((self._layers[0], on, row))
        things = self._things(self._tiles.keys[row])
        if things:
            pieces.append((self._layers[2], join(things), -1))
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
