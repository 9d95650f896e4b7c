"""How long the driver takes to answer what comes up in front of the car. Moves trust alone.

A stimulus has a moment: from one tick to the next somebody is in the way, the light ahead turns
amber, or it turns green for one who waits. Its answer is the first clear change of a pedal or the
wheel. People need 0.2 s at the very least, mostly 0.4 to 1.5 s, and never the same twice; a program
that reads the world answers at its next turn, or before there was anything to see. A program may
well wait as a person does, so this proves nothing.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from math import cos, sin
from statistics import median, pstdev

from game.world.controls import Controls
from game.world.entity import BODIES, EntityState
from game.world.signals import Light, light
from game.world.version import TICK_HZ
from scenarios.road import Road

NEED, QUIET = 0.8, 0.3
"""Somebody is in the way: braking by NEED is needed [m/s^2] where less than QUIET was before."""
CALM_TICKS = TICK_HZ // 2
FAR_M, AHEAD_S, ROOM_M = 60.0, 3.0, 0.3
LINE_M, ROLLING, STANDING = 45.0, 3.0, 0.3
"""A light counts up to this far [m], for one who drives faster or slower than this [m/s]."""
CLEAR = 100
"""What counts as an answer, of a pedal or the wheel [1/1000]."""
WAIT_TICKS = 3 * TICK_HZ
REFLEX_TICKS = 12
"""Nobody answers a picture sooner than 0.2 s."""
SPREAD_TICKS, SPREAD_OF = 6.0, 3
"""A person's answers differ by this much, where there are so many of them."""

View = tuple[EntityState, Sequence[EntityState]]
"""The ego and everybody else in one tick."""


@dataclass(frozen=True, slots=True)
class Reactions:
    """ticks: from each stimulus to its answer."""

    ticks: tuple[int, ...]

    @property
    def early(self) -> float:
        """Share that came sooner than a person could."""
        return sum(t < REFLEX_TICKS for t in self.ticks) / max(1, len(self.ticks))

    @property
    def score(self) -> float | None:
        """0 a program's .. 1 a person's; None where nothing came up."""
        if not self.ticks:
            return None
        enough = len(self.ticks) >= SPREAD_OF
        varied = min(1.0, pstdev(self.ticks) / SPREAD_TICKS) if enough else 1.0
        return (1.0 - self.early) * (0.5 + 0.5 * varied)

    def told(self) -> str:
        """For people."""
        if not self.ticks:
            return "nothing came up"
        return f"{len(self.ticks)} answers, median {median(self.ticks) / TICK_HZ:.2f} s"


def need(ego: EntityState, others: Iterable[EntityState]) -> float:
    """Deceleration [m/s^2] that would just avoid whoever will be in the way."""
    ahead_x, ahead_y = cos(ego.heading), sin(ego.heading)
    own, most = BODIES[ego.body], 0.0
    for other in others:
        x, y = other.x - ego.x, other.y - ego.y
        ahead = x * ahead_x + y * ahead_y
        if not 0.0 < ahead < FAR_M:
            continue
        body = BODIES[other.body]
        along = other.speed * cos(other.heading - ego.heading)
        across = other.speed * sin(other.heading - ego.heading)
        gap = ahead - 0.5 * (own.length + body.length)
        closing = ego.speed - along
        if closing <= 0.0:
            continue
        when = min(AHEAD_S, max(gap, 0.0) / closing)
        side = y * ahead_x - x * ahead_y + across * when
        if abs(side) < 0.5 * (own.width + body.width) + ROOM_M:
            most = max(most, closing * closing / (2.0 * max(gap, 0.5)))
    return most


def reactions(
    views: Callable[[int], View], drive: Sequence[Controls], road: Road | None = None
) -> Reactions:
    """views: by tick. drive: the controls consumed in the tick after. road: the route's lights."""
    found: list[int | None] = []
    calm, along, shown, was_line = 0, 0.0, Light.RED, -1.0
    for tick in range(len(drive)):
        ego, others = views(tick)
        wanted = need(ego, others)
        if wanted >= NEED and calm >= CALM_TICKS:
            found.append(_answer(drive, tick, _slows))
        calm = calm + 1 if wanted < QUIET else 0
        if road is None or not road.stops:
            continue
        along, _ = road.project(ego.x, ego.y, along)
        front = along + 0.5 * BODIES[ego.body].length
        line = next((each for each in road.stops if each.s > front - 1.0), None)
        if line is None or line.s - front > LINE_M:
            was_line = -1.0
            continue
        before, shown = shown, light(line.light, line.axis, tick)
        if line.s == was_line and shown != before:
            if shown == Light.AMBER and ego.speed > ROLLING:
                found.append(_answer(drive, tick, _slows))
            elif shown == Light.GREEN and ego.speed < STANDING:
                found.append(_answer(drive, tick, _starts))
        was_line = line.s
    return Reactions(tuple(ticks for ticks in found if ticks is not None))


def _slows(before: Controls, now: Controls) -> bool:
    return (
        now.brake - before.brake >= CLEAR
        or before.throttle - now.throttle >= CLEAR
        or abs(now.steer - before.steer) >= CLEAR
    )


def _starts(before: Controls, now: Controls) -> bool:
    return now.throttle - before.throttle >= CLEAR or before.brake - now.brake >= CLEAR


def _answer(
    drive: Sequence[Controls], since: int, answers: Callable[[Controls, Controls], bool]
) -> int | None:
    """Ticks until an answer; None where it was under way already, or none came."""
    before = drive[since]
    if since and answers(drive[max(0, since - REFLEX_TICKS)], before):
        return None
    later = range(since, min(len(drive), since + WAIT_TICKS))
    return next((tick - since for tick in later if answers(before, drive[tick])), None)
