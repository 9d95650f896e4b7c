"""Draws depend on their key and on nothing else."""

import pytest

from game.world.chance import choice, gaussian, integer, uniform


def test_a_draw_does_not_know_what_was_drawn_before() -> None:
    alone = uniform(1, 2, 3, "gap")
    for k in range(10):
        uniform(1, k, 3, "other")
    assert uniform(1, 2, 3, "gap") == alone


def test_every_field_of_the_key_counts() -> None:
    keys = [(1, 2, 3, "a"), (2, 2, 3, "a"), (1, 3, 3, "a"), (1, 2, 4, "a"), (1, 2, 3, "b")]
    keys += [(12, 3, 3, "a"), (1, 23, 3, "a")]  # no two keys run together
    assert len({uniform(*key) for key in keys}) == len(keys)


def test_uniform_draws_fill_their_range_evenly() -> None:
    draws = [uniform(5, k, 0, "u", 10.0, 20.0) for k in range(20000)]
    assert min(draws) >= 10.0
    assert max(draws) < 20.0
    assert sum(draws) / len(draws) == pytest.approx(15.0, abs=0.06)  # three standard errors


def test_integers_reach_both_ends_equally_often() -> None:
    draws = [integer(5, k, 0, "i", -1, 1) for k in range(6000)]
    for value in (-1, 0, 1):
        assert draws.count(value) == pytest.approx(2000, abs=120)
    with pytest.raises(ValueError, match="no integer"):
        integer(5, 0, 0, "i", 2, 1)


def test_gaussian_draws_have_the_mean_and_deviation_asked_for() -> None:
    draws = [gaussian(5, k, 0, "g", 3.0, 2.0) for k in range(20000)]
    mean = sum(draws) / len(draws)
    assert mean == pytest.approx(3.0, abs=0.05)
    assert sum((x - mean) ** 2 for x in draws) / len(draws) == pytest.approx(4.0, abs=0.15)


def test_choice_takes_every_option_and_refuses_none() -> None:
    assert {choice(1, k, 0, "c", "abc") for k in range(60)} == {"a", "b", "c"}
    with pytest.raises(ValueError, match="nothing to choose"):
        choice(1, 0, 0, "c", ())
