"""The way of an errand: along lanes from where the car stands through every stop, in order.

Exact, like the stages that it is part of. A person drives as they like; a bot, the HUD and the
picture of a scenario follow this way. Lanes are changed on the way, never at a crossing.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from heapq import heappop, heappush

from game.world.city import City, Point
from game.world.lanes import TURN_COST, LaneGraph, lanes_of
from game.world.way import Way

CHANGE_M = 32.0
"""Length of the way over which one lane is changed [m]."""
CHANGE_COST = 25.0
"""What a change of lanes costs, as metres of way [m]."""
ASIDE_M = 9.0
"""A stop is at the lane that passes this near [m]."""
BEYOND_M = 25.0
"""The way goes on so far behind the last stop, where its lane does [m]."""
AGAIN_COST = 5000.0
"""What it costs to pass a crossing a second time, as metres of way [m]."""


@dataclass(frozen=True, slots=True)
class Spot:
    """A place in a lane: its number and the arc length from its start [m]."""

    lane: int
    s: float


class WayLost(ValueError):
    """No lane passes a place, or none leads there."""


def errand_way(city: City, start: Point, ahead: Point, stops: Sequence[Point]) -> tuple[Point, ...]:
    """Points [m] from `start`, where the car looks at `ahead`, through each stop and a little on.

    Raises WayLost, whose text says which stop is out of reach.
    """
    graph = lanes_of(city)
    looks = ahead[0] - start[0], ahead[1] - start[1]
    here = spot_at(graph, start, looks)
    if here is None:
        raise WayLost("the car does not stand in a lane that leads its way")
    route: list[Point] = [start]
    seen: set[int] = set()
    for number, stop in enumerate(stops, start=1):
        there = spot_at(graph, stop)
        if there is None:
            raise WayLost(f"no lane passes stop {number} within {ASIDE_M:g} m")
        lanes = _search(graph, here, there, seen)
        if not lanes:
            raise WayLost(f"no way leads to stop {number}")
        here = _lay(route, graph, here, there, lanes, seen)
    lane = graph.lanes[here.lane]
    _piece(route, lane, here.s, min(here.s + BEYOND_M, lane.length))
    return tuple(route)


def spot_at(graph: LaneGraph, point: Point, looks: Point | None = None) -> Spot | None:
    """The lane that passes a point nearest, and where. looks: only lanes that lead that way."""
    best: Spot | None = None
    nearest = ASIDE_M * ASIDE_M
    for way in graph.lanes:
        for i in range(len(way.cos)):
            if looks is not None and way.cos[i] * looks[0] + way.sin[i] * looks[1] <= 0.0:
                continue
            dx, dy = point[0] - way.x[i], point[1] - way.y[i]
            along = dx * way.cos[i] + dy * way.sin[i]
            run = way.s[i + 1] - way.s[i]
            held = 0.0 if along < 0.0 else run if along > run else along
            ox, oy = dx - held * way.cos[i], dy - held * way.sin[i]
            if ox * ox + oy * oy < nearest:
                best, nearest = Spot(way.id, way.s[i] + held), ox * ox + oy * oy
    return best


def _search(graph: LaneGraph, here: Spot, there: Spot, seen: set[int]) -> tuple[int, ...]:
    """Lanes to enter one after the other: the last of each leg is left by a curve.

    (lane, lane, ...) beginning with the one of `here`; a lane beside the one before it in the list
    is a change within the same leg. Dijkstra's search over lanes as they are entered; () for none.
    """
    goal = graph.lanes[there.lane].leg
    cost: dict[int, float] = {here.lane: 0.0}
    came: dict[int, tuple[int, int]] = {}  # lane entered -> (lane entered before, lane left by)
    queue: list[tuple[float, int]] = [(0.0, here.lane)]
    while queue:
        spent, lane = heappop(queue)
        if spent > cost[lane]:
            continue
        way, first = graph.lanes[lane], here.s if lane == here.lane else 0.0
        if way.leg == goal and _reaches(graph, lane, first, there):
            return _traced(came, lane, there.lane)
        for other in graph.legs[way.leg]:
            aside = abs(graph.lanes[other].index - way.index)
            room = graph.lanes[other].length - first - 6.0
            if aside and room < aside * CHANGE_M:
                continue
            leaving = spent + way.length - first + aside * CHANGE_COST
            for number in graph.exits(other):
                curve = graph.way(number)
                paid = leaving + curve.length + TURN_COST[curve.turn + 1]
                if curve.junction in seen:
                    paid += AGAIN_COST
                if paid < cost.get(curve.after, 1.0e9):
                    cost[curve.after] = paid
                    came[curve.after] = (lane, other)
                    heappush(queue, (paid, curve.after))
    return ()


def _reaches(graph: LaneGraph, lane: int, first: float, there: Spot) -> bool:
    """Whether a stop can be made from a lane of its leg that was entered at `first`."""
    aside = abs(graph.lanes[lane].index - graph.lanes[there.lane].index)
    return there.s - first > aside * CHANGE_M


def _traced(came: dict[int, tuple[int, int]], lane: int, last: int) -> tuple[int, ...]:
    """The lanes in the order in which they are driven, with those that one changes to."""
    out = [last] if last != lane else []
    out.append(lane)
    while lane in came:
        before, left = came[lane]
        if left != before:
            out.append(left)
        out.append(before)
        lane = before
    return tuple(reversed(out))


def _lay(
    route: list[Point], graph: LaneGraph, here: Spot, there: Spot, lanes: tuple[int, ...],
    seen: set[int],
) -> Spot:  # fmt: skip
    """Append the way over `lanes` and return where it ends, which is `there`."""
    s = here.s
    for number, after in zip(lanes, (*lanes[1:], -1), strict=True):
        lane = graph.lanes[number]
        if after < 0:
            _piece(route, lane, s, there.s)
            break
        beside = graph.lanes[after]
        if beside.leg == lane.leg:
            s = _change(route, lane, beside, s)
            continue
        curve = next(
            way for way in (graph.way(k) for k in graph.exits(number)) if way.after == after
        )
        _piece(route, lane, s, lane.length)
        _piece(route, curve, 0.0, curve.length)
        seen.add(curve.junction)
        s = 0.0
    return there


def _change(route: list[Point], lane: Way, beside: Way, s: float) -> float:
    """Slide over to a lane of the same leg; returns the arc length there."""
    step = abs(beside.index - lane.index)
    share = beside.length / lane.length
    after = min(s + 4.0, lane.length)
    _piece(route, lane, s, after)
    return min((after + step * CHANGE_M) * share, beside.length - 1.0)


def _piece(route: list[Point], way: Way, first: float, last: float) -> None:
    """Append a way from one arc length to another."""
    if last <= first:
        return
    _point(route, way, first)
    for i, s in enumerate(way.s):
        if first < s < last:
            _add(route, way.x[i], way.y[i])
    _point(route, way, last)


def _point(route: list[Point], way: Way, s: float) -> None:
    i, last = 0, len(way.cos) - 1
    while i < last and s >= way.s[i + 1]:
        i += 1
    along = s - way.s[i]
    _add(route, way.x[i] + along * way.cos[i], way.y[i] + along * way.sin[i])


def _add(route: list[Point], x: float, y: float) -> None:
    dx, dy = x - route[-1][0], y - route[-1][1]
    if dx * dx + dy * dy > 0.04:
        route.append((x, y))
