"""Estimated pairs are kept apart from exact ones wherever a recording is used."""

import shutil
from dataclasses import replace
from pathlib import Path

import pytest

from game.dataset.drive import SURE, Drive
from game.dataset.job import Options, about
from game.dataset.quality import flags, report
from game.session import framefile
from game.session.format import FRAMES, Pairing, TrackId
from game.session.reader import Session
from rewards.checks.pairs import pairs as pairs_check
from tests.dataset.conftest import TICKS, made


@pytest.fixture
def guessed(sessions: list[Path], tmp_path: Path) -> Path:
    """A recording whose pairs are exact, surely estimated and unsurely estimated in turn."""
    folder = tmp_path / sessions[0].name
    shutil.copytree(sessions[0], folder)
    records, _ = framefile.sound((folder / FRAMES).read_bytes())
    out = framefile.header()
    for record in records:
        turn = record.tick // 2 % 3
        if record.track == TrackId.STYLED and record.pairing and turn:
            sure = SURE + 0.05 if turn == 1 else SURE - 0.4
            record = replace(record, pairing=Pairing.ESTIMATED, confidence=sure)
        out += framefile.encode(record)
    (folder / FRAMES).write_bytes(out)
    return folder


def test_an_unsure_pair_is_no_training_example(guessed: Path) -> None:
    with Session.open(guessed) as session:
        drive = Drive(session)
        turns = {tick // 2 % 3 for tick in drive.pairs}
        strict = Drive(session, sure=2.0)
        facts = about(drive, replace(Options(), salt=bytes(32)))
    assert turns == {0, 1}
    assert {tick // 2 % 3 for tick in strict.pairs} == {0}
    assert facts["exact"] + facts["estimated"] == facts["pairs"]
    assert min(facts["exact"], facts["estimated"], facts["unsure_left_out"]) > TICKS // 8


def test_the_quality_report_says_how_many_are_guessed(guessed: Path) -> None:
    with Session.open(guessed) as session:
        facts = report(session, made.CITY, pictures=False)
    assert 0.3 < facts["exact_share"] < 0.4
    assert facts["unsure"] < facts["estimated"]
    assert facts["confidence"]["max"] == pytest.approx(SURE + 0.05)
    assert any("estimated from motion" in flag for flag in flags(facts))


def test_the_pairs_check_counts_them_apart(guessed: Path) -> None:
    with Session.open(guessed) as session:
        found = pairs_check(session, None)  # type: ignore[arg-type]
    assert found.detail.endswith("exactly")
    told = found.evidence
    assert told["exact"] + told["estimated"] == told["pairs"]
    assert told["estimated"] > told["exact"] > 0
