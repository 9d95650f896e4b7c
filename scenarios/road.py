"""The route as a driver sees it: arc length, curve speeds, room to both kerbs, traffic lights.

Built once per stage from the city's streets. Exact, so that a bot drives alike everywhere.
"""

from bisect import bisect_right
from dataclasses import dataclass
from itertools import pairwise
from math import sqrt

from game.world import trig
from game.world.city import City, Point, Street
from game.world.signals import axis_of, place_of

GRID_M = 1.0
"""Spacing of the route's stations [m]."""
BESIDE_M = 14.0
"""A street's centre line this far from the route may still be the street it is on [m]."""
CELL_M = 40.0
"""Side of the squares by which pieces of street are found [m]."""
PARALLEL = 0.9
"""Cosine from which on a street runs along the route."""
CROSS_M = 9.0
"""A signalled junction this close to the route is on it [m]."""
STOP_M = 3.5
"""Stop lines lie so far before the kerb of the street that crosses [m]."""
CURVE_GRIP = 2.5
"""Lateral acceleration that a driver accepts in a curve [m/s^2]."""
COMFORT_BRAKE = 2.2
"""How a driver plans to slow down for a curve [m/s^2]."""
BEFORE_M = 18.0
"""So far before the middle of a crossing one drives as one arrives at it [m]."""
LAST_SPEED = 3.0
"""What is left of the speed at the route's end [m/s]."""

_Segment = tuple[float, float, float, float, Street]
"""A piece of a street's centre line: x and y of both ends, and the street."""


@dataclass(frozen=True, slots=True)
class StopLine:
    """Where the route meets a light: the nose stops at `s` [m], the crossing ends at `clear`.

    light: `place_of` the signal; axis: of the traffic along the route.
    """

    junction: int
    light: int
    axis: int
    s: float
    clear: float


@dataclass(frozen=True, slots=True)
class Road:
    """Stations every GRID_M along the route. left, right: metres from the route to the kerbs.

    own: metres to the left up to where the other direction begins; as `left` on one-way streets.
    curve: the speed [m/s] that the bends from here on allow.
    """

    x: tuple[float, ...]
    y: tuple[float, ...]
    heading: tuple[float, ...]
    cosine: tuple[float, ...]
    sine: tuple[float, ...]
    left: tuple[float, ...]
    right: tuple[float, ...]
    own: tuple[float, ...]
    curve: tuple[float, ...]
    stops: tuple[StopLine, ...]

    @property
    def length(self) -> float:
        """Whole length [m]."""
        return (len(self.x) - 1) * GRID_M

    def station(self, s: float) -> int:
        """Index of the station at or before `s`, held at both ends."""
        i = int(s / GRID_M) if s > 0.0 else 0
        return i if i < len(self.x) - 1 else len(self.x) - 1

    def project(self, x: float, y: float, hint: float, ahead: float = 25.0) -> tuple[float, float]:
        """(s, d) of a point: arc length near `hint` and offset to the left of the route [m]."""
        low = self.station(hint - 12.0)
        high = self.station(hint + ahead)
        best, best2 = low, -1.0
        for i in range(low, high + 1):
            dx, dy = x - self.x[i], y - self.y[i]
            d2 = dx * dx + dy * dy
            if best2 < 0.0 or d2 < best2:
                best, best2 = i, d2
        sine, cosine = self.sine[best], self.cosine[best]
        dx, dy = x - self.x[best], y - self.y[best]
        return best * GRID_M + dx * cosine + dy * sine, dy * cosine - dx * sine

    def place(self, s: float, d: float) -> Point:
        """The point at arc length `s`, `d` to the left; straight on beyond both ends."""
        i = self.station(s)
        sine, cosine = self.sine[i], self.cosine[i]
        along = s - i * GRID_M
        return (self.x[i] + along * cosine - d * sine, self.y[i] + along * sine + d * cosine)


def survey(route: tuple[Point, ...], city: City) -> Road:
    """What a driver needs to know of a route through the city."""
    x, y = _stations(route)
    heading = _headings(x, y)
    streets = _streets_near(city.streets, x, y)
    left, right, own = _rooms(streets, x, y, heading)
    directions = [trig.sincos(angle) for angle in heading]
    return Road(
        tuple(x),
        tuple(y),
        tuple(heading),
        tuple(cosine for _, cosine in directions),
        tuple(sine for sine, _ in directions),
        tuple(left),
        tuple(right),
        tuple(own),
        tuple(_curve_speeds(heading)),
        _stop_lines(city, x, y, heading),
    )


def _stations(route: tuple[Point, ...]) -> tuple[list[float], list[float]]:
    arc = [0.0]
    for (ax, ay), (bx, by) in pairwise(route):
        arc.append(arc[-1] + sqrt((bx - ax) * (bx - ax) + (by - ay) * (by - ay)))
    x: list[float] = []
    y: list[float] = []
    for k in range(int(arc[-1] / GRID_M) + 1):
        s = k * GRID_M
        i = min(bisect_right(arc, s) - 1, len(route) - 2)
        run = arc[i + 1] - arc[i]
        f = (s - arc[i]) / run if run > 0.0 else 0.0
        x.append(route[i][0] + f * (route[i + 1][0] - route[i][0]))
        y.append(route[i][1] + f * (route[i + 1][1] - route[i][1]))
    if len(x) == 1:
        x.append(route[-1][0])
        y.append(route[-1][1])
    return x, y


def _headings(x: list[float], y: list[float]) -> list[float]:
    found = [trig.atan2(y[i + 1] - y[i], x[i + 1] - x[i]) for i in range(len(x) - 1)]
    return [*found, found[-1]]


def _curve_speeds(heading: list[float]) -> list[float]:
    last = len(heading) - 1
    speeds = [LAST_SPEED] * (last + 1)
    for i in range(last - 1, -1, -1):
        ahead = heading[min(i + 3, last)]
        behind = heading[max(i - 3, 0)]
        turn = trig.wrap(ahead - behind)
        bend = (turn if turn > 0.0 else -turn) / ((min(i + 3, last) - max(i - 3, 0)) * GRID_M)
        allowed = sqrt(CURVE_GRIP / bend) if bend > 1e-4 else 100.0
        reachable = sqrt(speeds[i + 1] * speeds[i + 1] + 2.0 * COMFORT_BRAKE * GRID_M)
        speeds[i] = allowed if allowed < reachable else reachable
    return speeds


def _streets_near(
    streets: tuple[Street, ...], x: list[float], y: list[float]
) -> tuple[Street, ...]:
    far = BESIDE_M + 30.0
    x0, x1, y0, y1 = min(x) - far, max(x) + far, min(y) - far, max(y) + far
    near: list[Street] = []
    for street in streets:
        xs = [point[0] for point in street.points]
        ys = [point[1] for point in street.points]
        if min(xs) <= x1 and max(xs) >= x0 and min(ys) <= y1 and max(ys) >= y0:
            near.append(street)
    return tuple(near)


def _rooms(
    streets: tuple[Street, ...], x: list[float], y: list[float], heading: list[float]
) -> tuple[list[float], list[float], list[float]]:
    """Room to both kerbs and on one's own side at every station; in a crossing as before it."""
    left: list[float] = []
    right: list[float] = []
    own: list[float] = []
    rooms = (2.0, 2.0, 2.0)
    cells = _segments(streets)
    for i in range(len(x)):
        beside = cells.get((int(x[i] // CELL_M), int(y[i] // CELL_M)), [])
        rooms = _room(beside, x[i], y[i], heading[i]) or rooms
        left.append(rooms[0])
        right.append(rooms[1])
        own.append(rooms[2])
    return left, right, own


def _segments(streets: tuple[Street, ...]) -> dict[tuple[int, int], list[_Segment]]:
    """The pieces of centre line that may be beside a point, by its cell, in the streets' order."""
    cells: dict[tuple[int, int], list[_Segment]] = {}
    reach = BESIDE_M + 1.0
    for street in streets:
        for (ax, ay), (bx, by) in pairwise(street.points):
            piece = (ax, ay, bx, by, street)
            x0, x1 = (ax, bx) if ax < bx else (bx, ax)
            y0, y1 = (ay, by) if ay < by else (by, ay)
            for i in range(int((x0 - reach) // CELL_M), int((x1 + reach) // CELL_M) + 1):
                for j in range(int((y0 - reach) // CELL_M), int((y1 + reach) // CELL_M) + 1):
                    cells.setdefault((i, j), []).append(piece)
    return cells


def _room(
    beside: list[_Segment], x: float, y: float, heading: float
) -> tuple[float, float, float] | None:
    sine, cosine = trig.sincos(heading)
    best: tuple[float, float, float] | None = None
    nearest = BESIDE_M
    for ax, ay, bx, by, street in beside:
        ex, ey = bx - ax, by - ay
        run = sqrt(ex * ex + ey * ey)
        if run == 0.0:
            continue
        along = (ex * cosine + ey * sine) / run
        if -PARALLEL < along < PARALLEL:
            continue
        f = ((x - ax) * ex + (y - ay) * ey) / (run * run)
        if not 0.0 <= f <= 1.0:
            continue
        aside = ((x - ax) * ey - (y - ay) * ex) / run  # to the right of the segment
        if along < 0.0:
            aside = -aside
        away = aside if aside > 0.0 else -aside
        if away < nearest:
            nearest = away
            half = 0.5 * street.width
            mine = half + aside if street.oneway else aside
            best = (half + aside, half - aside, mine)
    return best


def _stop_lines(
    city: City, x: list[float], y: list[float], heading: list[float]
) -> tuple[StopLine, ...]:
    streets = {street.id: street for street in city.streets}
    found: list[StopLine] = []
    cells: dict[tuple[int, int], list[int]] = {}
    for i in range(len(x)):
        cells.setdefault((int(x[i] // CROSS_M), int(y[i] // CROSS_M)), []).append(i)
    for junction in city.junctions:
        if not junction.signal:
            continue
        nearest = _closest(cells, x, y, junction.x, junction.y)
        if nearest is None:
            continue
        i = nearest
        arrives = heading[max(0, i - int(BEFORE_M / GRID_M))]  # it may turn in the crossing
        sine, cosine = trig.sincos(arrives)
        half = 0.0
        for street_id in junction.streets:
            if _crosses(streets[street_id], cosine, sine):
                half = max(half, 0.5 * streets[street_id].width)
        if half > 0.0:
            s = i * GRID_M
            axis = axis_of(arrives)
            found.append(
                StopLine(junction.id, place_of(junction.name), axis, s - half - STOP_M, s + half)
            )
    return tuple(sorted(found, key=lambda stop: stop.s))


def _closest(
    cells: dict[tuple[int, int], list[int]], x: list[float], y: list[float], px: float, py: float
) -> int | None:
    """The first of the nearest stations within CROSS_M. cells: stations by squares of that side."""
    best: int | None = None
    best2 = CROSS_M * CROSS_M
    column, row = int(px // CROSS_M), int(py // CROSS_M)
    near: list[int] = []
    for i in range(column - 1, column + 2):
        for j in range(row - 1, row + 2):
            near += cells.get((i, j), ())
    for i in sorted(near):
        d2 = (x[i] - px) * (x[i] - px) + (y[i] - py) * (y[i] - py)
        if d2 < best2:
            best, best2 = i, d2
    return best


def _crosses(street: Street, cosine: float, sine: float) -> bool:
    (ax, ay), (bx, by) = street.points[0], street.points[-1]
    ex, ey = bx - ax, by - ay
    run = sqrt(ex * ex + ey * ey)
    along = (ex * cosine + ey * sine) / run if run > 0.0 else 1.0
    return -0.7 < along < 0.7
