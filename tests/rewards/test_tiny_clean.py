"""A clean recording of the embedded network passes every check, in every style, through VP8."""

from pathlib import Path

import numpy as np
import pytest

from game.session.reader import Session
from rewards.checks.table import CHECKS
from rewards.graph import run_plain
from streaming.backends.tiny import Choice, Tiny
from tests.rewards.recording import make

pytestmark = [pytest.mark.render, pytest.mark.slow, pytest.mark.timeout(3600)]


@pytest.mark.parametrize("style", ["day", "dusk", "night", "rain", "noir", "neon"])
def test_a_clean_recording_passes(style: str, tmp_path: Path, renderer: object) -> None:
    tiny = Tiny(budget_ms=1e9)
    tiny.choice = Choice(320, 1)
    painter = tiny.painter()

    def paint(bgra: np.ndarray, tick: int) -> np.ndarray:
        return np.ascontiguousarray(painter.style(bgra, "", 0, style))

    made = make(tmp_path / "root", renderer, seconds=6, styled=paint, model=tiny.model)
    with Session.open(made.folder) as session:
        findings = run_plain(CHECKS, session, made.evidence(tmp_path, renderer))
    for finding in findings:
        print(style, finding.check, round(finding.score, 3), finding.detail, dict(finding.evidence))
    assert [finding.reason for finding in findings if not finding.passed] == []
