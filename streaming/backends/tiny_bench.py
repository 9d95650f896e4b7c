"""Times the embedded network: what each size and step count costs here, one thread."""

import time
from pathlib import Path
from statistics import median
from typing import Any

import numpy as np

from streaming.backends.tiny import CHOICES, Tiny
from streaming.backends.tiny_files import read_card


def rows(model: Path | None = None, frames: int = 30, side: int = 480) -> list[dict[str, Any]]:
    """One row a choice. ms_per_frame: wall, median; cpu_ms: of this process, median."""
    tiny = Tiny(read_card(model), budget_ms=1e9)
    draw = np.random.default_rng(1)
    frame = draw.integers(0, 255, (side, side, 4), np.uint8)
    made: list[dict[str, Any]] = []
    for choice in CHOICES:
        tiny.choice = choice
        painter = tiny.painter()
        painter.style(frame, "", 0, "day")
        wall: list[float] = []
        cpu: list[float] = []
        for _ in range(frames):
            begin, busy = time.perf_counter(), time.process_time()
            painter.style(frame, "", 0, "day")
            wall.append((time.perf_counter() - begin) * 1e3)
            cpu.append((time.process_time() - busy) * 1e3)
        made.append(
            {"model": tiny.model, "width": choice.size, "height": choice.size,
             "steps": choice.steps, "autoencoder": "none", "ms_per_frame": round(median(wall), 2),
             "cpu_ms": round(median(cpu), 2), "fps": round(1e3 / median(wall), 1)}
        )  # fmt: skip
    return made
