"""Somewhere to go in a free drive: a way on along the lanes, for whoever needs one.

Exact, and no part of the state: a bot follows it, a person does as they like.
"""

from dataclasses import replace

from game.world import chance
from game.world.city import City, Point
from game.world.entity import EGO_ID
from game.world.lanes import LaneGraph, lanes_of
from game.world.way import Way
from scenarios.spawn import Stage

FAR = 4000.0
"""Length of the way [m]."""
STRAIGHT = 0.6
"""Share of the crossings that it goes straight over, where it can."""


def roaming(stage: Stage, city: City, metres: float = FAR) -> Stage:
    """The stage with a route of about so many metres, which its seed chooses.

    It follows the lane that the car stands in, over no crossing twice, and ends early where
    nothing else is left.
    """
    graph = lanes_of(city)
    ego = stage.state.ego
    lane = _lane_at(graph, ego.x, ego.y, stage.route)
    if lane is None:
        return stage
    route: list[Point] = [(ego.x, ego.y)]
    _along(route, lane, (ego.x, ego.y))
    run, seen, turn = lane.length, [lane.junction], 0
    while run < metres:
        exits = [graph.way(number) for number in graph.exits(lane.id)]
        open_ones = [way for way in exits if graph.lanes[way.after].junction not in seen]
        leads_on = [way for way in open_ones if graph.exits(way.after)]
        if not leads_on:
            break
        curve = _chosen(leads_on, chance.uniform(stage.seed, turn, EGO_ID, "roam"))
        lane = graph.lanes[curve.after]
        seen.append(lane.junction)
        for way in (curve, lane):
            _along(route, way, None)
            run += way.length
        turn += 1
    return replace(stage, route=tuple(route))


def _lane_at(graph: LaneGraph, x: float, y: float, route: tuple[Point, ...]) -> Way | None:
    """The lane that leads the way the car looks and is nearest to it."""
    dx, dy = route[-1][0] - x, route[-1][1] - y
    best: Way | None = None
    nearest = 4.0  # half a lane, squared and more [m^2]
    for way in graph.lanes:
        for i in range(len(way.cos)):
            if way.cos[i] * dx + way.sin[i] * dy <= 0.0:
                continue
            ox, oy = x - way.x[i], y - way.y[i]
            along = ox * way.cos[i] + oy * way.sin[i]
            aside = oy * way.cos[i] - ox * way.sin[i]
            if -1.0 <= along <= way.s[i + 1] - way.s[i] + 1.0 and aside * aside < nearest:
                best, nearest = way, aside * aside
    return best


def _chosen(ways: list[Way], draw: float) -> Way:
    straight = [way for way in ways if way.turn == 0]
    if straight and draw < STRAIGHT:
        return straight[0]
    return ways[int(draw * 997.0) % len(ways)]


def _along(route: list[Point], way: Way, start: Point | None) -> None:
    """Append the points of a way; with a start, those that lie ahead of it."""
    for i in range(len(way.x)):
        x, y = way.x[i], way.y[i]
        if start is not None:
            at = i if i < len(way.cos) else len(way.cos) - 1
            if (x - start[0]) * way.cos[at] + (y - start[1]) * way.sin[at] <= 1.0:
                continue
        if (x - route[-1][0]) * (x - route[-1][0]) + (y - route[-1][1]) * (y - route[-1][1]) > 0.01:
            route.append((x, y))
