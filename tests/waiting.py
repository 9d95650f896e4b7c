"""Waiting for what other threads and processes do, however slow the machine."""

import time
from collections.abc import Callable

HANGS_S = 120.0
"""Only what hangs takes so long."""


def wait_for(condition: Callable[[], object], limit: float = HANGS_S, what: str = "") -> None:
    """Return once the condition holds; fail after `limit` seconds."""
    deadline = time.monotonic() + limit
    while not condition():
        assert time.monotonic() < deadline, f"not in {limit} s: {what or condition}"
        time.sleep(0.005)
