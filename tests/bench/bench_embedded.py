"""The embedded network: milliseconds of one core a captured frame, and what `auto` takes."""

from typing import Any

from streaming.backends.tiny import BUDGET_MS, Tiny
from streaming.backends.tiny_bench import rows as measured

PACE_MS = 33.3  # 30 frames/s


def rows() -> list[dict[str, Any]]:
    """CPU time a 480 px frame, median of 60, against what 30 frames/s leave; and the choice."""
    made = [
        {
            "name": f"tiny, {row['width']} px, {row['steps']} step(s)",
            "value": row["cpu_ms"],
            "unit": "ms of one core",
            "against": f"{PACE_MS} ms between frames",
            "ratio": PACE_MS / row["cpu_ms"],
        }
        for row in measured(frames=60)
    ]
    tiny = Tiny(gives_way=True)
    tiny.warm(480, 480)
    return [
        *made,
        {
            "name": f"auto takes {'tiny at ' if tiny.holds else 'filter, not '}{tiny.choice}",
            "value": round(tiny.choice.ms, 2),
            "unit": "ms of one core",
            "against": f"{BUDGET_MS} ms that painting may take",
            "ratio": BUDGET_MS / tiny.choice.ms,
        },
    ]
