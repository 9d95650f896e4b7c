"""The ground: roadway ribbons with markings, junctions, kerbs, sidewalks, parks, water, paving.

Everything lies at z = 0 in layers, the uppermost first; a layer's number is its depth bias.
"""

from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from math import cos, hypot, sin

import mapbox_earcut
import numpy as np
from numpy.typing import NDArray

from game.view.buildings import TILE, tile_keys
from game.view.labels import Train
from game.view.mesh import VERTEX, Mesh, join
from game.world.city import City, Junction, Point, Street

PAVING, WATER, GRASS, SLAB, KERB, ROAD, JUNCTION = range(7)
_KINDS = {
    PAVING: Train.SIDEWALK,
    WATER: Train.IGNORE,
    GRASS: Train.TERRAIN,
    SLAB: Train.SIDEWALK,
    KERB: Train.SIDEWALK,
    ROAD: Train.ROAD,
    JUNCTION: Train.ROAD,
}
SIDEWALK_WIDTH = 4.6
KERB_WIDTH = 0.34
MARGIN = 700.0  # paving beyond the pack's bounds [m]
_GRID = (cos(1.0647), sin(1.0647))  # along Manhattan's avenues
CROSSING, ONEWAY, STOP_RIGHT, STOP_LEFT, PLAIN = 1, 2, 4, 8, 16
Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Half:
    """Half a street, from a junction's mouth to its middle.

    points: (n, 2) from the mouth inwards; reverse: whether that is against the street's direction.
    """

    street: Street
    junction: int
    points: Floats
    reverse: bool
    cut: float  # from the junction to the mouth [m]
    short: bool


def _lengths(points: Floats) -> Floats:
    steps = np.linalg.norm(np.diff(points, axis=0), axis=1)
    return np.concatenate([[0.0], np.cumsum(steps)])


def _between(points: Floats, start: float, end: float) -> Floats:
    """The piece of a polyline between two arc lengths."""
    s = _lengths(points)
    inner = (s > start + 1e-6) & (s < end - 1e-6)
    at = np.concatenate([[start], s[inner], [end]])
    return np.column_stack([np.interp(at, s, points[:, 0]), np.interp(at, s, points[:, 1])])


def _directions(street: Street) -> tuple[tuple[float, float], tuple[float, float]]:
    """Unit vectors out of both end junctions, along the street."""
    points = street.points
    return _unit(points[0], points[1]), _unit(points[-1], points[-2])


def _unit(a: Point, b: Point) -> tuple[float, float]:
    dx, dy = b[0] - a[0], b[1] - a[1]
    size = hypot(dx, dy) or 1.0
    return dx / size, dy / size


def _cuts(city: City) -> dict[tuple[int, int], float]:
    """(street id, end 0 or 1) -> how far from the junction its mouth must lie [m]."""
    arms: dict[int, list[tuple[int, int, float, float, float]]] = defaultdict(list)
    for street in city.streets:
        out = _directions(street)
        for end, junction in enumerate((street.start, street.end)):
            arms[junction].append((street.id, end, *out[end], street.width / 2))
    cuts: dict[tuple[int, int], float] = {}
    for meeting in arms.values():
        for street_id, end, ux, uy, half in meeting:
            cut = 0.0
            for other_id, other_end, vx, vy, other_half in meeting:
                if (other_id, other_end) == (street_id, end):
                    continue
                cosine, sine = ux * vx + uy * vy, abs(ux * vy - uy * vx)
                if sine > 0.35:
                    cut = max(cut, min((other_half + half * cosine) / sine, 22.0))
            if len(meeting) > 2 and cut > 0.0:
                cut += 0.8
            cuts[street_id, end] = cut
    return cuts


def halves(city: City) -> list[Half]:
    """Every street in two halves, cut back to where its junctions begin."""
    cuts = _cuts(city)
    found: list[Half] = []
    for street in city.streets:
        points = np.array(street.points)
        total = float(_lengths(points)[-1])
        if total < 0.5:
            continue
        first, last = cuts[street.id, 0], cuts[street.id, 1]
        squeeze = min(1.0, 0.8 * total / (first + last)) if first + last > 0 else 1.0
        first, last = first * squeeze, last * squeeze
        short = total - first - last < 14.0
        middle = (first + total - last) / 2
        ahead = _between(points, first, middle)
        back = _between(points, middle, total - last)[::-1]
        found.append(Half(street, street.start, ahead, False, first, short))
        found.append(Half(street, street.end, back, True, last, short))
    return found


def _sideways(points: Floats) -> Floats:
    """Mitred left-hand normals (n, 2), never longer than twice a half-width."""
    step = np.diff(points, axis=0)
    size = np.linalg.norm(step, axis=1, keepdims=True)
    step = step / np.where(size < 1e-9, 1.0, size)
    left = np.column_stack([-step[:, 1], step[:, 0]])
    mean = np.vstack([left[:1], left[:-1] + left[1:], left[-1:]])
    mean /= np.maximum(np.linalg.norm(mean, axis=1, keepdims=True), 1e-9)
    against = np.vstack([left[:1], left])
    scale = np.maximum((mean * against).sum(1, keepdims=True), 0.5)
    return np.asarray(mean / scale)


def ribbon(
    points: Floats, half_width: float, layer: int, paint: Sequence[int], flip: bool = False
) -> Mesh:
    """A strip along `points`; span is (metres along, metres across: left of the travel positive)."""
    count = len(points)
    side = _sideways(points)
    along = _lengths(points)
    vertices = np.zeros((count, 2), VERTEX)
    for column, across in enumerate((half_width, -half_width)):
        vertices["place"][:, column, :2] = points + side * across
        vertices["span"][:, column, 0] = along
        vertices["span"][:, column, 1] = -across if flip else across
    _dress(vertices, layer, paint)
    row = np.arange(count - 1, dtype=np.uint32)[:, None] * np.uint32(2)
    indices = row + np.array([0, 1, 3, 0, 3, 2], np.uint32)
    return vertices.reshape(-1), indices.reshape(-1)


def _dress(vertices: NDArray[np.void], layer: int, paint: Sequence[int]) -> None:
    vertices["facing"] = (128, 128, 255, layer)
    vertices["paint"] = np.asarray(paint, np.uint8)
    vertices["label"][..., 3] = _KINDS[layer]


def _patch(points: Floats, layer: int) -> Mesh:
    """A convex polygon, anticlockwise, with span along Manhattan's grid."""
    vertices = np.zeros(len(points), VERTEX)
    vertices["place"][:, :2] = points
    vertices["span"] = _grid(points)
    _dress(vertices, layer, (0, 0, 0, 0))
    fan = [(0, i, i + 1) for i in range(1, len(points) - 1)]
    return vertices, np.array(fan, np.uint32).reshape(-1)


def _grid(points: Floats) -> Floats:
    c, s = _GRID
    return np.column_stack(
        [points[:, 0] * c + points[:, 1] * s, points[:, 1] * c - points[:, 0] * s]
    )


def hull(points: Floats) -> Floats:
    """Convex hull, anticlockwise (Andrew's monotone chain)."""
    ordered = sorted({(float(x), float(y)) for x, y in points})
    if len(ordered) < 3:
        return np.array(ordered)
    chains: list[list[Point]] = []
    for run in (ordered, ordered[::-1]):
        chain: list[Point] = []
        for p in run:
            while len(chain) > 1 and _turn(chain[-2], chain[-1], p) <= 0:
                chain.pop()
            chain.append(p)
        chains.append(chain[:-1])
    return np.array(chains[0] + chains[1])


def _turn(a: Point, b: Point, c: Point) -> float:
    return (b[0] - a[0]) * (c[1] - a[1]) - (b[1] - a[1]) * (c[0] - a[0])


def _paint(half: Half, junction: Junction | None, lane_width: float, degree: int) -> list[int]:
    """Lanes, flags, width in quarter metres, lane width in 1/50 m, as the road shader reads them."""
    street = half.street
    flags = ONEWAY if street.oneway else 0
    if half.short:
        flags |= PLAIN
    if junction is not None and degree > 2 and half.cut > 2.0:
        arrives = half.reverse or not street.oneway
        if junction.signal:
            flags |= CROSSING
            if arrives:
                flags |= STOP_RIGHT if half.reverse else STOP_LEFT
    return [
        min(street.lanes, 255),
        flags,
        min(round(street.width * 4), 255),
        min(round(lane_width * 50), 255),
    ]


def _corners(half: Half, extra: float) -> Floats:
    """Both corners of a half's mouth, `extra` [m] wider than the roadway on each side."""
    side = _sideways(half.points)[0]
    reach = half.street.width / 2 + extra
    return np.stack([half.points[0] + side * reach, half.points[0] - side * reach])


def roads(city: City, parts: Sequence[Half]) -> tuple[list[Mesh], list[Mesh]]:
    """Meshes for the road program (roadways) and for the ground program (all that is beside them)."""
    by_id = {j.id: j for j in city.junctions}
    widths = {lane.street: lane.width for lane in city.lanes}
    arms: dict[int, list[Half]] = defaultdict(list)
    for half in parts:
        arms[half.junction].append(half)
    roadway: list[Mesh] = []
    beside: list[Mesh] = []
    for half in parts:
        street, points = half.street, half.points
        lane_width = widths.get(street.id, street.width / max(street.lanes, 1))
        paint = _paint(half, by_id.get(half.junction), lane_width, len(arms[half.junction]))
        w = street.width / 2
        roadway.append(ribbon(points, w, ROAD, paint, flip=half.reverse))
        beside.append(ribbon(points, w + KERB_WIDTH, KERB, (0, 0, 0, 0)))
        beside.append(ribbon(points, w + SIDEWALK_WIDTH, SLAB, (0, 0, 0, 0)))
    for meeting in arms.values():
        for layer, extra in ((JUNCTION, 0.0), (KERB, KERB_WIDTH), (SLAB, SIDEWALK_WIDTH)):
            outline = hull(np.concatenate([_corners(half, extra) for half in meeting]))
            if len(outline) > 2:
                beside.append(_patch(outline, layer))
    return roadway, beside


def _areas(polygons: Sequence[tuple[Point, ...]], layer: int) -> list[Mesh]:
    made = []
    for polygon in polygons:
        points = np.array(polygon, np.float64)
        indices = mapbox_earcut.triangulate_float64(points, np.array([len(points)], np.uint32))
        vertices = np.zeros(len(points), VERTEX)
        vertices["place"][:, :2] = points
        vertices["span"] = _grid(points)
        _dress(vertices, layer, (0, 0, 0, 0))
        made.append((vertices, indices.astype(np.uint32)))
    return made


def _base(bounds: tuple[float, float, float, float]) -> list[Mesh]:
    """Squares of block paving under everything, well beyond the bounds: no hole in the ground."""
    x0, y0, x1, y1 = bounds
    xs = np.arange(np.floor((x0 - MARGIN) / TILE), np.ceil((x1 + MARGIN) / TILE)) * TILE
    ys = np.arange(np.floor((y0 - MARGIN) / TILE), np.ceil((y1 + MARGIN) / TILE)) * TILE
    square = np.array([(0, 0), (TILE, 0), (TILE, TILE), (0, TILE)])
    return [_patch(square + (x, y), PAVING) for x in xs for y in ys]


def tiles(city: City, parts: Sequence[Half]) -> Iterator[tuple[int, Mesh, Mesh]]:
    """Tile number, roadway, other ground (uppermost layer first), for every tile with any."""
    roadway, beside = roads(city, parts)
    beside += _areas(city.parks, GRASS) + _areas(city.water, WATER) + _base(city.bounds)
    piles: dict[int, tuple[list[Mesh], list[Mesh]]] = defaultdict(lambda: ([], []))
    for which, meshes in enumerate((roadway, beside)):
        centres = np.array([m[0]["place"][:, :2].mean(0) for m in meshes]).reshape(-1, 2)
        for key, mesh in zip(tile_keys(centres), meshes, strict=True):
            piles[int(key)][which].append(mesh)
    for key in sorted(piles):
        on, off = piles[key]
        off.sort(key=lambda mesh: -int(mesh[0]["facing"][0, 3]))
        yield key, join(on), join(off)
