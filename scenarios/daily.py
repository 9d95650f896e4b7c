"""The drive of the day: one scenario and one seed for everybody, from the date alone."""

import hashlib
from collections.abc import Sequence
from datetime import UTC, date, datetime

SEEDS = 2**31 - 1


def today(now_s: float | None = None) -> date:
    """The day that counts, in UTC, so that it is the same one everywhere."""
    return (datetime.now(UTC) if now_s is None else datetime.fromtimestamp(now_s, UTC)).date()


def day_seed(day: date) -> int:
    """The same seed for everybody on that day, 1 to 2**31 - 1."""
    digest = hashlib.sha256(f"scale-diffusion {day.isoformat()}".encode()).digest()
    return int.from_bytes(digest[:8], "big") % SEEDS + 1


def daily(day: date, scenarios: Sequence[str]) -> tuple[str, int]:
    """Scenario and seed of a day."""
    digest = hashlib.sha256(f"which {day.isoformat()}".encode()).digest()
    return scenarios[int.from_bytes(digest[:4], "big") % len(scenarios)], day_seed(day)
