"""Writes the golden drives through the town made of code: python -m tests.world.golden [--write].

A digest that moves is a bug or a new world version: find out which, then write, and copy the last
ones into EXPECTED of game.world.golden.
"""

import json
import sys
from pathlib import Path
from typing import Any

from game.world.golden import COURSES, checkpoints, prove
from game.world.version import WORLD_VERSION

FILE = Path(__file__).parents[1] / "golden" / "world.json"
TICKS = 720


def drives() -> dict[str, Any]:
    """Tick, digest and chain of inputs of every second of every golden drive."""
    return {
        name: {
            "ticks": TICKS,
            "checkpoints": [
                [point.tick, point.digest.hex(), point.inputs.hex()]
                for point in checkpoints(course, TICKS)
            ],
        }
        for name, course in COURSES.items()
    }


def main() -> None:
    """Print what moved, or write the golden file."""
    if "--write" in sys.argv:
        found = {"world_version": WORLD_VERSION, "drives": drives()}
        FILE.write_text(json.dumps(found, indent=1) + "\n", encoding="utf-8")
    for name, expected, got in prove():
        sys.stdout.write(f"{name} {got}{'' if got == expected else ' MOVED'}\n")


if __name__ == "__main__":
    main()
