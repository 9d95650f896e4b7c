"""From a real key to the pictures that show it: captured, on the display, styled."""

from typing import Any

import psutil

from tests.shows.measure import Run, photon, quantiles

CASES = (("filter", ("stream.backend=filter",)), ("tiny", ("stream.backend=tiny",)))
"""What paints; everything else is as a player has it."""
STAGES = {
    "applied": "key to the tick that used it", "captured": "key to the captured frame",
    "seen": "key to the display", "styled": "key to its styled frame, come back",
    "shown": "key to its styled frame, shown",
}  # fmt: skip


def rows() -> list[dict[str, Any]]:
    """Rows of the bench table [ms], with how many keys were counted and the load."""
    found: list[dict[str, Any]] = []
    for name, settings in CASES:
        took = photon(Run(settings, ("--free",)))
        for stage, text in STAGES.items():
            values = getattr(took, stage)
            for quantile, value in quantiles(values).items():
                found.append({"name": f"photon, {name}: {text}, {quantile}",
                              "value": round(value, 1), "unit": "ms",
                              "against": f"{len(values)} keys"})  # fmt: skip
    load = psutil.getloadavg()[0]
    return [*found, {"name": "photon: load of the machine", "value": round(load, 1), "unit": ""}]
