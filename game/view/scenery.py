"""The furniture of a whole city as nodes: far meshes in tiles, near ones many at a time.

What is shown follows from the eye alone. Tiles are built when the eye first comes near, well
before they can be seen, and the oldest are let go, so memory does not grow with the way driven.
"""

from collections.abc import Callable, Sequence
from math import cos, radians, sin
from typing import Any

import numpy as np
from numpy.typing import NDArray
from panda3d.core import NodePath, OmniBoundingVolume, PTA_LVecBase4f

from game.view import bodies, fittings, furniture, kept, parked, streets
from game.view.actors import PATCHES, Actors, Patches, placed
from game.view.camera import Eye
from game.view.daylight import Look
from game.view.furniture import Kind, Pieces
from game.view.horizon import Boxes, Sight
from game.view.houses import Houses
from game.view.labels import FIRST_FURNITURE, furniture_instance
from game.view.materials import dress
from game.view.mesh import Mesh, geom_node, join
from game.view.mouths import Half
from game.view.resident import Resident
from game.view.room import Room
from game.view.signs import Signs
from game.world.city import City
from game.world.entity import EntityState
from game.world.state import WorldState

TILE = 100.0
SIGHT = 400.0  # tiles are drawn up to here; haze hides what lies beyond [m]
_COARSE = 110.0  # tiles that lie beyond are coarser still [m]
NEAR = 38.0  # the near meshes are drawn up to here [m]
_KEPT = 120, 360  # tiles of both kinds
_AROUND = 60.0  # tiles are made this much before they are drawn [m]
_CROWN, _TOP = 8.0, 16.0  # how far a tree reaches out of its tile, and the highest [m]
_CELL = 50.0  # of the look-up of what is near [m]
_SIDE = cos(radians(62.0))  # nothing is seen farther off the axis, in the widest picture
_BESIDE = 6.0  # except right beside the eye [m]
_WIDE = 1 << 20
_VARIANTS = 64  # more than any kind of piece has
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


def paints(pieces: Pieces, rows: NDArray[np.int64]) -> NDArray[np.float64]:
    """Own colour of some pieces (n, 3), 1 where one has none: cars' paint, shades of green."""
    found = np.ones((len(rows), 3))
    kind = pieces.kind[rows]
    car, tree = kind == Kind.CAR, kind == Kind.TREE
    names = [parked.BODY[variant] for variant in pieces.variant[rows[car]].tolist()]
    ids = [furniture_instance(row) for row in rows[car].tolist()]
    colours = [bodies.colour(name, id_) for name, id_ in zip(names, ids, strict=True)]
    found[car] = np.array(colours, np.float64).reshape(-1, 3) / 255.0
    shade = 0.82 + 0.34 * furniture.draw(30, rows[tree])
    warm = 0.92 + 0.20 * furniture.draw(31, rows[tree])
    found[tree] = np.column_stack([shade * warm, shade, shade * 0.95])
    return found


def _labels(rows: NDArray[np.int64]) -> NDArray[np.int64]:
    """Instance bytes of each row, low first."""
    labels: NDArray[np.int64] = (rows[:, None] + FIRST_FURNITURE) >> np.array([0, 8, 16]) & 255
    return labels


def _planted(mesh: Mesh, pieces: Pieces, rows: NDArray[np.int64]) -> Mesh:
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
    own = paints(pieces, rows)
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
        self.path.setShaderInput("stand", self._array)
        self.path.hide()
        self._count = 0

    def show(self, rows: NDArray[np.float32]) -> None:
        """Rows (n, 3, 4) as the shader reads them, at most _MANY."""
        self._rows[: len(rows) * _ROWS] = rows.reshape(-1, 4)
        self._array.setData(self._rows.tobytes())
        if len(rows) == self._count:
            return
        self.path.setInstanceCount(len(rows))
        if not self._count:
            self.path.show()
        self._count = len(rows)

    def hide(self) -> None:
        """Out of the picture until shown again."""
        self._count = 0
        self.path.hide()


class Known:
    """A value for each of many rows, worked out when it is first asked for."""

    def __init__(
        self, count: int, shape: tuple[int, ...],
        make: Callable[[NDArray[np.int64]], NDArray[Any]],
    ) -> None:  # fmt: skip
        """make: values (n, *shape) of some rows."""
        self._values = np.zeros((count, *shape), np.float32)
        self._there, self._make = np.zeros(count, np.bool_), make

    def of(self, rows: NDArray[np.int64]) -> NDArray[np.float32]:
        """A copy of the values of `rows`."""
        lacking = rows[~self._there[rows]]
        if len(lacking):
            self._values[lacking] = self._make(lacking)
            self._there[lacking] = True
        return self._values[rows]


class Scenery:
    """Furniture and parked cars of one city. `root` is to be hung into the scene."""

    def __init__(
        self, city: City, parts: list[Half], room: Room, houses: Houses, look: Look, fov: float
    ) -> None:
        """look: the light of the profile. fov: of the shorter side of the picture [degree]."""
        self.pieces = kept.pieces(city, lambda: lay_out(city, parts, room))
        self.signs = Signs(city, parts, room, houses, len(self.pieces), look)
        self.root = NodePath("scenery")
        self._far = self.root.attachNewNode("far")
        dress(self._far, "prop", look.features)
        self._far.setBin("props", 0)
        self._near = self.root.attachNewNode("near")
        dress(self._near, "prop_many", look.features)
        self._near.setBin("actors", 0)
        self.cars = Actors(look, fov, lit=False)
        self.cars.root.reparentTo(self.root)
        self.cars.shadows.reparentTo(self.root)
        self.signs.root.reparentTo(self.root)
        self._night, self._pools = look.night, Patches(self.cars.shadows)
        self._many: dict[tuple[int, int], Many] = {}
        self._shown: set[tuple[int, int]] = set()
        count = len(self.pieces.kind)
        self._code = self.pieces.kind.astype(np.int64) * _VARIANTS + self.pieces.variant
        self._stood = Known(count, (_ROWS, 4), self._stands)
        self._parked = Known(count, (4, 4), lambda rows: self._placed(rows)[0])
        self._sizes = Known(count, (11,), lambda rows: self._placed(rows)[1])
        self._entities: dict[int, EntityState] = {}
        self._by_tile = _sorted(_cells(self.pieces.place, TILE))
        self._by_cell = _sorted(_cells(self.pieces.place, _CELL))
        self._keys = np.unique(self._by_tile[0])
        cell = np.column_stack([self._keys // _WIDE, self._keys % _WIDE]) - _WIDE // 2
        low = cell.astype(np.float64) * TILE
        high = low + TILE
        self._boxes = Boxes(low - _CROWN, high + _CROWN)
        self._fine = Resident(low, high, lambda rows: self._planted(rows, False), _KEPT[0], _AROUND)
        self._coarse = Resident(
            low, high, lambda rows: self._planted(rows, True), _KEPT[1], _AROUND
        )
        self.tiles = self._fine, self._coarse

    def update(self, state: WorldState, sight: Sight) -> None:
        """Show what is in sight."""
        eye = sight.eye
        away = self._coarse.away(eye, SIGHT + _AROUND)
        rows = np.flatnonzero(away <= SIGHT)
        far = away[rows] > _COARSE
        seen = sight.shows(sight.before(self._boxes, rows), _TOP)
        beyond = away[seen] > _COARSE
        for tiles, own, shown, reach in (
            (self._fine, rows[~far], seen[~beyond], _COARSE),
            (self._coarse, rows[far], seen[beyond], SIGHT),
        ):
            tiles.ready(own, away, reach)
            tiles.show(shown, away)
        rows = self.near(eye)
        cars = self.pieces.kind[rows] == Kind.CAR
        self._park(rows[cars], eye)
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

    def _planted(self, tiles: Sequence[int], coarse: bool) -> dict[int, list[Any]]:
        """The far meshes of tiles, stashed."""
        return {tile: [self._tile(int(self._keys[tile]), coarse)] for tile in tiles}

    def _tile(self, key: int, coarse: bool) -> Any:
        rows = _rows(self._by_tile, key)
        kind, variant = self.pieces.kind[rows], self.pieces.variant[rows]
        meshes = []
        for k, v in sorted(set(zip(kind.tolist(), variant.tolist(), strict=True))):
            shape = fittings.far(k, v, coarse)
            if shape is not None:
                chosen = rows[(kind == k) & (variant == v)]
                meshes.append(_planted(shape, self.pieces, chosen))
        path = self._far.attachNewNode(geom_node("furniture", join(meshes)))
        path.stash()
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

    def _placed(self, rows: NDArray[np.int64]) -> tuple[NDArray[np.float32], NDArray[np.float64]]:
        """What `actors.placed` gives of parked cars, which stand still."""
        present = [self.entity(row) for row in rows.tolist()]
        table = np.array([(e.x, e.y, e.heading) for e in present]).reshape(-1, 3)
        return placed(present, WorldState(0, 0, present[0]), table)

    def _park(self, rows: NDArray[np.int64], eye: Eye) -> None:
        """Parked cars as entities."""
        dx, dy = (self.pieces.place[rows] - (eye.x, eye.y)).T
        present = [self.entity(row) for row in rows.tolist()]
        far = np.sqrt(dx * dx + dy * dy)
        self.cars.stand(present, far, self._parked.of(rows), self._sizes.of(rows).astype(float))

    def _stands(self, rows: NDArray[np.int64]) -> NDArray[np.float64]:
        """What prop.vert reads of some rows."""
        table = np.zeros((len(rows), _ROWS, 4))
        heading = self.pieces.heading[rows]
        table[:, 0, :2] = self.pieces.place[rows]
        table[:, 0, 2], table[:, 0, 3] = np.cos(heading), np.sin(heading)
        table[:, 1, :3] = _labels(rows)
        table[:, 1, 3] = self.pieces.size[rows]
        table[:, 2, :3] = paints(self.pieces, rows)
        return table

    def _stand(self, rows: NDArray[np.int64]) -> None:
        """Near meshes of everything but cars."""
        table, code = self._stood.of(rows), self._code[rows]
        shown = set()
        for each in sorted(set(code.tolist())):
            mesh = fittings.near(*divmod(each, _VARIANTS))
            if mesh is None:
                continue
            chosen = table[code == each]
            for chunk in range(0, len(chosen), _MANY):
                key = each, chunk
                if key not in self._many:
                    self._many[key] = Many(self._near, mesh)
                self._many[key].show(chosen[chunk : chunk + _MANY])
                shown.add(key)
        for gone in self._shown - shown:
            self._many[gone].hide()
        self._shown = shown
