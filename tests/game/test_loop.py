"""Pacing with a clock that is moved by hand."""

from game.loop import Pacer
from game.world.version import TICK_HZ

SECOND = 1_000_000_000


class Clock:
    def __init__(self) -> None:
        self.now = 5 * SECOND

    def __call__(self) -> int:
        return self.now


def test_ticks_do_not_depend_on_how_a_second_is_cut() -> None:
    clock = Clock()
    pacer = Pacer(clock)
    total = 0
    for part in (1, 7_000_000, 16_666_666, 333_333_333, 642_999_999, 1):
        clock.now += part
        total += pacer.due()
    assert total == TICK_HZ


def test_being_late_is_caught_up() -> None:
    clock = Clock()
    pacer = Pacer(clock)
    clock.now += SECOND // 2
    assert pacer.due() == TICK_HZ // 2
    assert pacer.due() == 0


def test_a_sleeping_laptop_does_not_race() -> None:
    clock = Clock()
    pacer = Pacer(clock)
    clock.now += 3600 * SECOND
    assert pacer.due() == 1
    assert pacer.forgiven_ns > 3598 * SECOND
    clock.now += SECOND
    assert TICK_HZ - 1 <= pacer.due() <= TICK_HZ


def test_waiting_ends_when_the_next_tick_is_due() -> None:
    clock = Clock()
    pacer = Pacer(clock)
    wait = pacer.wait_s()
    assert 0.016 < wait < 0.017
    clock.now += int(wait * SECOND) + 1
    assert pacer.due() == 1
