"""Estimated pairs in the bench table: how right, how honest, what a frame costs."""

import time
from typing import Any

from streaming.estimate import Estimator
from tests.streaming.hidden import Guess, drive, guesses

CASES: tuple[tuple[str, dict[str, Any]], ...] = (
    ("noir", {}),
    ("neon", {"delay_s": 0.9, "jump": (6.0, 0.4), "seed": 2}),
    ("foreign", {"jitter_s": 0.05, "lost": 0.3, "seed": 3}),
)
FRAMES, SIDE = 330, 480


def _cost_ms(picture: Any) -> float:
    """Processor time of one picture sent and one returned, memory full [ms]."""
    estimator = Estimator(30)
    for i in range(100):
        estimator.sent(2 * i, i / 30, picture)
    begin = time.process_time()
    for i in range(100, 150):
        estimator.sent(2 * i, i / 30, picture)
        estimator.returned(i / 30, picture)
    return (time.process_time() - begin) / 50 * 1000


def rows() -> list[dict[str, Any]]:
    """Two drives, three looks and lines each: against the barcode-true tick of every picture."""
    found: list[Guess] = []
    cost = 0.0
    for scenario, skip in (("busy-intersection", 150), ("highway-cut-in", 0)):
        driven = drive(scenario, FRAMES, SIDE, skip)
        cost = _cost_ms(driven.pictures[0])
        for look, line in CASES:
            found += guesses(driven, look, **line)
    moving = [g for g in found if g.speed > 1.0]
    wrong = [g for g in found if g.error > 1]
    sure = [g for g in found if g.confidence > 0.9]

    def share(part: int, whole: int) -> float:
        return round(part / max(1, whole), 4)

    return [
        {
            "name": f"stream.estimate.within_one_frame (motion, {len(moving)} pairs)",
            "value": share(sum(g.error <= 1 for g in moving), len(moving)),
            "unit": "share",
            "against": 0.95,
        },
        {
            "name": f"stream.estimate.wrong_yet_sure (of {len(sure)} above 0.9)",
            "value": share(sum(g.error > 1 for g in sure), len(sure)),
            "unit": "share",
        },
        {
            "name": f"stream.estimate.median_confidence_where_wrong ({len(wrong)} pairs)",
            "value": round(sorted(g.confidence for g in wrong)[len(wrong) // 2], 3)
            if wrong
            else 0.0,
            "unit": "",
        },
        {"name": "stream.estimate.cost", "value": round(cost, 3), "unit": "ms CPU a frame"},
    ]
