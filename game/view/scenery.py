"""The furniture of a whole city as nodes: far meshes in tiles, near ones many at a time.

What is shown follows from the eye alone. Tiles are built when the eye first comes near, well
before they can be seen, and the oldest are let go, so memory does not grow with the way driven.
"""

from math import cos, radians, sin
from typing import Any

import numpy as np
from numpy.typing import NDArray
from panda3d.core import NodePath, OmniBoundingVolume, PTA_LVecBase4f

from game.view import bodies, fittings, furniture, parked, streets
from game.view.actors import PATCHES, Actors, Patches
from game.view.camera import Eye
from game.view.daylight import Look
from game.view.furniture import Kind, Pieces
from game.view.labels import FIRST_FURNITURE, furniture_instance
from game.view.materials import dress
from game.view.mesh import Mesh, geom_node, join
from game.view.mouths import Half
from game.view.room import Room
from game.view.signs import Signs
from game.world.city import City
from game.world.entity import EntityState
from game.world.state import WorldState

TILE = 100.0
SIGHT = 400.0  # tiles are drawn up to here; haze hides what lies beyond [m]
_COARSE = 110.0  # tiles that lie beyond are coarser still [m]
NEAR = 38.0  # the near meshes are drawn up to here [m]
_KEPT = 500  # tiles
_CELL = 50.0  # of the look-up of what is near [m]
_SIDE = cos(radians(62.0))  # nothing is seen farther off the axis, in the widest picture
_BESIDE = 6.0  # except right beside the eye [m]
_WIDE = 1 << 20
_MANY, _ROWS = 50, 3  # as in prop.vert
_POOL, _POOLS_TO = 10.5, 120.0  # radius of the light under a lamp, and how far it is drawn [m]
_LIT_FROM = 0.3  # share of the night


def lay_out(city: City, parts: list[Half], room: Room) -> Pieces:
    """All furniture of a city; a piece's row is its number for good."""
    if not parts:
        return furniture.wood(city, room)
    line = streets.lines(parts)
    widths = {lane.street: lane.width for lane in city.lanes}
    return furniture.together(
        [
            *furniture.kerbside(parts, line, room),
            parked.places(parts, line, widths, room),
            furniture.wood(city, room),
        ]
    )


def paints(pieces: Pieces) -> NDArray[np.float64]:
    """Own colour of every piece (n, 3), 1 where it has none: cars' paint, shades of green."""
    found = np.ones((len(pieces), 3))
    for row in np.flatnonzero(pieces.kind == Kind.CAR).tolist():
        name = parked.BODY[pieces.variant[row]]
        found[row] = bodies.colour(name, furniture_instance(row))
    car, tree = pieces.kind == Kind.CAR, np.flatnonzero(pieces.kind == Kind.TREE)
    found[car] /= 255.0
    shade = 0.82 + 0.34 * furniture.draw(30, tree)
    warm = 0.92 + 0.20 * furniture.draw(31, tree)
    found[tree] = np.column_stack([shade * warm, shade, shade * 0.95])
    return found


def _labels(rows: NDArray[np.int64]) -> NDArray[np.int64]:
    """Instance bytes of each row, low first."""
    labels: NDArray[np.int64] = (rows[:, None] + FIRST_FURNITURE) >> np.array([0, 8, 16]) & 255
    return labels


def _planted(mesh: Mesh, pieces: Pieces, rows: NDArray[np.int64], own: NDArray[np.float64]) -> Mesh:
    """One copy of a mesh for each row, where it stands."""
    shape, index = mesh
    n, m = len(rows), len(shape)
    made = np.repeat(shape[None], n, 0)
    c = np.cos(pieces.heading[rows])[:, None]
    s = np.sin(pieces.heading[rows])[:, None]
    size = pieces.size[rows][:, None]
    x, y, z = (shape["place"][None, :, k] * size for k in range(3))
    made["place"][..., 0] = pieces.place[rows, :1] + x * c - y * s
    made["place"][..., 1] = pieces.place[rows, 1:] + x * s + y * c
    made["place"][..., 2] = z
    a, b = (shape["facing"][None, :, k].astype(float) - 128.0 for k in range(2))
    made["facing"][..., 0] = np.rint(a * c - b * s + 128.0)
    made["facing"][..., 1] = np.rint(a * s + b * c + 128.0)
    own = own[rows]
    if pieces.kind[rows[0]] == Kind.CAR:
        own = np.where(shape["paint"][None, :, 3:] == fittings.TINTED, own[:, None], 1.0)
    else:
        own = np.broadcast_to(own[:, None], (n, m, 3))
    made["paint"][..., :3] = np.clip(shape["paint"][None, :, :3] * own, 0, 255).astype(np.uint8)
    made["label"][..., :3] = _labels(rows)[:, None]
    starts = np.arange(n, dtype=np.uint32)[:, None] * np.uint32(m)
    return made.reshape(-1), (starts + index[None]).reshape(-1).astype(np.uint32)


def _cells(points: NDArray[np.float64], size: float) -> NDArray[np.int64]:
    cell = np.floor(points / size).astype(np.int64) + _WIDE // 2
    return np.asarray(cell[..., 0] * _WIDE + cell[..., 1])


Table = tuple[NDArray[np.int64], NDArray[np.int64]]  # sorted keys, and the row of each


def _sorted(keys: NDArray[np.int64]) -> Table:
    order = np.argsort(keys, kind="stable")
    return keys[order], order


def _rows(table: Table, key: int, last: int | None = None) -> NDArray[np.int64]:
    """Rows whose keys lie in key..last."""
    keys, order = table
    low, high = keys.searchsorted((key, (key if last is None else last) + 1))
    return order[low:high]


class Many:
    """One near mesh, drawn wherever a row says."""

    def __init__(self, root: Any, mesh: Mesh) -> None:
        node = geom_node("many", mesh)
        node.setBounds(OmniBoundingVolume())
        node.setFinal(True)
        self.path = root.attachNewNode(node)
        self._rows = np.zeros((_MANY * _ROWS, 4), np.float32)
        self._array = PTA_LVecBase4f.emptyArray(_MANY * _ROWS)

    def show(self, rows: NDArray[np.float64]) -> None:
        """Rows (n, 3, 4) as the shader reads them, at most _MANY."""
        self._rows[: len(rows) * _ROWS] = rows.reshape(-1, 4)
        self._array.setData(self._rows.tobytes())
        self.path.setShaderInput("stand", self._array)
        self.path.setInstanceCount(len(rows))
        self.path.show()


class Scenery:
    """Furniture and parked cars of one city. `root` is to be hung into the scene."""

    def __init__(self, city: City, parts: list[Half], room: Room, look: Look, fov: float) -> None:
        """look: the light of the profile. fov: of the shorter side of the picture [degree]."""
        self.pieces = lay_out(city, parts, room)
        self.signs = Signs(city, parts, room, len(self.pieces), look)
        self.root = NodePath("scenery")
        self._far = self.root.attachNewNode("far")
        dress(self._far, "prop", look.features)
        self._far.setBin("walls", 0)
        self._near = self.root.attachNewNode("near")
        dress(self._near, "prop_many", look.features)
        self._near.setBin("actors", 0)
        self.cars = Actors(look, fov, lit=False)
        self.cars.root.reparentTo(self.root)
        self.cars.shadows.reparentTo(self.root)
        self.signs.root.reparentTo(self.root)
        self._night, self._pools = look.night, Patches(self.cars.shadows)
        self._pools.path.hide()
        self._tiles: dict[tuple[int, bool], Any] = {}
        self._shown: set[tuple[int, bool]] = set()
        self._many: dict[tuple[int, int, int], Many] = {}
        self._own = paints(self.pieces)
        self._entities: dict[int, EntityState] = {}
        self._by_tile = _sorted(_cells(self.pieces.place, TILE))
        self._by_cell = _sorted(_cells(self.pieces.place, _CELL))
        self._keys = np.unique(self._by_tile[0])
        corner = np.column_stack([self._keys // _WIDE, self._keys % _WIDE]) - _WIDE // 2
        self._middle = (corner + 0.5) * TILE

    def update(self, state: WorldState, eye: Eye) -> None:
        """Show what is in sight of the eye."""
        away = np.maximum(np.abs(self._middle - (eye.x, eye.y)) - TILE / 2, 0.0)
        square = (away * away).sum(1)
        near = np.flatnonzero(square < SIGHT * SIGHT)
        coarse = square[near] > _COARSE * _COARSE
        wanted = set(zip(self._keys[near].tolist(), coarse.tolist(), strict=True))
        for tile in self._shown - wanted:
            self._tiles[tile].stash()
        for tile in sorted(wanted - self._shown):
            self._tile(*tile).unstash()
        self._shown = wanted
        rows = self.near(eye)
        cars = self.pieces.kind[rows] == Kind.CAR
        parked_here = tuple(self.entity(row) for row in rows[cars].tolist())
        self.cars.update(WorldState(state.tick, state.seed, state.ego, parked_here), eye, False)
        self._stand(rows[~cars])
        self._light(eye)
        self.signs.update(eye.x, eye.y)

    def entity(self, row: int) -> EntityState:
        """A parked car as its actor would be: the instance number as its id, wheels straight."""
        if row not in self._entities:
            x, y = self.pieces.place[row].tolist()
            name, heading = parked.BODY[self.pieces.variant[row]], float(self.pieces.heading[row])
            self._entities[row] = EntityState(furniture_instance(row), name, x, y, heading, 0.0)
        return self._entities[row]

    def parked(self, eye: Eye) -> list[EntityState]:
        """The parked cars that are drawn as entities are, in the order of their numbers."""
        rows = self.near(eye)
        return [self.entity(row) for row in rows[self.pieces.kind[rows] == Kind.CAR].tolist()]

    def near(self, eye: Eye, within: float = NEAR) -> NDArray[np.int64]:
        """Rows of what is near the eye and not behind it, in order."""
        at = np.array([eye.x, eye.y])
        low, high = _cells(np.stack([at - within, at + within]), _CELL).tolist()
        span = (high % _WIDE) - (low % _WIDE)
        columns = range(low, high - span + 1, _WIDE)  # cells of one column follow each other
        rows = np.concatenate([_rows(self._by_cell, key, key + span) for key in columns])
        rows.sort()
        dx, dy = (self.pieces.place[rows] - (eye.x, eye.y)).T
        away = np.sqrt(dx * dx + dy * dy)
        ahead = dx * cos(eye.yaw) + dy * sin(eye.yaw)
        seen = (ahead > away * _SIDE) | (away < _BESIDE)
        return np.asarray(rows[(away < within) & seen])

    def _tile(self, key: int, coarse: bool) -> Any:
        """The far meshes of a tile, made when first asked for."""
        if (key, coarse) in self._tiles:
            made = self._tiles[key, coarse] = self._tiles.pop((key, coarse))  # the youngest now
            return made
        if len(self._tiles) >= _KEPT:
            self._tiles.pop(next(iter(self._tiles))).removeNode()
        rows = _rows(self._by_tile, key)
        kind, variant = self.pieces.kind[rows], self.pieces.variant[rows]
        meshes = []
        for k, v in sorted(set(zip(kind.tolist(), variant.tolist(), strict=True))):
            shape = fittings.far(k, v, coarse)
            if shape is not None:
                chosen = rows[(kind == k) & (variant == v)]
                meshes.append(_planted(shape, self.pieces, chosen, self._own))
        path = self._far.attachNewNode(geom_node("furniture", join(meshes)))
        path.stash()
        self._tiles[key, coarse] = path
        return path

    def _light(self, eye: Eye) -> None:
        """After dark, a pool of light under each lamp near the eye."""
        if self._night < _LIT_FROM:
            return
        rows = self.near(eye, _POOLS_TO)
        rows = rows[self.pieces.kind[rows] == Kind.LAMP]
        heading = self.pieces.heading[rows]
        nose = np.column_stack([np.cos(heading), np.sin(heading)])
        table = np.zeros((len(rows), 2, 4), np.float32)
        table[:, 0, :2] = self.pieces.place[rows] + nose * fittings.LAMP_REACH
        table[:, 0, 2:] = nose
        table[:, 1] = (_POOL, _POOL, 0.30 * self._night, 2.0)
        self._pools.show(table[:PATCHES])

    def _stand(self, rows: NDArray[np.int64]) -> None:
        """Near meshes of everything but cars."""
        for many in self._many.values():
            many.path.hide()
        if not len(rows):
            return
        table = np.zeros((len(rows), _ROWS, 4))
        heading = self.pieces.heading[rows]
        table[:, 0, :2] = self.pieces.place[rows]
        table[:, 0, 2], table[:, 0, 3] = np.cos(heading), np.sin(heading)
        table[:, 1, :3] = _labels(rows)
        table[:, 1, 3] = self.pieces.size[rows]
        table[:, 2, :3] = self._own[rows]
        kind, variant = self.pieces.kind[rows], self.pieces.variant[rows]
        for k, v in sorted(set(zip(kind.tolist(), variant.tolist(), strict=True))):
            mesh = fittings.near(k, v)
            if mesh is None:
                continue
            chosen = table[(kind == k) & (variant == v)]
            for chunk in range(0, len(chosen), _MANY):
                if (k, v, chunk) not in self._many:
                    self._many[k, v, chunk] = Many(self._near, mesh)
                self._many[k, v, chunk].show(chosen[chunk : chunk + _MANY])
