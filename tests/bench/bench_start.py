"""From the command to driving: the whole opening, skipped, the second start, and that skipped."""

import tempfile
from pathlib import Path
from typing import Any

import psutil

from tests.shows.display import Display
from tests.shows.measure import SIZE, Run, playing, start_times

CASES = (
    ("first start, whole", False, False, 20.0),
    ("first start, skipped", False, True, 8.0),
    ("second start", True, False, 20.0),
    ("second start, skipped", True, True, 8.0),
)
"""Name, whether the player is known, whether keys skip what can be skipped, the goal [s]."""
STEPS = ("window", "asked", "answered", "services", "ready", "city drawn", "driving")


def rows() -> list[dict[str, Any]]:
    """Rows of the bench table: seconds since the process began, everything on, questions answered
    at once."""
    found = []
    for name, known, skip, goal in CASES:
        with (
            tempfile.TemporaryDirectory() as folder,
            Display(*SIZE) as display,
            playing(display, Path(folder), Run(known=known), skip) as player,
        ):
            times, busy = start_times(player), _busy(player.process.pid)
        for step in STEPS:
            if step not in times:
                continue
            goal_s = goal if step == "driving" else None
            found.append(_row(f"{name}: {step}", times[step], goal_s))
        found.append({"name": f"{name}: processor time until then, {psutil.cpu_count()} cores",
                      "value": round(busy, 1), "unit": "CPU-s"})  # fmt: skip
    return found


def _busy(pid: int) -> float:
    """Processor time of the program and all its children [s]."""
    program = psutil.Process(pid)
    return sum(sum(each.cpu_times()[:2]) for each in (program, *program.children(recursive=True)))


def _row(name: str, value: float, goal: float | None) -> dict[str, Any]:
    against = f"goal {goal:g} s" if goal is not None else ""
    ratio = round(value / goal, 3) if goal is not None else None
    return {"name": name, "value": round(value, 2), "unit": "s", "against": against, "ratio": ratio}
