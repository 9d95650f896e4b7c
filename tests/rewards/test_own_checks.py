"""The player's own look before an upload: the same checks, on a recording as the game makes it."""

from pathlib import Path

import pytest

from game.play.quality import for_upload
from game.session.reader import Session
from tests.rewards import tampering
from tests.rewards.recording import Made

pytestmark = [pytest.mark.render, pytest.mark.heavy]


def reasons(folder: Path) -> list[str]:
    """Reason of each failed check, as the outbox runs them."""
    checks, evidence = for_upload(folder)
    assert len(checks) == 4
    with Session.open(folder) as session:
        return [found.reason for check in checks if not (found := check(session, evidence)).passed]


def test_an_honest_drive_is_sent_and_a_spoilt_one_is_held(clean: Made, tmp_path: Path) -> None:
    assert reasons(clean.folder) == []
    made = clean.copy(tmp_path)
    tampering.claimed_collisions(made.folder)
    assert reasons(made.folder) == ["replay.collisions"]
