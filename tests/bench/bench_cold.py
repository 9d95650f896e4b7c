"""From the compiled pack to the first picture in a fresh process, and what memory that takes."""

import json
import subprocess
import sys
from typing import Any

PACKS = (("midtown", 1.0), ("manhattan", 3.0))
MEMORY_LIMIT_MB = 700.0
_FIRST = """
import json, resource, sys, time
from pathlib import Path
import psutil
wall, cpu = time.perf_counter(), time.process_time()
from game.atlas.load import load
from game.session.format import CaptureProfile
from game.view.renderer import SceneRenderer
from game.world.entity import EntityState
from game.world.state import WorldState
city = load(Path(sys.argv[1]))
loaded = time.process_time() - cpu
lane = max(city.lanes, key=lambda lane: lane.width)
state = WorldState(0, 1, EntityState(0, "sedan", *lane.points[0], 0.0, 0.0))
renderer = SceneRenderer(city, CaptureProfile())
built = time.process_time() - cpu - loaded
renderer.render(state, ["colour"], 480, 480)
scale = 1 if sys.platform == "darwin" else 1024
peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * scale / 1e6
print(json.dumps({
    "wall": time.perf_counter() - wall, "cpu": time.process_time() - cpu, "loaded": loaded,
    "built": built, "memory": psutil.Process().memory_info().rss / 1e6, "peak": peak,
}))
"""


def _row(name: str, value: float, unit: str, limit: float | None) -> dict[str, Any]:
    against = "" if limit is None else f"limit {limit:g} {unit}"
    ratio = None if limit is None else round(value / limit, 3)
    return {"name": f"cold start: {name}", "value": round(value, 2), "unit": unit,
            "against": against, "ratio": ratio}  # fmt: skip


def rows() -> list[dict[str, Any]]:
    """Rows of the bench table."""
    found = []
    for pack, limit in PACKS:
        done = subprocess.run(
            [sys.executable, "-c", _FIRST, pack], capture_output=True, text=True, check=True
        )
        told = json.loads(done.stdout.splitlines()[-1])
        found += [
            _row(f"{pack}, pack to first picture, wall", told["wall"], "s", limit),
            _row(f"{pack}, pack to first picture, CPU", told["cpu"], "s", limit),
            _row(f"{pack}, of which loading, CPU", told["loaded"], "s", None),
            _row(f"{pack}, of which the scene, CPU", told["built"], "s", None),
            _row(f"{pack}, memory after it", told["memory"], "MB", MEMORY_LIMIT_MB),
            _row(f"{pack}, peak of memory", told["peak"], "MB", MEMORY_LIMIT_MB),
        ]
    return found
