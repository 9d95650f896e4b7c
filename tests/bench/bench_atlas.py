"""How long the bundled cities take to compile, to load and to be asked, and how large they are."""

import json
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from game.atlas.load import bundled, load
from game.atlas.streets import StreetIndex, find_junction

ROUNDS = 5
LOAD_LIMIT_S = 0.5
SIZE_LIMIT_BYTES = 3_000_000
SOURCE = Path(__file__).resolve().parents[3] / "shared" / "city"
ISLAND = Path("manhattan")
COMPILE_LIMIT_S, ISLAND_LIMIT_MB, MEMORY_LIMIT_MB = 60.0, 15.0, 700.0
# In a process of its own: what a load leaves behind, and the most that it needed on the way [MB].
_MEMORY = """
import gc, json, psutil, resource, sys
from pathlib import Path
from game.atlas.load import load
before = psutil.Process().memory_info().rss
city = load(Path(sys.argv[1]))
gc.collect()
now = psutil.Process().memory_info().rss
scale = 1 if sys.platform == "darwin" else 1024
peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * scale
print(json.dumps([(now - before) / 1e6, peak / 1e6]))
"""
_COMPILE = """
import json, sys, time
from pathlib import Path
from game.atlas.area import MANHATTAN
from game.atlas.compile import compile_pack
wall, cpu = time.perf_counter(), time.process_time()
compile_pack(Path(sys.argv[1]), MANHATTAN, Path(sys.argv[2]))
print(json.dumps([time.perf_counter() - wall, time.process_time() - cpu]))
"""


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


def _child(code: str, *arguments: str) -> list[float]:
    """What a fresh interpreter prints: two figures."""
    done = subprocess.run(
        [sys.executable, "-c", code, *arguments], capture_output=True, text=True, check=True
    )
    return [float(value) for value in json.loads(done.stdout)]


def _island() -> list[dict[str, Any]]:
    """The whole borough: from its files, where they are beside this checkout, and from its pack."""
    found: list[dict[str, Any]] = []
    if SOURCE.is_dir():
        with tempfile.TemporaryDirectory() as folder:
            wall, cpu = _child(_COMPILE, str(SOURCE), str(Path(folder) / "pack"))
        found += [
            _row("city: compile the island, wall", wall, "s", "limit 60 s", COMPILE_LIMIT_S),
            _row("city: compile the island, CPU", cpu, "s", "limit 60 s", COMPILE_LIMIT_S),
        ]
    left, peak = _child(_MEMORY, str(ISLAND))
    size = sum(path.stat().st_size for path in bundled("manhattan").iterdir()) / 1e6
    seconds = _best(lambda: load(ISLAND), 3)
    return [
        *found,
        _row("city: island pack on disk", size, "MB", "limit 15 MB", ISLAND_LIMIT_MB),
        _row("city: load the island", seconds, "s", "cold start limit 3 s", 3.0),
        _row("city: island in memory", left, "MB", "limit 700 MB in all", MEMORY_LIMIT_MB),
        _row("city: load the island, peak of all", peak, "MB", "limit 700 MB", MEMORY_LIMIT_MB),
    ]


def rows() -> list[dict[str, Any]]:
    """Rows of the bench table."""
    city = load()
    index = StreetIndex(city)
    size = sum(path.stat().st_size for path in bundled().iterdir())
    points = [(float(x), float(x % 700) - 350.0) for x in range(-1000, 1000, 20)]
    asked = _best(lambda: [index.lane_near(x, y, 0.5) for x, y in points]) / len(points)
    found = _best(lambda: find_junction(city, "W 42 St & 7 Av"))
    return [
        *_island(),
        _row("city: load Midtown", _best(load), "s", "limit 0.5 s", LOAD_LIMIT_S),
        _row("city: pack on disk", size, "byte", "limit 3 MB", SIZE_LIMIT_BYTES),
        _row("city: nearest lane, indexed", asked * 1e6, "us", "", None),
        _row("city: find a junction", found * 1e3, "ms", "", None),
    ]
