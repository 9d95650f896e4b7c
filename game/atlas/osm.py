"""Streets of OpenStreetMap into `RoadRow`: an OSMnx network, or plain ways cut at their junctions.

Knows the flaws of the exports (lists printed as text, units left out). What is derived from these
rows carries the ODbL.
"""

import re
from collections import Counter
from collections.abc import Iterable
from typing import Any

from game.atlas.rows import MPH, RoadRow, code, listed
from game.atlas.tally import Tally

# Without a posted limit: New York City's 25 mph, more on limited-access roads (NYC DOT).
SPEED_MPH = {"motorway": 40.0, "trunk": 35.0, "living_street": 10.0}
CITY_SPEED_MPH = 25.0
DRIVEN = (
    "motorway", "trunk", "primary", "secondary", "tertiary", "residential", "unclassified",
    "living_street", "motorway_link", "trunk_link", "primary_link", "secondary_link",
    "tertiary_link",
)  # fmt: skip


def is_network(features: list[dict[str, Any]]) -> bool:
    """Whether the rows are edges with node ids (OSMnx) and not ways."""
    own = features[0]["properties"]
    return "from" in own and "to" in own


def edge(row: dict[str, Any]) -> RoadRow:
    """One edge of an OSMnx network."""
    own = row["properties"]
    points = tuple((float(x), float(y)) for x, y in row["geometry"]["coordinates"])
    return _road(own, int(own["from"]), int(own["to"]), bool(own["oneway"]), points)


def ways(features: Iterable[dict[str, Any]], tally: Tally) -> list[RoadRow]:
    """Plain ways (tags as properties) cut wherever two of them share a point."""
    chosen: list[tuple[dict[str, Any], list[tuple[float, float]]]] = []
    for row in features:
        own, geometry = row["properties"], row.get("geometry") or {}
        kind = (listed(own.get("highway")) or [""])[0]
        if kind not in DRIVEN or geometry.get("type") != "LineString":
            tally.dropped("road", f"no road for cars ({kind or geometry.get('type')})")
            continue
        line = [(round(float(p[0]), 7), round(float(p[1]), 7)) for p in geometry["coordinates"]]
        line = [p for i, p in enumerate(line) if i == 0 or p != line[i - 1]]
        if len(line) < 2:
            tally.dropped("road", "a line without a length")
            continue
        chosen.append((own, line[::-1] if code(own.get("oneway")) == "-1" else line))
    uses = Counter(point for _, line in chosen for point in set(line))
    ends = {point for _, line in chosen for point in (line[0], line[-1])}
    nodes = sorted(ends | {point for point, count in uses.items() if count > 1})
    number = {point: at for at, point in enumerate(nodes, 1)}
    found: list[RoadRow] = []
    for own, line in chosen:
        oneway = code(own.get("oneway")).lower() in ("yes", "true", "1", "-1")
        oneway = oneway or own.get("junction") in ("roundabout", "circular")
        start = 0
        for at in range(1, len(line)):
            if line[at] in number:
                piece = tuple(line[start : at + 1])
                found.append(_road(own, number[piece[0]], number[piece[-1]], oneway, piece))
                start = at
    return found


def _road(
    own: dict[str, Any], start: int, end: int, oneway: bool, points: tuple[tuple[float, float], ...]
) -> RoadRow:
    kind = listed(own["highway"])[0]
    return RoadRow(
        start=start,
        end=end,
        name=(listed(own.get("name")) or [""])[0],
        kind=kind,
        oneway=oneway,
        lanes=min((int(text) for text in listed(own.get("lanes")) if text.isdigit()), default=0),
        speed=speed_of(listed(own.get("maxspeed")), kind),
        bridge=bool(set(listed(own.get("bridge"))) - {"no"}),
        tunnel="yes" in listed(own.get("tunnel")),
        points=points,
        bike=_bike(own),
    )


def _bike(own: dict[str, Any]) -> int:
    """From cycleway tags; -1 where the row has none of them."""
    keys = [key for key in own if key.startswith("cycleway") and key.count(":") <= 1]
    said = {text for key in keys for text in listed(own[key])}
    if not said:
        return -1
    return 2 if "track" in said or "separate" in said else 1 if "lane" in said else 0


def speed_of(limits: list[str], kind: str) -> float:
    """The lowest limit posted, or the default of the road's class [m/s]."""
    found: list[float] = []
    for limit in limits:
        match = re.fullmatch(r"\s*([\d.]+)\s*(mph|km/h)?\s*", limit)
        if match:
            # A bare number means km/h by the map's convention, but no limit in New York is one:
            # the unit was forgotten.
            found.append(float(match[1]) * (1.0 / 3.6 if match[2] == "km/h" else MPH))
    return min(found) if found else SPEED_MPH.get(kind, CITY_SPEED_MPH) * MPH
