"""Detection: rates of clean drives rejected and of each kind of tampering and decay caught."""

import tempfile
from pathlib import Path
from typing import Any

from rewards.sample import MOST
from rewards.worker import KeptRenderer
from tests.rewards.detection import table, wilson

DRIVES = 4


def rows() -> list[dict[str, Any]]:
    """The table's sums, one row a kind and strength, and what the sampling rate can find."""
    from game.view.renderer import make_renderer

    kept = KeptRenderer(make_renderer)
    with tempfile.TemporaryDirectory() as folder:
        found = table(Path(folder), kept, DRIVES)
    kept.close()
    clean, rest = found[0], found[1:]
    groups = {
        "forgeries caught": ([r for r in rest if r["group"] == "forged"], 0.99),
        "mildest decay caught": (
            [r for r in rest if r["group"] == "decay" and r["strength"] == 1], 0.9
        ),
    }  # fmt: skip
    out = [_rate("clean drives rejected", clean["caught"], clean["trials"], "goal at most 0.01")]
    for name, (kinds, goal) in groups.items():
        hits, trials = (sum(row[key] for row in kinds) for key in ("caught", "trials"))
        out.append(_rate(name, hits, trials, f"goal {goal}"))
    for share in (0.05, 0.12, 0.22):
        at_least_one = 1 - (1 - share) ** (2 * MOST)
        out.append(_row(f"a fault in {share:.0%} of frames meets a sample", at_least_one, ""))
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
