"""A kiosk with visitors that a program plays: all its processes, and nothing left between them."""

import pytest

from game.kiosk.soak import run_soak
from game.settings import KioskSettings, Settings, StreamSettings

pytestmark = [pytest.mark.flow, pytest.mark.slow]


def test_visitors_come_and_go_without_a_trace_while_parts_are_killed() -> None:
    painted = StreamSettings(backend="filter")  # whatever the machine
    settings = Settings(kiosk=KioskSettings(drive="scenarios"), stream=painted)
    report = run_soak(settings, visitors=6, kills=1, seed=11, say=lambda _: None)
    assert report.traces == []
    assert report.visitors >= 6
    assert report.handed_in >= 1
    assert report.failed == 0
    assert not any(report.missed.values())
    killed = {name for name, times in report.back_s.items() if times}
    assert {"stream", "courier", "booth"} <= killed
