"""A machine that draws slowly shows fewer pictures; its world keeps to real time all the same."""

from types import SimpleNamespace
from typing import Any, cast

import pytest

from game.play import runner
from game.play.runner import drive_through
from game.world.version import TICK_HZ

SECOND = 1_000_000_000


class Machine:
    """A clock that only work and sleep move, and a drive that costs what it is told to."""

    def __init__(self, picture_s: float, tick_s: float = 0.001) -> None:
        self.now = 5 * SECOND
        self._picture_s, self._tick_s = picture_s, tick_s
        self.every_ticks, self.rested, self.outcome = 2, False, None
        self.state = SimpleNamespace(tick=0)
        self.drawn: list[int] = []

    def monotonic_ns(self) -> int:
        return self.now

    def sleep(self, seconds: float) -> None:
        self.now += max(1, int(seconds * SECOND))

    def turn(self, events: object, draw: bool, behind: int) -> None:
        self.state.tick += 1
        self.sleep(self._tick_s)
        if draw and self.state.tick % self.every_ticks == 0:
            self.drawn.append(self.state.tick)
            self.sleep(self._picture_s)

    def drive(self, monkeypatch: pytest.MonkeyPatch, ticks: int) -> float:
        """Live so many ticks; the seconds that took."""
        monkeypatch.setattr(runner, "time", self)
        began = self.now
        events = lambda drive: () if drive.state.tick < ticks else None  # noqa: E731
        drive_through(cast(Any, self), cast(Any, events), 0, lambda drive: None)
        return (self.now - began) / SECOND


@pytest.mark.parametrize("picture_ms", [5, 60, 150, 400, 800])
def test_the_world_keeps_to_real_time_however_long_a_picture_takes(
    monkeypatch: pytest.MonkeyPatch, picture_ms: int
) -> None:
    machine = Machine(picture_ms / 1000)
    seconds = machine.drive(monkeypatch, 20 * TICK_HZ)
    assert seconds == pytest.approx(20, abs=1.0)
    # what is left of each second after its ticks goes into pictures
    assert len(machine.drawn) >= min(600, 0.8 * 20 * 0.94 / (picture_ms / 1000)) - 1


def test_who_is_late_draws_the_newest_picture_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    machine = Machine(0.4)
    machine.drive(monkeypatch, 10 * TICK_HZ)
    apart = [b - a for a, b in zip(machine.drawn[2:], machine.drawn[3:], strict=False)]
    assert min(apart) >= 24, "pictures in a row are drawn while the world waits"
