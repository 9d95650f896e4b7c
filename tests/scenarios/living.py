"""Golden drives through Midtown as it lives: python -m tests.scenarios.living [--write].

A digest that moves is a bug, a new world version or a new city pack: find out which, then write.
"""

import json
import sys
from pathlib import Path
from typing import Any

from game.atlas.load import load
from game.world.city import City
from game.world.controls import Controls
from game.world.digest import checkpoint
from game.world.state import WorldState
from game.world.step import step
from game.world.version import WORLD_VERSION
from scenarios.free import Level, free_stage

FILE = Path(__file__).parents[1] / "golden" / "living.json"
PLACES: dict[str, tuple[str, int, Level]] = {
    "times-square": ("West 42nd Street & 7th Avenue", 1, "full"),
    "park-avenue": ("Park Avenue & East 48th Street", 2, "light"),
}
TICKS = 480


def course(tick: int) -> Controls:
    """Sets off, drifts about its lane, brakes now and then."""
    if tick % 240 > 200:
        return Controls(brake=600)
    return Controls((tick // 37 % 3 - 1) * 40, 450)


def drive(city: City, name: str, ticks: int = TICKS) -> list[WorldState]:
    """Every state of a golden drive."""
    place, seed, level = PLACES[name]
    states = [free_stage(city, place, seed, level).state]
    for tick in range(ticks):
        states.append(step(city, states[-1], course(tick)))
    return states


def drives(city: City) -> dict[str, Any]:
    """Digest of every second of every golden drive."""
    return {
        name: [checkpoint(state).digest.hex() for state in drive(city, name)[::60]]
        for name in PLACES
    }


def main() -> None:
    """Print the digests, or write them to the golden file."""
    city = load()
    found = {"world_version": WORLD_VERSION, "pack": city.digest, "drives": drives(city)}
    text = json.dumps(found, indent=1) + "\n"
    if "--write" in sys.argv:
        FILE.write_text(text, encoding="utf-8")
    sys.stdout.write(text)


if __name__ == "__main__":
    main()
