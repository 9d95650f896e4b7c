"""Watches a run and says how it ended. Exact, so that whoever replays it gets the same outcome.

Owns the codes of the reasons. Never touches the state that it watches.
"""

from dataclasses import dataclass
from math import inf

from game.world.state import WorldState
from scenarios.criticality import ttc
from scenarios.errand import STOP, Errand, is_there
from scenarios.law import TIME_OUT, Law
from scenarios.spawn import Expectation, Stage

OK = "ok"
COLLISION = "collision"
TIMEOUT = "timeout"
REASONS = (OK, COLLISION, TIMEOUT, "speed_limit", "red_light", "stay_on_road")


@dataclass(frozen=True, slots=True)
class Outcome:
    """How a run ended.

    reason: one of REASONS. cause: who or what it was about: the id of the actor that was struck,
    'building', the kind of the limit that was broken or of the condition that was still open; ''
    after 'ok'.
    min_ttc_s: smallest disc time to collision [s], None where none was on a collision course.
    """

    success: bool
    reason: str
    tick: int
    collisions: int
    min_ttc_s: float | None
    cause: str = ""


class Referee:
    """Observes every state of a run, tick 0 included; `outcome` is None until it is over.

    Success comes in the first tick in which every expectation is met; without reach_position or
    survive_duration that is the end of the time limit.
    """

    def __init__(self, stage: Stage) -> None:
        self._stage = stage
        self._open: tuple[Expectation, ...] = tuple(
            wanted for wanted in stage.expectations if wanted.kind not in ("no_collision", STOP)
        )
        self.errand = Errand(stage)
        self._law = Law(stage)
        self._strict = any(wanted.kind == "no_collision" for wanted in stage.expectations)
        self._min_ttc = inf
        self._outcome: Outcome | None = None

    @property
    def outcome(self) -> Outcome | None:
        """How it ended, None while it runs."""
        return self._outcome

    @property
    def min_ttc_s(self) -> float | None:
        """Smallest disc time to collision so far [s]."""
        return None if self._min_ttc == inf else self._min_ttc

    def observe(self, state: WorldState) -> None:
        """Take one tick into account. After the end it changes nothing."""
        if self._outcome is not None:
            return
        self._min_ttc = ttc(state, self._min_ttc)
        if self._strict and state.collisions > 0:
            self._end(state, False, COLLISION, self._struck(state))
            return
        broken = self._law.broken(state)
        if broken is not None:
            reason = TIMEOUT if broken == TIME_OUT else broken
            self._end(state, False, reason, broken)
            return
        self._open = tuple(wanted for wanted in self._open if not _met(wanted, state))
        self.errand.observe(state)
        late = state.tick >= self._stage.duration_ticks
        done = not self._open and self.errand.done
        if done and (late or self._has_goal()):
            self._end(state, True, OK, "")
        elif self.errand.late or late:
            self._end(state, False, TIMEOUT, self._open[0].kind if self._open else STOP)

    def leave(self, state: WorldState) -> Outcome | None:
        """The driver gets out after this state: a free drive ends well, another one is given up.

        Returns the outcome, None for a drive that was given up.
        """
        if self._outcome is None and self._stage.free:
            self._end(state, True, OK, "")
        return self._outcome

    def _has_goal(self) -> bool:
        return any(wanted.kind != "no_collision" for wanted in self._stage.expectations)

    def _struck(self, state: WorldState) -> str:
        """Name of whoever the first contact was with."""
        if not state.contacts:
            return "unknown"
        first = min(state.contacts, key=lambda contact: (contact.since, contact.other))
        if first.other < 0:
            return "building"
        named = next((part.name for part in state.cast if part.id == first.other), "")
        return named or next(
            (actor.body for actor in state.actors if actor.id == first.other), "unknown"
        )

    def _end(self, state: WorldState, success: bool, reason: str, cause: str) -> None:
        self._outcome = Outcome(
            success, reason, state.tick, state.collisions, self.min_ttc_s, cause
        )


def _met(wanted: Expectation, state: WorldState) -> bool:
    if wanted.kind == "survive_duration":
        return state.tick >= wanted.ticks
    return is_there(wanted, state)
