"""What a tick sounds and feels like: how loud engine, tyres and horn are, how the picture sways.

Pure functions of states one after the other. For the screen and the ears alone: nothing of it is
captured, recorded or sent.
"""

import math
from dataclasses import dataclass

from game.world.controls import HANDBRAKE, HORN
from game.world.state import WorldState
from game.world.version import TICK_HZ

GEARS = (0.0, 6.0, 12.0, 19.0, 27.0)
"""Speeds [m/s] at which the engine is heard to change up."""


@dataclass(frozen=True, slots=True)
class Heard:
    """Loudness 0 to 1 of each sound, the engine's play rate, and a blow in this tick, 0 to 1."""

    engine: float = 0.0
    rate: float = 1.0
    tyres: float = 0.0
    horn: float = 0.0
    blow: float = 0.0


@dataclass(frozen=True, slots=True)
class Sway:
    """How the picture is moved on the screen: shares of its height to the right and up, and its
    turn [degree]."""

    x: float = 0.0
    y: float = 0.0
    turn: float = 0.0


class Feel:
    """One drive's. Give it every state that is drawn."""

    def __init__(self) -> None:
        self._before: WorldState | None = None
        self._pitch = self._roll = self._jolt = 0.0
        self._pushed = 0.0

    def step(self, state: WorldState) -> tuple[Heard, Sway]:
        """What is heard and felt at this state."""
        before, self._before = self._before, state
        ticks = state.tick - before.tick if before is not None else 0
        if before is None or not 0 < ticks <= TICK_HZ:
            return Heard(engine=0.25, rate=0.8), Sway()
        seconds = ticks / TICK_HZ
        ego, old = state.ego, before.ego
        push = (ego.speed - old.speed) / seconds
        turned = math.remainder(ego.heading - old.heading, 2 * math.pi) / seconds
        across = turned * ego.speed
        blow = self._blow(state, before)
        self._jolt = max(self._jolt * math.exp(-6.0 * seconds), blow)
        self._pushed += (push - self._pushed) * min(1.0, 12 * seconds)
        return self._heard(state, push, across, blow), self._sway(state, push, across, seconds)

    def _blow(self, state: WorldState, before: WorldState) -> float:
        """How hard something was struck since the last picture: 1 at 12 m/s."""
        speeds = [abs(c.speed) for c in state.contacts if c.since > before.tick]
        return min(1.0, 0.25 + max(speeds) / 12.0) if speeds else 0.0

    def _heard(self, state: WorldState, push: float, across: float, blow: float) -> Heard:
        controls, speed = state.controls, abs(state.ego.speed)
        gear = max(n for n, floor in enumerate(GEARS) if speed >= floor)
        floor = GEARS[gear]
        top = GEARS[gear + 1] if gear + 1 < len(GEARS) else floor + 14.0
        within = min(1.0, (speed - floor) / (top - floor))
        rate = (0.9 if gear == 0 else 1.35) + (1.7 if gear == 0 else 1.2) * within
        load = controls.throttle / 1000.0
        slide = max(0.0, math.hypot(push, across) - 6.0) / 4.0
        locked = bool(controls.flags & HANDBRAKE) and speed > 3.0
        return Heard(
            engine=0.22 + 0.38 * load + 0.15 * within,
            rate=rate + 0.12 * load,
            tyres=min(0.8, max(slide, 0.7 if locked else 0.0)) if speed > 1.5 else 0.0,
            horn=0.8 if controls.flags & HORN else 0.0,
            blow=blow,
        )

    def _sway(self, state: WorldState, push: float, across: float, seconds: float) -> Sway:
        """Weight moves back under power, forward under the brakes, out of the bend."""
        ease = min(1.0, 5.0 * seconds)
        self._pitch += (max(-9.0, min(9.0, push)) - self._pitch) * ease
        self._roll += (max(-9.0, min(9.0, across)) - self._roll) * ease
        speed = abs(state.ego.speed)
        road = 0.0006 * min(speed / 15.0, 1.5)
        t, jolt = state.tick, self._jolt
        return Sway(
            x=road * math.sin(t * 1.9) + 0.014 * jolt * math.sin(t * 2.7),
            y=-0.0011 * self._pitch + road * math.sin(t * 2.3) + 0.014 * jolt * math.sin(t * 3.1),
            turn=0.10 * self._roll + 1.2 * jolt * math.sin(t * 1.7),
        )
