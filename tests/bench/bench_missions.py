"""How many of the missions the bot finishes, and how long it takes. Asserts nothing.

A mission is minutes of the living city, so this bench takes minutes of processor time; more seeds:
MISSION_SEEDS=20 make bench ARGS=missions
"""

import os
import time
from typing import Any

from game.atlas.load import load as load_city
from game.world.version import TICK_HZ
from scenarios.driver import DRIVERS
from scenarios.load import load, missions
from scenarios.run import run


def rows() -> list[dict[str, Any]]:
    """One row for each mission: share of seeds that the bot passes."""
    city, seeds = load_city(), range(int(os.environ.get("MISSION_SEEDS", "2")))
    found = []
    for name in missions():
        began = time.process_time()
        results = [run(load(name), city, seed, DRIVERS["bot"]) for seed in seeds]
        spent = time.process_time() - began
        passed = [one for one in results if one.success]
        took = [one.ticks / TICK_HZ for one in passed]
        ended = ", ".join(sorted({f"{one.reason} {one.cause}".strip() for one in results}))
        driven = sum(one.ticks for one in results) / TICK_HZ
        found.append(
            {
                "name": f"mission {name}, bot: passed",
                "value": 100.0 * len(passed) / len(results),
                "unit": "%",
                "against": f"{len(results)} seeds, {min(took, default=0.0):.0f} to "
                f"{max(took, default=0.0):.0f} s, {driven / spent:.0f} times real time, {ended}",
            }
        )
    return found
