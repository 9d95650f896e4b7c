"""From the compiled pack to the first picture in a fresh process, and what memory that takes."""

import json
import os
import subprocess
import sys
import tempfile
from typing import Any

PACKS = (("midtown", 1.0), ("manhattan", 3.0))
MEMORY_LIMIT_MB = 700.0
_FIRST = """
import json, sys, time
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
status = Path("/proc/self/status")
if status.is_file():  # getrusage would give the parent's peak: it is handed on to a new program
    peak = int(status.read_text().partition("VmHWM:")[2].split()[0]) * 1024 / 1e6
elif sys.platform == "darwin":
    import resource
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e6
else:
    peak = psutil.Process().memory_info().peak_wset / 1e6
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
    """Rows of the bench table: a first start, which lays out the furniture, and a second."""
    found = []
    for pack, limit in PACKS:
        with tempfile.TemporaryDirectory() as cache:
            for start in ("first", "second"):
                found += _start(f"{pack}, {start} start", pack, limit, cache)
    return found


def _start(name: str, pack: str, limit: float, cache: str) -> list[dict[str, Any]]:
    """One start in a process of its own. cache: the user's cache folder, where systems let us."""
    done = subprocess.run(
        [sys.executable, "-c", _FIRST, pack], capture_output=True, text=True, check=True,
        env={**os.environ, "XDG_CACHE_HOME": cache},
    )  # fmt: skip
    told = json.loads(done.stdout.splitlines()[-1])
    return [
        _row(f"{name}, pack to first picture, wall", told["wall"], "s", limit),
        _row(f"{name}, pack to first picture, CPU", told["cpu"], "s", limit),
        _row(f"{name}, of which loading, CPU", told["loaded"], "s", None),
        _row(f"{name}, of which the scene, CPU", told["built"], "s", None),
        _row(f"{name}, memory after it", told["memory"], "MB", MEMORY_LIMIT_MB),
        _row(f"{name}, peak of memory", told["peak"], "MB", MEMORY_LIMIT_MB),
    ]
