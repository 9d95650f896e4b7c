"""Which drives are streams of pairs: thin ones are, ones with a part missing are not."""

from types import SimpleNamespace
from typing import Any, cast

import pytest

from game.session.format import Pairing
from rewards.checks.pairs import pairs


def found(ticks: int, back: list[int]) -> tuple[bool, float, str, int]:
    """Of a drive of `ticks` with 30 pictures a second, of which those in `back` were styled."""
    source = [SimpleNamespace(tick=tick) for tick in range(0, ticks + 1, 2)]
    styled = [SimpleNamespace(tick=tick, pairing=Pairing.EXACT) for tick in back]
    session: Any = SimpleNamespace(frames=lambda track: source, pairs=lambda: styled)
    finding = pairs(session, cast(Any, None))
    return finding.passed, finding.score, finding.reason, finding.tick


@pytest.mark.parametrize("every", [2, 4, 6], ids=["30 a second", "15", "10"])
def test_a_slow_model_gives_fewer_pairs_and_still_a_stream(every: int) -> None:
    assert found(1200, list(range(0, 1201, every))) == (True, 1.0, "", -1)


def test_a_picture_now_and_then_is_no_stream() -> None:
    passed, score, reason, tick = found(1200, list(range(0, 1201, 8)))
    assert (passed, reason, tick) == (False, "pairs.few", 0)
    assert score < 0.1


@pytest.mark.parametrize(("end", "passed"), [(1100, True), (1000, False), (240, False)])
def test_a_film_that_ends_early_lacks_its_last_seconds(end: int, passed: bool) -> None:
    whole, score, _, tick = found(1200, list(range(0, end, 2)))
    assert whole is passed
    assert score == pytest.approx(end / 1200, abs=0.05)
    assert tick == (end + 40) // 60 * 60


def test_the_last_frame_alone_in_its_second_weighs_one_frame() -> None:
    passed, score, _, tick = found(120, list(range(0, 120, 2)))
    assert passed
    assert score == pytest.approx(60 / 61)
    assert tick == 120


def test_a_drive_without_pictures_is_none() -> None:
    assert not found(-2, [])[0]
