"""The wan backend on a processor, random weights: stages of small shapes, and a stream of minutes.

On a machine with a GPU: `diffusion bench --of wan`, which measures the shapes of 1.3B and 14B.
"""

import tempfile
from pathlib import Path
from typing import Any

MINUTES = 3.0


def rows() -> list[dict[str, Any]]:
    """Frames a second by shape; CPU of a chunk and memory, first and last simulated minute."""
    from streaming.diffusion.wan.bench import measure
    from streaming.diffusion.wan.endure import endure
    from streaming.diffusion.wan.expected import small_cases
    from streaming.diffusion.wan.rig import Rig
    from tests.streaming.diffusion.wan.folder import write_folder

    found = []
    for case in small_cases():
        row = measure(case, "cpu", 4)
        name = f"wan, {case.model} {case.width}x{case.height}, {case.steps} step(s)"
        found.append(
            {
                "name": f"{name}, {case.autoencoder} autoencoder, {case.mode}",
                "value": row.fps,
                "unit": "frames/s",
                "against": "30 frames/s of the stream",
                "ratio": row.fps / 30,
            }
        )
    with tempfile.TemporaryDirectory() as folder:
        rig = Rig(write_folder(Path(folder) / "card", width=16, height=16), "cpu")
        minutes, end = endure(rig, MINUTES, lambda row: None)
    first, last = minutes[0], minutes[-1]
    told = (
        ("CPU of a chunk", last.cpu_ms_p50, "ms", first.cpu_ms_p50),
        ("memory", last.memory_mb, "MB", first.memory_mb),
    )
    for what, value, unit, before in told:
        found.append(
            {
                "name": f"wan, {what}, minute {MINUTES:.0f} of a stream, {len(end.faults)} faults",
                "value": value,
                "unit": unit,
                "against": f"{before:.1f} {unit} in its first minute",
                "ratio": before / value,
            }
        )
    return found
