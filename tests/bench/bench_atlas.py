"""How long the bundled city takes to load and to be asked, and how large it is on disk."""

import time
from collections.abc import Callable
from typing import Any

from game.atlas.load import bundled, load
from game.atlas.streets import StreetIndex, find_junction

ROUNDS = 5
LOAD_LIMIT_S = 0.5
SIZE_LIMIT_BYTES = 3_000_000


def _best(act: Callable[[], object], rounds: int = ROUNDS) -> float:
    """Shortest of several runs [s]."""
    found = []
    for _ in range(rounds):
        before = time.perf_counter()
        act()
        found.append(time.perf_counter() - before)
    return min(found)


def _row(name: str, value: float, unit: str, against: str, limit: float | None) -> dict[str, Any]:
    ratio = None if limit is None else round(value / limit, 4)
    return {"name": name, "value": round(value, 6), "unit": unit, "against": against,
            "ratio": ratio}  # fmt: skip


def rows() -> list[dict[str, Any]]:
    """Rows of the bench table."""
    city = load()
    index = StreetIndex(city)
    size = sum(path.stat().st_size for path in bundled().iterdir())
    points = [(float(x), float(x % 700) - 350.0) for x in range(-1000, 1000, 20)]
    asked = _best(lambda: [index.lane_near(x, y, 0.5) for x, y in points]) / len(points)
    found = _best(lambda: find_junction(city, "W 42 St & 7 Av"))
    return [
        _row("city: load Midtown", _best(load), "s", "limit 0.5 s", LOAD_LIMIT_S),
        _row("city: pack on disk", size, "byte", "limit 3 MB", SIZE_LIMIT_BYTES),
        _row("city: nearest lane, indexed", asked * 1e6, "us", "", None),
        _row("city: find a junction", found * 1e3, "ms", "", None),
    ]
