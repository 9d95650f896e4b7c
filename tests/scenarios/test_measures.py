"""Measures against cases that can be worked out by hand, and against shapely and numpy."""

import math
import random
from dataclasses import replace

import numpy as np
import pytest
from shapely.geometry import LineString, Point, box

from game.world.city import City
from game.world.controls import Controls
from game.world.entity import BODIES, EntityState
from game.world.state import Contact, WorldState
from scenarios.criticality import clearance, discs, lead, ttc, ttc_disc
from scenarios.driver import DRIVERS
from scenarios.encroach import Encroachment
from scenarios.expect import Outcome
from scenarios.law import roadway_of
from scenarios.load import load, parse
from scenarios.measures import Measures, Meter, fault
from scenarios.run import drive, run
from scenarios.spawn import Stage, stage
from tests.scenarios.example import GOOD

CAR = BODIES["sedan"]


def car(x: float, y: float = 0.0, heading: float = 0.0, speed: float = 10.0) -> EntityState:
    return EntityState(1, "sedan", x, y, heading, speed)


def world(stage: Stage, ego: EntityState, *actors: EntityState) -> WorldState:
    return replace(stage.state, ego=ego._replace(id=0), actors=actors)


@pytest.fixture(scope="module")
def small(city: City) -> Stage:
    return stage(parse(GOOD.encode())[0], city, 0)


def test_headway_ttc_and_drac_of_a_leader(small: Stage) -> None:
    ahead = lead(world(small, car(0.0, speed=15.0), car(30.0 + CAR.length, speed=9.0)))
    assert ahead is not None
    assert ahead.gap == pytest.approx(30.0)
    assert ahead.thw == pytest.approx(30.0 / 15.0)
    assert ahead.ttc == pytest.approx(30.0 / 6.0)
    assert ahead.drac == pytest.approx(6.0 * 6.0 / (2.0 * 30.0))


def test_who_drives_away_or_beside_is_no_danger_ahead(small: Stage) -> None:
    faster = lead(world(small, car(0.0, speed=9.0), car(30.0, speed=15.0)))
    assert faster is not None
    assert (faster.ttc, faster.drac) == (math.inf, 0.0)
    beside = car(30.0, 1.01 * CAR.width)
    assert lead(world(small, car(0.0), beside, car(-30.0))) is None


def test_the_nearest_of_two_leaders_counts_and_one_across_the_road_is_short(small: Stage) -> None:
    across = car(20.0, 0.0, math.pi / 2)
    ahead = lead(world(small, car(0.0), car(40.0), across))
    assert ahead is not None
    assert ahead.gap == pytest.approx(20.0 - CAR.width / 2 - CAR.length / 2)
    assert ahead.other == pytest.approx(0.0, abs=1e-9)


def test_the_time_to_collision_is_that_of_all_discs_whoever_is_passed_over(small: Stage) -> None:
    """To the last bit, since outcomes are compared so; also with a bound that is just met."""
    draw = random.Random(5)
    skipped = 0
    for _ in range(60):
        there = [
            EntityState(n, draw.choice(list(BODIES)), draw.uniform(-90, 90), draw.uniform(-90, 90),
                        draw.uniform(-3, 3), draw.choice((0.0, draw.uniform(-4, 16))))
            for n in range(1, 25)
        ]  # fmt: skip
        state = world(small, car(0.0, speed=draw.uniform(-3, 16)), *there)
        met = [ttc_disc(a, b) for each in there for a in discs(state.ego) for b in discs(each)]
        true = min(met)
        assert ttc(state) == true
        for below in (true, math.nextafter(true, 0.0), math.nextafter(true, 9e9), 0.5):
            assert ttc(state, below) == min(true, below)
        skipped += true > 0.5
    assert skipped > 5


def test_clearance_is_the_distance_of_the_rows_of_discs() -> None:
    rng = random.Random(5)
    for _ in range(200):
        one = car(0.0, 0.0, rng.uniform(-3, 3))
        two = car(rng.uniform(-9, 9), rng.uniform(-9, 9), rng.uniform(-3, 3))._replace(body="bus")
        a, b = ([Point(x, y).buffer(r, 64) for x, y, _, _, r in discs(e)] for e in (one, two))
        true = min(p.distance(q) for p in a for q in b)
        assert clearance(one, two) == pytest.approx(true, abs=0.002)
        assert clearance(one, two, 1.0) == min(clearance(one, two), 1.0)


def test_pet_is_the_time_between_leaving_and_entering_the_crossing() -> None:
    # both at 10 m/s through the origin at right angles, the other one 3 s later
    seen = Encroachment()
    for tick in range(0, 600, 3):
        t = tick / 60.0
        ego = EntityState(0, "sedan", -20.0 + 10.0 * t, 0.0, 0.0, 10.0)
        other = EntityState(7, "sedan", 0.0, -20.0 + 10.0 * (t - 3.0), math.pi / 2, 10.0)
        seen.observe(tick, ego, (other,))
    radius = CAR.discs[0][1]
    # a place c across: the last disc leaves it f + c + sqrt(r^2 - d^2) behind the crossing, the
    # first one enters it as far before; both are largest at c = d = r / sqrt(2)
    by_hand = 3.0 - 2.0 * (CAR.discs[-1][0] + math.sqrt(2.0) * radius) / 10.0
    assert seen.pet(7) == pytest.approx(by_hand, abs=0.12)  # a cell and three ticks
    assert seen.smallest() == (seen.pet(7), 7)


def test_followers_and_those_who_never_meet_have_no_pet() -> None:
    seen = Encroachment()
    for tick in range(0, 300, 3):
        x = tick / 6.0
        ego = EntityState(0, "sedan", x, 0.0, 0.0, 10.0)
        seen.observe(tick, ego, (ego._replace(id=2, x=x - 15.0), ego._replace(id=3, y=9.0)))
    assert seen.smallest() == (math.inf, -1)


@pytest.mark.parametrize(
    ("ego", "other", "whose"),
    [
        (car(0, speed=0.0), car(5, heading=math.pi), "other"),  # stood still
        (car(0), car(5, speed=0.0), "ego"),  # ran into what stands
        (car(0), car(4.5, speed=5.0), "ego"),  # struck the one ahead
        (car(0, speed=5.0), car(-4.5), "other"),  # was struck from behind
        (car(0, speed=3.0), car(0.5, -2.0, math.pi / 2), "other"),  # was struck in the side
    ],
)
def test_whose_fault_a_contact_is(ego: EntityState, other: EntityState, whose: str) -> None:
    assert fault(ego, other) == whose


def measured(stage: Stage, states: list[WorldState], outcome: Outcome) -> Measures:
    meter = Meter(stage)
    for state in states:
        meter.observe(state)
    return meter.measures(outcome)


def along(stage: Stage, tick: int, forward: float, speed: float, left: float = -1.65) -> WorldState:
    x, y = stage.frame.point((forward, left))
    ego = stage.state.ego._replace(x=x, y=y, speed=speed)
    return replace(stage.state, tick=tick, ego=ego, actors=())


def test_penalties_multiply_as_in_the_leaderboard(small: Stage) -> None:
    struck = Contact(1, 60, 4.0)
    first = along(small, 59, -20.0, 8.0)
    actor = small.state.actors[0]._replace(x=first.ego.x + 5.0, y=first.ego.y)
    hit = replace(along(small, 60, -19.9, 8.0), actors=(actor,), contacts=(struck,), collisions=1)
    start = along(small, 0, -60.0, 8.0)
    found = measured(small, [start, first, hit], Outcome(False, "collision", 60, 1, 0.0, "lead"))
    (collision,) = found.collisions
    assert (collision.other, collision.kind, collision.speed) == ("lead", "vehicle", 4.0)
    # the goal is 95 m from the start, 5 m before its middle; the ego came 40.1 m far
    assert found.completion == pytest.approx(40.1 / 95.0, abs=0.01)
    assert found.score == pytest.approx(100.0 * found.completion * 0.60)
    late = measured(small, [start, first, hit], Outcome(False, "timeout", 60, 1, 0.0, ""))
    assert late.score == pytest.approx(found.score * 0.70)


def test_a_hard_braking_counts_once_and_a_soft_one_never(small: Stage) -> None:
    def braking(rate: float) -> Measures:
        speeds = [15.0] * 20 + [max(0.0, 15.0 - rate * k / 60.0) for k in range(200)]
        states = [along(small, t, -60.0 + 0.1 * t, v) for t, v in enumerate(speeds)]
        return measured(small, states, Outcome(False, "timeout", 220, 0, None))

    assert braking(6.0).hard_brakings == 1
    assert braking(4.0).hard_brakings == 0


def passing(stage: Stage, aside: float, speed: float, touching: bool = False) -> Measures:
    """The ego stands; a car drives by at `aside` metres from middle to middle, and back again."""
    radius = CAR.discs[0][1]
    contact = (Contact(1, 31, speed),) if touching else ()
    states = []
    for tick in range(122):
        at = -30.0 + 2.0 * (tick if tick <= 60 else 121 - tick)
        way = 0.0 if tick <= 60 else math.pi
        ego = EntityState(0, "sedan", 0.0, 0.0, 0.0, 0.0)
        other = EntityState(1, "sedan", at, aside + 2.0 * radius, way, speed)
        near = abs(at) < 3.0
        states.append(
            replace(world(stage, ego, other), tick=tick, contacts=contact if near else ())
        )
    return measured(stage, states, Outcome(False, "timeout", 122, 0, None))


def test_a_near_miss_counts_once_a_meeting_and_no_contact_is_one(small: Stage) -> None:
    assert [name for _, name in passing(small, 0.4, 8.0).near_misses] == ["lead", "lead"]
    assert passing(small, 0.6, 8.0).near_misses == ()
    assert passing(small, 0.4, 1.5).near_misses == ()  # too slow to be a danger
    assert passing(small, 0.4, 8.0, touching=True).near_misses == ()
    assert passing(small, 0.4, 8.0).min_distance_m == pytest.approx(0.4, abs=0.01)


def test_off_road_share_counts_ticks_in_motion(small: Stage) -> None:
    states = [along(small, t, -60.0 + t, 8.0, -1.65 if t < 30 else -18.0) for t in range(40)]
    found = measured(small, states, Outcome(False, "timeout", 40, 0, None))
    assert found.off_road_share == pytest.approx(10 / 39)


def test_the_roadway_is_the_strips_around_the_centre_lines(city: City, small: Stage) -> None:
    roadway, rng = roadway_of(small), random.Random(2)
    x0, y0 = small.route[0]
    middle = box(x0 - 150, y0 - 150, x0 + 150, y0 + 150)
    strips = [
        LineString(street.points).buffer(street.width / 2, 64)
        for street in city.streets
        if LineString(street.points).distance(middle) < 60
    ]
    for _ in range(300):
        x, y = x0 + rng.uniform(-150, 150), y0 + rng.uniform(-150, 150)
        true = min(strip.distance(Point(x, y)) for strip in strips)
        if true < 10.0:
            assert roadway.beyond(x, y) == pytest.approx(true, abs=0.02)


def test_a_red_light_costs_and_a_green_one_does_not(city: City) -> None:
    scenario = load("busy-intersection")
    rash = run(scenario, city, 0, DRIVERS["full-throttle"], measure=True).measures
    calm = run(scenario, city, 0, DRIVERS["bot"], measure=True).measures
    assert rash is not None
    assert calm is not None
    assert (rash.red_lights, calm.red_lights) == (1, 0)
    assert rash.collisions[0].kind == "pedestrian"
    assert rash.collisions[0].fault == "ego"
    assert rash.score == pytest.approx(100.0 * rash.completion * 0.5 * 0.7)
    assert (calm.completion, calm.score, calm.off_road_share) == (1.0, 100.0, 0.0)
    assert calm.min_ttc_s is not None


def test_the_meter_sees_what_the_referee_sees(city: City) -> None:
    case = stage(load("highway-cut-in"), city, 1)
    meter, ticks = Meter(case), []
    outcome, _ = drive(
        case, city, DRIVERS["bot"](case, city), lambda s: ticks.append(meter.observe(s))
    )
    found = meter.measures(outcome)
    assert found.min_ttc_s == outcome.min_ttc_s
    assert found.min_thw_s == min(tick.thw_s for tick in ticks)
    assert found.max_drac == np.max([tick.drac for tick in ticks])
    assert found.distance_m == pytest.approx(290.0, abs=25.0)
    assert ticks[0].acceleration == 0.0
    assert Controls() == case.state.controls
