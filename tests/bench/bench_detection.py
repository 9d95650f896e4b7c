"""Detection: rates of clean drives rejected and of each kind of tampering and decay caught."""

from pathlib import Path
from typing import Any

from tests.rewards.detection import run, show
from tests.rewards.detection_report import meets_a_sample, table, wilson

DRIVES, SHOWN, FILMS = 4, range(20, 22), 2
"""Drives to tamper with; further ones to show, and films of each."""
FOLDER = Path("build/detection")
"""Drives and trials are kept there: what was tried by the same checks is not tried again."""


def rows() -> list[dict[str, Any]]:
    """The table's sums, one row a kind and strength, and what the sampling rate can find."""
    run(FOLDER, range(DRIVES))
    found = table(show(FOLDER, SHOWN, FILMS).newest())
    rest = [row for row in found if row["group"]]
    refused, judged = (sum(r[key] for r in found if not r["group"]) for key in ("caught", "trials"))
    groups = {
        "forgeries caught": ([r for r in rest if r["group"] == "forged"], 0.99),
        "mildest decay caught": (
            [r for r in rest if r["group"] == "decay" and r["strength"] == 1], 0.9
        ),
    }  # fmt: skip
    out = [_rate("clean drives rejected", refused, judged, "goal at most 0.01")]
    for name, (kinds, goal) in groups.items():
        hits, trials = (sum(row[key] for row in kinds) for key in ("caught", "trials"))
        out.append(_rate(name, hits, trials, f"goal {goal}"))
    for share in (0.05, 0.12, 0.22):
        name = f"a fault in {share:.0%} of frames meets a sample"
        out.append(_row(name, meets_a_sample(share), ""))
    for row in rest:
        name = f"{row['kind']}, strength {row['strength']}"
        out.append(_rate(name, row["caught"], row["trials"], row["reasons"]))
    return out


def _rate(name: str, hits: int, trials: int, against: str) -> dict[str, Any]:
    low, high = wilson(hits, trials)
    return _row(name, hits / max(1, trials), f"{against} [{low:.2f}, {high:.2f}] of {trials}")


def _row(name: str, value: float, against: str) -> dict[str, Any]:
    return {
        "name": f"detection: {name}", "value": round(value, 3), "unit": "share",
        "against": against, "ratio": None,
    }  # fmt: skip
