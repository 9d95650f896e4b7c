"""Who holds the wheel in a run: the bot, one who does nothing, one who floors it, a recording.

A driver sees states and gives integer controls. The bot is exact and keeps no clock: the same
states give the same controls on every machine. It knows the city and its route, never the script.
"""

from collections.abc import Callable, Sequence
from typing import Protocol

from game.world.city import City
from game.world.controls import IDLE, UNIT, Controls
from game.world.entity import BODIES, EntityState
from game.world.motion import (
    DRAG,
    ENGINE_BRAKE,
    LATERAL_CAP,
    MAX_BRAKE,
    MAX_DRIVE,
    MAX_STEER,
    POWER,
    ROLLING,
    STEER_MARGIN,
)
from game.world.signals import Light, light
from game.world.state import WorldState
from game.world.trig import atan, atan2, sin, sincos, wrap
from scenarios.errand import Errand
from scenarios.forecast import Forecast
from scenarios.plan import STYLES, Bounds, Choice, Me, choose, lead_pace, pace_at, reach
from scenarios.road import GRID_M, Road, survey
from scenarios.roam import roaming
from scenarios.spawn import Stage

PLAN_TICKS = 6
"""It thinks ten times a second and steers every tick."""
AMBER_BRAKE = 3.0
"""It stops at amber where this is enough to [m/s^2]."""
SHORT_M = 0.6
"""Where it comes to rest before the line [m]."""
GENTLE = 1.2
"""It starts to brake for a line when this much is needed [m/s^2]."""
HOLD = 300
"""Brake of one who stands [1/1000]."""
CREEP_M = 1.0
"""It does not creep up to a line that is nearer than this [m]."""
REST = 0.3
"""Below this speed it stands: it holds the brake until there is somewhere to go [m/s]."""
SET_OFF = 0.8
"""From rest it sets off only where it may go this fast at least [m/s]."""
PASSED_M = 1.0
"""With the nose this far over the line it is in the crossing and leaves it [m]."""


class Driver(Protocol):
    """Holds the wheel. name: as it stands in results ('bot', 'idle', ...)."""

    name: str

    def controls(self, state: WorldState) -> Controls:
        """What to do in the tick that follows `state`."""
        ...


class Idle:
    """Does nothing at all."""

    name = "idle"

    def controls(self, state: WorldState) -> Controls:
        """Hands off."""
        return IDLE


class FullThrottle:
    """Straight on, all the way."""

    name = "full-throttle"

    def controls(self, state: WorldState) -> Controls:
        """Foot down, wheel straight."""
        return Controls(throttle=UNIT)


class Replay:
    """Gives back recorded controls, one per tick; after the last one it does nothing."""

    def __init__(self, recorded: Sequence[Controls]) -> None:
        self.name = "replay"
        self._recorded = recorded

    def controls(self, state: WorldState) -> Controls:
        """Those recorded for the step after this state."""
        return self._recorded[state.tick] if state.tick < len(self._recorded) else IDLE


class Bot:
    """Follows its route, keeps to lights and limit, brakes for and evades what it foresees."""

    name = "bot"

    def __init__(self, stage: Stage, city: City, style: str = "calm") -> None:
        if style not in STYLES:
            raise ValueError(f"a bot drives {' or '.join(STYLES)}, not {style!r}")
        self._style = STYLES[style]
        self._top = stage.limit * self._style.share
        self._road: Road = survey(stage.route, city)
        self._body = BODIES[stage.state.ego.body]
        self._forecast = Forecast()
        self._choice = Choice(0.0, 0.0)
        self._bounds = Bounds(self._top, self._style.pull, -1.0)
        self._s = 0.0
        self._errand = Errand(stage)
        self._halts = _halts(self._road, self._errand)

    def controls(self, state: WorldState) -> Controls:
        """What to do in the tick that follows `state`."""
        ego = state.ego
        self._errand.observe(state)
        self._s, d = self._road.project(ego.x, ego.y, self._s)
        if state.tick % PLAN_TICKS == 0:
            self._think(state, d)
        throttle, brake = self._pedals(ego)
        return Controls(steer=self._wheel(ego), throttle=throttle, brake=brake)

    def _think(self, state: WorldState, d: float) -> None:
        body = self._body
        nose = 0.5 * body.length
        me = Me(self._s, d, state.ego.speed, body.discs, 0.5 * body.width, nose, body.cover)
        sight = self._forecast.look(state)
        top = min(self._top, lead_pace(self._road, me, sight.actors, self._choice.offset))
        self._bounds = Bounds(top, self._style.pull, self._stop(state, nose))
        self._choice = choose(self._road, me, self._bounds, sight, self._choice.offset)

    def _stop(self, state: WorldState, nose: float) -> float:
        """Arc length of the next stop line that holds, -1 where none does."""
        front, speed = self._s + nose, state.ego.speed
        made = len(self._errand.made)
        halt = self._halts[made] + nose + SHORT_M if made < len(self._halts) else -1.0
        for line in self._road.stops:
            room = line.s - front
            if room < -PASSED_M:
                continue
            if 0.0 <= halt < line.s:
                return halt
            shown = light(line.light, line.axis, state.tick)
            if shown == Light.RED:
                return line.s
            if shown == Light.AMBER and room > speed * speed / (2.0 * AMBER_BRAKE):
                return line.s
        return halt

    def _pedals(self, ego: EntityState) -> tuple[int, int]:
        """(throttle, brake) for the wanted acceleration, by the car's own figures."""
        speed = ego.speed
        pace = pace_at(self._road, self._bounds, self._s, 0.5 * self._body.length)
        eager = 2.0 if self._bounds.top == self._top else 4.0
        if speed < REST and (self._choice.brake > 0.0 or pace < SET_OFF or self._at_line()):
            return 0, HOLD
        wanted = min(self._style.pull, max(-MAX_BRAKE, eager * (pace - speed)))
        if self._choice.brake > 0.0:
            wanted = min(wanted, -self._choice.brake)
        needed = self._needed(speed)
        if needed > 0.0:
            wanted = min(wanted, -needed)
        resist = ROLLING + DRAG * speed * speed
        if wanted > -resist - 0.5 * ENGINE_BRAKE and pace > 0.0:
            pull = POWER / speed if speed * MAX_DRIVE > POWER else MAX_DRIVE
            share = (wanted + resist) / pull
            return max(0, min(UNIT, int(share * UNIT))), 0
        share = (-wanted - resist - ENGINE_BRAKE) / MAX_BRAKE
        return 0, max(0, min(UNIT, int(share * UNIT)))

    def _at_line(self) -> bool:
        """Whether a stop line that holds is just ahead."""
        room = self._bounds.stop - SHORT_M - self._s - 0.5 * self._body.length
        return self._bounds.stop >= 0.0 and room < CREEP_M

    def _needed(self, speed: float) -> float:
        """Deceleration that ends short of the stop line, 0 while less than a gentle one will do."""
        if self._bounds.stop < 0.0:
            return 0.0
        room = self._bounds.stop - SHORT_M - self._s - 0.5 * self._body.length
        if room <= 0.0:
            return MAX_BRAKE if speed > 0.0 else 0.0
        needed = speed * speed / (2.0 * room)
        return needed if needed > GENTLE else 0.0

    def _wheel(self, ego: EntityState) -> int:
        """Pure pursuit from the rear axle to a point on the chosen line."""
        wheelbase, speed = self._body.wheelbase, ego.speed
        sine, cosine = sincos(ego.heading)
        back = 0.5 * wheelbase
        x, y = ego.x - back * cosine, ego.y - back * sine
        ahead = reach(speed)
        tx, ty = self._road.place(self._s - back + ahead, self._choice.offset)
        bearing = wrap(atan2(ty - y, tx - x) - ego.heading)
        angle = atan(2.0 * wheelbase * sin(bearing) / ahead)
        lock = MAX_STEER
        if speed * speed * MAX_STEER > STEER_MARGIN * LATERAL_CAP * wheelbase:
            lock = STEER_MARGIN * LATERAL_CAP * wheelbase / (speed * speed)
        return max(-UNIT, min(UNIT, int(UNIT * angle / lock)))


def _halts(road: Road, errand: Errand) -> tuple[float, ...]:
    """Arc length of each stop along the road, one behind the other [m]."""
    found: list[float] = []
    first = 0
    for wanted in errand.stops:
        best, best2 = first, -1.0
        for i in range(first, len(road.x)):
            dx, dy = wanted.x - road.x[i], wanted.y - road.y[i]
            d2 = dx * dx + dy * dy
            if best2 < 0.0 or d2 < best2:
                best, best2 = i, d2
        found.append(best * GRID_M)
        first = best
    return tuple(found)


DriverFactory = Callable[[Stage, City], Driver]

DRIVERS: dict[str, DriverFactory] = {
    "bot": lambda stage, city: Bot(roaming(stage, city) if stage.free else stage, city),
    "idle": lambda stage, city: Idle(),
    "full-throttle": lambda stage, city: FullThrottle(),
}
"""Drivers by the name that the command line knows them by."""
