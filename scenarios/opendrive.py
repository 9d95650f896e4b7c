"""The real streets around a place as OpenDRIVE 1.7: roads, lanes, junctions. Export only.

A street becomes a road between the edges of its junctions; every turn that a lane allows becomes
a connecting road of one lane with a connection of its own. Owns which lane may turn where.
"""

import xml.etree.ElementTree as ET
from collections.abc import Sequence
from dataclasses import dataclass
from math import dist, fabs, pi, remainder, tau
from pathlib import Path

from game.world.city import City, Junction, Lane, Point, Street
from scenarios.refline import Piece, Pose, rounded, turn

AROUND_M = 300.0
"""Streets that come this close to the place are exported [m]."""
REVISION = (1, 7)
ACROSS = pi / 4.0
"""A change of direction from here on is a turn [rad]."""
BACK = 0.85 * pi
"""From here on it would lead back where one came from [rad]."""
_NUMBER = "{:.9g}"


@dataclass(frozen=True, slots=True)
class _Road:
    """A street with its reference line. lost: lanes (forward?, index) that no car fits on."""

    street: Street
    pieces: tuple[Piece, ...]
    forward: int
    backward: int
    width: float  # of a lane [m]
    lost: frozenset[tuple[bool, int]]

    @property
    def length(self) -> float:
        return _total(self.pieces)

    @property
    def offset(self) -> float:
        """Where the lanes of both directions meet, left of the reference line [m]."""
        return 0.5 * (self.forward - self.backward) * self.width

    def number(self, ahead: bool) -> int:
        return self.forward if ahead else self.backward

    def lane_id(self, ahead: bool, index: int) -> int:
        """OpenDRIVE's number of a lane that we count from the right."""
        return index - self.forward if ahead else self.backward - index

    def gate(self, ahead: bool, index: int, leaving: bool) -> Pose:
        """Middle of a lane where it enters or leaves the road, in the direction of travel."""
        at_end = ahead == leaving
        pose = self.pieces[-1].end() if at_end else self.pieces[0].start
        half = 0.5 * (self.forward + self.backward) * self.width
        left = (index + 0.5) * self.width - half
        return pose.beside(left) if ahead else pose.turned().beside(left)


@dataclass(frozen=True, slots=True)
class _Arm:
    """One direction of a road at a junction."""

    road: _Road
    ahead: bool

    def contact(self, leaving: bool) -> str:
        return "end" if self.ahead == leaving else "start"


@dataclass(frozen=True, slots=True)
class _Turn:
    """A connecting road: from a lane of one arm to a lane of another."""

    id: int
    junction: int
    source: _Arm
    target: _Arm
    lanes: tuple[int, int]
    piece: Piece


@dataclass(frozen=True, slots=True)
class Network:
    """What was exported. root: the document; counts of roads, connecting roads and junctions."""

    root: ET.Element
    roads: int
    connections: int
    junctions: int


def network(
    city: City, centre: Point, name: str, around: float = AROUND_M, terms: str = ""
) -> Network:
    """The streets within `around` metres of a point [m], in metres of the city.

    terms: under which the pack's streets may be used; they go with what is derived from them.
    """
    near = [street for street in city.streets if _is_near(street, centre, around)]
    lanes: dict[int, list[Lane]] = {}
    for lane in city.lanes:
        lanes.setdefault(lane.street, []).append(lane)
    roads = [_road(street, lanes[street.id]) for street in near if street.id in lanes]
    turns = _turns(city.junctions, roads)
    used = {one.junction for one in turns}
    root = ET.Element("OpenDRIVE")
    header = _header(root, city, name, roads)
    if terms:
        ET.SubElement(header, "userData", {"code": "licence", "value": " ".join(terms.split())})
    for road in roads:
        _write_road(root, road, used)
    for one in turns:
        _write_turn(root, one)
    for junction in city.junctions:
        if junction.id in used:
            _write_junction(root, junction, [one for one in turns if one.junction == junction.id])
    return Network(root, len(roads), len(turns), len(used))


def save(made: Network, path: Path) -> None:
    """Write the document whole or not at all."""
    ET.indent(made.root)
    part = path.with_name(path.name + ".part")
    ET.ElementTree(made.root).write(part, encoding="utf-8", xml_declaration=True)
    part.replace(path)


def _is_near(street: Street, centre: Point, around: float) -> bool:
    for (ax, ay), (bx, by) in zip(street.points, street.points[1:], strict=False):
        ex, ey = bx - ax, by - ay
        run = ex * ex + ey * ey
        share = ((centre[0] - ax) * ex + (centre[1] - ay) * ey) / run if run > 0.0 else 0.0
        share = min(1.0, max(0.0, share))
        if dist(centre, (ax + share * ex, ay + share * ey)) <= around:
            return True
    return False


def _road(street: Street, lanes: Sequence[Lane]) -> _Road:
    """The road of a street; its reference line is the middle of all lanes."""
    backward = 0 if street.oneway else street.lanes // 2
    forward = street.lanes - backward
    found = {(lane.start == street.start and _is_along(lane, street), lane.index) for lane in lanes}
    wanted = {(True, i) for i in range(forward)} | {(False, i) for i in range(backward)}
    first = lanes[0]
    ahead = first.start == street.start and _is_along(first, street)
    half = 0.5 * street.lanes * first.width
    middle = rounded(first.points if ahead else first.points[::-1])
    left = (first.index + 0.5) * first.width - half
    shift = -left if ahead else left
    pieces = tuple(_moved(piece, shift) for piece in middle)
    return _Road(street, pieces, forward, backward, first.width, frozenset(wanted - found))


def _is_along(lane: Lane, street: Street) -> bool:
    return dist(lane.points[0], street.points[0]) < dist(lane.points[-1], street.points[0])


def _moved(piece: Piece, left: float) -> Piece:
    """A straight or an arc moved sideways; an arc keeps its centre."""
    scale = 1.0 - piece.curvature * left
    return Piece(piece.start.beside(left), piece.length * scale, piece.curvature / scale)


def _total(pieces: Sequence[Piece]) -> float:
    return sum(piece.length for piece in pieces)


def _turns(junctions: Sequence[Junction], roads: Sequence[_Road]) -> list[_Turn]:
    entering: dict[int, list[_Arm]] = {}
    leaving: dict[int, list[_Arm]] = {}
    for road in roads:
        for ahead in (True, False) if road.backward else (True,):
            start, end = road.street.start, road.street.end
            entering.setdefault(end if ahead else start, []).append(_Arm(road, ahead))
            leaving.setdefault(start if ahead else end, []).append(_Arm(road, ahead))
    number = 1 + max((road.street.id for road in roads), default=0)
    found: list[_Turn] = []
    for junction in junctions:
        for source in entering.get(junction.id, ()):
            ways = [
                (target, _change(source, target))
                for target in leaving.get(junction.id, ())
                if target.road is not source.road
            ]
            ways = [way for way in ways if fabs(way[1]) < BACK]
            for target, change in ways:
                for lanes in _pairs(source, target, change, alone=len(ways) == 1):
                    a = source.road.gate(source.ahead, lanes[0], leaving=True)
                    b = target.road.gate(target.ahead, lanes[1], leaving=False)
                    if dist((a.x, a.y), (b.x, b.y)) > 0.5:
                        found.append(_Turn(number, junction.id, source, target, lanes, turn(a, b)))
                        number += 1
    return found


def _change(source: _Arm, target: _Arm) -> float:
    a = source.road.gate(source.ahead, 0, leaving=True).heading
    b = target.road.gate(target.ahead, 0, leaving=False).heading
    return remainder(b - a, tau)


def _pairs(source: _Arm, target: _Arm, change: float, alone: bool) -> list[tuple[int, int]]:
    """(lane from, lane to), counted from the right: the outer lane turns, all go straight on."""
    n, m = source.road.number(source.ahead), target.road.number(target.ahead)
    if alone or fabs(change) < ACROSS:
        if change > ACROSS:  # keep to the left
            pairs = [(n - 1 - i, max(m - 1 - i, 0)) for i in range(n)]
        else:
            pairs = [(i, min(i, m - 1)) for i in range(n)]
    elif change > 0.0:
        pairs = [(n - 1, m - 1)]
    else:
        pairs = [(0, 0)]
    return [
        (a, b)
        for a, b in pairs
        if (source.ahead, a) not in source.road.lost and (target.ahead, b) not in target.road.lost
    ]


def _add(parent: ET.Element, tag: str, **said: float | str) -> ET.Element:
    texts = {
        key: _NUMBER.format(value) if isinstance(value, float) else str(value)
        for key, value in said.items()
    }
    return ET.SubElement(parent, tag, texts)


def _header(root: ET.Element, city: City, name: str, roads: Sequence[_Road]) -> ET.Element:
    xs = [piece.start.x for road in roads for piece in road.pieces] or [0.0]
    ys = [piece.start.y for road in roads for piece in road.pieces] or [0.0]
    header = _add(root, "header", revMajor=REVISION[0], revMinor=REVISION[1], name=name,
                  version="1.00", north=max(ys), south=min(ys), east=max(xs), west=min(xs),
                  vendor="scale-diffusion")  # fmt: skip
    reference = ET.SubElement(header, "geoReference")
    # our plane touches the ellipsoid at the origin; this one agrees to 0.3 m within 2 km of it
    reference.text = f"+proj=tmerc +lat_0={city.latitude} +lon_0={city.longitude} +k=1 "
    reference.text += "+x_0=0 +y_0=0 +datum=WGS84 +units=m +no_defs"
    return header


def _write_plan(parent: ET.Element, pieces: Sequence[Piece]) -> None:
    plan = ET.SubElement(parent, "planView")
    s = 0.0
    for piece in pieces:
        start = piece.start
        geometry = ET.SubElement(plan, "geometry", {
            "s": repr(s), "x": repr(start.x), "y": repr(start.y), "hdg": repr(start.heading),
            "length": repr(piece.length),
        })  # fmt: skip
        if piece.u:
            cubic = {f"{k}{axis}": repr(value) for axis, row in (("U", piece.u), ("V", piece.v))
                     for k, value in zip("abcd", row, strict=True)}  # fmt: skip
            ET.SubElement(geometry, "paramPoly3", {**cubic, "pRange": "normalized"})
        elif piece.curvature:
            ET.SubElement(geometry, "arc", {"curvature": repr(piece.curvature)})
        else:
            ET.SubElement(geometry, "line")
        s += piece.length


def _write_road(root: ET.Element, road: _Road, used: set[int]) -> None:
    street = road.street
    made = ET.SubElement(root, "road", {
        "name": street.name, "length": repr(road.length), "id": str(street.id), "junction": "-1",
        "rule": "RHT",
    })  # fmt: skip
    link = ET.SubElement(made, "link")
    for side, junction in (("predecessor", street.start), ("successor", street.end)):
        if junction in used:
            _add(link, side, elementType="junction", elementId=junction)
    kind = _add(made, "type", s=0.0, type="town")
    _add(kind, "speed", max=street.speed_limit, unit="m/s")
    _write_plan(made, road.pieces)
    lanes = ET.SubElement(made, "lanes")
    if road.offset:
        _add(lanes, "laneOffset", s=0.0, a=road.offset, b=0.0, c=0.0, d=0.0)
    section = _add(lanes, "laneSection", s=0.0)
    if road.backward:
        beside = ET.SubElement(section, "left")
        for index in range(road.backward):
            _write_lane(beside, road, False, index)
    centre = _add(ET.SubElement(section, "center"), "lane", id=0, type="none", level="false")
    _mark(centre, "solid" if road.backward else "none", "yellow")
    beside = ET.SubElement(section, "right")
    for index in reversed(range(road.forward)):
        _write_lane(beside, road, True, index)


def _write_lane(side: ET.Element, road: _Road, ahead: bool, index: int) -> None:
    kind = "none" if (ahead, index) in road.lost else "driving"
    lane = _add(side, "lane", id=road.lane_id(ahead, index), type=kind, level="false")
    _add(lane, "width", sOffset=0.0, a=road.width, b=0.0, c=0.0, d=0.0)
    _mark(lane, "broken" if index else "solid", "white")


def _mark(lane: ET.Element, kind: str, colour: str) -> None:
    _add(lane, "roadMark", sOffset=0.0, type=kind, weight="standard", color=colour, width=0.12)


def _write_turn(root: ET.Element, one: _Turn) -> None:
    length = one.piece.length
    made = ET.SubElement(root, "road", {
        "name": "", "length": repr(length), "id": str(one.id), "junction": str(one.junction),
        "rule": "RHT",
    })  # fmt: skip
    source, target = one.source, one.target
    link = ET.SubElement(made, "link")
    _add(link, "predecessor", elementType="road", elementId=source.road.street.id,
         contactPoint=source.contact(leaving=True))  # fmt: skip
    _add(link, "successor", elementType="road", elementId=target.road.street.id,
         contactPoint=target.contact(leaving=False))  # fmt: skip
    _write_plan(made, (one.piece,))
    a, b = source.road.width, target.road.width
    lanes = ET.SubElement(made, "lanes")
    slope = (b - a) / length
    _add(lanes, "laneOffset", s=0.0, a=0.5 * a, b=0.5 * slope, c=0.0, d=0.0)
    section = _add(lanes, "laneSection", s=0.0)
    _add(ET.SubElement(section, "center"), "lane", id=0, type="none", level="false")
    lane = _add(ET.SubElement(section, "right"), "lane", id=-1, type="driving", level="false")
    join = ET.SubElement(lane, "link")
    _add(join, "predecessor", id=source.road.lane_id(source.ahead, one.lanes[0]))
    _add(join, "successor", id=target.road.lane_id(target.ahead, one.lanes[1]))
    _add(lane, "width", sOffset=0.0, a=a, b=slope, c=0.0, d=0.0)


def _write_junction(root: ET.Element, junction: Junction, turns: Sequence[_Turn]) -> None:
    made = _add(root, "junction", name=junction.name, id=junction.id, type="default")
    for number, one in enumerate(turns):
        source = one.source
        connection = _add(made, "connection", id=number, incomingRoad=source.road.street.id,
                          connectingRoad=one.id, contactPoint="start")  # fmt: skip
        lane = source.road.lane_id(source.ahead, one.lanes[0])
        _add(connection, "laneLink", **{"from": lane, "to": -1})
