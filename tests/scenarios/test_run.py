"""Both scenarios can be passed and can be failed, by what they are about and nothing else."""

import pytest

from game.world.city import City
from game.world.controls import Controls
from game.world.signals import Light, light
from game.world.state import WorldState
from scenarios.driver import DRIVERS, Bot, Replay
from scenarios.expect import Referee
from scenarios.load import load
from scenarios.model import Scenario
from scenarios.report import HEADINGS, row, summary
from scenarios.road import survey
from scenarios.run import RunResult, drive, run
from scenarios.spawn import stage

HAZARDS = {
    "oncoming-traffic": {"wrong-way"},
    "busy-intersection": {f"walker-{k}" for k in range(1, 7)}
    | {"avenue-cab", "avenue-van", "avenue-car", "avenue-lorry", "red-light-runner", "jaywalker"},
}


@pytest.mark.parametrize("seed", range(10))
@pytest.mark.parametrize("name", sorted(HAZARDS))
def test_the_bot_passes(name: str, seed: int, city: City) -> None:
    result = run(load(name), city, seed, DRIVERS["bot"])
    assert (result.success, result.reason, result.collisions) == (True, "ok", 0), result
    assert result.ticks > 15 * 60  # it is a drive, not a start


@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize("driver", ["idle", "full-throttle"])
@pytest.mark.parametrize("name", sorted(HAZARDS))
def test_who_does_nothing_or_floors_it_meets_the_hazard(
    name: str, driver: str, seed: int, city: City
) -> None:
    result = run(load(name), city, seed, DRIVERS[driver])
    assert (result.success, result.reason, result.collisions) == (False, "collision", 1)
    assert result.cause in HAZARDS[name]
    assert result.min_ttc_s is not None
    assert result.min_ttc_s < 0.2


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
        if light(stop.junction, stop.axis, state.tick) == Light.RED:
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
