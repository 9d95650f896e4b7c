"""Puts everyone of a state in their place; limbs and wheels are moved by the shader.

What is drawn follows from the state alone; nodes are kept between ticks only to save time.
"""

from collections.abc import Iterator
from functools import cache, lru_cache
from math import cos, pi, radians, sin, tan
from typing import Any

import numpy as np
from numpy.typing import NDArray
from panda3d.core import (
    ColorBlendAttrib,
    CullFaceAttrib,
    GeomNode,
    NodePath,
    OmniBoundingVolume,
    PTA_LVecBase4f,
    TransparencyAttrib,
)

from game.view import bodies, people, stock
from game.view.camera import Eye
from game.view.daylight import Look
from game.view.labels import entity_instance, instance_bytes
from game.view.materials import blend, dress
from game.view.mesh import VERTEX, Mesh, geom_node, geometry, join, quad_indices, thrifty
from game.world.entity import BODIES, EGO_ID, Body, EntityState, Kind
from game.world.state import WorldState

_FAR = 460.0  # nobody is drawn beyond [m]
# up to this distance [m] faces of at least this area [m2] are drawn: smaller ones cannot be seen
_DETAIL = ((17.0, 0.0), (40.0, 0.0125), (85.0, 0.05), (_FAR, 0.1))
_LIMITS = np.array([limit for limit, _ in _DETAIL])
_SHARE = 0.85  # of a body's skin that is drawn at any distance: heads and cones are small faces
_LAMP = 7  # the first joint that is a lamp
_GLIMMER = 0.02  # lamps larger than this are always drawn [m2]
_AFAR = 2  # the level from which people on foot are drawn as a few faces
_LONGEST = 8.0  # half of the longest body, and some [m]
_CREW, _ROWS = 40, 4  # as in actor.vert
PATCHES, _PATCH_ROWS = 80, 2  # as in shade.vert
_SHADOWS_TO, _BEAMS_TO, _MIRRORS_TO = 130.0, 80.0, 60.0  # [m]
_MIRRORED = 3  # level of detail of what wet ground gives back
_WHEEL = 0.33
_STRIDE = 1.45  # of a walker, both legs [m]
_WALKERS = (Kind.PEDESTRIAN, Kind.EMERGENCY_WORKER)
Floats = NDArray[np.float64]


def shape_of(body: str, variant: int, level: int) -> Mesh:
    """What is drawn of a kind of body at one of the levels of detail."""
    shape, smallest = BODIES[body], _DETAIL[level][1]
    if shape.kind in _WALKERS and level >= _AFAR:
        return people.afar(shape)
    if body in people.MAKERS:
        mesh = join(people.MAKERS[body](shape, variant))
    else:
        mesh = join(bodies.MAKERS.get(body, bodies.sedan)(shape))
    return _without_small(mesh, smallest) if smallest else mesh


def _skin(body: str, variant: int, level: int) -> stock.Entry:
    return f"{body} {variant} {level}", lambda: thrifty(shape_of(body, variant, level))


def _lens(body: str) -> stock.Entry:
    """The lamps of a kind of body, which may be none."""

    def make() -> Mesh:
        quad = shape_of(body, 0, _MIRRORED)[0].reshape(-1, 4)
        lamps = quad[quad["facing"][:, 0, 3] >= _LAMP]
        return thrifty((lamps.reshape(-1), quad_indices(len(lamps))))

    return f"lamps of {body}", make


def entries() -> Iterator[stock.Entry]:
    """Every mesh that may be drawn of a body."""
    for body in BODIES:
        yield _lens(body)
        for level in range(len(_DETAIL)):
            several = body == "pedestrian" and level == 0
            for variant in range(people.VARIANTS if several else 1):
                yield _skin(body, variant, level)


@cache
def _mesh(body: str, variant: int, level: int) -> Any:
    """The one GeomNode of a kind of body at a level of detail."""
    return _unbound(geom_node(body, stock.mesh(*_skin(body, variant, level))))


@cache
def _lamps(body: str) -> Any | None:
    """The one GeomNode of the lamps of a kind of body, None where it has none."""
    mesh = stock.mesh(*_lens(body))
    return _unbound(geom_node(body, mesh)) if len(mesh[0]) else None


def _unbound(node: Any) -> Any:
    node.setBounds(OmniBoundingVolume())
    node.setFinal(True)
    return node


def _without_small(mesh: Mesh, smallest: float) -> Mesh:
    quad = mesh[0].reshape(-1, 4)
    place = quad["place"].astype(np.float64)
    across = np.cross(place[:, 2] - place[:, 0], place[:, 3] - place[:, 1])
    area = np.linalg.norm(across, axis=1) / 2
    lamp = quad["facing"][:, 0, 3] >= _LAMP
    while True:
        kept = area > np.where(lamp, min(smallest, _GLIMMER), smallest)
        if area[kept].sum() >= _SHARE * area.sum():
            break
        smallest /= 2
    keep = quad[kept]
    return keep.reshape(-1), quad_indices(len(keep))


def _tint(body: Body, entity: int) -> tuple[float, float, float]:
    own = body.kind in (Kind.PEDESTRIAN, Kind.BICYCLE) or body.name == "motorcycle"
    r, g, b = people.clothes(entity) if own else bodies.colour(body.name, entity)
    return r / 255, g / 255, b / 255


@lru_cache(65536)
def _self(entity: int, body: str) -> tuple[float, ...]:
    """What never changes of an entity: instance bytes, paint, half sizes [m], has head lamps."""
    shape = BODIES[body]
    vehicle = shape.kind == Kind.VEHICLE
    return (*instance_bytes(entity_instance(entity)), *_tint(shape, entity),
            shape.length / 2, shape.width / 2, float(vehicle), float(shape.kind in _WALKERS),
            shape.height / 1.75)  # fmt: skip


class Crew:
    """Up to _CREW entities of one mesh, drawn in one go: their places and poses in one array."""

    def __init__(self, nodes: list[tuple[Any, Any]]) -> None:
        """nodes: what to hang it on, and the mesh that is drawn there."""
        self.paths = [root.attachNewNode(node.makeCopy()) for root, node in nodes]
        self._rows = np.zeros((_CREW * _ROWS, 4), np.float32)
        self._array = PTA_LVecBase4f.emptyArray(_CREW * _ROWS)
        self._count = 0
        for path in self.paths:
            path.setShaderInput("crew", self._array)
            path.hide()

    def show(self, rows: NDArray[np.float32]) -> None:
        """(n, 4, 4): place, who, tint, pose of each, as the shader reads them."""
        self._rows[: len(rows) * _ROWS] = rows.reshape(-1, 4)
        self._array.setData(self._rows.tobytes())
        if len(rows) == self._count:
            return
        for path in self.paths:
            path.setInstanceCount(len(rows))
            if not self._count:
                path.show()
        self._count = len(rows)

    def hide(self) -> None:
        """Out of the picture until shown again."""
        self._count = 0
        for path in self.paths:
            path.hide()


class Patches:
    """Dark or bright oblongs on the ground: contact shadows, light of head lamps."""

    def __init__(self, root: Any) -> None:
        self.path = root.attachNewNode(_square())
        self._rows = np.zeros((PATCHES * _PATCH_ROWS, 4), np.float32)
        self._array = PTA_LVecBase4f.emptyArray(PATCHES * _PATCH_ROWS)
        self.path.setShaderInput("patches_", self._array)
        self.path.hide()
        self._count = 0

    def show(self, rows: NDArray[np.float32]) -> None:
        """(n, 2, 4): x, y, cosine and sine of the heading; half sizes, strength, bright or dark."""
        self._rows[: len(rows) * _PATCH_ROWS] = rows.reshape(-1, 4)
        self._array.setData(self._rows.tobytes())
        if len(rows) != self._count:
            self.path.setInstanceCount(len(rows))
            if not self._count:
                self.path.show()
            self._count = len(rows)

    def hide(self) -> None:
        """Out of the picture until shown again."""
        if self._count:
            self._count = 0
            self.path.hide()


class Actors:
    """All entities of one scene. `root` and `shadows` are to be hung into it; `beneath`, what wet
    ground gives back of them, upside down."""

    def __init__(self, look: Look, fov_degrees: float = 70.0, lit: bool = True) -> None:
        """fov_degrees: of the shorter side of the picture. lit: whether vehicles have lamps on."""
        self.root = NodePath("actors")
        dress(self.root, "actor", look.features)
        self.root.setBin("actors", 0)  # first: what stands before the rest hides it
        self.shadows = _overlay("shade", look.features, 1)
        self.mirrors = _overlay("mirror", (*look.features, "MIRROR"), 0)
        self.mirrors.reparentTo(self.shadows)
        self.mirrors.setAttrib(CullFaceAttrib.make(CullFaceAttrib.MCullCounterClockwise))
        self.beneath = NodePath("beneath")
        dress(self.beneath, "beneath", look.features)
        self._night, self._wet, self._lit = look.night if lit else 0.0, look.wet, lit
        self._dark = 0.75 if look.night < 0.5 else 0.5
        self._spread = tan(radians(fov_degrees) / 2)
        self._crews: dict[tuple[str, int, int, int], Crew] = {}
        self._shown: set[tuple[str, int, int, int]] = set()
        self._patches: list[Patches] = []

    def update(self, state: WorldState, eye: Eye, ego: bool = True, aspect: float = 1.0) -> None:
        """Show exactly those of `state` whom an eye with a picture of this aspect may see."""
        present = (state.ego, *state.actors) if ego else state.actors
        table = np.array([(e.x, e.y, e.heading) for e in present]).reshape(-1, 3)
        move = table[:, :2] - (eye.x, eye.y)
        ux, uy = cos(eye.yaw), sin(eye.yaw)
        ahead = move[:, 0] * ux + move[:, 1] * uy
        aside = np.abs(move[:, 1] * ux - move[:, 0] * uy)
        steep = max(0.15, cos(eye.pitch) - self._spread * abs(sin(eye.pitch)))
        spread = self._spread * max(aspect, 1.0) / steep
        far = np.linalg.norm(move, axis=1)
        seen = (far < _FAR) & (ahead > -_LONGEST) & (aside < (ahead + _LONGEST) * spread + _LONGEST)
        index = np.flatnonzero(seen)
        near = [present[i] for i in index.tolist()]
        rows, fixed = placed(near, state, table[index])
        self.stand(near, far[index], rows, fixed)

    def stand(
        self, present: list[EntityState], far: Floats, rows: NDArray[np.float32], fixed: Floats
    ) -> None:
        """Show exactly these, `far` from the eye [m]. rows, fixed: of each as `placed` gives."""
        if not self._lit:
            rows[:, 1, 3] = -1.0
        level = np.searchsorted(_LIMITS, far).tolist()
        groups: dict[tuple[str, int, int], list[int]] = {}
        for i in np.argsort(far, kind="stable").tolist():  # what is near hides what is far
            entity, depth = present[i], level[i]
            plain = depth or entity.body != "pedestrian"
            key = entity.body, 0 if plain else entity.id % people.VARIANTS, depth
            groups.setdefault(key, []).append(i)
        shown = set()
        for key, chosen in groups.items():
            for chunk in range(0, len(chosen), _CREW):
                shown.add((*key, chunk))
                self._crew(*key, chunk).show(rows[chosen[chunk : chunk + _CREW]])
        for gone in self._shown - shown:
            self._crews[gone].hide()
        self._shown = shown
        self._shade(rows, fixed, far)

    def _crew(self, body: str, variant: int, depth: int, chunk: int) -> Crew:
        key = (body, variant, depth, chunk)
        if key not in self._crews:
            nodes = [(self.root, _mesh(body, variant, depth))]
            if self._wet > 0.5 and _DETAIL[depth][0] <= _MIRRORS_TO:
                nodes.append((self.beneath, _mesh(body, 0, _MIRRORED)))
                lamps = _lamps(body) if self._lit else None
                nodes += [(self.mirrors, lamps)] if lamps is not None else []
            self._crews[key] = made = Crew(nodes)
            made.paths[0].setBin("actors", depth)
        return self._crews[key]

    def _shade(self, rows: NDArray[np.float32], fixed: Floats, far: Floats) -> None:
        """A dark patch under each body and, by night, light before each vehicle."""
        near = far < _SHADOWS_TO
        dark = np.zeros((int(near.sum()), 2, 4), np.float32)
        dark[:, 0] = rows[near, 0]
        dark[:, 1, 0] = fixed[near, 6] * 1.06 + 0.24
        dark[:, 1, 1] = fixed[near, 7] * 1.10 + 0.24
        dark[:, 1, 2] = self._dark
        patches = [dark]
        if self._night > 0.25:
            lit = (far < _BEAMS_TO) & (fixed[:, 8] > 0.5)
            bright = np.zeros((int(lit.sum()), 2, 4), np.float32)
            bright[:, 0] = rows[lit, 0]
            reach = (fixed[lit, 6] + 6.6)[:, None]
            bright[:, 0, :2] += rows[lit, 0, 2:] * reach
            bright[:, 1] = (6.4, 2.6, 0.34 * self._night, 1.0)
            patches.append(bright)
        table = np.concatenate(patches)
        chunks = range(0, len(table), PATCHES)
        while len(self._patches) < len(chunks):
            self._patches.append(Patches(self.shadows))
        for patch, chunk in zip(self._patches, chunks, strict=False):
            patch.show(table[chunk : chunk + PATCHES])
        for patch in self._patches[len(chunks) :]:
            patch.hide()


def _square() -> Any:
    vertices = np.zeros(4, VERTEX)
    vertices["span"] = [(-1, -1), (1, -1), (1, 1), (-1, 1)]
    node = GeomNode("patches")
    node.addGeom(geometry(vertices, quad_indices(1)))
    node.setBounds(OmniBoundingVolume())
    node.setFinal(True)
    return node


def _overlay(name: str, features: tuple[str, ...], order: int) -> Any:
    """A node for what is blended onto the ground and leaves depth, faces and labels alone."""
    path = NodePath(GeomNode(name))
    dress(path, name, features)
    path.setTransparency(TransparencyAttrib.MAlpha)
    blend(path, ColorBlendAttrib.OIncomingAlpha, ColorBlendAttrib.OOneMinusIncomingAlpha)
    path.setDepthWrite(False)
    path.setBin("shade", order)
    return path


def placed(
    present: list[EntityState], state: WorldState, table: Floats
) -> tuple[NDArray[np.float32], Floats]:
    """What actor.vert reads of each (n, 4, 4), and what never changes of each (n, 11)."""
    progress = dict(state.progress)
    fixed = np.array([_self(e.id, e.body) for e in present]).reshape(-1, 11)
    moving = np.array(
        [(progress.get(e.id, np.nan), e.speed, e.steer, e.id) for e in present]
    ).reshape(-1, 4)
    c, s = np.cos(table[:, 2]), np.sin(table[:, 2])
    gone, speed, steer, number = moving.T
    # no odometer: the way along its own nose stands in for it
    gone = np.where(np.isnan(gone), (table[:, 0] * c + table[:, 1] * s) % 1000.0, gone)
    walks = fixed[:, 9] > 0.5
    swing = np.sin(gone / (_STRIDE * fixed[:, 10]) * (2 * pi)) * np.minimum(np.abs(speed), 1.0)
    first = np.where(walks, swing * 0.55, gone / _WHEEL)
    second = np.where(walks, swing * 0.40, steer)
    braking = np.abs(speed) < 0.2
    braking |= (number == EGO_ID) & (state.controls.brake > 0)
    rows = np.zeros((len(present), _ROWS, 4), np.float32)
    rows[:, 0, :2], rows[:, 0, 2], rows[:, 0, 3] = table[:, :2], c, s
    rows[:, 1, :3], rows[:, 1, 3] = fixed[:, :3], np.where(braking, 1.0, 0.25)
    rows[:, 2, :3] = fixed[:, 3:6]
    rows[:, 2, 3] = np.where(state.tick // 12 % 2 == number % 2, 1.0, 0.25)
    pose = rows[:, 3]
    pose[:, 0], pose[:, 1] = np.cos(first), np.sin(first)
    pose[:, 2], pose[:, 3] = np.cos(second), np.sin(second)
    return rows, fixed
