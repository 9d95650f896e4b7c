"""How wide a street is, how many lanes it has, and where each lane runs.

Drive on the right: lane 0 is the rightmost. Owns the rule that no roadway reaches a wall: what does
not fit between the footprints gets narrower, then loses lanes. Needs shapely (extra `city`).
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from math import sqrt

from shapely.geometry import LineString
from shapely.ops import substring
from shapely.strtree import STRtree

from game.atlas.crossing import is_inside
from game.atlas.outline import Building
from game.atlas.roads import Road
from game.atlas.tally import Tally
from game.world.city import Point

LANE = 3.3  # [m]
NARROWEST = 2.7  # a lane below this is none [m]
PARKING = 2.4  # one parked row [m]
SLACK = 0.4  # a row that is this much too wide still parks [m]
PAVEMENT = 1.5  # left between kerb and wall [m]
SETBACK = 5.0  # a lane stops this far before the roadway it crosses [m]
SMOOTH = 0.25  # tolerance of the centre line [m]
# Lanes where the map does not say and no other stretch of the street does: (one-way, both ways).
DEFAULT_LANES = {
    "motorway": (3, 6), "trunk": (3, 6), "primary": (4, 4), "secondary": (4, 4),
    "tertiary": (2, 2), "residential": (1, 2), "unclassified": (1, 2), "living_street": (1, 2),
}  # fmt: skip
NO_PARKING = ("motorway", "trunk", "motorway_link", "trunk_link", "primary_link", "secondary_link")


@dataclass(frozen=True, slots=True)
class Roadway:
    """A road with its figures. line: simplified centre line; forward + backward lanes."""

    road: Road
    line: LineString
    forward: int
    backward: int
    lane: float  # width of a lane [m]
    width: float  # kerb to kerb [m]
    parking: int  # rows of parked cars the kerbs leave room for


def measure(roads: Sequence[Road], buildings: Sequence[Building], tally: Tally) -> list[Roadway]:
    """Width and lanes of each road, capped by the room between the footprints."""
    tree = STRtree([building.polygon for building in buildings])
    usual = _usual_lanes(roads)
    found: list[Roadway] = []
    for road in roads:
        line = road.line.simplify(SMOOTH)
        room = min(
            (line.distance(buildings[i].polygon) for i in tree.query_nearest(line)), default=100.0
        )
        half = max(room - PAVEMENT, 0.75 * room)
        if 2.0 * half < NARROWEST * (1 if road.row.oneway else 2):
            tally.dropped("road", "no room between the buildings")
            continue
        if road.row.width:
            half = min(half, max(road.row.width, NARROWEST * (1 if road.row.oneway else 2)) / 2.0)
        wanted = road.row.lanes or usual.get(_like(road)) or _default(road)
        number = max(wanted, 1 if road.row.oneway else 2)
        lane = min(LANE, 2.0 * half / number)
        while lane < NARROWEST:
            number -= 1
            lane = min(LANE, 2.0 * half / number)
        if number < wanted:
            tally.mended("road", "fewer lanes than the map says, no room")
        rows = 0 if road.row.kind in NO_PARKING else 2
        width = 2.0 * half if road.row.width else min(number * lane + rows * PARKING, 2.0 * half)
        backward = 0 if road.row.oneway else number // 2
        room = int((width - number * lane + SLACK) // PARKING)
        parking = min(rows if road.row.parking < 0 else road.row.parking, max(room, 0))
        found.append(Roadway(road, line, number - backward, backward, lane, width, parking))
    return found


def _like(road: Road) -> tuple[str, str, bool]:
    return road.row.name, road.row.kind, road.row.oneway


def _usual_lanes(roads: Sequence[Road]) -> dict[tuple[str, str, bool], int]:
    """The commonest number of lanes of each named street, where the map says it anywhere."""
    votes: dict[tuple[str, str, bool], Counter[int]] = {}
    for road in roads:
        if road.row.name and road.row.lanes:
            votes.setdefault(_like(road), Counter())[road.row.lanes] += 1
    return {
        like: min(count, key=lambda lanes: (-count[lanes], lanes)) for like, count in votes.items()
    }


def _default(road: Road) -> int:
    one, both = DEFAULT_LANES.get(road.row.kind, (1, 2))
    return one if road.row.oneway else both


def trims(roadways: Sequence[Roadway], junction_of: Mapping[int, int]) -> list[Point]:
    """How much of each centre line, from its start and from its end, belongs to junctions [m]."""
    arms: dict[int, list[tuple[int, int, Point]]] = {}
    for index, way in enumerate(roadways):
        if is_inside(way.road, junction_of):
            continue
        for side, node in ((0, way.road.start), (1, way.road.end)):
            arms.setdefault(junction_of[node], []).append((index, side, _outward(way.line, side)))
    cuts = [[0.0, 0.0] for _ in roadways]
    for meeting in arms.values():
        for index, side, heading in meeting:
            others = [arm for arm in meeting if arm[:2] != (index, side)]
            cuts[index][side] = _trim(roadways, index, heading, others)
    for way, cut in zip(roadways, cuts, strict=True):
        most = 0.6 * way.line.length
        if cut[0] + cut[1] > most:
            scale = most / (cut[0] + cut[1])
            cut[0], cut[1] = cut[0] * scale, cut[1] * scale
    return [(cut[0], cut[1]) for cut in cuts]


def _trim(
    roadways: Sequence[Roadway],
    index: int,
    heading: Point,
    others: Sequence[tuple[int, int, Point]],
) -> float:
    own = roadways[index].width / 2.0
    needed = 0.0
    for other, _, out in others:
        sine = abs(heading[0] * out[1] - heading[1] * out[0])
        cosine = heading[0] * out[0] + heading[1] * out[1]
        if sine > 0.4:
            half = roadways[other].width / 2.0
            needed = max(needed, min((half + own * abs(cosine)) / sine, 25.0) + SETBACK)
        elif cosine > 0.0 or roadways[other].forward != roadways[index].forward:
            needed = max(needed, 4.0)
    return needed


def _outward(line: LineString, side: int) -> Point:
    """Unit direction in which the line leaves its end, taken over the first 10 m."""
    reach = min(10.0, line.length / 2.0)
    a = line.coords[0] if side == 0 else line.coords[-1]
    b = line.interpolate(reach if side == 0 else line.length - reach)
    dx, dy = b.x - a[0], b.y - a[1]
    long = sqrt(dx * dx + dy * dy) or 1.0
    return dx / long, dy / long


def lane_lines(way: Roadway, cut: Point) -> list[tuple[bool, int, list[Point]]]:
    """(in the street's direction?, index from the right, points) of every lane."""
    total = way.forward + way.backward
    middle = list(substring(way.line, cut[0], way.line.length - cut[1]).coords)
    found = []
    for ahead, number in ((True, way.forward), (False, way.backward)):
        points = middle if ahead else middle[::-1]
        for index in range(number):
            right = (total / 2.0 - 0.5 - index) * way.lane
            found.append((ahead, index, beside(points, right)))
    return found


def beside(points: Sequence[Point], right: float) -> list[Point]:
    """The polyline `right` metres to the right of another, mitred at its corners."""
    normals: list[Point] = []
    for (ax, ay), (bx, by) in pairwise(points):
        long = sqrt((bx - ax) * (bx - ax) + (by - ay) * (by - ay))
        normals.append(((by - ay) / long, (ax - bx) / long))
    moved: list[Point] = []
    for index, (x, y) in enumerate(points):
        nx, ny = normals[max(index - 1, 0)]
        mx, my = normals[min(index, len(normals) - 1)]
        scale = right / max(1.0 + nx * mx + ny * my, 0.5)
        moved.append((x + (nx + mx) * scale, y + (ny + my) * scale))
    return moved
