"""Traffic signals at the junctions that have them: poles, arms, heads, and the lens that is lit."""

from collections import defaultdict
from functools import cache
from math import atan2

import numpy as np
from panda3d.core import GeomNode, NodePath, OmniBoundingVolume

from game.view.daylight import Look
from game.view.labels import Train
from game.view.materials import dress
from game.view.mesh import Mesh, box, geometry, join, post, quads, turned
from game.view.mouths import Half
from game.view.resident import Nearby
from game.world.city import City, Junction, Point
from game.world.signals import Light, axis_of, light, place_of
from game.world.state import WorldState

_NEAR = 170.0  # lenses are drawn up to here [m]
_POLE = (62, 66, 62, 0)
_HEAD = (202, 160, 30, 0)
_COLOURS = ((255, 46, 30, 0), (255, 176, 30, 0), (40, 240, 130, 0))
_LIT = {Light.RED: 0.0, Light.AMBER: 1.0, Light.GREEN: 2.0}


def _lenses(y: float, z: float) -> list[Mesh]:
    """Red above amber above green, facing -x: towards who comes along +x."""
    found = []
    for place, paint in enumerate(_COLOURS):
        at = z + (1 - place) * 0.31
        y0, y1, z0, z1 = y - 0.11, y + 0.11, at - 0.11, at + 0.11
        face = np.array([[(-0.15, y1, z0), (-0.15, y0, z0), (-0.15, y0, z1), (-0.15, y1, z1)]])
        lens = quads(face, paint, Train.TRAFFIC_LIGHT)
        lens[0]["span"] = (place, 0)
        found.append(lens)
    return found


@cache
def head(reach: float) -> tuple[Mesh, Mesh]:
    """A pole at the origin with an arm `reach` [m] to the left, and the lenses of its two heads."""
    parts = [
        post((0, 0, 0), 5.9, 0.10, _POLE, Train.POLE, 5, 0.7, False),
        box((-0.05, 0, 5.55), (0.05, reach, 5.65), _POLE, Train.POLE),
    ]
    lenses: list[Mesh] = []
    for y, z in ((reach - 0.3, 5.1), (0.24, 2.95)):
        parts.append(
            box((-0.14, y - 0.17, z - 0.52), (0.14, y + 0.17, z + 0.52), _HEAD, Train.TRAFFIC_LIGHT)
        )
        lenses += _lenses(y, z)
    return join(parts), join(lenses)


class Signals:
    """Heads on the far side of every signalised approach. `root` is to be hung into the scene."""

    def __init__(self, city: City, parts: list[Half], look: Look) -> None:
        self.root = NodePath("signals")
        self._node = GeomNode("lamps")
        self._node.setBounds(OmniBoundingVolume())
        self._node.setFinal(True)
        path = self.root.attachNewNode(self._node)
        dress(path, "lamp", look.features)
        path.setBin("actors", 0)
        self._shown: tuple[tuple[int, Light], ...] = ()
        by_id = {j.id: j for j in city.junctions if j.signal}
        self._stands: list[tuple[Point, Point, float]] = []
        lamps: dict[tuple[int, int], list[int]] = {}  # (junction, axis) -> rows of stands
        parts_at: dict[int, list[Half]] = defaultdict(list)
        for half in parts:
            parts_at[half.junction].append(half)
        for junction in by_id.values():
            for _, at, (ux, uy), reach in approaches(junction, parts_at[junction.id]):
                key = (junction.id, axis_of(atan2(uy, ux)))
                lamps.setdefault(key, []).append(len(self._stands))
                self._stands.append((at, (ux, uy), reach))
        self.feet = np.array([at for at, _, _ in self._stands], float).reshape(-1, 2)
        """Where the poles stand (n, 2) [m]."""
        self._keys = [(place_of(by_id[junction].name), axis) for junction, axis in lamps]
        self._rows = list(lamps.values())
        self._lenses: dict[int, Mesh] = {}
        places = [(by_id[junction].x, by_id[junction].y) for junction, _ in lamps]
        self._near = Nearby(np.array(places, float).reshape(-1, 2), _NEAR)

    def pole(self, row: int) -> Mesh:
        """One of the poles at `feet`, with its arm and heads."""
        at, (ux, uy), reach = self._stands[row]
        return turned(head(reach)[0], *at, ux, uy)

    def update(self, state: WorldState, x: float, y: float) -> None:
        """Light the lenses near (x, y) as they are in this tick; farther ones are not drawn."""
        rows, dx, dy = self._near.offsets(x, y)
        near: list[int] = rows[(np.abs(dx) < _NEAR) & (np.abs(dy) < _NEAR)].tolist()
        shown = tuple([(index, light(*self._keys[index], state.tick)) for index in near])
        if shown == self._shown:
            return
        self._shown = shown
        self._node.removeAllGeoms()
        if shown:
            self._node.addGeom(geometry(*join([self._lit(*each) for each in shown])))

    def _lit(self, index: int, value: Light) -> Mesh:
        """The lenses of one approach, with the one that shines in span.y, all in one draw."""
        if index not in self._lenses:
            stands = [self._stands[row] for row in self._rows[index]]
            self._lenses[index] = join([turned(head(r)[1], *at, *way) for at, way, r in stands])
        vertices, indices = self._lenses[index]
        vertices = vertices.copy()
        vertices["span"][:, 1] = _LIT[value]
        return vertices, indices


def approaches(junction: Junction, meeting: list[Half]) -> list[tuple[Half, Point, Point, float]]:
    """(half, foot of its pole, unit vector of who arrives, length of its arm [m]) with signals."""
    found: list[tuple[Half, Point, Point, float]] = []
    for half in meeting if junction.signal and len(junction.streets) > 2 else ():
        if half.cut < 3.0 or not (half.reverse or not half.street.oneway):
            continue
        ux, uy = -half.inwards[0], -half.inwards[1]
        (x, y), width = _beyond(half, meeting)
        at = (x + uy * (width / 2 + 0.7), y - ux * (width / 2 + 0.7))
        found.append((half, at, (ux, uy), round(min(half.street.width * 0.42, 5.5))))
    return found


def _beyond(half: Half, meeting: list[Half]) -> tuple[Point, float]:
    """Where its head stands: at the mouth across the junction, or else at its own."""
    ux, uy = half.inwards
    across = min(meeting, key=lambda h: h.inwards[0] * ux + h.inwards[1] * uy)
    straight = across.inwards[0] * ux + across.inwards[1] * uy < -0.85
    chosen = across if straight else half
    return chosen.points[0], chosen.street.width
