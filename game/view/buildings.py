"""Buildings from footprints: walls with windows that fit them, roofs, spires, in 200 m tiles.

Pure numpy until the last step. Owns the choice of a facade's colour and style.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise

import mapbox_earcut
import numpy as np
from numpy.typing import NDArray

from game.view.labels import Train, building_instance, instance_bytes
from game.view.mesh import VERTEX, Mesh, Vertices, faces_to_bytes, join, quad_indices
from game.world.city import Footprint

TILE = 200.0
SHOP = 4.6  # ground floor [m]
STOREY = 3.5
BLANK = 9  # style of a wall without windows
Floats = NDArray[np.float64]

# wall colours by style: brick, painted stone and concrete, ribbon windows, glass curtain
_PALETTES = np.array(
    [
        [(140, 82, 66), (158, 98, 78), (120, 78, 68), (172, 124, 98), (150, 112, 92),
         (104, 74, 66)],
        [(196, 182, 156), (208, 198, 178), (182, 168, 146), (170, 162, 150), (214, 206, 192),
         (188, 176, 160)],
        [(190, 188, 182), (168, 170, 172), (204, 200, 190), (150, 150, 150), (176, 168, 156),
         (198, 192, 180)],
        [(96, 112, 124), (110, 128, 138), (84, 98, 112), (128, 140, 146), (74, 88, 98),
         (120, 126, 124)],
    ],
    np.uint8,
)  # fmt: skip
_ROOFS = np.array([(112, 110, 106), (96, 95, 94), (134, 130, 122), (150, 148, 144)], np.uint8)


@dataclass(frozen=True, slots=True)
class Looks:
    """One row per footprint: style (0..3), wall and roof colour, label."""

    style: NDArray[np.int64]
    wall: NDArray[np.uint8]
    roof: NDArray[np.uint8]
    label: NDArray[np.uint8]


def _scatter(ids: NDArray[np.int64], salt: int) -> NDArray[np.int64]:
    """A well-mixed whole number per id, the same on every machine."""
    mixed = (ids.astype(np.uint64) + np.uint64(salt)) * np.uint64(0x9E3779B97F4A7C15)
    mixed ^= mixed >> np.uint64(29)
    mixed *= np.uint64(0xBF58476D1CE4E5B9)
    return (mixed >> np.uint64(33)).astype(np.int64)


def looks(footprints: Sequence[Footprint]) -> Looks:
    """Colours and styles by height, year and id."""
    ids = np.array([f.id for f in footprints], np.int64)
    height = np.array([f.height for f in footprints])
    year = np.array([f.year for f in footprints])
    draw = _scatter(ids, 1) % 100
    style = np.where(draw < 62, 0, 1)
    style = np.where(height > 30, np.where(draw < 34, 0, np.where(draw < 72, 1, 2)), style)
    tall = np.where(draw < 40, 1, np.where(draw < 66, 2, 3))
    style = np.where(height > 75, tall, style)
    style = np.where((height > 60) & (year >= 1958), np.where(draw < 35, 2, 3), style)
    style = np.where((height > 45) & (year > 0) & (year < 1940), np.where(draw < 25, 0, 1), style)
    label = np.zeros((len(ids), 4), np.uint8)
    label[:, :3] = [instance_bytes(building_instance(int(i))) for i in ids]
    label[:, 3] = Train.BUILDING
    wall = _PALETTES[style, _scatter(ids, 2) % 6].astype(np.int64)
    wall = np.clip(wall + (_scatter(ids, 3) % 17 - 8)[:, None], 0, 255).astype(np.uint8)
    return Looks(style, wall, _ROOFS[_scatter(ids, 4) % 4], label)


@dataclass(frozen=True, slots=True)
class Rings:
    """All outlines in flat arrays. owner: footprint row of each point; follow: its successor."""

    points: Floats
    owner: NDArray[np.int64]
    follow: NDArray[np.int64]


def flatten(footprints: Sequence[Footprint]) -> Rings:
    """Every ring of every footprint, one point a row."""
    lengths: list[int] = []
    owners: list[int] = []
    flat: list[tuple[float, float]] = []
    for row, footprint in enumerate(footprints):
        for ring in footprint.rings:
            lengths.append(len(ring))
            owners.append(row)
            flat.extend(ring)
    counts = np.array(lengths, np.int64)
    ends = np.cumsum(counts)
    follow = np.arange(1, len(flat) + 1)
    follow[ends - 1] = ends - counts
    points = np.array(flat, np.float64).reshape(-1, 2)
    return Rings(points, np.repeat(np.array(owners, np.int64), counts), follow)


def walls(rings: Rings, height: Floats, look: Looks) -> tuple[Vertices, NDArray[np.int64]]:
    """One quad an edge (n, 4), and the footprint row of each.

    paint[3]: storey height over 2.5 m [cm].
    span[0]: bays along the wall, a whole number of them from corner to corner.
    """
    start, end = rings.points, rings.points[rings.follow]
    edge = end - start
    length = np.linalg.norm(edge, axis=1)
    keep = length > 0.02
    start, end, edge, length = start[keep], end[keep], edge[keep], length[keep]
    owner = rings.owner[keep]
    top = np.maximum(height[owner], 1.0)
    normal = np.column_stack([edge[:, 1], -edge[:, 0], np.zeros(len(edge))]) / length[:, None]
    style = look.style[owner]
    bay = np.where(style == 3, 1.7, np.where(style == 2, 3.4, 2.3))
    bays = np.maximum(np.rint(length / bay), 1.0)
    style = np.where(length < 1.3, BLANK, style)
    storeys = np.maximum(np.rint((top - SHOP) / STOREY), 1.0)
    storey = np.clip((top - SHOP) / storeys, 2.5, 5.0)
    quads = np.zeros((len(start), 4), VERTEX)
    none = np.zeros(len(start))
    for corner, (at, z, u) in enumerate(
        ((start, none, none), (end, none, bays), (end, top, bays), (start, top, none))
    ):
        quads["place"][:, corner, :2] = at
        quads["place"][:, corner, 2] = z
        quads["span"][:, corner, 0] = u
    quads["facing"][..., :3] = faces_to_bytes(normal)[:, None]
    quads["facing"][..., 3] = style[:, None]
    quads["paint"][..., :3] = look.wall[owner][:, None]
    quads["paint"][..., 3] = np.rint((storey - 2.5) * 100.0).astype(np.uint8)[:, None]
    quads["label"] = look.label[owner][:, None]
    return quads, owner


def roofs(footprints: Sequence[Footprint], look: Looks) -> list[Mesh]:
    """One triangulated roof a footprint; an outline that no triangle fits gives an empty one."""
    made: list[Mesh] = []
    up = faces_to_bytes(np.array([0.0, 0.0, 1.0]))
    for row, footprint in enumerate(footprints):
        ends = np.cumsum([len(ring) for ring in footprint.rings]).astype(np.uint32)
        flat = np.array([p for ring in footprint.rings for p in ring], np.float64)
        indices = mapbox_earcut.triangulate_float64(flat, ends).astype(np.uint32)
        vertices = np.zeros(len(flat), VERTEX)
        vertices["place"][:, :2] = flat
        vertices["place"][:, 2] = max(footprint.height, 1.0)
        vertices["facing"][:, :3] = up
        vertices["paint"][:, :3] = look.roof[row]
        vertices["label"] = look.label[row]
        made.append((vertices, indices))
    return made


def spire(footprint: Footprint, label: NDArray[np.uint8], paint: NDArray[np.uint8]) -> Mesh | None:
    """A tapering mast up to the building's highest point, where that is well above its roof."""
    rise = footprint.top - footprint.height
    if rise < 12.0 or footprint.height < 60.0:
        return None
    ring = np.array(footprint.rings[0])
    low, high = ring.min(0), ring.max(0)
    centre, half = (low + high) / 2, min(rise * 0.16, float((high - low).min()) * 0.22)
    square = np.array([(-1, -1), (1, -1), (1, 1), (-1, 1)], float)
    base = footprint.height
    stages = [(0.0, half), (rise * 0.30, half * 0.8), (rise * 0.34, half * 0.5)]
    stages += [(rise * 0.62, half * 0.3), (rise * 0.66, half * 0.12), (rise, half * 0.04)]
    rows = [np.column_stack([centre + square * size, np.full(4, base + z)]) for z, size in stages]
    corners = [
        [a[i], a[(i + 1) % 4], b[(i + 1) % 4], b[i]] for a, b in pairwise(rows) for i in range(4)
    ]
    quad = np.array(corners)
    cross = np.cross(quad[:, 2] - quad[:, 0], quad[:, 3] - quad[:, 1])
    vertices = np.zeros((len(quad), 4), VERTEX)
    vertices["place"] = quad
    vertices["facing"][..., :3] = faces_to_bytes(
        cross / np.maximum(np.linalg.norm(cross, axis=1, keepdims=True), 1e-9)
    )[:, None]
    vertices["paint"][..., :3] = paint
    vertices["label"] = label
    return vertices.reshape(-1), quad_indices(len(quad))


def tile_keys(points: Floats) -> NDArray[np.int64]:
    """The tile of each point as one number."""
    cell = np.floor(points / TILE).astype(np.int64)
    keys: NDArray[np.int64] = (cell[:, 0] + 100_000) * 1_000_000 + cell[:, 1] + 100_000
    return keys


def tiles(footprints: Sequence[Footprint]) -> Iterator[tuple[int, Mesh, Mesh]]:
    """Tile number, walls, roofs, for every tile with a building; a building is in one alone."""
    if not footprints:
        return
    look = looks(footprints)
    rings = flatten(footprints)
    height = np.array([f.height for f in footprints])
    by_quad, owners = walls(rings, height, look)
    first = np.array([f.rings[0][0] for f in footprints])
    key = tile_keys(first)
    roof_of = roofs(footprints, look)
    order = np.argsort(key[owners], kind="stable")
    quad_key, by_quad = key[owners][order], by_quad[order]
    for tile in np.unique(key):
        low, high = np.searchsorted(quad_key, (tile, tile + 1))
        rows = np.flatnonzero(key == tile)
        tops = [roof_of[row] for row in rows]
        for row in rows.tolist():
            mast = spire(footprints[row], look.label[row], look.wall[row])
            if mast is not None:
                tops.append(mast)
        yield int(tile), (by_quad[low:high].reshape(-1), quad_indices(int(high - low))), join(tops)
