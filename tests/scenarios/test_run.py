"""Every scenario can be passed and can be failed, by what they are about and nothing else."""

import pytest

from game.world.city import City
from game.world.controls import Controls
from game.world.signals import Light, light
from game.world.state import WorldState
from scenarios.driver import DRIVERS, Bot, Replay
from scenarios.expect import Referee
from scenarios.load import library, load
from scenarios.model import Scenario
from scenarios.report import HEADINGS, row, summary
from scenarios.road import survey
from scenarios.run import RunResult, drive, run
from scenarios.spawn import stage

ENTITIES = {
    "oncoming-traffic": 4,
    "highway-cut-in": 3,
    "busy-intersection": 13,
    "road-debris": 4,
    "lead-vehicle-braking": 4,
    "heavy-traffic": 8,
    "rush-hour-intersection": 9,
    "highway-pile-up": 7,
    "school-zone-chaos": 8,
    "construction-zone": 7,
    "double-intersection-gauntlet": 9,
}
SHARE_OF_BOT, SHARE_OF_OTHERS, SHARE_OF_HAZARD = 0.6, 0.2, 0.8


def passes(name: str, driver: str, seeds: range, city: City) -> list[RunResult]:
    scenario = load(name)
    return [run(scenario, city, seed, DRIVERS[driver]) for seed in seeds]


def test_the_library_is_the_eleven_of_the_design() -> None:
    assert set(library()) == set(ENTITIES)
    assert {name: load(name).entities for name in library()} == ENTITIES
    assert load("rush-hour-intersection").duration_s == 30.0


@pytest.mark.heavy
@pytest.mark.parametrize("name", sorted(ENTITIES))
def test_the_bot_passes(name: str, city: City) -> None:
    (result,) = passes(name, "bot", range(2, 3), city)
    assert (result.success, result.reason, result.collisions) == (True, "ok", 0), result
    assert result.ticks > 12 * 60  # it is a drive, not a start


@pytest.mark.heavy
@pytest.mark.parametrize("driver", ["idle", "full-throttle"])
@pytest.mark.parametrize("name", sorted(ENTITIES))
def test_who_does_nothing_or_floors_it_meets_the_hazard(name: str, driver: str, city: City) -> None:
    danger = load(name).danger
    for result in passes(name, driver, range(3), city):
        assert (result.success, result.reason, result.collisions) == (False, "collision", 1)
        assert result.cause in danger
        assert result.min_ttc_s is not None
        assert result.min_ttc_s < 0.2


@pytest.mark.slow
@pytest.mark.parametrize("name", sorted(ENTITIES))
def test_most_cases_can_be_passed_and_nearly_all_be_failed(name: str, city: City) -> None:
    danger, seeds = load(name).danger, range(100, 140)
    bot = passes(name, "bot", seeds, city)
    assert sum(result.success for result in bot) >= SHARE_OF_BOT * len(bot)
    for driver in ("idle", "full-throttle"):
        failed = [result for result in passes(name, driver, seeds, city) if not result.success]
        assert len(failed) > (1.0 - SHARE_OF_OTHERS) * len(seeds)
        caught = sum(result.cause in danger for result in failed)
        assert caught >= SHARE_OF_HAZARD * len(failed)


def test_a_brisk_bot_passes_sooner_than_a_calm_one(city: City, oncoming: Scenario) -> None:
    calm = run(oncoming, city, 0, DRIVERS["bot"])
    brisk = run(oncoming, city, 0, lambda staged, city: Bot(staged, city, "brisk"))
    assert brisk.success
    assert brisk.ticks < calm.ticks - 60


def test_an_unknown_style_is_refused(city: City, oncoming: Scenario) -> None:
    with pytest.raises(ValueError, match="calm or brisk"):
        Bot(stage(oncoming, city, 0), city, "drunk")


def test_the_bot_waits_for_green(city: City, busy: Scenario) -> None:
    staged = stage(busy, city, 0)
    road = survey(staged.route, city)
    stop, passed = road.stops[0], []

    def watch(state: WorldState) -> None:
        s, _ = road.project(state.ego.x, state.ego.y, staged.state.tick + state.tick * 0.2)
        if s + 2.35 > stop.clear and not passed:
            passed.append(state.tick)
        if light(stop.light, stop.axis, state.tick) == Light.RED:
            assert s + 2.35 < stop.s + 1.0

    drive(staged, city, Bot(staged, city), watch)
    assert passed


def test_the_bot_moves_aside_only_while_it_must(city: City, oncoming: Scenario) -> None:
    staged = stage(oncoming, city, 0)
    aside: list[float] = []
    drive(
        staged,
        city,
        Bot(staged, city),
        lambda state: aside.append(staged.frame.local((state.ego.x, state.ego.y))[1] + 1.65),
    )
    assert min(aside) < -2.0  # to the right, out of the way
    assert max(aside) < 0.6  # never into the others' lanes
    assert abs(aside[-1]) < 0.4  # and back again


def test_recorded_controls_give_the_same_run(city: City, busy: Scenario) -> None:
    recorded: list[Controls] = []
    first = run(busy, city, 2, DRIVERS["bot"], lambda state: recorded.append(state.controls))
    again = run(busy, city, 2, lambda staged, city: Replay(recorded[1:]))
    assert again.digest == first.digest
    assert (again.ticks, again.min_ttc_s) == (first.ticks, first.min_ttc_s)
    changed = [*recorded[1:500], Controls(steer=1), *recorded[501:]]
    assert run(busy, city, 2, lambda staged, city: Replay(changed)).digest != first.digest


def test_the_referee_changes_nothing(city: City, oncoming: Scenario) -> None:
    staged = stage(oncoming, city, 0)
    before = staged.state
    Referee(staged).observe(before)
    assert staged.state is before


def test_the_summary_adds_up() -> None:
    def result(seed: int, success: bool, cause: str) -> RunResult:
        reason = "ok" if success else "collision"
        ttc = 2.0 if success else 0.0
        return RunResult("a", seed, "bot", success, reason, cause, 0, ttc, 60, str(seed))

    rows = [result(0, True, ""), result(1, False, "x"), result(2, False, "x")]
    data = summary(rows, 60)
    assert (data["runs"], data["passed"], data["failed"], data["seconds"]) == (3, 1, 2, 3.0)
    group = data["groups"]["a/bot"]
    assert group["causes"] == {"collision: x": 2}
    assert group["mean_min_ttc_s"] == pytest.approx(2.0 / 3)
    assert group["distinct"] == 3
    assert len(row(rows[0], 60)) == len(HEADINGS)
