"""The moments of a drive in which it was close: who, how close, and when. Not part of any state.

Takes states one after the other, as they are lived or as a recording stores them. A moment is the
worst of one meeting with one other; what ended in a contact is told apart, for it was no near miss.
"""

from collections.abc import Iterable
from dataclasses import asdict, dataclass
from math import inf
from typing import Any

from game.world.entity import BODIES, EntityState
from game.world.state import WorldState
from scenarios.criticality import clearance, ttc_pair
from scenarios.measures import NEAR_M, NEAR_TTC_S
from scenarios.measures import is_near as near

EVERY = 3
"""Ticks between two looks; closer than 1/20 s nobody drives by."""
AROUND_M = 40.0
"""Whoever is farther away is no danger within NEAR_TTC_S [m]."""
LYING_TICKS = 60
"""So long after a contact a look still finds it, on however slow a screen."""
OVER_TICKS = 90
"""A meeting is over when nothing was close for so long."""


@dataclass(frozen=True, slots=True)
class Moment:
    """ttc_s: None where it was the distance alone. id, body: of the other. hit: they touched."""

    tick: int
    id: int
    body: str
    ttc_s: float | None
    gap_m: float
    speed: float
    hit: bool = False

    @property
    def danger(self) -> float:
        """The smaller the closer; a metre and three seconds of warning count alike [s]."""
        by_gap = NEAR_TTC_S * self.gap_m / NEAR_M
        return by_gap if self.ttc_s is None else min(self.ttc_s, by_gap)

    def says(self) -> str:
        """In a few words: 0.4 s from a taxi, 0.3 m from a child."""
        other = called(self.body)
        if self.hit:
            return f"hit {other}"
        if self.ttc_s is not None and self.ttc_s <= NEAR_TTC_S * self.gap_m / NEAR_M:
            return f"{self.ttc_s:.1f} s from {other}"
        return f"{self.gap_m:.1f} m from {other}"

    def as_dict(self) -> dict[str, Any]:
        """Plain values, for JSON."""
        return {**asdict(self), "says": self.says()}


def called(body: str) -> str:
    """A body in words: a taxi, an ambulance, an SUV."""
    name = {"suv": "SUV"}.get(body, body.replace("_", " "))
    return f"{'an' if name[0] in 'aeiouS' else 'a'} {name}"


class Watcher:
    """Looks at states in their order; `moments` are the worst of each meeting so far."""

    def __init__(self) -> None:
        self._open: dict[int, Moment] = {}
        self._last: dict[int, int] = {}
        self._done: list[Moment] = []

    def observe(self, state: WorldState) -> None:
        """Take one state into account; the ones between two looks cost nothing."""
        if state.tick % EVERY:
            return
        for key in [k for k, tick in self._last.items() if state.tick - tick > OVER_TICKS]:
            self._done.append(self._open.pop(key))
            del self._last[key]
        ego = state.ego
        for actor in state.actors:
            dx, dy = actor.x - ego.x, actor.y - ego.y
            if dx * dx + dy * dy > AROUND_M * AROUND_M:
                continue
            moment = _look(ego, actor, state.tick)
            if moment is None:
                continue
            self._last[actor.id] = state.tick
            worst = self._open.get(actor.id)
            if (
                worst is None
                or (moment.hit and not worst.hit)
                or (not worst.hit and moment.danger < worst.danger)
            ):
                self._open[actor.id] = moment

    def moments(self) -> tuple[Moment, ...]:
        """Every meeting that was close, the closest first; those that ended in a contact last."""
        found = [*self._done, *self._open.values()]
        return tuple(sorted(found, key=lambda each: (each.hit, each.danger, each.tick)))

    def closest(self) -> Moment | None:
        """The closest that was no contact, None where nothing was close."""
        found = [each for each in self.moments() if not each.hit]
        return found[0] if found else None


def moments(states: Iterable[WorldState]) -> tuple[Moment, ...]:
    """The near misses of a whole drive, the closest first."""
    watcher = Watcher()
    for state in states:
        watcher.observe(state)
    return watcher.moments()


def _look(ego: EntityState, actor: EntityState, tick: int) -> Moment | None:
    """What one other is at this moment, None where it is not close."""
    time = ttc_pair(ego, actor, 2.0 * NEAR_TTC_S)
    away = clearance(ego, actor, 2.0 * NEAR_M)
    touched = actor.struck >= 0 or away <= 0.0
    if not touched and not near(ego, actor, time, away):
        return None
    if actor.struck >= 0 and tick - actor.struck > LYING_TICKS:
        return None  # it lies there since
    warned = None if time >= 2.0 * NEAR_TTC_S or time == inf else time
    return Moment(tick, actor.id, BODIES[actor.body].name, warned, away, ego.speed, touched)
