"""Who passes the scenarios, and how fast they run beside MetaDrive. Asserts nothing.

The whole table of two hundred seeds is a command of its own:
scenario run all --driver bot,idle,full-throttle --seeds 0:200 --jobs 2 --summary
MetaDrive has an environment of its own: name its interpreter in METADRIVE_PYTHON.
"""

import os
import subprocess
import time
from collections.abc import Iterator
from typing import Any

from game.atlas.load import load as load_city
from game.world.version import TICK_HZ
from scenarios.driver import DRIVERS
from scenarios.load import library, load
from scenarios.report import totals
from scenarios.run import RunResult, drive, run
from scenarios.spawn import stage

SEEDS = range(4)
TIMED = "double-intersection-gauntlet"
METADRIVE = """
import time
from metadrive import MetaDriveEnv
env = MetaDriveEnv(dict(use_render=False, num_scenarios=1, traffic_density=0.1, map="SXSX",
                        horizon=100000, log_level=50))
env.reset()
steps, began = 0, time.process_time()
while time.process_time() - began < 8.0:
    _, _, over, cut, _ = env.step([0.0, 0.1])
    steps += 1
    if over or cut:
        env.reset()
each = env.config["physics_world_step_size"] * env.config["decision_repeat"]
many = len(env.engine.traffic_manager.vehicles)
print("RATE", steps * each / (time.process_time() - began), many)
"""


def _table() -> Iterator[dict[str, Any]]:
    city = load_city()
    results: list[RunResult] = []
    for name in library():
        scenario = load(name)
        for driver in ("bot", "idle", "full-throttle"):
            results += [run(scenario, city, seed, DRIVERS[driver]) for seed in SEEDS]
    for name, driver, runs, passed, hazard, ttc, distinct, _ in totals(results, TICK_HZ):
        yield {
            "name": f"scenario {name}, {driver}: passed",
            "value": float(passed.rstrip("%")),
            "unit": "%",
            "against": f"{runs} seeds, hazard {hazard}, min TTC {ttc}, {distinct} distinct",
        }


def _ours() -> float:
    """Simulated seconds per second of processor time, the driver not counted."""
    city = load_city()
    staged = stage(load(TIMED), city, 0)
    best = 0.0
    for _ in range(6):
        began = time.process_time()
        outcome, _ = drive(staged, city, DRIVERS["idle"](staged, city))
        best = max(best, outcome.tick / TICK_HZ / (time.process_time() - began))
    return best


def _metadrive() -> tuple[float, str]:
    """(simulated seconds per second, what it drove) or (0, why it did not)."""
    python = os.environ.get("METADRIVE_PYTHON", "")
    if not python:
        return 0.0, "MetaDrive not installed: name its interpreter in METADRIVE_PYTHON"
    try:
        done = subprocess.run(
            [python, "-c", METADRIVE], capture_output=True, text=True, timeout=180, check=False
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        return 0.0, f"MetaDrive did not run: {type(error).__name__}"
    for line in done.stdout.splitlines():
        if line.startswith("RATE "):
            _, rate, vehicles = line.split()
            return float(rate), f"MetaDrive, {vehicles} vehicles, no rendering"
    last = (done.stderr.strip().splitlines() or ["it said nothing"])[-1]
    return 0.0, f"MetaDrive did not run: {last[:70]}"


def rows() -> list[dict[str, Any]]:
    """The rows of this bench for `make bench`."""
    found = list(_table())
    ours = _ours()
    theirs, said = _metadrive()
    found.append(
        {
            "name": f"scenarios: simulated seconds per second ({TIMED})",
            "value": ours,
            "unit": "s/s",
            "against": said if theirs == 0.0 else f"{said}: {theirs:.1f} s/s",
            "ratio": ours / theirs if theirs > 0.0 else None,
        }
    )
    return found
