"""Outcomes by hand cases, time to collision against brute force."""

import math
import random
from dataclasses import replace

import pytest

from game.world.city import City
from game.world.entity import BODIES, EntityState
from game.world.state import Contact, WorldState
from scenarios.criticality import Moving, ttc, ttc_disc, ttc_pair
from scenarios.expect import Outcome, Referee
from scenarios.load import parse
from scenarios.spawn import Stage, stage
from tests.scenarios.example import GOOD


@pytest.fixture(scope="module")
def staged(city: City) -> Stage:
    return stage(parse(GOOD.encode())[0], city, 0)


def at(staged: Stage, tick: int, forward: float) -> WorldState:
    x, y = staged.frame.point((forward, -1.65))
    ego = staged.state.ego._replace(x=x, y=y, speed=0.0)
    return replace(staged.state, tick=tick, ego=ego, actors=())


def outcome(staged: Stage, *states: WorldState) -> Outcome | None:
    referee = Referee(staged)
    for state in states:
        referee.observe(state)
    return referee.outcome


def test_reaching_the_place_is_success_at_that_tick(staged: Stage) -> None:
    ended = outcome(staged, at(staged, 0, -60), at(staged, 100, 34.9), at(staged, 101, 35.1))
    assert ended is not None
    assert (ended.success, ended.reason, ended.tick) == (True, "ok", 101)


def test_time_out_names_what_was_still_open(staged: Stage) -> None:
    assert outcome(staged, at(staged, staged.duration_ticks - 1, 0)) is None
    ended = outcome(staged, at(staged, staged.duration_ticks, 0))
    assert ended == Outcome(False, "timeout", 1200, 0, None, "reach_position")


@pytest.mark.parametrize(("other", "cause"), [(1, "lead"), (-5, "building")])
def test_a_collision_names_who_was_struck(staged: Stage, other: int, cause: str) -> None:
    struck = replace(at(staged, 50, 40), collisions=1, contacts=(Contact(other, 50, 3.0),))
    ended = outcome(staged, struck)
    assert ended is not None
    assert (ended.success, ended.reason, ended.cause, ended.collisions) == (
        False, "collision", cause, 1,
    )  # fmt: skip


def test_the_first_outcome_stands(staged: Stage) -> None:
    late = replace(at(staged, 11, 40), collisions=1, contacts=(Contact(1, 11, 3.0),))
    ended = outcome(staged, at(staged, 10, 40), late)
    assert ended is not None
    assert ended.reason == "ok"


def test_without_a_goal_success_comes_at_the_end_of_time(city: City) -> None:
    text = GOOD[: GOOD.index("  - type: reach_position")]
    alone = stage(parse(text.encode())[0], city, 0)
    assert outcome(alone, at(alone, 0, 0), at(alone, 1199, 0)) is None
    ended = outcome(alone, at(alone, 1200, 0))
    assert ended is not None
    assert ended.success


def test_survive_needs_its_ticks(city: City) -> None:
    text = (
        GOOD[: GOOD.index("  - type: reach_position")] + "  - {type: survive_duration, seconds: 5}"
    )
    alone = stage(parse(text.encode())[0], city, 0)
    assert outcome(alone, at(alone, 299, 0)) is None
    ended = outcome(alone, at(alone, 300, 0))
    assert ended is not None
    assert ended.success


def test_ttc_of_discs_is_when_they_touch() -> None:
    rng = random.Random(7)
    finite = 0
    for _ in range(700):
        one: Moving = (0.0, 0.0, rng.uniform(-9, 9), rng.uniform(-9, 9), rng.uniform(0.2, 2))
        two: Moving = (
            rng.uniform(-15, 15), rng.uniform(-15, 15),
            rng.uniform(-9, 9), rng.uniform(-9, 9), rng.uniform(0.2, 2),
        )  # fmt: skip
        t = ttc_disc(one, two)

        def gap(t: float, one: Moving = one, two: Moving = two) -> float:
            dx = two[0] - one[0] + t * (two[2] - one[2])
            dy = two[1] - one[1] + t * (two[3] - one[3])
            return math.hypot(dx, dy) - one[4] - two[4]

        if t == math.inf:
            assert min(gap(0.05 * k) for k in range(200)) > 0.0
        elif t == 0.0:
            assert gap(0.0) <= 1e-12
        else:
            finite += 1
            assert abs(gap(t)) < 1e-9
            assert min(gap(t * k / 50) for k in range(50)) > 0.0
    assert finite > 40


def test_ttc_of_a_head_on_pair_is_gap_over_closing_speed() -> None:
    ego = EntityState(0, "sedan", 0.0, 0.0, 0.0, 10.0)
    other = EntityState(1, "sedan", 60.0, 0.0, math.pi, 10.0)
    reach = 2 * BODIES["sedan"].cover
    assert ttc_pair(ego, other) == pytest.approx((60.0 - reach) / 20.0, abs=1e-6)
    assert ttc_pair(ego, other._replace(heading=0.0, speed=12.0)) == math.inf


def test_ttc_below_a_bound_is_the_bound(staged: Stage) -> None:
    near = staged.state.ego._replace(id=1, x=staged.state.ego.x + 5.0)
    state = replace(staged.state, actors=(near,))
    assert ttc(state, 0.0) == 0.0
    assert ttc(replace(staged.state, actors=()), 3.0) == 3.0
