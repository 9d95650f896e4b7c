"""What a drive was worth: medals, bests and the seed of the day. Pure; nothing here pays."""

from dataclasses import dataclass, replace
from datetime import date

from game.play.app.memory import Best, Memory
from game.world.version import TICK_HZ
from scenarios.daily import daily, day_seed
from scenarios.expect import Outcome
from scenarios.spawn import Stage

__all__ = ["Merit", "better", "daily", "day_seed", "merit", "noted"]

MEDALS = ("gold", "silver", "bronze")
GOLD_TTC_S, SILVER_TTC_S = 2.0, 1.0
"""Nobody came closer than so many seconds to a collision."""
ERRAND_GOLD, ERRAND_SILVER = 0.7, 0.85
"""Shares of the time limit of a mission, where somebody is always near."""
GOLD_TIME = 0.85
"""Share of the time limit, where there is a place to reach."""
_STARS = {"gold": "★★★", "silver": "★★", "bronze": "★", "": ""}


@dataclass(frozen=True, slots=True)
class Merit:
    """medal: gold, silver, bronze or ''. why: what it was for, and what the next one takes."""

    medal: str
    seconds: float
    why: str

    @property
    def stars(self) -> str:
        """The medal in signs."""
        return _STARS[self.medal]


def merit(stage: Stage, outcome: Outcome) -> Merit:
    """The medal of an outcome: passed; nobody close; nobody close at all, and soon there."""
    seconds = outcome.tick / TICK_HZ
    if not outcome.success or stage.free:
        return Merit("", seconds, "")
    limit = stage.duration_ticks / TICK_HZ
    if any(wanted.kind == "stop" for wanted in stage.expectations):
        return _errand(seconds, limit)
    closest = outcome.min_ttc_s
    room = float("inf") if closest is None else closest
    timed = any(wanted.kind == "reach_position" for wanted in stage.expectations)
    soon = not timed or seconds <= GOLD_TIME * limit
    near = "nobody near" if closest is None else f"closest {closest:.1f} s from a collision"
    if room < SILVER_TTC_S:
        return Merit("bronze", seconds, f"{near}; silver: stay {SILVER_TTC_S:.0f} s away")
    if room < GOLD_TTC_S:
        return Merit("silver", seconds, f"{near}; gold: stay {GOLD_TTC_S:.0f} s away")
    if not soon:
        goal = GOLD_TIME * limit
        return Merit("silver", seconds, f"{near}; gold: be there in {goal:.0f} s")
    return Merit("gold", seconds, near)


def _errand(seconds: float, limit: float) -> Merit:
    """The medal of a mission: by its time alone."""
    said = f"{limit - seconds:.0f} s before the end of time"
    if seconds <= ERRAND_GOLD * limit:
        return Merit("gold", seconds, said)
    if seconds <= ERRAND_SILVER * limit:
        return Merit("silver", seconds, f"{said}; gold: be done in {ERRAND_GOLD * limit:.0f} s")
    return Merit("bronze", seconds, f"{said}; silver: be done in {ERRAND_SILVER * limit:.0f} s")


def better(one: Best | None, other: Best) -> Best:
    """The better of two drives: by medal, then by time."""
    if one is None:
        return other
    rank = {medal: at for at, medal in enumerate((*MEDALS, ""))}
    return min((one, other), key=lambda best: (rank[best.medal], best.seconds))


def noted(
    memory: Memory, scenario: str, found: Merit, outcome: Outcome | None, session: str, seed: int,
    today: date,
) -> Memory:  # fmt: skip
    """The memory after a drive."""
    success = outcome is not None and outcome.success
    memory = replace(memory, drives=memory.drives + 1, passed=memory.passed + success)
    if not found.medal:
        return memory
    best = Best(round(found.seconds, 2), found.medal, session, seed, today.isoformat())
    memory = replace(
        memory, best={**memory.best, scenario: better(memory.best.get(scenario), best)}
    )
    if seed == day_seed(today):
        key = f"{today.isoformat()} {scenario}"
        memory = replace(memory, daily={**memory.daily, key: better(memory.daily.get(key), best)})
    return memory
