"""How fast a 60 s session is judged, in time of one core: all its processes are counted.

Two forms of one drive at the scenario's own setting: as clients send it (source video at home) and
with its source video. Reads on a busy machine as on a quiet one, but for what caches cost.
"""

import os
import tempfile
from pathlib import Path
from typing import Any

from game.atlas.load import load as load_city
from game.session.format import TrackId
from game.session.reader import Session
from game.session.track import segment_path, segments
from rewards.checks.table import CHECKS
from rewards.renderers import KeptRenderer
from tests.rewards.recording import Made, make, make_ticket

SCENARIO, SECONDS = "double-intersection-gauntlet", 60
"""The one whose time limit allows a minute; two crossings, among the heaviest to drive again."""
EVERYTHING_GOAL, SAMPLED_GOAL = 5.0, 2.0


def rows() -> list[dict[str, Any]]:
    """Rows of the bench table. Needs the software renderer."""
    from game.view.renderer import make_renderer

    kept = KeptRenderer(make_renderer)
    with tempfile.TemporaryDirectory() as folder:
        ticket = make_ticket(load_city(), scenario=SCENARIO)
        whole = make(Path(folder) / "sessions", kept, seconds=SECONDS, ticket=ticket)
        lean = whole.copy(Path(folder) / "lean")
        for track in (TrackId.SOURCE, TrackId.CHECK):
            for number in segments(lean.folder)[track]:
                segment_path(lean.folder, track, number).unlink()
        found = [
            *_rows(_spent(lean, Path(folder) / "a", kept), ""),
            *_rows(_spent(whole, Path(folder) / "b", kept), ", with source video"),
        ]
    kept.close()
    return found


def _spent(made: Made, scratch: Path, kept: KeptRenderer) -> dict[str, float]:
    """CPU seconds of each check."""
    spent: dict[str, float] = {}
    evidence = made.evidence(scratch, kept)
    with Session.open(made.folder) as session:
        for step in CHECKS:
            before = _cpu_s()
            finding = step(session, evidence)
            spent[step.name] = _cpu_s() - before
            if not finding.passed:
                raise RuntimeError(f"a clean session failed: {finding}")
    return spent


def _cpu_s() -> float:
    """Of this process and of its children that have ended."""
    return sum(os.times()[:4])


def _rows(spent: dict[str, float], what: str) -> list[dict[str, Any]]:
    # `journal` is first to ask for pictures: it pays for decoding and drawing the samples
    all_of_it = sum(spent[name] for name in ("integrity", "pairs", "replay", "journal", "humanity"))
    found = [
        _row(
            f"checks: hashes, replay, journal{what}", SECONDS / all_of_it, "x real time per core",
            f"goal {EVERYTHING_GOAL:.0f}, {SECONDS} s session", EVERYTHING_GOAL,
        ),
        _row(
            f"checks: everything, samples too{what}", SECONDS / sum(spent.values()),
            "x real time per core", f"goal {SAMPLED_GOAL:.0f}", SAMPLED_GOAL,
        ),
    ]  # fmt: skip
    return found + [
        _row(f"checks: {name}{what}", s, "CPU s", "", None) for name, s in spent.items()
    ]


def _row(name: str, value: float, unit: str, against: str, goal: float | None) -> dict[str, Any]:
    ratio = None if goal is None else round(value / goal, 3)
    return {"name": name, "value": round(value, 3), "unit": unit, "against": against,
            "ratio": ratio}  # fmt: skip
