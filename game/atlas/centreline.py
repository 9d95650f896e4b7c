"""The City's street centre lines (CSCL, data set inkn-q76z) into `RoadRow`.

Knows its codes (Metadata_StreetCenterline.md of nyc-geo-metadata), feet, numbers as strings, and
that a place has a level: a street over another meets it only where the levels are equal.
"""

from collections.abc import Iterable
from typing import Any

from game.atlas.naming import spelled
from game.atlas.osm import CITY_SPEED_MPH, SPEED_MPH
from game.atlas.rows import FOOT, MPH, RoadRow, code, first, lowered, number, whole
from game.atlas.tally import Tally
from game.world.city import Point

BUILT = "2"  # status: constructed
NO_CARS = {
    "5": "boardwalk", "6": "path", "7": "step street", "8": "driveway", "11": "unknown",
    "12": "not physical", "14": "ferry",
}  # fmt: skip
GRADE = 13  # level code of the ground
UNKNOWN_LEVEL = 99
WIDE = 50.0 * FOOT  # a street from here on is an avenue of the grid [m]
# BIKE_LANE: class I is a path of its own, II a lane; III and links share the road.
BIKE = {"1": 2, "5": 2, "8": 2, "9": 2, "10": 2, "2": 1, "6": 1, "11": 1}
Node = tuple[int, int, int]  # longitude, latitude [1e-6 degree], level


def is_centreline(properties: dict[str, Any]) -> bool:
    """Whether the properties of a row are those of the centre lines."""
    own = lowered(properties)
    return "trafdir" in own and "rw_type" in own


def roads(features: Iterable[dict[str, Any]], tally: Tally) -> list[RoadRow]:
    """The drivable stretches, nodes numbered by place and level: the order of rows is no matter."""
    kept: list[tuple[dict[str, Any], list[Point], Node, Node]] = []
    for row in features:
        own = lowered(row["properties"])
        reason = _undriven(own)
        if reason:
            tally.dropped("road", reason)
            continue
        for line in lines(row.get("geometry")):
            if len(line) < 2:
                tally.dropped("road", "a line without a length")
                continue
            against = own.get("trafdir") == "TF"
            levels = (_level(own, "from"), _level(own, "to"))
            ends = (_node(line[0], levels[0]), _node(line[-1], levels[1]))
            if against:
                line, ends = line[::-1], ends[::-1]
            kept.append((own, line, *ends))
    nodes = sorted({node for _, _, *ends in kept for node in ends})
    ids = {node: at for at, node in enumerate(nodes, 1)}
    return [_road(own, line, ids[start], ids[end], start, end) for own, line, start, end in kept]


def lines(geometry: Any) -> list[list[Point]]:
    """The lines of a GeoJSON LineString or MultiLineString, repeated points left out."""
    if not isinstance(geometry, dict):
        raise ValueError("a street without a geometry")
    parts = geometry["coordinates"]
    found = []
    for part in [parts] if geometry["type"] == "LineString" else parts:
        points = [(float(p[0]), float(p[1])) for p in part]
        found.append([p for i, p in enumerate(points) if i == 0 or p != points[i - 1]])
    return found


def _undriven(own: dict[str, Any]) -> str:
    kind = code(own.get("rw_type"))
    if kind in NO_CARS:
        return f"no road for cars (roadway type {kind}, {NO_CARS[kind]})"
    if own.get("trafdir") == "NV":
        return "no road for cars (traffic direction NV)"
    if code(first(own, "status")) not in ("", BUILT):
        return "not built (status is not 2)"
    return ""


def _level(own: dict[str, Any], side: str) -> int:
    short = {"from": "frm_lvl_co", "to": "to_lvl_co"}[side]
    level = whole(first(own, f"{side}_level_code", short))
    return GRADE if level is None or level == UNKNOWN_LEVEL else level


def _node(point: Point, level: int) -> Node:
    return round(point[0] * 1e6), round(point[1] * 1e6), level


def _road(
    own: dict[str, Any], line: list[Point], start: int, end: int, a: Node, b: Node
) -> RoadRow:
    kind = code(own.get("rw_type"))
    oneway = own.get("trafdir") in ("TF", "FT")
    lanes = whole(own.get("number_travel_lanes")) or 0
    width = (number(first(own, "streetwidth", "st_width")) or 0.0) * FOOT
    limit = number(own.get("posted_speed"))
    known = _class(kind, lanes, width, oneway)
    return RoadRow(
        start=start,
        end=end,
        name=spelled(str(first(own, "full_street_name", "stname_label", "st_name") or "")),
        kind=known,
        oneway=oneway,
        lanes=lanes,
        speed=(limit if limit else SPEED_MPH.get(known, CITY_SPEED_MPH)) * MPH,
        bridge=kind == "3" or min(a[2], b[2]) > GRADE,
        tunnel=kind == "4" or max(a[2], b[2]) < GRADE,
        points=tuple(line),
        width=width,
        parking=min(whole(own.get("number_park_lanes")) or 0, 2),
        bike=BIKE.get(code(own.get("bike_lane")), 0),
        borough=code(first(own, "boroughcode", "borocode")),
        today="full_street_name" in own or "boroughcode" in own,
    )


def _class(kind: str, lanes: int, width: float, oneway: bool) -> str:
    """The OpenStreetMap class that a stretch is most like."""
    if kind == "9":
        return "motorway_link"
    if kind == "2":
        return "motorway"
    if kind == "10":
        return "living_street"
    if width >= WIDE or lanes >= (3 if oneway else 4):
        return "secondary"
    return "tertiary" if lanes >= (2 if oneway else 3) else "residential"
