"""What a driver under training sees of a state: arrays of fixed shape, in metres of its own car.

Owns shapes, units and bounds. x is forward, y is left, angles are anticlockwise [rad].

    ego     (6,)    speed [m/s], front-wheel angle, offset to the left of the route [m], heading
                    against the route, metres of the route that are left, share of time left
    actors  (N, 8)  nearest first: present (0 or 1), x, y [m], heading, speed [m/s], length,
                    width [m], kind (1 vehicle .. 5 emergency worker); zeros where nobody is
    route   (K, 2)  x, y [m] of points on the route 5, 10, .. metres ahead
    light   (2,)    metres to the next stop line (200: none near), 0 none 1 green 2 amber 3 red
"""

from math import pi

import numpy as np
from gymnasium import spaces
from numpy.typing import NDArray

from game.world.entity import BODIES, EntityState
from game.world.signals import Light, light
from game.world.state import WorldState
from game.world.trig import sincos, wrap
from scenarios.road import Road

NEAREST = 16
"""Actors that are seen."""
POINTS = 10
SPACING_M = 5.0
SIGHT_M = 200.0
FASTEST = 70.0
LONGEST_M = 5000.0

Observation = dict[str, NDArray[np.float32]]

_ROW = [1.0, SIGHT_M, SIGHT_M, pi, FASTEST, 20.0, 5.0, 5.0]
_COLOURS = {Light.GREEN: 1.0, Light.AMBER: 2.0, Light.RED: 3.0}


def space() -> spaces.Dict:
    """Bounds of every array; what lies beyond is clipped."""
    ego = np.array([FASTEST, 1.0, SIGHT_M, pi, LONGEST_M, 1.0], np.float32)
    row = np.tile(np.array(_ROW, np.float32), (NEAREST, 1))
    low = -row
    low[:, [0, 5, 6, 7]] = 0.0
    return spaces.Dict(
        {
            "ego": spaces.Box(np.where([0, 0, 0, 0, 1, 1], 0.0, -ego).astype(np.float32), ego),
            "actors": spaces.Box(low, row),
            "route": spaces.Box(-SIGHT_M, SIGHT_M, (POINTS, 2), np.float32),
            "light": spaces.Box(np.zeros(2, np.float32), np.array([SIGHT_M, 3.0], np.float32)),
        }
    )


BOUNDS = space()


def observe(state: WorldState, road: Road, s: float, left: float, time_left: float) -> Observation:
    """The arrays of one state. s, left: where the ego is along and beside the route [m]."""
    ego = state.ego
    along = wrap(ego.heading - road.heading[road.station(s)])
    seen: dict[str, list[float] | list[list[float]]] = {
        "ego": [ego.speed, ego.steer, left, along, road.length - s, time_left],
        "actors": _actors(state),
        "route": [
            list(_seen(ego, *road.place(s + SPACING_M * (k + 1), 0.0))) for k in range(POINTS)
        ],
        "light": _light(state, road, s),
    }
    made: Observation = {}
    for name, values in seen.items():
        box = BOUNDS[name]
        assert isinstance(box, spaces.Box)
        made[name] = np.clip(np.array(values, np.float32), box.low, box.high)
    return made


def _actors(state: WorldState) -> list[list[float]]:
    ego = state.ego

    def away(actor: EntityState) -> float:
        dx, dy = actor.x - ego.x, actor.y - ego.y
        return dx * dx + dy * dy

    rows: list[list[float]] = []
    for actor in sorted(state.actors, key=lambda one: (away(one), one.id))[:NEAREST]:
        if away(actor) > SIGHT_M * SIGHT_M:
            break
        body, turn = BODIES[actor.body], wrap(actor.heading - ego.heading)
        x, y = _seen(ego, actor.x, actor.y)
        kind = float(body.kind)
        rows.append([1.0, x, y, turn, actor.speed, body.length, body.width, kind])
    return rows + [[0.0] * len(_ROW)] * (NEAREST - len(rows))


def _seen(ego: EntityState, x: float, y: float) -> tuple[float, float]:
    sine, cosine = sincos(ego.heading)
    dx, dy = x - ego.x, y - ego.y
    return dx * cosine + dy * sine, dy * cosine - dx * sine


def _light(state: WorldState, road: Road, s: float) -> list[float]:
    front = s + 0.5 * BODIES[state.ego.body].length
    for line in road.stops:
        if 0.0 <= line.s - front <= SIGHT_M:
            return [line.s - front, _COLOURS[light(line.light, line.axis, state.tick)]]
    return [SIGHT_M, 0.0]
