"""The ground: roadway ribbons with markings, junctions, kerbs, sidewalks, parks, water, paving.

Everything lies at z = 0 in layers, the uppermost first; a layer's number is its depth bias.
"""

from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from math import cos, sin

import mapbox_earcut
import numpy as np
from numpy.typing import NDArray

from game.view.buildings import TILE, tile_keys
from game.view.labels import Train
from game.view.mesh import VERTEX, Indices, Mesh, Vertices, join, quad_indices
from game.view.mouths import Half
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
_OUTSIDE = 60.0  # what of a junction may lie outside the tile of its first mouth [m]
_SQUARE = 50.0  # of the paving: small, so that depth is interpolated well near the eye [m]
_GRID = (cos(1.0647), sin(1.0647))  # along Manhattan's avenues
CROSSING, ONEWAY, STOP_RIGHT, STOP_LEFT, PLAIN, BIKE = 1, 2, 4, 8, 16, 32
BIKE_WIDTH = 1.5  # of a lane for bicycles, as in road.frag [m]
Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Lines:
    """All halves in flat arrays, one row a point; rows of one half follow each other.

    half: its number; side: mitred left-hand normal; along: from the mouth [m].
    step: whether a stretch leads from this row to the next.
    """

    points: Floats
    half: NDArray[np.int64]
    side: Floats
    along: Floats
    step: NDArray[np.bool_]
    ends: NDArray[np.int64]  # first row of each half, and one past the last


def lines(parts: Sequence[Half]) -> Lines:
    """Flatten, with normals and arc lengths."""
    counts = np.array([len(p.points) for p in parts], np.int64)
    points = np.array([q for p in parts for q in p.points], np.float64).reshape(-1, 2)
    half = np.repeat(np.arange(len(parts)), counts)
    ends = np.concatenate([[0], np.cumsum(counts)])
    move = np.diff(points, axis=0, append=points[-1:])
    step = np.append(half[:-1] == half[1:], False)
    length = np.where(step, np.linalg.norm(move, axis=1), 0.0)
    left = np.column_stack([-move[:, 1], move[:, 0]]) / np.maximum(length, 1e-9)[:, None]
    before = np.roll(left, 1, axis=0)
    after = np.where(step[:, None], left, before)
    before = np.where(np.roll(step, 1)[:, None], before, after)
    mean = before + after
    mean /= np.maximum(np.linalg.norm(mean, axis=1, keepdims=True), 1e-9)
    side = mean / np.maximum((mean * before).sum(1, keepdims=True), 0.5)
    total = np.concatenate([[0.0], np.cumsum(length)[:-1]])
    return Lines(points, half, side, total - total[ends[:-1]][half], step, ends)


def ribbons(
    line: Lines, reach: Floats, across: Floats, layer: int, paint: NDArray[np.uint8]
) -> Vertices:
    """Strips (rows, 2) along all lines, left edge then right.

    reach: half width [m] of each half; across: 1, or -1 where left and right change places;
    span is (metres along, metres across: left of the street's direction positive).
    """
    half = line.half
    vertices = np.zeros((len(half), 2), VERTEX)
    for column, sign in enumerate((1.0, -1.0)):
        vertices["place"][:, column, :2] = line.points + line.side * (sign * reach[half])[:, None]
        vertices["span"][:, column, 0] = line.along
        vertices["span"][:, column, 1] = sign * (reach * across)[half]
    _dress(vertices, layer)
    vertices["paint"] = paint[half][:, None]
    return vertices


def _strip_indices(step: NDArray[np.bool_]) -> Indices:
    rows = np.flatnonzero(step).astype(np.uint32)[:, None] * np.uint32(2)
    return np.asarray(rows + np.array([0, 1, 3, 0, 3, 2], np.uint32)).reshape(-1)


def _dress(vertices: NDArray[np.void], layer: int) -> None:
    vertices["facing"] = (128, 128, 255, layer)
    vertices["label"][..., 3] = _KINDS[layer]


def _patch(points: Floats, layer: int) -> Mesh:
    """A convex polygon, anticlockwise, with span along Manhattan's grid."""
    vertices = np.zeros(len(points), VERTEX)
    vertices["place"][:, :2] = points
    vertices["span"] = _grid(points)
    _dress(vertices, layer)
    fan = [(0, i, i + 1) for i in range(1, len(points) - 1)]
    return vertices, np.array(fan, np.uint32).reshape(-1)


def _grid(points: Floats) -> Floats:
    c, s = _GRID
    x, y = points[:, 0], points[:, 1]
    return np.column_stack([x * c + y * s, y * c - x * s])


def hull(points: Sequence[Point]) -> list[Point]:
    """Convex hull, anticlockwise (Andrew's monotone chain)."""
    ordered = sorted(set(points))
    if len(ordered) < 3:
        return ordered
    chains: list[list[Point]] = []
    for run in (ordered, ordered[::-1]):
        chain: list[Point] = []
        for p in run:
            while len(chain) > 1 and _turn(chain[-2], chain[-1], p) <= 0:
                chain.pop()
            chain.append(p)
        chains.append(chain[:-1])
    return chains[0] + chains[1]


def _turn(a: Point, b: Point, c: Point) -> float:
    return (b[0] - a[0]) * (c[1] - a[1]) - (b[1] - a[1]) * (c[0] - a[0])


def _paint(half: Half, junction: Junction | None, lane_width: float, degree: int) -> list[int]:
    """Lanes, flags, width in quarter metres, lane width in 1/50 m, for the road shader."""
    street = half.street
    flags = ONEWAY if street.oneway else 0
    if half.short:
        flags |= PLAIN
    if street.bike and has_room_for_bikes(street, lane_width):
        flags |= BIKE
    if junction is not None and junction.signal and degree > 2 and half.cut > 2.0:
        flags |= CROSSING
        if half.reverse:
            flags |= STOP_RIGHT
        elif not street.oneway:
            flags |= STOP_LEFT
    return [
        min(street.lanes, 255),
        flags,
        min(round(street.width * 4), 255),
        min(round(lane_width * 50), 255),
    ]


def has_room_for_bikes(street: Street, lane_width: float) -> bool:
    """Whether a lane for bicycles fits beside the lanes: left of a one-way street, else both."""
    beside = (street.width - street.lanes * lane_width) / 2
    return beside >= BIKE_WIDTH + 0.2


def _corners(half: Half, extra: float) -> list[Point]:
    """Both corners of a half's mouth, `extra` [m] wider than the roadway on each side."""
    reach = half.street.width / 2 + extra
    (x, y), (ux, uy) = half.points[0], half.inwards
    return [(x - uy * reach, y + ux * reach), (x + uy * reach, y - ux * reach)]


def _meeting(meeting: Sequence[Half]) -> Iterator[Mesh]:
    """The hull of a junction's mouths as asphalt, kerb and sidewalk."""
    for layer, extra in ((JUNCTION, 0.0), (KERB, KERB_WIDTH), (SLAB, SIDEWALK_WIDTH)):
        outline = hull([corner for half in meeting for corner in _corners(half, extra)])
        if len(outline) > 2:
            yield _patch(np.array(outline), layer)


def _paints(city: City, parts: Sequence[Half]) -> NDArray[np.uint8]:
    by_id = {j.id: j for j in city.junctions}
    widths = {lane.street: lane.width for lane in city.lanes}
    degree: dict[int, int] = defaultdict(int)
    for half in parts:
        degree[half.junction] += 1
    return np.array(
        [
            _paint(
                half,
                by_id.get(half.junction),
                widths.get(half.street.id, half.street.width / max(half.street.lanes, 1)),
                degree[half.junction],
            )
            for half in parts
        ],
        np.uint8,
    ).reshape(-1, 4)


def roads(city: City, parts: Sequence[Half]) -> Iterator[tuple[int, Mesh, list[Mesh]]]:
    """Tile number, roadways, kerbs and sidewalks; `parts` sorted by `tile_of`."""
    line = lines(parts)
    half_width = np.array([half.street.width / 2 for half in parts])
    across = np.array([-1.0 if half.reverse else 1.0 for half in parts])
    paint = _paints(city, parts)
    layers = [
        ribbons(line, half_width + extra, across, layer, paint)
        for layer, extra in ((ROAD, 0.0), (KERB, KERB_WIDTH), (SLAB, SIDEWALK_WIDTH))
    ]
    keys = tile_of(parts)
    starts = np.flatnonzero(np.diff(keys, prepend=keys[0] - 1))
    for first, last in zip(starts, [*starts[1:], len(parts)], strict=True):
        rows = slice(line.ends[first], line.ends[last])
        index = _strip_indices(line.step[rows])
        on, *beside = [(layer[rows].reshape(-1), index) for layer in layers]
        yield int(keys[first]), on, beside


def tile_of(parts: Sequence[Half]) -> NDArray[np.int64]:
    """The tile of each half: that of its mouth."""
    return tile_keys(np.array([half.points[0] for half in parts], np.float64).reshape(-1, 2))


def _area(polygon: Sequence[Point], layer: int) -> Mesh:
    points = np.array(polygon, np.float64)
    indices = mapbox_earcut.triangulate_float64(points, np.array([len(points)], np.uint32))
    vertices = np.zeros(len(points), VERTEX)
    vertices["place"][:, :2] = points
    vertices["span"] = _grid(points)
    _dress(vertices, layer)
    return vertices, indices.astype(np.uint32)


def corners_of(bounds: tuple[float, float, float, float]) -> Floats:
    """Lower corners (n, 2) of all tiles, well beyond the bounds: no hole in the ground."""
    x0, y0, x1, y1 = bounds
    xs = np.arange(np.floor((x0 - MARGIN) / TILE), np.ceil((x1 + MARGIN) / TILE)) * TILE
    ys = np.arange(np.floor((y0 - MARGIN) / TILE), np.ceil((y1 + MARGIN) / TILE)) * TILE
    return np.stack(np.meshgrid(xs, ys, indexing="ij"), -1).reshape(-1, 2)


def paving(corner: Floats) -> Mesh:
    """Squares of block paving under all of a tile."""
    side = np.arange(0.0, TILE, _SQUARE)
    cell = np.stack(np.meshgrid(side, side), -1).reshape(-1, 1, 2)
    square = np.array([(0, 0), (_SQUARE, 0), (_SQUARE, _SQUARE), (0, _SQUARE)])
    points = (cell + square).reshape(-1, 2) + corner
    vertices = np.zeros(len(points), VERTEX)
    vertices["place"][:, :2] = points
    vertices["span"] = _grid(points)
    _dress(vertices, PAVING)
    return vertices, quad_indices(len(cell))


class Tiles:
    """The ground of a city in tiles, each made when asked for. keys: of all of them, sorted.

    low, high: corners (n, 2) of all that lies in each [m].
    """

    def __init__(self, city: City, parts: Sequence[Half]) -> None:
        corner = corners_of(city.bounds)
        self._corner = dict(zip(tile_keys(corner + 1.0).tolist(), corner, strict=True))
        ordered = [parts[int(i)] for i in np.argsort(tile_of(parts), kind="stable")]
        self._roads = {
            key: (on, beside) for key, on, beside in (roads(city, ordered) if ordered else ())
        }
        arms: dict[int, list[Half]] = defaultdict(list)
        for half in parts:
            arms[half.junction].append(half)
        meetings = list(arms.values())
        self._meetings: dict[int, list[list[Half]]] = defaultdict(list)
        for key, meeting in zip(tile_of([m[0] for m in meetings]).tolist(), meetings, strict=True):
            self._meetings[key].append(meeting)
        self._areas: dict[int, list[tuple[Sequence[Point], int]]] = defaultdict(list)
        for polygons, layer in ((city.parks, GRASS), (city.water, WATER)):
            for polygon in polygons:
                centre = np.array(polygon).mean(0, keepdims=True)
                self._areas[int(tile_keys(centre)[0])].append((polygon, layer))
        self.keys = sorted({*self._corner, *self._roads, *self._meetings, *self._areas})
        extent = np.array([self._extent(key) for key in self.keys]).reshape(-1, 4)
        self.low, self.high = extent[:, :2], extent[:, 2:]

    def _extent(self, key: int) -> tuple[float, float, float, float]:
        x, y = (key // 1_000_000 - 100_000) * TILE, (key % 1_000_000 - 100_000) * TILE
        low, high = np.array([x, y]) - _OUTSIDE, np.array([x, y]) + TILE + _OUTSIDE
        found = [np.stack([low, high])]
        if key not in self._areas and key not in self._roads:
            return low[0], low[1], high[0], high[1]
        found += [np.array(polygon) for polygon, _ in self._areas.get(key, ())]
        if key in self._roads:
            sides = [mesh[0]["place"][:, :2].astype(np.float64) for mesh in self._roads[key][1]]
            found += sides
        points = np.concatenate(found)
        (a, b), (c, d) = points.min(0).tolist(), points.max(0).tolist()
        return a, b, c, d

    def made(self, key: int) -> tuple[Mesh | None, Mesh]:
        """Roadway, and other ground with the uppermost layer first."""
        on, beside = self._roads.get(key, (None, []))
        pile = list(beside)
        for meeting in self._meetings.get(key, ()):
            pile += _meeting(meeting)
        pile += [_area(polygon, layer) for polygon, layer in self._areas.get(key, ())]
        if key in self._corner:
            pile.append(paving(self._corner[key]))
        return on, join(sorted(pile, key=lambda mesh: -int(mesh[0]["facing"][0, 3])))
