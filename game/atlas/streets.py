"""Finding one's way: junctions by name, the street and the lane at a place, addresses.

Every function looks at the whole city, a few milliseconds; who asks often keeps a `StreetIndex`,
which gives the same answers. Deterministic: of equals the lower id wins.
"""

from collections.abc import Iterable, Sequence
from difflib import get_close_matches
from itertools import pairwise
from math import sqrt

from game.atlas.naming import key_of, parts_of, same_street
from game.errors import UnknownPlace, UsageError
from game.world.city import City, Junction, Lane, Point, Street
from game.world.trig import sincos

CELL = 60.0  # of the index [m]
AT_JUNCTION = 18.0  # this close to a junction an address names both streets [m]


def find_junction(city: City, name: str) -> Junction:
    """The junction where the streets in `name` meet: 'West 42nd Street & 7th Avenue'.

    Case, abbreviations ('W 42 St & 7 Av'), order and the side of town may differ. Of several the
    one with the fewest other streets, then with lights, then with the most arms. Raises
    UnknownPlace.
    """
    asked = parts_of(name)
    found: list[tuple[int, bool, int, int]] = []
    for junction in city.junctions:
        keys = {key_of(city.streets[street].name) for street in junction.streets} - {""}
        if asked and all(any(same_street(part, key) for key in keys) for part in asked):
            found.append((len(keys), not junction.signal, -len(junction.streets), junction.id))
    if found:
        return city.junctions[min(found)[3]]
    names = sorted({junction.name for junction in city.junctions if "&" in junction.name})
    like = {" & ".join(parts_of(known)): known for known in names}
    close = get_close_matches(" & ".join(asked), list(like), n=3, cutoff=0.0)
    raise UnknownPlace(name, tuple(like[key] for key in close))


def street_near(city: City, x: float, y: float) -> Street | None:
    """The street whose centre line is nearest to (x, y); None in a city without streets."""
    return _nearest_street(city.streets, x, y)


def lane_near(
    city: City, x: float, y: float, heading: float | None = None
) -> tuple[Lane, float, float]:
    """The lane nearest to (x, y), the arc length s along it [m], and the offset to its left [m].

    With a heading [radian] only lanes that lead that way (within a right angle) count, unless
    there is none. Raises UsageError in a city without lanes.
    """
    return _nearest_lane(city.lanes, x, y, heading)


def address(city: City, x: float, y: float) -> str:
    """Where (x, y) is, in words: 'West 42nd Street near 7th Avenue', '7th Avenue & ...'."""
    street = _nearest_street([one for one in city.streets if one.name], x, y)
    if street is None:
        return ""
    ends = [city.junctions[street.start], city.junctions[street.end]]
    ends.sort(key=lambda one: (_squared(one.x - x, one.y - y), one.id))
    if _squared(ends[0].x - x, ends[0].y - y) < AT_JUNCTION * AT_JUNCTION and ends[0].name:
        return ends[0].name
    for junction in ends:
        others = [name for name in _names(city, junction) if key_of(name) != key_of(street.name)]
        if others:
            return f"{street.name} near {others[0]}"
    return street.name


def _names(city: City, junction: Junction) -> list[str]:
    """Names of the streets that meet, avenues first: they say more about where it is."""
    names = {city.streets[street].name for street in junction.streets} - {""}
    return sorted(names, key=lambda name: (name.endswith("Street"), name))


class StreetIndex:
    """Streets and lanes of one city by cells of a grid; answers as the functions above do."""

    def __init__(self, city: City) -> None:
        self.city = city
        self._streets = _grid(street.points for street in city.streets)
        self._lanes = _grid(lane.points for lane in city.lanes)

    def street_near(self, x: float, y: float) -> Street | None:
        """As `street_near`."""
        for reach in (1, 3):
            near = [self.city.streets[at] for at in _around(self._streets, x, y, reach)]
            found = _nearest_street(near, x, y)
            if found is not None and _along(found.points, x, y)[0] <= _sure(reach):
                return found
        return street_near(self.city, x, y)

    def lane_near(
        self, x: float, y: float, heading: float | None = None
    ) -> tuple[Lane, float, float]:
        """As `lane_near`."""
        for reach in (1, 3):
            near = [self.city.lanes[at] for at in _around(self._lanes, x, y, reach)]
            ways = _leading(near, x, y, heading)
            if ways:
                lane, s, offset = _nearest_lane(ways, x, y, None)
                if _along(lane.points, x, y)[0] <= _sure(reach):
                    return lane, s, offset
        return lane_near(self.city, x, y, heading)


def _sure(reach: int) -> float:
    """Squared distance within which nothing outside the cells looked at can be nearer."""
    return reach * CELL * reach * CELL


def _grid(chains: Iterable[Sequence[Point]]) -> dict[tuple[int, int], list[int]]:
    cells: dict[tuple[int, int], list[int]] = {}
    for at, points in enumerate(chains):
        for (ax, ay), (bx, by) in pairwise(points):
            for i in range(int(min(ax, bx) // CELL), int(max(ax, bx) // CELL) + 1):
                for j in range(int(min(ay, by) // CELL), int(max(ay, by) // CELL) + 1):
                    cell = cells.setdefault((i, j), [])
                    if not cell or cell[-1] != at:
                        cell.append(at)
    return cells


def _around(cells: dict[tuple[int, int], list[int]], x: float, y: float, reach: int) -> list[int]:
    column, row = int(x // CELL), int(y // CELL)
    found: dict[int, None] = {}
    for i in range(column - reach, column + reach + 1):
        for j in range(row - reach, row + reach + 1):
            found.update(dict.fromkeys(cells.get((i, j), ())))
    return sorted(found)


def _nearest_street(streets: Sequence[Street], x: float, y: float) -> Street | None:
    best: tuple[float, Street] | None = None
    for street in streets:
        distance = _along(street.points, x, y)[0]
        if best is None or distance < best[0]:
            best = distance, street
    return None if best is None else best[1]


def _nearest_lane(
    lanes: Sequence[Lane], x: float, y: float, heading: float | None
) -> tuple[Lane, float, float]:
    best: tuple[float, float, float, Lane] | None = None
    for lane in _leading(lanes, x, y, heading) or lanes:
        distance, s, offset, _ = _along(lane.points, x, y)
        if best is None or distance < best[0]:
            best = distance, s, offset, lane
    if best is None:
        raise UsageError("this city has no lanes; build a pack with streets: city build")
    return best[3], best[1], best[2]


def _leading(lanes: Sequence[Lane], x: float, y: float, heading: float | None) -> list[Lane]:
    """The lanes that at their nearest point lead within a right angle of `heading`."""
    if heading is None:
        return list(lanes)
    sine, cosine = sincos(heading)
    found = []
    for lane in lanes:
        dx, dy = _along(lane.points, x, y)[3]
        if dx * cosine + dy * sine > 0.0:
            found.append(lane)
    return found


def _along(points: Sequence[Point], x: float, y: float) -> tuple[float, float, float, Point]:
    """Squared distance, arc length, offset to the left and direction at the nearest point."""
    best = -1.0
    at = offset = s = 0.0
    heading: Point = (1.0, 0.0)
    for (ax, ay), (bx, by) in pairwise(points):
        dx, dy = bx - ax, by - ay
        squared = dx * dx + dy * dy
        long = sqrt(squared)
        t = ((x - ax) * dx + (y - ay) * dy) / squared if squared > 0.0 else 0.0
        t = 0.0 if t < 0.0 else 1.0 if t > 1.0 else t
        distance = _squared(ax + t * dx - x, ay + t * dy - y)
        if best < 0.0 or distance < best:
            best, at, heading = distance, s + t * long, (dx, dy)
            side = dx * (y - ay) - dy * (x - ax)
            offset = sqrt(distance) if side >= 0.0 else -sqrt(distance)
        s += long
    return best, at, offset, heading


def _squared(dx: float, dy: float) -> float:
    return dx * dx + dy * dy
