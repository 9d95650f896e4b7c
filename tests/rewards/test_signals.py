"""Drives sold twice, hands that are none: what moves a verdict, and what only moves trust."""

from pathlib import Path

import numpy as np

from game.world.controls import Controls
from rewards.checks.humanity import measures
from rewards.ledger import Ledger
from rewards.neighbours import keep
from rewards.prints import Print, likeness, near_duplicate
from tests.rewards.detection_report import wilson


def drive(seed: int, seconds: int = 20) -> tuple[list[tuple[float, float]], list[Controls]]:
    """A made-up drive: a smooth random walk of the wheel, and where it leads."""
    chance = np.random.default_rng(seed)
    steer = np.cumsum(chance.normal(0, 9, seconds * 60)).clip(-900, 900)
    path = [(float(t * 9), float(np.cumsum(steer)[t * 60] / 4e3)) for t in range(seconds)]
    return path, [Controls(steer=int(s), throttle=400 + int(s) % 90) for s in steer]


def test_the_same_drive_with_a_new_coat_is_near_and_another_is_not() -> None:
    path, hands = drive(1)
    mine = Print.of(path, hands)
    coat = [Controls(steer=c.steer + 3, throttle=c.throttle) for c in hands]
    copied = Print.of([(x + 0.1, y) for x, y in path], coat)
    assert likeness(mine, copied) > 0.99
    other = Print.of(*drive(2))
    assert likeness(mine, other) < 0.3
    assert near_duplicate(mine, {"a": other}).passed
    found = near_duplicate(mine, {"a": other, "b": copied})
    assert (found.passed, found.reason) == (False, "near-duplicate.other-payee")


def test_a_car_that_hardly_moved_is_nobodys_copy() -> None:
    still = Print.of([(0.0, 0.0)] * 20, [Controls()] * 1200)
    assert near_duplicate(still, {"a": still}).passed


def test_a_print_survives_its_packing() -> None:
    mine = Print.of(*drive(3))
    again = Print.from_hex(mine.to_hex())
    assert np.abs(again.place - mine.place).max() <= 0.051
    assert np.array_equal(again.hands, mine.hands)


def test_prints_are_compared_across_payees_and_only_with_earlier_sessions(tmp_path: Path) -> None:
    ledger = Ledger.open(f"sqlite:///{tmp_path / 'ledger.sqlite'}")
    mine = Print.of(*drive(1))
    assert keep(ledger, "s2", "w", "busy", mine) == {}
    assert keep(ledger, "s3", "w", "busy", mine) == {}, "the same payee may drive alike"
    assert list(keep(ledger, "s4", "thief", "busy", mine)) == ["s3", "s2"]
    assert keep(ledger, "s5", "other", "quiet", mine) == {}, "another scenario"
    assert keep(ledger, "s1", "owner", "busy", mine) == {}, "whoever was first stays first"
    ledger.close()


def test_a_sine_is_periodic_and_a_walk_of_the_hand_is_not() -> None:
    wave = [Controls(steer=int(500 * np.sin(t / 20))) for t in range(1800)]
    _, hands = drive(5, 30)
    assert measures(wave)["periodicity"] > 0.8
    assert measures(hands)["periodicity"] < measures(wave)["periodicity"]
    assert measures([Controls()] * 60) == {}, "too short to say"
    assert measures([Controls()] * 1800)["busy"] == 0.0


def test_wilson_intervals() -> None:
    low, high = wilson(10, 10)
    assert (round(low, 3), high) == (0.722, 1.0)
    assert wilson(0, 0) == (0.0, 1.0)
