"""Watches what a driver must keep to besides not hitting anything: lights, the road, the speed.

One state after the other in, what is wrong now out. Exact. Owns what counts as running a light.
"""

from game.world.entity import BODIES
from game.world.signals import Light, light
from game.world.state import WorldState
from scenarios.road import Road, survey
from scenarios.roadway import Roadway
from scenarios.spawn import Limit, Stage

RED_LIGHT = "red_light"
SPEED_LIMIT = "speed_limit"
STAY_ON_ROAD = "stay_on_road"
TIME_OUT = "time_out"
BESIDE_M = 12.0
"""A stop line is crossed only this close to the route [m]."""
REACH_M = 200.0
"""Streets up to this far from the route are known as road [m]."""


class RedLights:
    """Counts the stop lines of the route that the ego's nose crosses while the light is red."""

    def __init__(self, stage: Stage, road: Road | None = None) -> None:
        self._road = survey(stage.route, stage.city) if road is None else road
        self._half = 0.5 * BODIES[stage.state.ego.body].length
        self._s = 0.0
        self._front: float | None = None
        self.run: list[tuple[int, int]] = []
        """(tick, junction) of every red light that was run."""

    @property
    def s(self) -> float:
        """Arc length of the ego along its route, as of the last state [m]."""
        return self._s

    def observe(self, state: WorldState) -> bool:
        """True where the nose crosses a line at red in this tick."""
        self._s, d = self._road.project(state.ego.x, state.ego.y, self._s)
        front, before = self._s + self._half, self._front
        self._front = front
        if before is None or not -BESIDE_M < d < BESIDE_M:
            return False
        for line in self._road.stops:
            crossed = before < line.s <= front
            if crossed and light(line.light, line.axis, state.tick) == Light.RED:
                self.run.append((state.tick, line.junction))
                return True
        return False


class Law:
    """The limits of a stage. `broken` names the first one that does not hold any more."""

    def __init__(self, stage: Stage) -> None:
        self._limits = stage.limits
        kinds = [limit.kind for limit in stage.limits]
        self._lights = RedLights(stage) if RED_LIGHT in kinds else None
        self._roadway = roadway_of(stage) if STAY_ON_ROAD in kinds else None
        self._since = [0] * len(stage.limits)

    def broken(self, state: WorldState) -> str | None:
        """Kind of the limit that this state breaks, None where all hold."""
        ran = self._lights is not None and self._lights.observe(state)
        for i, limit in enumerate(self._limits):
            if self._lasts(i, limit, self._holds(limit, state, ran)):
                return limit.kind
        return None

    def _holds(self, limit: Limit, state: WorldState, ran: bool) -> bool:
        if limit.kind == RED_LIGHT:
            return not ran
        if limit.kind == SPEED_LIMIT:
            return -limit.value <= state.ego.speed <= limit.value
        if limit.kind == TIME_OUT:
            return state.tick < limit.ticks
        return (
            self._roadway is None or self._roadway.beyond(state.ego.x, state.ego.y) <= limit.value
        )

    def _lasts(self, i: int, limit: Limit, holds: bool) -> bool:
        """True where the limit has been broken for longer than it allows."""
        if holds:
            self._since[i] = 0
            return False
        self._since[i] += 1
        return limit.kind == TIME_OUT or self._since[i] > limit.ticks


def roadway_of(stage: Stage) -> Roadway:
    """The asphalt around a stage's route."""
    return Roadway(stage.city, stage.route, REACH_M)
