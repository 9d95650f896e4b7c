"""Exactly once: 1,000 sessions through dying workers and payers; the rows of the table."""

import logging
import tempfile
from pathlib import Path
from typing import Any

from tests.rewards.torture import WRONG, torture

SESSIONS = 1_000


def rows() -> list[dict[str, Any]]:
    """One row for each line of the table that is a number."""
    logging.disable(logging.WARNING)
    try:
        with tempfile.TemporaryDirectory() as folder:
            found = torture(Path(folder), SESSIONS, seed=1, slot_ms=30)
    finally:
        logging.disable(logging.NOTSET)
    return [
        {
            "name": f"exactly once: {name}",
            "value": value,
            "unit": "s" if "seconds" in name else "",
            "against": "must be 0" if name in WRONG else "",
            "ratio": None,
        }
        for name, value in found.items()
        if isinstance(value, int | float)
    ]
