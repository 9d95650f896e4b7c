"""Edges of the street network into roads on the ground that cross nothing they should not.

Owns which edges are drivable in a flat city: what runs through a building, under the ground or over
another street without meeting it is cut out or dropped. Needs shapely (extra `city`).
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

import shapely
from shapely.affinity import translate
from shapely.geometry import LineString, Point, Polygon
from shapely.ops import unary_union
from shapely.strtree import STRtree

from game.atlas.outline import Building, to_metres
from game.atlas.project import Projection
from game.atlas.rows import DATUM_SHIFT, RoadRow
from game.atlas.tally import Tally

SHORTEST = 30.0  # a piece left by a cut is a road from here on [m]
GAP = 14.0  # what is cut at a crossing ends this far from the other centre line [m]
ROOM = 2.5  # a centre line closer to a wall is blocked [m]
# In a flat city one of two roads at different heights has to give way. Streets count more than the
# sunken approaches of the tunnels, viaducts of the highways along the shore more than the streets
# that end beneath them, ramps least.
STANDING = {"primary": 5, "secondary": 4, "tertiary": 3, "residential": 3, "unclassified": 2}
# Under the deck of the United Nations but at the level of the shore: a road of the ground wherever
# no building stands over it.
OPEN_TUNNELS = ("FDR Drive",)


@dataclass(frozen=True, slots=True)
class Road:
    """An edge on the plane. start, end: node ids; negative where the line was cut."""

    row: RoadRow
    start: int
    end: int
    line: LineString


def place(
    rows: Iterable[RoadRow],
    area: Polygon,
    projection: Projection,
    tally: Tally,
    borough: str = "1",
) -> list[Road]:
    """The edges inside the area, once each, cut at its border.

    Edges that the source says are of another borough are left out, unless `borough` is empty.
    """
    seen: set[tuple[object, ...]] = set()
    found: list[Road] = []
    shapely.prepare(area)
    for row in rows:
        line = to_metres(LineString(row.points), projection)
        if row.today:
            line = translate(line, *DATUM_SHIFT)
        if not line.intersects(area):
            continue
        if borough and row.borough not in ("", borough):
            tally.dropped("road", "of another borough")
            continue
        ends = sorted((row.start, row.end))
        twin = (*ends, row.name, row.oneway and row.start, round(line.length))
        if twin in seen:
            tally.mended("road", "given once per direction, joined")
            continue
        seen.add(twin)
        road = Road(row, row.start, row.end, line)
        if area.contains(line):
            found.append(road)
            continue
        found.extend(_pieces(road, _lines(line.intersection(area)), len(found)))
        tally.mended("road", "cut at the border of the area")
    return found


def _lines(geometry: object) -> list[LineString]:
    if isinstance(geometry, LineString):
        return [] if geometry.is_empty else [geometry]
    return [line for part in getattr(geometry, "geoms", ()) for line in _lines(part)]


def _pieces(road: Road, lines: Sequence[LineString], salt: int) -> list[Road]:
    """The road's pieces, each keeping the node where it still reaches it."""
    first, last = Point(road.line.coords[0]), Point(road.line.coords[-1])
    found = []
    for index, line in enumerate(lines):
        if line.length < SHORTEST and len(lines) + (line.length < road.line.length - 0.01) > 1:
            continue
        start = road.start if first.distance(Point(line.coords[0])) < 0.01 else _cut(road, index, 0)
        end = road.end if last.distance(Point(line.coords[-1])) < 0.01 else _cut(road, index, 1)
        found.append(replace(road, start=start, end=end, line=line))
    return found


def _cut(road: Road, index: int, side: int) -> int:
    """A node id of its own for a cut end: no two roads share one."""
    return -(((road.row.start * 31 + road.row.end) * 16 + index) * 2 + side) - 1


def lift_bridges(
    roads: Sequence[Road], buildings: Sequence[Building], tally: Tally
) -> list[Building]:
    """The buildings without those that have no BIN of their own and span an open road."""
    tree = STRtree([building.polygon for building in buildings])
    spanning: set[int] = set()
    for road in roads:
        if not road.row.tunnel:
            spanning.update(int(i) for i in tree.query(road.line, predicate="intersects"))
    kept = []
    for index, building in enumerate(buildings):
        if index in spanning and building.row.placeholder:
            tally.dropped(
                "building", "spans a street and has no BIN of its own (footbridge, canopy)"
            )
        else:
            kept.append(building)
    return kept


def clear(roads: Sequence[Road], buildings: Sequence[Building], tally: Tally) -> list[Road]:
    """The roads on open ground; where a building stands over one, that stretch is cut out."""
    tree = STRtree([building.polygon for building in buildings])
    found: list[Road] = []
    for road in roads:
        if road.row.tunnel and road.row.name not in OPEN_TUNNELS:
            tally.dropped("road", "tunnel")
            continue
        near = tree.query(road.line, predicate="dwithin", distance=ROOM)
        if not len(near):
            found.append(road)
        elif road.row.bridge and not road.row.tunnel:
            tally.dropped("road", "viaduct through a building")
        else:
            walls = unary_union([buildings[i].polygon.buffer(ROOM) for i in near])
            pieces = _pieces(road, _lines(road.line.difference(walls)), len(found))
            tally.mended("road", "a building stands over it, that stretch cut out")
            found += _reached(pieces)
    return found


def uncross(roads: Sequence[Road], tally: Tally) -> list[Road]:
    """The roads, the lesser one cut wherever two pass over each other without meeting."""
    tree = STRtree([road.line for road in roads])
    over: dict[int, list[Road]] = {}
    for index, road in enumerate(roads):
        for other in sorted(int(i) for i in tree.query(road.line, predicate="intersects")):
            if other > index and not _meet(road, roads[other]):
                lesser, greater = sorted((index, other), key=lambda i: _standing(roads[i]))
                over.setdefault(lesser, []).append(roads[greater])
    found: list[Road] = []
    for index, road in enumerate(roads):
        if index not in over:
            found.append(road)
        elif road.row.kind.endswith("_link"):
            tally.dropped("road", "ramp over or under another street")
        else:
            gap = unary_union([other.line.buffer(GAP) for other in over[index]])
            tally.mended("road", "passes over or under another street, cut there")
            found += _reached(_pieces(road, _lines(road.line.difference(gap)), index))
    return found


def _reached(pieces: Iterable[Road]) -> list[Road]:
    """The pieces that still end in a junction."""
    return [piece for piece in pieces if piece.start >= 0 or piece.end >= 0]


def _meet(road: Road, other: Road) -> bool:
    crossing = road.line.intersection(other.line)
    shared = {road.start, road.end} & {other.start, other.end}
    ends = [Point(road.line.coords[0]), Point(road.line.coords[-1])]
    return bool(shared) and all(
        min(end.distance(point) for end in ends) < 0.5
        for part in getattr(crossing, "geoms", [crossing])
        for point in [part]
    )


def _standing(road: Road) -> tuple[int, float]:
    """Which of two roads stays where both cannot: the greater; of equals the longer."""
    own = road.row
    bonus = (6 if own.kind == "motorway" else 2) if own.bridge else 0
    weight = 0 if own.kind.endswith("_link") else STANDING.get(own.kind, 1) + bonus
    return weight, road.line.length
