"""How fast a session is judged: by what it costs once, by the second of drive, and by the frame."""

import tempfile
import time
from pathlib import Path
from typing import Any

from game.session.format import TrackId
from game.session.reader import Session
from rewards.checks.table import CHECKS
from rewards.worker import KeptRenderer
from tests.rewards.recording import make

SECONDS = 20
REPLAY_GOAL, WHOLE_GOAL = 5.0, 2.0


def rows() -> list[dict[str, Any]]:
    """Rows of the bench table. Needs the software renderer."""
    from game.view.renderer import make_renderer

    kept = KeptRenderer(make_renderer)
    spent: dict[str, float] = {}
    with tempfile.TemporaryDirectory() as folder:
        made = make(Path(folder) / "sessions", kept, seconds=SECONDS)
        evidence = made.evidence(Path(folder) / "scratch", kept)
        with Session.open(made.folder) as session:
            frames = len(session.frames(TrackId.SOURCE))
            for step in CHECKS:
                before = time.perf_counter()
                finding = step(session, evidence)
                spent[step.name] = time.perf_counter() - before
                if not finding.passed:
                    raise RuntimeError(f"a clean session failed: {finding}")
    kept.close()
    whole = sum(spent.values())
    found = [
        _row("checks: frames judged", frames / whole, "frames/s", "", None),
        _row("checks: whole session", SECONDS / whole, "x real time", "goal 2", WHOLE_GOAL),
        _row(
            "checks: hashes and replay",
            SECONDS / (spent["integrity"] + spent["replay"]),
            "x real time",
            "goal 5",
            REPLAY_GOAL,
        ),
    ]
    # `journal` is first to ask for pictures and pays for decoding and drawing them
    found += [_row(f"checks: {name}", 1e3 * s, "ms", "", None) for name, s in spent.items()]
    return found


def _row(name: str, value: float, unit: str, against: str, goal: float | None) -> dict[str, Any]:
    ratio = None if goal is None else round(value / goal, 3)
    return {"name": name, "value": round(value, 3), "unit": unit, "against": against,
            "ratio": ratio}  # fmt: skip
