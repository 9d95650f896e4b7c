"""Lights are a function of the tick, and never let both axes go."""

import pytest

from game.world.signals import (
    AVENUE_HEADING,
    CLEARANCE_TICKS,
    CYCLE_TICKS,
    Light,
    axis_of,
    light,
    offset,
)
from game.world.trig import HALF_PI, PI


def test_one_axis_is_always_red() -> None:
    for tick in range(CYCLE_TICKS):
        assert Light.RED in (light(42, 0, tick), light(42, 1, tick))


def test_all_is_red_before_either_axis_turns_green() -> None:
    for tick in range(1, CYCLE_TICKS):
        for axis in (0, 1):
            if light(42, axis, tick) is Light.GREEN and light(42, axis, tick - 1) is Light.RED:
                before = range(tick - CLEARANCE_TICKS, tick)
                assert all(light(42, other, t) is Light.RED for t in before for other in (0, 1))


def test_green_goes_through_amber_to_red() -> None:
    after = {Light.GREEN: {0, 1}, Light.AMBER: {1, 2}, Light.RED: {2, 0}}
    for tick in range(CYCLE_TICKS):
        assert light(7, 0, tick + 1) in after[light(7, 0, tick)]


def test_a_cycle_repeats_and_junctions_differ() -> None:
    assert [light(3, 1, t) for t in range(200)] == [
        light(3, 1, t + CYCLE_TICKS) for t in range(200)
    ]
    assert len({offset(key) for key in range(100)}) > 90


def test_headings_belong_to_the_nearer_axis_of_the_grid() -> None:
    assert axis_of(AVENUE_HEADING) == axis_of(AVENUE_HEADING + PI) == 0
    assert axis_of(AVENUE_HEADING + HALF_PI) == axis_of(AVENUE_HEADING - HALF_PI) == 1


def test_there_is_no_third_axis() -> None:
    with pytest.raises(ValueError, match="axes"):
        light(1, 2, 0)
