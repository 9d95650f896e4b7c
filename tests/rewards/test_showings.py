"""Clean showings differ as planned, lose what they are told to lose, and are judged as clean."""

from pathlib import Path

import pytest

from game.session.format import TrackId
from game.session.reader import Session
from streaming.backends.filter import STYLES
from tests.rewards.drives import Judge, verdict
from tests.rewards.recording import Made
from tests.rewards.showings import SECRETS, Reel, Showing, showing, shown


def test_a_drive_shows_every_painter_and_half_its_lines_are_good() -> None:
    hows = [showing(drive, n) for drive in range(20, 44) for n in range(8)]
    assert len({how.painter for how in hows}) == 5
    assert {how.style for how in hows} == set(STYLES)
    assert 0.4 < sum(how.down == 2_500_000 for how in hows) / len(hows) < 0.6
    assert {how.lost for how in hows} == {0.0, 0.03, 0.08}
    assert hows == [showing(drive, n) for drive in range(20, 44) for n in range(8)]


@pytest.mark.render
@pytest.mark.heavy
def test_a_lossy_showing_lacks_its_frames_and_still_earns(clean: Made, tmp_path: Path) -> None:
    reel, judge = Reel(clean), Judge(tmp_path / "scratch")
    how = Showing("filter", 0, 0, "day", "rain", 2_500_000, 2_500_000, 0.08, False, 7)
    copy = shown(reel, how, tmp_path / "copy")
    with Session.open(copy.folder) as session:
        kept = len(session.frames(TrackId.STYLED))
    assert 0.91 * len(reel.records) <= kept < 0.95 * len(reel.records)
    found = judge.findings(copy, reel.looked_at[0])
    judge.close()
    journal = next(each for each in found if each.check == "journal")
    assert journal.evidence["attested"] == kept
    assert all(each.passed for each in found if each.check in ("integrity", "replay", "pairs"))
    assert verdict(found[:4]) == ""
    assert len(reel.looked_at) == SECRETS
