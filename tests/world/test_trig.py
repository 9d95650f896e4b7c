"""The world's own functions agree with the C library to a few units in the last place."""

import math
from random import Random

import pytest

from game.world import trig

ANGLES = [Random(1).uniform(-50.0, 50.0) for _ in range(20000)]
SMALL = [k / 10007.0 for k in range(-8000, 8001)]


def test_sine_and_cosine_are_within_2e_16_of_the_library() -> None:
    for x in ANGLES + SMALL:
        s, c = trig.sincos(x)
        assert abs(s - math.sin(x)) <= 2.3e-16
        assert abs(c - math.cos(x)) <= 2.3e-16


def test_large_angles_keep_their_digits_up_to_the_limit() -> None:
    for x in [y * 2.0e4 for y in ANGLES]:
        assert abs(trig.sin(x) - math.sin(x)) <= 4e-16
        assert abs(trig.cos(x) - math.cos(x)) <= 4e-16


def test_tangent_is_within_four_units_in_the_last_place() -> None:
    for x in ANGLES:
        assert abs(trig.tan(x) - math.tan(x)) <= 4.0 * math.ulp(math.tan(x))


def test_arc_tangent_is_right_in_every_quadrant() -> None:
    dice = Random(2)
    for _ in range(20000):
        y, x = dice.uniform(-9.0, 9.0), dice.uniform(-9.0, 9.0)
        assert abs(trig.atan2(y, x) - math.atan2(y, x)) <= 2.0 * math.ulp(math.atan2(y, x))


@pytest.mark.parametrize(
    ("y", "x"), [(0.0, 1.0), (1.0, 0.0), (-1.0, 0.0), (0.0, -1.0), (1.0, 1.0), (-1.0, -1.0)]
)
def test_arc_tangent_on_axes_and_diagonals_is_exact(y: float, x: float) -> None:
    assert trig.atan2(y, x) == math.atan2(y, x)


def test_no_vector_has_the_direction_zero() -> None:
    assert trig.atan2(0.0, 0.0) == 0.0


def test_exponential_is_within_two_units_in_the_last_place() -> None:
    for x in [y * 14.0 for y in ANGLES]:
        assert abs(trig.exp(x) - math.exp(x)) <= 2.0 * math.ulp(math.exp(x))


def test_exponential_refuses_what_no_float_can_hold() -> None:
    assert trig.exp(-1000.0) == 0.0
    with pytest.raises(OverflowError):
        trig.exp(710.0)


def test_wrapping_keeps_the_direction_and_lands_in_the_half_open_range() -> None:
    for x in ANGLES:
        w = trig.wrap(x)
        assert -trig.PI < w <= trig.PI
        assert math.remainder(w - x, math.tau) == pytest.approx(0.0, abs=1e-14)
    assert trig.wrap(-trig.PI) == trig.PI


def test_an_angle_that_was_never_wrapped_is_refused() -> None:
    for wrong in (1.0e7, -1.0e7, float("nan"), float("inf")):
        with pytest.raises(ValueError, match="wrap"):
            trig.sincos(wrong)
        with pytest.raises(ValueError, match="wrap"):
            trig.wrap(wrong)
