"""How the car drives, against formulae."""

import itertools
import math

import pytest

from game.world import motion
from game.world.controls import Controls
from game.world.entity import BODIES, EntityState
from game.world.motion import LATERAL_CAP, MAX_BRAKE, MAX_STEER, move
from game.world.version import DT, TICK_HZ

from .street import car

WHEELBASE = BODIES["sedan"].wheelbase


def drive(start: EntityState, controls: Controls, ticks: int) -> list[EntityState]:
    states = [start]
    for _ in range(ticks):
        x, y, heading, speed, steer = move(states[-1], controls)
        states.append(EntityState(0, start.body, x, y, heading, speed, steer))
    return states


def test_braking_distance_is_v_squared_over_2a() -> None:
    end = drive(car(speed=20.0), Controls(brake=1000), 4 * TICK_HZ)[-1]
    assert end.speed == 0.0
    assert end.x == pytest.approx(
        20.0 * 20.0 / (2.0 * MAX_BRAKE), abs=20.0 * DT
    )  # one tick of travel


def test_fifty_km_h_come_in_about_four_seconds() -> None:
    speeds = [c.speed for c in drive(car(), Controls(throttle=1000), 6 * TICK_HZ)]
    ticks = next(k for k, v in enumerate(speeds) if v >= 50.0 / 3.6)
    assert 3.5 < ticks * DT < 4.5


def test_top_speed_is_where_power_meets_drag() -> None:
    v = drive(car(speed=30.0), Controls(throttle=1000), 120 * TICK_HZ)[-1].speed
    assert motion.POWER / v == pytest.approx(motion.ROLLING + motion.DRAG * v * v, rel=1e-6)
    assert 34.0 < v < 37.0


def test_turning_circle_is_that_of_the_bicycle() -> None:
    states = drive(car(speed=2.0), Controls(steer=1000, throttle=40), 40 * TICK_HZ)
    slow = [c for c in states if c.steer == MAX_STEER]
    middle_x = (min(c.x for c in slow) + max(c.x for c in slow)) / 2.0
    middle_y = (min(c.y for c in slow) + max(c.y for c in slow)) / 2.0
    rear = WHEELBASE / math.tan(MAX_STEER)
    expected = math.hypot(rear, WHEELBASE / 2.0)  # of the middle of the wheelbase
    for c in slow:
        assert math.hypot(c.x - middle_x, c.y - middle_y) == pytest.approx(expected, abs=0.02)


@pytest.mark.parametrize("steer", [-1000, 1000])
@pytest.mark.parametrize("speed", [8.0, 14.0, 25.0, 34.0])
def test_lateral_acceleration_never_exceeds_the_cap(speed: float, steer: int) -> None:
    states = drive(car(speed=speed), Controls(steer=steer, throttle=500), 3 * TICK_HZ)
    turns = [
        b.speed * abs(math.remainder(b.heading - a.heading, math.tau)) / DT
        for a, b in itertools.pairwise(states)
    ]
    assert max(turns) <= LATERAL_CAP * 1.000001
    assert max(turns) > 0.95 * LATERAL_CAP


def test_steering_takes_its_time_and_returns_twice_as_fast() -> None:
    there = drive(car(), Controls(steer=1000), TICK_HZ)
    reached = next(k for k, c in enumerate(there) if c.steer == MAX_STEER)
    assert reached == pytest.approx(MAX_STEER / motion.STEER_RATE / DT, abs=1)
    back = drive(there[-1], Controls(), TICK_HZ)
    straight = next(k for k, c in enumerate(back) if c.steer == 0.0)
    assert straight == pytest.approx(reached / 2, abs=1)


def test_brakes_never_push_the_car_backwards() -> None:
    for flags in (0, 1):
        for c in drive(car(speed=1.0), Controls(brake=1000, flags=flags), TICK_HZ):
            assert c.speed >= 0.0


def test_the_handbrake_stops_an_idle_car_sooner_than_the_engine_does() -> None:
    held = drive(car(speed=10.0), Controls(flags=1), 3 * TICK_HZ)[-1]
    free = drive(car(speed=10.0), Controls(), 3 * TICK_HZ)[-1]
    assert held.speed == 0.0
    assert free.speed > 7.0


def test_reverse_goes_back_at_no_more_than_its_speed() -> None:
    end = drive(car(), Controls(throttle=1000, gear=-1), 20 * TICK_HZ)[-1]
    assert end.x < 0.0
    assert end.speed == pytest.approx(-motion.REVERSE_SPEED, abs=0.1)


def test_neutral_gives_no_drive() -> None:
    assert drive(car(), Controls(throttle=1000, gear=0), TICK_HZ)[-1] == car()


def test_a_left_turn_goes_left_and_mirrors_the_right_one() -> None:
    left = drive(car(speed=6.0), Controls(steer=400), TICK_HZ)[-1]
    right = drive(car(speed=6.0), Controls(steer=-400), TICK_HZ)[-1]
    assert left.heading > 0.0 < left.y
    assert (right.x, right.y, right.heading) == (left.x, -left.y, -left.heading)
