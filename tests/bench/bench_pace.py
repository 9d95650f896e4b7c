"""Frame times of a scripted drive with everything on, and whether any frame took too long.

BENCH_DRIVE_S in the environment drives longer: 600 is the ten minutes of the promise.
"""

import os
from typing import Any

import psutil

from tests.shows.measure import Run, pace, quantiles

SECONDS = 60.0
WORST_MS = 100.0


def rows(seconds: float | None = None) -> list[dict[str, Any]]:
    """Rows of the bench table: from captured picture to captured picture; 33.3 ms is all of them.

    Traffic and people full, dreamt picture, recorder, upload, HUD and menus as a player has them.
    """
    seconds = seconds or float(os.environ.get("BENCH_DRIVE_S", SECONDS))
    took = pace(Run((), ("--free",)), seconds)
    title = f"a drive of {took.ticks / 60:.0f} s"
    found = [_row(f"{title}: between pictures, {name}", value, "ms", "33.3 ms")
             for name, value in quantiles(took.apart).items()]  # fmt: skip
    late = sum(each > WORST_MS for each in took.apart)
    return [
        *found,
        _row(f"{title}: pictures later than {WORST_MS:.0f} ms", late, "", "goal 0"),
        _row(f"{title}: pictures left out", took.skipped, f"of {took.ticks // 2}"),
        *(
            _row(f"{title}: kept busy by {name}", value, "cores")
            for name, value in sorted(took.cores.items(), key=lambda each: -each[1])
            if value >= 0.005
        ),
        _row(
            f"{title}: processor time of the game a picture",
            1000.0 * took.cores["game"] * seconds / max(1, len(took.apart)),
            "ms",
        ),
        _row(f"{title}: load of the machine", psutil.getloadavg()[0], ""),
    ]


def _row(name: str, value: float, unit: str, against: str = "") -> dict[str, Any]:
    return {"name": name, "value": round(value, 2), "unit": unit, "against": against}
