"""Which frames are looked at: the server's secret decides, and no stretch goes unseen."""

from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from rewards.sample import MOST, sample_ticks


@given(st.integers(0, 400), st.text(min_size=1, max_size=26))
def test_samples_are_frames_with_their_neighbours_spread_over_the_drive(
    frames: int, session: str
) -> None:
    ticks = list(range(0, 2 * frames, 2))
    chosen = sample_ticks(b"secret", session, ticks)
    assert set(chosen) <= set(ticks)
    assert list(chosen) == sorted(set(chosen))
    assert len(chosen) <= 2 * MOST
    assert chosen == sample_ticks(b"secret", session, ticks)
    if frames >= 4 * MOST:
        gaps = [after - before for before, after in pairwise(chosen)]
        assert max(gaps) <= 2 * 2 * (frames // MOST)
        assert any(tick + 2 in chosen for tick in chosen)


def test_another_secret_or_session_looks_elsewhere() -> None:
    ticks = list(range(0, 1800, 2))
    first = sample_ticks(b"secret", "a", ticks)
    assert first != sample_ticks(b"other", "a", ticks)
    assert first != sample_ticks(b"secret", "b", ticks)


def test_two_lossless_frames_are_looked_at() -> None:
    chosen = sample_ticks(b"secret", "a", list(range(0, 600, 2)), [1001, 1061, 1121])
    assert 1 <= len([tick for tick in chosen if tick > 1000]) <= 2
