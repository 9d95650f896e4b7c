"""Ten minutes from the Battery to 60th Street through the whole island: time, holes, memory.

Twenty frames a second, never farther apart, because what is built ahead of need is built by the
frame. SCALE_DIFFUSION_TOUR_FRAMES draws only so many of them, from the start.
"""

import os
import time
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np
import psutil

from game.atlas.load import load
from game.session.format import CaptureProfile
from game.view.renderer import SceneRenderer
from tests.bench.tour import MINUTES, holes, tour

FRAMES = 12_000
LIMIT_MS = 50.0
SIDE = 480
LABELLED = 10  # one frame in so many is looked at for holes
AGAIN = 3


def _row(name: str, value: float, unit: str, against: str, limit: float | None) -> dict[str, Any]:
    ratio = None if limit is None else round(value / limit, 4)
    return {"name": f"tour: {name}", "value": round(value, 3), "unit": unit, "against": against,
            "ratio": ratio}  # fmt: skip


def rows() -> list[dict[str, Any]]:
    """Rows of the bench table."""
    frames = int(os.environ.get("SCALE_DIFFUSION_TOUR_FRAMES", FRAMES))
    city, profile = load(Path("manhattan")), CaptureProfile()
    renderer = SceneRenderer(city, profile)
    states = list(islice(tour(city, FRAMES), frames))
    renderer.render(states[0], ["class", "depth"], SIDE, SIDE)
    renderer.render(states[0], ["colour"], SIDE, SIDE)
    walls, cpus, resident, slow, open_px = [], [], [], [], 0
    for number, state in enumerate(states):
        wall, cpu = time.perf_counter(), time.process_time()
        renderer.render(state, ["colour"], SIDE, SIDE)
        walls.append((time.perf_counter() - wall) * 1000.0)
        cpus.append((time.process_time() - cpu) * 1000.0)
        if walls[-1] > LIMIT_MS:
            # loading happens once: what the frame costs more than when it is drawn again
            slow.append(cpus[-1] - min(_cpu(renderer, state) for _ in range(AGAIN)))
        if number % LABELLED == 0:
            found = renderer.render(state, ["class", "depth"], SIDE, SIDE)
            open_px += holes(found["class"], found["depth"], renderer.eye(state), profile)
        if number % max(frames // 40, 1) == 0:
            resident.append(psutil.Process().memory_info().rss / 1e6)
    renderer.close()
    loading = sum(more > LIMIT_MS / 2 for more in slow)
    middle = len(resident) * 2 // 5  # what is kept near by has filled up by then
    grown = float(np.median(resident[-4:]) - np.median(resident[middle : middle + 4]))
    note = f"{frames:,} frames, {frames / FRAMES:.0%} of {MINUTES:g} minutes"
    p50, p95, p99 = np.percentile(cpus, (50, 95, 99))
    return [
        _row("frame, median", float(p50), "CPU ms", note, None),
        _row("frame, 95 %", float(p95), "CPU ms", note, None),
        _row("frame, 99 %", float(p99), "CPU ms", note, None),
        _row("frame, worst", max(walls), "ms wall", f"limit {LIMIT_MS:g}", LIMIT_MS),
        _row("frames over 50 ms, all causes", sum(w > LIMIT_MS for w in walls), "frames", note,
             None),
        _row("frames over 50 ms by loading", loading, "frames", "limit 0", None),
        _row("holes in the ground", open_px, "px", f"of {len(states[::LABELLED])} pictures", None),
        _row("memory at the end", resident[-1], "MB", "limit 700", 700.0),
        _row("memory, end against the middle", grown, "MB", "flat: under 10", 10.0),
    ]  # fmt: skip


def _cpu(renderer: SceneRenderer, state: Any) -> float:
    before = time.process_time()
    renderer.render(state, ["colour"], SIDE, SIDE)
    return (time.process_time() - before) * 1000.0
