"""The way from one junction to another along lanes, and the line that a vehicle drives on it.

Pure and deterministic: + - * / and square roots only, equals decided by ids. Knows one-way streets;
knows no turn restrictions, which the map's network does not carry.
"""

from collections.abc import Sequence
from heapq import heappop, heappush
from itertools import pairwise
from math import sqrt

from game.errors import NoRoute
from game.world.city import City, Junction, Lane, Point

TURN = 40.0  # what a turn costs, as metres of straight driving
CURVE_STEPS = 8  # points on the curve through a junction

Leg = tuple[int, bool]  # street, in its own direction?


def route(city: City, start: Junction, goal: Junction) -> tuple[Lane, ...]:
    """The shortest way, one lane per street, from `start` to `goal`. Raises NoRoute.

    The lane suits the next turn: the rightmost for a right turn, the leftmost for a left turn,
    else the one that goes on from the lane before.
    """
    legs = _legs(city)
    leaving: dict[int, list[Leg]] = {}
    for leg, lanes in legs.items():
        leaving.setdefault(lanes[0].start, []).append(leg)
    best: dict[Leg, float] = {}
    before: dict[Leg, Leg | None] = {}
    queue: list[tuple[float, Leg, Leg | None]] = []
    for leg in leaving.get(start.id, []):
        heappush(queue, (length(legs[leg][0].points), leg, None))
    while queue:
        cost, leg, previous = heappop(queue)
        if leg in best:
            continue
        best[leg], before[leg] = cost, previous
        if legs[leg][0].end == goal.id:
            return _lanes(city, legs, _chain(before, leg))
        for after in leaving.get(legs[leg][0].end, []):
            if after not in best and after[0] != leg[0]:
                turn = TURN * (1.0 - _straightness(legs[leg][0], legs[after][0]))
                heappush(queue, (cost + turn + length(legs[after][0].points), after, leg))
    raise NoRoute(start.name or f"junction {start.id}", goal.name or f"junction {goal.id}")


def path(lanes: Sequence[Lane]) -> tuple[Point, ...]:
    """The line along consecutive lanes, with a smooth curve through each junction [m]."""
    found: list[Point] = []
    for index, lane in enumerate(lanes):
        if index:
            found.extend(curve(lanes[index - 1], lane))
        found.extend(lane.points)
    return tuple(found)


def curve(lane: Lane, after: Lane) -> tuple[Point, ...]:
    """The inner points of a quadratic Bezier from the end of one lane to the start of the next."""
    (px, py), (ax, ay) = lane.points[-2:]
    (bx, by), (qx, qy) = after.points[:2]
    ux, uy = _unit(ax - px, ay - py)
    vx, vy = _unit(qx - bx, qy - by)
    cross = ux * vy - uy * vx
    mx, my = (ax + bx) / 2.0, (ay + by) / 2.0
    if cross > 0.1 or cross < -0.1:
        t = ((bx - ax) * vy - (by - ay) * vx) / cross
        gap = sqrt((bx - ax) * (bx - ax) + (by - ay) * (by - ay))
        if 0.0 < t < 2.0 * gap:
            mx, my = ax + ux * t, ay + uy * t
    found = []
    for step in range(1, CURVE_STEPS):
        t = step / CURVE_STEPS
        a, m, b = (1.0 - t) * (1.0 - t), 2.0 * t * (1.0 - t), t * t
        found.append((a * ax + m * mx + b * bx, a * ay + m * my + b * by))
    return tuple(found)


def _legs(city: City) -> dict[Leg, list[Lane]]:
    """The lanes of each street and direction, from the right to the left."""
    legs: dict[Leg, list[Lane]] = {}
    for lane in city.lanes:
        legs.setdefault((lane.street, lane.start == city.streets[lane.street].start), []).append(
            lane
        )
    for lanes in legs.values():
        lanes.sort(key=lambda lane: lane.index)
    return legs


def _chain(before: dict[Leg, Leg | None], leg: Leg | None) -> list[Leg]:
    chain: list[Leg] = []
    while leg is not None:
        chain.append(leg)
        leg = before[leg]
    return chain[::-1]


def _lanes(city: City, legs: dict[Leg, list[Lane]], chain: Sequence[Leg]) -> tuple[Lane, ...]:
    found: list[Lane] = []
    for index, leg in enumerate(chain):
        lanes = legs[leg]
        place = found[-1].index if found else 0
        if index + 1 < len(chain):
            side = _turn(lanes[0], legs[chain[index + 1]][0])
            place = 0 if side < 0 else len(lanes) - 1 if side > 0 else place
        if index and _turn(found[-1], lanes[0]) > 0 and index + 1 == len(chain):
            place = len(lanes) - 1
        found.append(lanes[min(place, len(lanes) - 1)])
    return tuple(found)


def _turn(lane: Lane, after: Lane) -> int:
    """-1 a right turn, 0 straight on, 1 a left turn."""
    (px, py), (ax, ay) = lane.points[-2:]
    (bx, by), (qx, qy) = after.points[:2]
    ux, uy = _unit(ax - px, ay - py)
    vx, vy = _unit(qx - bx, qy - by)
    cross = ux * vy - uy * vx
    return 0 if -0.5 < cross < 0.5 and ux * vx + uy * vy > 0.0 else 1 if cross > 0.0 else -1


def _straightness(lane: Lane, after: Lane) -> float:
    (px, py), (ax, ay) = lane.points[-2:]
    (bx, by), (qx, qy) = after.points[:2]
    ux, uy = _unit(ax - px, ay - py)
    vx, vy = _unit(qx - bx, qy - by)
    return ux * vx + uy * vy


def _unit(dx: float, dy: float) -> Point:
    long = sqrt(dx * dx + dy * dy)
    return (dx / long, dy / long) if long > 0.0 else (1.0, 0.0)


def length(points: Sequence[Point]) -> float:
    total = 0.0
    for (ax, ay), (bx, by) in pairwise(points):
        total += sqrt((bx - ax) * (bx - ax) + (by - ay) * (by - ay))
    return total
