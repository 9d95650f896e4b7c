"""Buildings from footprints: walls with windows that fit them, roofs and what they carry, in tiles.

Pure numpy until the last step. Owns the choice of a facade's colour and style.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import mapbox_earcut
import numpy as np
from numpy.typing import NDArray

from game.view import rooftops, skyline
from game.view.frontage import Frontage
from game.view.horizon import cell_keys
from game.view.labels import Train, building_instance, instance_bytes
from game.view.mesh import VERTEX, Mesh, Vertices, faces_to_bytes, join
from game.view.skyline import Block
from game.world.city import Footprint

TILE = 200.0
SHOP = 4.6  # ground floor [m]
TENEMENT, LIMESTONE, RIBBON, CURTAIN, CONCRETE, LOFT = range(6)
BLANK = 9  # style of a wall without windows
STREET = 16  # added to the style of a wall that faces a street
BAY = np.array([2.6, 2.5, 4.2, 1.6, 3.1, 3.3])  # width of a window bay by style, about [m]
STOREY = np.array([3.2, 3.6, 3.8, 3.9, 3.3, 3.9])
_SHOPS = 2.5  # bays that one shop window spans, as in facade.frag
Floats = NDArray[np.float64]

# wall colours by style
_PALETTES = np.array(
    [
        [(140, 78, 62), (158, 98, 78), (120, 74, 64), (174, 128, 102), (150, 112, 92),
         (98, 66, 58), (182, 152, 128), (128, 92, 80)],
        [(198, 186, 162), (208, 198, 178), (184, 170, 148), (170, 162, 150), (214, 206, 192),
         (190, 178, 160), (166, 148, 124), (146, 118, 98)],
        [(190, 188, 182), (168, 170, 172), (204, 200, 190), (150, 150, 150), (176, 168, 156),
         (198, 192, 180), (92, 90, 88), (132, 118, 104)],
        [(96, 112, 124), (110, 128, 138), (84, 98, 112), (128, 140, 146), (74, 88, 98),
         (120, 126, 124), (58, 62, 66), (88, 78, 66)],
        [(186, 182, 174), (160, 158, 154), (200, 190, 172), (150, 120, 102), (176, 150, 126),
         (120, 118, 116), (206, 204, 200), (140, 100, 84)],
        [(172, 160, 140), (146, 96, 76), (196, 190, 178), (120, 112, 104), (104, 74, 64),
         (182, 172, 150), (88, 84, 82), (160, 128, 104)],
    ],
    np.uint8,
)  # fmt: skip
_ROOFS = np.array([(112, 110, 106), (96, 95, 94), (134, 130, 122), (150, 148, 144)], np.uint8)
_CLOTH = np.array([(36, 66, 48), (112, 28, 30), (30, 42, 82), (40, 40, 42), (150, 118, 52),
                   (190, 184, 170), (92, 44, 70), (150, 62, 34)], np.uint8)  # fmt: skip
_COPPER = np.array([(86, 120, 104), (88, 74, 62), (64, 62, 60)], np.uint8)
_NAMED = {"Empire State Building": (198, 190, 176), "Chrysler Building": (190, 186, 180)}
# (newest year, lowest height [m]) -> shares of the six styles; the first row that fits counts
_MIX = (
    (1914, 0.0, (52, 26, 0, 0, 0, 22)), (1947, 48.0, (22, 66, 0, 0, 0, 12)),
    (1947, 0.0, (46, 34, 0, 0, 0, 20)), (1976, 55.0, (14, 10, 34, 26, 16, 0)),
    (1976, 0.0, (44, 14, 14, 4, 24, 0)), (9999, 45.0, (4, 8, 12, 56, 20, 0)),
    (9999, 0.0, (28, 16, 6, 16, 30, 4)),
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Looks:
    """One row per footprint: style (0..5), wall and roof colour, label, a number of its own."""

    style: NDArray[np.int64]
    wall: NDArray[np.uint8]
    roof: NDArray[np.uint8]
    label: NDArray[np.uint8]
    draw: NDArray[np.int64]

    def take(self, rows: NDArray[np.int64]) -> "Looks":
        """The looks of these rows."""
        return Looks(
            self.style[rows], self.wall[rows], self.roof[rows], self.label[rows], self.draw[rows]
        )


def _scatter(ids: NDArray[np.int64], salt: int) -> NDArray[np.int64]:
    """A well-mixed whole number per id, the same on every machine."""
    mixed = (ids.astype(np.uint64) + np.uint64(salt)) * np.uint64(0x9E3779B97F4A7C15)
    mixed ^= mixed >> np.uint64(29)
    mixed *= np.uint64(0xBF58476D1CE4E5B9)
    return (mixed >> np.uint64(33)).astype(np.int64)


def _styles(height: Floats, year: NDArray[np.int64], draw: NDArray[np.int64]) -> NDArray[np.int64]:
    """Style by age and height; a year that is not known counts as the newest."""
    style = np.zeros(len(height), np.int64)
    age = np.where(year > 0, year, 9999)
    done = np.zeros(len(height), np.bool_)
    for newest, lowest, shares in _MIX:
        here = ~done & (age <= newest) & (height >= lowest)
        style[here] = np.searchsorted(np.cumsum(shares), draw[here], side="right")
        done |= here
    return style


def looks(footprints: Sequence[Footprint]) -> Looks:
    """Colours and styles by height, year and id."""
    ids = np.array([f.id for f in footprints], np.int64)
    height = np.array([max(f.height, f.top if f.top > 2 * f.height else 0.0) for f in footprints])
    year = np.array([f.year for f in footprints], np.int64)
    style = _styles(height, year, _scatter(ids, 1) % 100)
    label = np.zeros((len(ids), 4), np.uint8)
    label[:, :3] = [instance_bytes(building_instance(int(i))) for i in ids]
    label[:, 3] = Train.BUILDING
    wall = _PALETTES[style, _scatter(ids, 2) % 8].astype(np.int64)
    wall = np.clip(wall + (_scatter(ids, 3) % 17 - 8)[:, None], 0, 255).astype(np.uint8)
    for row, footprint in enumerate(footprints):
        if footprint.name in _NAMED:
            style[row], wall[row] = LIMESTONE, _NAMED[footprint.name]
    return Looks(style, wall, _ROOFS[_scatter(ids, 4) % 4], label, _scatter(ids, 5))


@dataclass(frozen=True, slots=True)
class Rings:
    """All outlines in flat arrays. owner: block of each point; follow: its successor."""

    points: Floats
    owner: NDArray[np.int64]
    follow: NDArray[np.int64]


def flatten(blocks: Sequence[Block | Footprint]) -> Rings:
    """Every ring of every block or footprint, one point a row."""
    lengths: list[int] = []
    owners: list[int] = []
    flat: list[tuple[float, float]] = []
    for row, block in enumerate(blocks):
        for ring in block.rings:
            lengths.append(len(ring))
            owners.append(row)
            flat.extend(ring)
    counts = np.array(lengths, np.int64)
    ends = np.cumsum(counts)
    follow = np.arange(1, len(flat) + 1)
    follow[ends - 1] = ends - counts
    points = np.array(flat, np.float64).reshape(-1, 2)
    return Rings(points, np.repeat(np.array(owners, np.int64), counts), follow)


@dataclass(frozen=True, slots=True)
class Edges:
    """One row a wall: both ends, length [m], outward normal, block, style, street, foot and top."""

    start: Floats
    end: Floats
    length: Floats
    normal: Floats
    owner: NDArray[np.int64]
    style: NDArray[np.int64]
    street: NDArray[np.bool_]
    bays: Floats
    base: Floats
    top: Floats


def edges(
    rings: Rings, top: Floats, look: Looks, base: Floats | None = None,
    frontage: Frontage | None = None,
) -> Edges:  # fmt: skip
    """The walls of all blocks; look has a row a block."""
    start, end = rings.points, rings.points[rings.follow]
    length = np.linalg.norm(end - start, axis=1)
    keep = length > 0.02
    start, end, length, owner = start[keep], end[keep], length[keep], rings.owner[keep]
    edge = end - start
    normal = np.column_stack([edge[:, 1], -edge[:, 0]]) / length[:, None]
    style = look.style[owner]
    bays = np.maximum(np.rint(length / BAY[style]), 1.0)
    style = np.where(length < 1.3, BLANK, style)
    street = np.zeros(len(start), np.bool_)
    if frontage is not None:
        street = frontage.faces((start + end) / 2, normal)
    foot = np.zeros(len(start)) if base is None else base[owner]
    return Edges(start, end, length, normal, owner, style, street, bays, foot,
                 np.maximum(top[owner], 1.0))  # fmt: skip


def storeys(height: Floats, style: NDArray[np.int64]) -> tuple[Floats, Floats]:
    """How many storeys above the shop floor fit a height, and how high each is [m]."""
    room = height - SHOP
    count = np.maximum(np.rint(room / STOREY[style]), 1.0)
    return count, np.maximum(room, 1e-3) / count


def walls(wall: Edges, height: Floats, look: Looks) -> Vertices:
    """One quad an edge (n, 4). height: of the whole building, of each block.

    span: bays along the wall, a whole number from corner to corner, and storeys above the shop
    floor, a whole number at the roof. paint[3]: the storey at which this wall ends.
    """
    count, storey = storeys(height, look.style)
    count, storey = count[wall.owner], storey[wall.owner]
    low = height[wall.owner] < SHOP + 2.2  # nothing but a shop floor
    quads = np.zeros((len(wall.start), 4), VERTEX)
    none = np.zeros(len(wall.start))
    for corner, (at, z, u) in enumerate(
        ((wall.start, wall.base, none), (wall.end, wall.base, wall.bays),
         (wall.end, wall.top, wall.bays), (wall.start, wall.top, none))
    ):  # fmt: skip
        quads["place"][:, corner, :2] = at
        quads["place"][:, corner, 2] = z
        quads["span"][:, corner, 0] = u
        quads["span"][:, corner, 1] = np.where(
            low, (z - wall.top) / 3.5 - 0.01, (z - SHOP) / storey
        )
    level = np.column_stack([wall.normal, none])
    quads["facing"][..., :3] = faces_to_bytes(level)[:, None]
    quads["facing"][..., 3] = (wall.style + STREET * wall.street)[:, None]
    quads["paint"][..., :3] = look.wall[wall.owner][:, None]
    ends = np.rint((wall.top - SHOP) / storey)
    quads["paint"][..., 3] = np.clip(ends, 0, 255).astype(np.uint8)[:, None]
    quads["label"] = look.label[wall.owner][:, None]
    return quads


def split(quads: Vertices) -> tuple[Vertices, Vertices]:
    """The shop floor of walls (n, 4) and what is above it; a low wall keeps nothing above."""
    low, high = quads.copy(), quads.copy()
    top = np.minimum(quads["place"][:, 2, 2], SHOP)
    share = top / np.maximum(quads["place"][:, 2, 2], 1e-3)
    rise = quads["span"][:, 2, 1] - quads["span"][:, 1, 1]
    for part, corners in ((low, (2, 3)), (high, (0, 1))):
        for corner in corners:
            part["place"][:, corner, 2] = top
            part["span"][:, corner, 1] = quads["span"][:, 1, 1] + rise * share
    return low, high


def roofs(blocks: Sequence[Block], look: Looks) -> list[Mesh]:
    """One triangulated roof a block; an outline that no triangle fits gives an empty one."""
    made: list[Mesh] = []
    up = faces_to_bytes(np.array([0.0, 0.0, 1.0]))
    for row, block in enumerate(blocks):
        ends = np.cumsum([len(ring) for ring in block.rings]).astype(np.uint32)
        flat = np.array([p for ring in block.rings for p in ring], np.float64)
        indices = mapbox_earcut.triangulate_float64(flat, ends).astype(np.uint32)
        vertices = np.zeros(len(flat), VERTEX)
        vertices["place"][:, :2] = flat
        vertices["place"][:, 2] = block.top
        vertices["facing"][:, :3] = up
        vertices["paint"][:, :3] = look.roof[row]
        vertices["label"] = look.label[row]
        made.append((vertices, indices))
    return made


def _mouldings(
    wall: Edges, look: Looks, year: NDArray[np.int64]
) -> tuple[Vertices, NDArray[np.int64]]:
    """Cornices of old buildings along their streets, and the block of each."""
    old = (year > 0) & (year < 1946)
    masonry = np.isin(wall.style, (TENEMENT, LIMESTONE, LOFT))
    keep = old[wall.owner] & masonry & wall.street & (wall.length > 2.5) & (wall.top > 7.0)
    owner = wall.owner[keep]
    depth = 0.28 + look.draw[owner] % 5 * 0.08 + np.clip(wall.top[keep] - 30.0, 0, 60) * 0.004
    paint = look.wall[owner].astype(np.int64) * 9 // 10
    copper = (look.style[owner] == TENEMENT) & (look.draw[owner] % 3 > 0)
    tone = np.where(copper[:, None], _COPPER[look.draw[owner] // 7 % 3], paint).astype(np.uint8)
    made = rooftops.cornices(wall.start[keep], wall.end[keep], wall.normal[keep], wall.top[keep],
                             depth, tone, look.label[owner])  # fmt: skip
    return made, owner


def _cloths(wall: Edges, look: Looks) -> tuple[Vertices, NDArray[np.int64]]:
    """Awnings over some shop windows, and the block of each."""
    masonry = np.isin(wall.style, (TENEMENT, LIMESTONE, LOFT))
    fits = np.floor(wall.bays / _SHOPS)
    fits *= masonry & wall.street & (wall.base < 1.0) & (wall.top > 7.0)
    count = fits.astype(np.int64)
    row = np.repeat(np.arange(len(count)), count)
    place = np.arange(len(row)) - np.repeat(np.cumsum(count) - count, count)
    spot = np.rint(wall.start * 100.0).astype(np.int64)[row]
    draw = _scatter(look.draw[wall.owner[row]] * 31 + spot[:, 0] * 5 + spot[:, 1] + place * 7, 6)
    keep = draw % 100 < 15
    row, place, draw = row[keep], place[keep], draw[keep]
    step = (wall.end - wall.start)[row] / wall.bays[row][:, None] * _SHOPS
    start = wall.start[row] + step * (place + 0.08)[:, None]
    end = wall.start[row] + step * (place + 0.92)[:, None]
    made = rooftops.awnings(start, end, wall.normal[row], _CLOTH[draw // 128 % 8],
                            look.label[wall.owner[row]])  # fmt: skip
    return made, wall.owner[row]


def tile_keys(points: Floats) -> NDArray[np.int64]:
    """The tile of each point as one number."""
    cell = np.floor(points / TILE).astype(np.int64)
    keys: NDArray[np.int64] = (cell[:, 0] + 100_000) * 1_000_000 + cell[:, 1] + 100_000
    return keys


def _by_cell(vertices: Vertices, cell: NDArray[np.int64], count: int) -> tuple[Vertices, list[int]]:
    """Quads in the order of their cells, and where each cell's begin."""
    order = np.argsort(cell, kind="stable")
    return vertices[order], np.searchsorted(cell[order], np.arange(count + 1)).tolist()


def _fittings(
    footprints: Sequence[Footprint], blocks: Sequence[Block], roof: list[Mesh], look: Looks,
    year: NDArray[np.int64],
) -> list[tuple[Vertices, NDArray[np.int64]]]:  # fmt: skip
    """What stands on the uppermost roofs, of each kind, and the block of each."""
    upper = [
        index
        for index, block in enumerate(blocks)
        if block.top >= footprints[block.row].height
        and footprints[block.row].name not in skyline.NAMED
    ]
    chosen = np.array(upper, np.int64)
    height = np.array([blocks[i].top for i in upper])
    kinds = rooftops.fittings([roof[i] for i in upper], year[chosen], height, look.draw[chosen],
                              look.wall[chosen])  # fmt: skip
    for made, index in kinds:
        made["label"] = look.label[chosen[index]][:, None, None]
    return [(made, chosen[index]) for made, index in kinds]


@dataclass(frozen=True, slots=True)
class Cell:
    """All buildings of one cell of the horizon, each whole in it: walls, shop fronts, the rest.

    hides: start, end and top of the walls on the ground (n, 5), which hide what is behind [m].
    """

    key: int
    walls: Mesh
    shops: Mesh
    tops: Mesh
    hides: Floats


def cells(footprints: Sequence[Footprint], frontage: Frontage | None = None) -> list[Cell]:
    """Every cell that has a building, in the order of their keys; a function of its own buildings.

    frontage: tells where shops are; none: nowhere.
    """
    if not footprints:
        return []
    look = looks(footprints)
    blocks = [
        block
        for row, footprint in enumerate(footprints)
        for block in skyline.blocks(footprint, row, int(look.draw[row]))
    ]
    rows = np.array([block.row for block in blocks], np.int64)
    top, base = (np.array([getattr(b, name) for b in blocks]) for name in ("top", "base"))
    height = np.zeros(len(footprints))
    np.maximum.at(height, rows, top)
    by_block = look.take(rows)
    wall = edges(flatten(blocks), top, by_block, base, frontage)
    year = np.array([f.year for f in footprints], np.int64)[rows]
    roof = roofs(blocks, by_block)
    made_walls = walls(wall, height[rows], by_block)
    shops = wall.street & (wall.base < 1.0) & (wall.style != BLANK)
    low, made_walls[shops] = split(made_walls[shops])
    keys = cell_keys(np.array([f.rings[0][0] for f in footprints]))
    found, home = np.unique(keys, return_inverse=True)
    pieces = [
        _by_cell(made, home[rows[owner]], len(found))
        for made, owner in (
            (made_walls, wall.owner),
            (low, wall.owner[shops]),
            _mouldings(wall, by_block, year),
            _cloths(wall, by_block),
            *_fittings(footprints, blocks, roof, by_block, year),
        )
    ]
    tops: list[list[Mesh]] = [[] for _ in found]
    for block, mesh in zip(blocks, roof, strict=True):
        tops[home[block.row]].append(mesh)
    for row, footprint in enumerate(footprints):
        crown = skyline.crown(footprint, look.label[row], look.wall[row])
        if crown is not None:
            tops[home[row]].append(crown)
    solid = np.flatnonzero(wall.base < 1.0)
    hides = np.column_stack([wall.start, wall.end, wall.top])[solid]
    of = home[rows[wall.owner[solid]]]
    return [
        _cell(int(key), index, pieces, tops[index], hides[of == index])
        for index, key in enumerate(found)
    ]


def _cell(
    key: int, index: int, pieces: list[tuple[Vertices, list[int]]], tops: list[Mesh], hides: Floats
) -> Cell:
    cut = [made[first[index] : first[index + 1]] for made, first in pieces]
    walls, shops = (rooftops.as_mesh(part) for part in cut[:2])
    trims = [rooftops.as_mesh(part) for part in cut[2:] if len(part)]
    return Cell(key, walls, shops, join([*tops, *trims]), hides)
