"""Puts everyone of a state in their place; limbs and wheels are moved by the shader.

What is drawn follows from the state alone; nodes are kept between ticks only to save time.
"""

from functools import cache
from math import cos, sin, tau
from typing import Any

import numpy as np
from panda3d.core import (
    Geom,
    GeomNode,
    NodePath,
    OmniBoundingVolume,
    PTA_LVecBase4f,
    TransparencyAttrib,
)

from game.view import bodies, people
from game.view.camera import Eye
from game.view.labels import entity_instance, instance_bytes
from game.view.materials import program
from game.view.mesh import VERTEX, Mesh, geom_node, geometry, join, quad_indices
from game.world.entity import BODIES, EGO_ID, Body, EntityState, Kind
from game.world.state import WorldState

_CORNERS = ((-1, -1), (1, -1), (1, 1), (-1, 1))
_FAR = 460.0  # nobody is drawn beyond [m]
_COARSE = 42.0  # beyond, faces too small to be seen are left out [m]
_SMALL = 0.028  # such a face [m2]
_LONGEST = 8.0  # half of the longest body, and some [m]
_CREW, _ROWS = 40, 4  # as in actor.vert
_WHEEL = 0.33
_STRIDE = 1.45  # of a walker, both legs [m]
_SHADOW_LAYER = 8


@cache
def _mesh(body: str, coarse: bool = False) -> Any:
    """The one GeomNode of a kind of body, as seen near by or from afar."""
    maker = bodies.MAKERS.get(body) or people.MAKERS.get(body) or bodies.sedan
    mesh = join(maker(BODIES[body]))
    node = geom_node(body, _without_small(mesh) if coarse else mesh)
    node.setBounds(OmniBoundingVolume())
    node.setFinal(True)
    return node


def _without_small(mesh: Mesh) -> Mesh:
    """Only those quads that are still a pixel from afar."""
    quad = mesh[0].reshape(-1, 4)
    place = quad["place"].astype(np.float64)
    across = np.cross(place[:, 2] - place[:, 0], place[:, 3] - place[:, 1])
    keep = quad[np.linalg.norm(across, axis=1) / 2 > _SMALL]
    return keep.reshape(-1), quad_indices(len(keep))


def _tint(body: Body, entity: int) -> tuple[float, float, float]:
    own = body.kind in (Kind.PEDESTRIAN, Kind.BICYCLE) or body.name == "motorcycle"
    r, g, b = people.clothes(entity) if own else bodies.colour(body.name, entity)
    return r / 255, g / 255, b / 255


class Crew:
    """Up to _CREW entities of one body, drawn in one go: their places and poses in one array."""

    def __init__(self, root: Any, body: str, coarse: bool) -> None:
        self.path = root.attachNewNode(_mesh(body, coarse).makeCopy())
        self._rows = np.zeros((_CREW * _ROWS, 4), np.float32)
        self._array = PTA_LVecBase4f.emptyArray(_CREW * _ROWS)

    def show(self, rows: list[tuple[float, float, float, float]]) -> None:
        """Four rows each: place, who, tint, pose, as the shader reads them."""
        self._rows[: len(rows)] = rows
        self._array.setData(self._rows.tobytes())
        self.path.setShaderInput("crew", self._array)
        self.path.setInstanceCount(len(rows) // _ROWS)
        self.path.show()


class Actors:
    """All entities of one scene. `root` and `shadows` are to be hung into it."""

    def __init__(self) -> None:
        self.root = NodePath("actors")
        self.root.setShader(program("actor"))
        self.root.setBin("actors", 0)  # first: what stands before the rest hides it
        self._crews: dict[tuple[str, bool, int], Crew] = {}
        self._shown: list[Crew] = []
        self.shadows = _shadow_node()

    def update(self, state: WorldState, eye: Eye, ego: bool = True) -> None:
        """Show exactly those of `state` who are near enough and not behind the eye."""
        for crew in self._shown:
            crew.path.hide()
        self._shown.clear()
        progress = dict(state.progress)
        ahead = cos(eye.yaw), sin(eye.yaw)
        groups: dict[tuple[str, bool], list[tuple[float, float, float, float]]] = {}
        dark: list[tuple[float, float, float, float, float]] = []
        for entity in (state.ego, *state.actors) if ego else state.actors:
            dx, dy = entity.x - eye.x, entity.y - eye.y
            squared = dx * dx + dy * dy
            if squared > _FAR * _FAR or dx * ahead[0] + dy * ahead[1] < -_LONGEST:
                continue
            rows = groups.setdefault((entity.body, squared > _COARSE * _COARSE), [])
            rows += _rows(entity, state, progress)
            shape = BODIES[entity.body]
            dark.append((entity.x, entity.y, entity.heading, shape.length, shape.width))
        for (body, coarse), rows in groups.items():
            for chunk in range(0, len(rows), _CREW * _ROWS):
                self._crew(body, coarse, chunk).show(rows[chunk : chunk + _CREW * _ROWS])
        self._shade(dark)

    def _crew(self, body: str, coarse: bool, chunk: int) -> Crew:
        key = (body, coarse, chunk)
        if key not in self._crews:
            self._crews[key] = Crew(self.root, body, coarse)
        self._shown.append(self._crews[key])
        return self._crews[key]

    def _shade(self, dark: list[tuple[float, float, float, float, float]]) -> None:
        """One dark patch under each body."""
        table = np.array(dark).reshape(-1, 5)
        c, s = np.cos(table[:, 2]), np.sin(table[:, 2])
        rows = np.zeros((len(table), 4), VERTEX)
        for corner, (a, b) in enumerate(_CORNERS):
            along = a * (table[:, 3] / 2 * 1.06 + 0.22)
            across = b * (table[:, 4] / 2 * 1.10 + 0.22)
            rows["place"][:, corner, 0] = table[:, 0] + along * c - across * s
            rows["place"][:, corner, 1] = table[:, 1] + along * s + across * c
            rows["span"][:, corner] = (a, b)
        rows["facing"] = (128, 128, 255, _SHADOW_LAYER)
        node = self.shadows.node()
        node.removeAllGeoms()
        node.addGeom(geometry(rows.reshape(-1), quad_indices(len(rows)), Geom.UHStream))


def _shadow_node() -> Any:
    node = GeomNode("shadows")
    node.setBounds(OmniBoundingVolume())
    node.setFinal(True)
    path = NodePath(node)
    path.setShader(program("shade"))
    path.setShaderInput("layered", 1.0)
    path.setTransparency(TransparencyAttrib.MAlpha)
    path.setDepthWrite(False)
    path.setBin("shade", 0)
    return path


def _turns(entity: EntityState, progress: dict[int, float]) -> tuple[float, float]:
    """Two angles [rad]: of the wheels and of the steering, or of the legs and of the arms."""
    shape = BODIES[entity.body]
    gone = progress.get(entity.id)
    if gone is None:  # no odometer: the way along its own nose stands in for it
        gone = (entity.x * cos(entity.heading) + entity.y * sin(entity.heading)) % 1000.0
    if shape.kind in (Kind.PEDESTRIAN, Kind.EMERGENCY_WORKER):
        swing = sin(gone / (_STRIDE * shape.height / 1.75) * tau) * min(abs(entity.speed), 1.0)
        return swing * 0.55, swing * 0.40
    return gone / _WHEEL % tau, entity.steer


def _rows(
    entity: EntityState, state: WorldState, progress: dict[int, float]
) -> list[tuple[float, float, float, float]]:
    """Place and direction; instance bytes and brake light; paint and flashing lamp; joints."""
    first, second = _turns(entity, progress)
    lamp, brake = _lamps(entity, state)
    return [
        (entity.x, entity.y, cos(entity.heading), sin(entity.heading)),
        (*instance_bytes(entity_instance(entity.id)), brake),
        (*_tint(BODIES[entity.body], entity.id), lamp),
        (cos(first), sin(first), cos(second), sin(second)),
    ]


def _lamps(entity: EntityState, state: WorldState) -> tuple[float, float]:
    """How bright are flashing lamps and brake lights."""
    lamp = 1.0 if state.tick // 12 % 2 == entity.id % 2 else 0.25
    braking = entity.id == EGO_ID and state.controls.brake > 0
    return lamp, 1.0 if braking else 0.25
