"""Drives the golden cases and prints their digests: python -m tests.scenarios.golden [--write].

A digest that moves is a bug, a new world version or a new city pack: find out which, then write.
"""

import json
import sys
from pathlib import Path
from typing import Any

from game.atlas.load import load as load_city
from game.world.version import WORLD_VERSION
from scenarios.driver import DRIVERS
from scenarios.load import library, load
from scenarios.model import digest
from scenarios.run import run
from scenarios.spawn import stage

FILE = Path(__file__).parents[1] / "golden" / "scenarios.json"
SEEDS = (0, 1)


def drive_all(names: tuple[str, ...], seeds: tuple[int, ...]) -> dict[str, Any]:
    """Per scenario: its digest, and per seed digest of tick 0, ticks, reason, digest of the end."""
    city = load_city()
    cases: dict[str, Any] = {}
    for name in names:
        scenario = load(name)
        runs: dict[str, Any] = {}
        for seed in seeds:
            result = run(scenario, city, seed, DRIVERS["bot"])
            start = stage(scenario, city, seed).state.digest.hex()
            runs[str(seed)] = [start, result.ticks, result.reason, result.min_ttc_s, result.digest]
        cases[name] = {"digest": digest(scenario), "runs": runs}
    return {"world_version": WORLD_VERSION, "pack": city.digest, "scenarios": cases}


def main() -> None:
    """Print the cases, or write them to the golden file."""
    text = json.dumps(drive_all(library(), SEEDS), indent=1) + "\n"
    if "--write" in sys.argv:
        FILE.write_text(text, encoding="utf-8")
    sys.stdout.write(text)


if __name__ == "__main__":
    main()
