"""What was compiled, as the integer columns of a pack: centimetres, millimetres a second, indices.

Owns the numbering: footprints along a space-filling row of cells, junctions from south to north,
streets by junction. The reader is `game.atlas.load`. Needs shapely (extra `city`).
"""

from collections.abc import Iterable, Sequence

from shapely.geometry import LineString, Polygon
from shapely.strtree import STRtree

from game.atlas.crossing import Crossing, is_inside
from game.atlas.outline import Building
from game.atlas.roadway import Roadway, lane_lines, trims
from game.atlas.tally import Tally
from game.world.city import Point

Ints = dict[str, Sequence[int]]
Texts = dict[str, Sequence[str]]
CELL = 200.0  # neighbours in the file are neighbours in the city: it packs better [m]
CLEAR = 1.3  # no lane runs closer to a wall than this [m]


def _cm(value: float) -> int:
    return round(value * 100.0)


def _chains(name: str, chains: Iterable[Sequence[Point]]) -> Ints:
    counts: list[int] = []
    xs: list[int] = []
    ys: list[int] = []
    for chain in chains:
        points = [(_cm(x), _cm(y)) for x, y in chain]
        points = [p for i, p in enumerate(points) if i == 0 or p != points[i - 1]]
        counts.append(len(points))
        xs += [x for x, _ in points]
        ys += [y for _, y in points]
    return {f"{name}_n": counts, f"{name}_x": xs, f"{name}_y": ys}


def rings_of(polygon: Polygon) -> list[list[Point]]:
    """Outer ring anticlockwise, then holes clockwise, none closed, each from its lowest point."""
    found = []
    for ring in (polygon.exterior, *polygon.interiors):
        points = [(float(x), float(y)) for x, y in ring.coords[:-1]]
        first = points.index(min(points))
        found.append(points[first:] + points[:first])
    return found


def building_columns(buildings: Sequence[Building], tally: Tally) -> tuple[Ints, Texts]:
    """The columns of buildings.bin."""
    ordered = sorted(buildings, key=_cell)
    tally.kept("building", len(ordered))
    rings = [rings_of(one.polygon) for one in ordered]
    tally.kept("vertex", sum(len(ring) for own in rings for ring in own))
    named = [index for index, one in enumerate(ordered) if one.row.name]
    return {
        "named": named,
        "rings": [len(own) for own in rings],
        **_chains("ring", (ring for own in rings for ring in own)),
        "height": [_cm(one.height) for one in ordered],
        "ground": [_cm(one.row.ground) for one in ordered],
        "top": [_cm(one.top) for one in ordered],
        "year": [one.row.year for one in ordered],
    }, {"name": [ordered[index].row.name for index in named]}


def _cell(one: Building) -> tuple[int, int, str, tuple[float, ...]]:
    row = int(one.polygon.centroid.y // CELL)
    column = int(one.polygon.centroid.x // CELL)
    return row, column if row % 2 == 0 else -column, one.row.key, one.polygon.bounds


def ground_columns(water: Sequence[Polygon], parks: Sequence[Polygon]) -> tuple[Ints, Texts]:
    """The columns of ground.bin."""
    return {
        **_chains("water", (rings_of(one)[0] for one in water)),
        **_chains("park", (rings_of(one)[0] for one in parks)),
    }, {}


def street_columns(
    ways: Sequence[Roadway],
    crossings: Sequence[Crossing],
    buildings: Sequence[Building],
    tally: Tally,
) -> tuple[Ints, Texts]:
    """The columns of streets.bin: streets, lanes and junctions, numbered here."""
    junction_of = {node: at for at, one in enumerate(crossings) for node in one.nodes}
    ordered = sorted(ways, key=lambda way: _rank(way, junction_of))
    used = sorted({junction_of[node] for way in ordered for node in (way.road.start, way.road.end)})
    number = {old: new for new, old in enumerate(used)}
    junction_of = {node: number[at] for node, at in junction_of.items() if at in number}
    crossings = [crossings[at] for at in used]
    names = sorted({way.road.row.name for way in ordered})
    kinds = sorted({way.road.row.kind for way in ordered})
    starts = [junction_of[way.road.start] for way in ordered]
    ends = [junction_of[way.road.end] for way in ordered]
    lanes, lost = _lanes(ordered, junction_of, buildings)
    tally.dropped("lane", "too close to a wall", lost)
    inside = sum(is_inside(way.road, junction_of) for way in ordered)
    tally.kept("street", len(ordered) - inside)
    tally.kept("street", inside, "inside a junction: paved, without lanes")
    tally.kept("lane", len(lanes["lane_street"]))
    tally.kept("junction", len(crossings))
    tally.kept("signal", sum(one.signal for one in crossings))
    return {
        "street_name": [names.index(way.road.row.name) for way in ordered],
        "street_kind": [kinds.index(way.road.row.kind) for way in ordered],
        **_chains("street", (list(way.line.coords) for way in ordered)),
        "street_start": starts,
        "street_end": ends,
        "street_oneway": [int(way.road.row.oneway) for way in ordered],
        "street_lanes": [way.forward + way.backward for way in ordered],
        "street_width": [_cm(way.width) for way in ordered],
        "street_speed": [round(way.road.row.speed * 1000.0) for way in ordered],
        **_told(ordered),
        **lanes,
        "junction_x": [_cm(one.x) for one in crossings],
        "junction_y": [_cm(one.y) for one in crossings],
        "junction_signal": [int(one.signal) for one in crossings],
    }, {"names": names, "kinds": kinds, "junction": [one.name for one in crossings]}


def _told(ways: Sequence[Roadway]) -> Ints:
    """Columns that are there only where a source counts parked rows or bicycle lanes."""
    columns: Ints = {}
    if any(way.road.row.parking >= 0 for way in ways):
        columns["street_parking"] = [way.parking for way in ways]
    if any(way.road.row.bike >= 0 for way in ways):
        columns["street_bike"] = [max(way.road.row.bike, 0) for way in ways]
    return columns


def _rank(way: Roadway, junction_of: dict[int, int]) -> tuple[object, ...]:
    ends = junction_of[way.road.start], junction_of[way.road.end]
    return (*ends, way.road.row.name, round(way.line.length, 2), way.line.coords[0])


def _lanes(
    ways: Sequence[Roadway], junction_of: dict[int, int], buildings: Sequence[Building]
) -> tuple[Ints, int]:
    tree = STRtree([building.polygon for building in buildings])
    lost = 0
    rows: list[tuple[int, int, int, int, int]] = []
    lines: list[list[Point]] = []
    for street, (way, cut) in enumerate(zip(ways, trims(ways, junction_of), strict=True)):
        if is_inside(way.road, junction_of):
            continue
        ends = junction_of[way.road.start], junction_of[way.road.end]
        for ahead, index, points in lane_lines(way, cut):
            if len(tree.query(LineString(points), predicate="dwithin", distance=CLEAR)):
                lost += 1
                continue
            start, end = ends if ahead else ends[::-1]
            rows.append((street, index, _cm(way.lane), start, end))
            lines.append(points)
    names = ("lane_street", "lane_index", "lane_width", "lane_start", "lane_end")
    figures: Ints = {name: [row[at] for row in rows] for at, name in enumerate(names)}
    return {**figures, **_chains("lane", lines)}, lost
