"""How far a second software renderer is from this one, as a table and as the checks measure it."""

from typing import Any

import cv2
import numpy as np

from game.view import tolerance
from game.view.tolerance import Views
from rewards.checks import thresholds
from rewards.checks.geometry import Likeness, compare

SIDE = 480
DRIVER = "softpipe"


def _row(name: str, value: float, against: str, limit: float) -> dict[str, Any]:
    return {"name": f"renderers: {name}", "value": round(value * 100, 4), "unit": "% of pixels",
            "against": against, "ratio": round(value / limit, 4)}  # fmt: skip


def _likeness(mine: Views, other: Views, blurred: bool) -> list[Likeness]:
    """As the check `geometry` compares: sampled frames after a mean of 3x3, lossless ones as is."""
    found = []
    for name, planes in mine.items():
        a = np.asarray(planes["colour"], np.uint8)
        b = np.asarray(other[name]["colour"], np.uint8)
        if blurred:
            a, b = (np.asarray(cv2.blur(each, (3, 3)), np.uint8) for each in (a, b))
        levels = thresholds.PIXEL_LEVELS if blurred else thresholds.CHECK_LEVELS
        found.append(compare(a, b, levels, thresholds.GEOMETRY_TILE))
    return found


def rows() -> list[dict[str, Any]]:
    """Rows of the bench table."""
    ours, mine = tolerance.draw(None, SIDE)
    theirs, other = tolerance.draw_with(DRIVER, None, SIDE)
    named = f"{ours.split(' ')[0]} / {theirs}, {len(mine)} views"
    sampled, lossless = _likeness(mine, other, True), _likeness(mine, other, False)
    found = [
        _row(f"{row.channel} differs by over {row.beyond:g} {row.unit}, worst view", row.worst,
             f"{named}; tolerance {row.tolerance:.2%}", row.tolerance)
        for row in tolerance.compare(mine, other)
    ]  # fmt: skip
    limits = (
        ("sampled frames, worst tile", max(x.worst for x in sampled), thresholds.GEOMETRY_WORST),
        ("sampled frames, mean of the worst", max(x.mean for x in sampled),
         thresholds.GEOMETRY_MEAN),
        ("lossless frames, mean of the worst", max(x.mean for x in lossless),
         thresholds.CHECK_MEAN),
    )  # fmt: skip
    for name, value, table in limits:
        found.append(_row(name, value, f"limit of the check {table['other']:.2%}", table["other"]))
    return found
