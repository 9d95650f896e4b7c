"""The embedded network: milliseconds of one core for a captured frame, by size and steps."""

from typing import Any

from streaming.backends.tiny_bench import rows as measured

AGAINST = {480: 33.3, 320: 33.3, 256: 33.3}  # 30 frames/s


def rows() -> list[dict[str, Any]]:
    """CPU time a 480 px frame, median of 60; against what 30 frames/s leave."""
    return [
        {
            "name": f"tiny, {row['width']} px, {row['steps']} step(s)",
            "value": row["cpu_ms"],
            "unit": "ms of one core",
            "against": f"{AGAINST[row['width']]} ms between frames",
            "ratio": AGAINST[row["width"]] / row["cpu_ms"],
        }
        for row in measured(frames=60)
    ]
