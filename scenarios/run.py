"""One case driven from tick 0 to its outcome, in a plain loop: no window, no rings, no clock.

Owns nothing but the loop. The same scenario, seed and driver give the same result everywhere.
"""

from collections.abc import Callable
from dataclasses import asdict, dataclass
from typing import Any

from game.world.city import City
from game.world.digest import checkpoint
from game.world.state import WorldState
from game.world.step import step
from scenarios.driver import Driver
from scenarios.expect import Outcome, Referee
from scenarios.measures import Measures, Meter
from scenarios.model import Scenario
from scenarios.spawn import Stage, stage


@dataclass(frozen=True, slots=True)
class RunResult:
    """How one case ended. digest: hex chain over states and inputs of the whole run.

    ticks: how many were driven. cause and min_ttc_s as in `Outcome`. hazard: it failed by what the
    scenario is about. measures: as in `measures.Measures`, None where none were asked for.
    """

    scenario: str
    seed: int
    driver: str
    success: bool
    reason: str
    cause: str
    collisions: int
    min_ttc_s: float | None
    ticks: int
    digest: str
    hazard: bool = False
    measures: Measures | None = None

    def as_dict(self) -> dict[str, Any]:
        """The result as plain values, for JSON."""
        return asdict(self)


def run(
    scenario: Scenario,
    city: City,
    seed: int,
    driver: Callable[[Stage, City], Driver],
    watch: Callable[[WorldState], None] | None = None,
    measure: bool = False,
) -> RunResult:
    """Drive one case to its end. `watch` sees every state, tick 0 included."""
    staged = stage(scenario, city, seed)
    pilot = driver(staged, city)
    meter = Meter(staged) if measure else None

    def look(state: WorldState) -> None:
        if meter is not None:
            meter.observe(state)
        if watch is not None:
            watch(state)

    outcome, state = drive(staged, city, pilot, look)
    return RunResult(
        scenario=scenario.id,
        seed=seed,
        driver=pilot.name,
        success=outcome.success,
        reason=outcome.reason,
        cause=outcome.cause,
        collisions=outcome.collisions,
        min_ttc_s=outcome.min_ttc_s,
        ticks=outcome.tick,
        digest=checkpoint(state).digest.hex(),
        hazard=not outcome.success and outcome.cause in scenario.danger,
        measures=None if meter is None else meter.measures(outcome),
    )


def drive(
    staged: Stage,
    city: City,
    driver: Driver,
    watch: Callable[[WorldState], None] | None = None,
) -> tuple[Outcome, WorldState]:
    """The outcome and the last state of a stage driven to its end, at most its time limit."""
    state, referee = staged.state, Referee(staged)
    while True:
        referee.observe(state)
        if watch is not None:
            watch(state)
        if referee.outcome is not None:
            return referee.outcome, state
        state = step(city, state, driver.controls(state))
