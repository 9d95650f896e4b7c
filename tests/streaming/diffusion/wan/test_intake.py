"""A model half as fast as its input never falls behind, and an old prompt's frames are gone."""

import pytest

from streaming.diffusion.wan.intake import Intake


def test_age_stays_bounded_at_twice_the_service_rate() -> None:
    intake: Intake[str] = Intake(room=8)
    ages, taken = [], []
    for i in range(400):
        intake.put(i, "frame", now=i / 30)
        if i % 8 == 7:
            taken += [one.tick for one in intake.take(4)]
            ages.append(intake.age(now=i / 30))
    assert max(ages) <= 8 / 30
    assert taken == sorted(set(taken))
    assert intake.dropped + len(taken) + len(intake) == 400


def test_a_chunk_is_taken_whole_or_not() -> None:
    intake: Intake[str] = Intake(room=8)
    for i in range(3):
        intake.put(i, "frame", now=0.0)
    assert intake.take(4) == []
    assert len(intake) == 3
    assert intake.flush() == 3
    assert intake.age(9.0) == 0.0


def test_room_for_none_is_refused() -> None:
    with pytest.raises(ValueError, match="room"):
        Intake(0)
