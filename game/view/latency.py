"""The latency graph as a picture: one column a reading, one colour a stage. Pure numpy."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

HEIGHT, COLUMN = 90, 4  # [px]
COLUMNS = 60
COLOURS = (  # BGR, one for each stage in their order
    (86, 180, 233),
    (230, 159, 0),
    (0, 158, 115),
    (240, 228, 66),
    (204, 121, 167),
    (160, 160, 160),
)
_GROUND = (14, 13, 10, 170)
_LINE = (120, 120, 120, 255)


def ceiling(graph: Sequence[Sequence[float]]) -> float:
    """The top of the scale [ms]: the first of 25, 50, 100, 200 ... that holds all columns."""
    highest = max((sum(column) for column in graph), default=0.0)
    top = 25.0
    while top < highest:
        top *= 2
    return top


def paint(graph: Sequence[Sequence[float]]) -> NDArray[np.uint8]:
    """(HEIGHT, COLUMN * COLUMNS, 4) BGRA, newest column at the right, half the scale as a line."""
    out = np.empty((HEIGHT, COLUMN * COLUMNS, 4), np.uint8)
    out[:] = _GROUND
    top = ceiling(graph)
    for at, column in enumerate(list(graph)[-COLUMNS:], start=COLUMNS - len(graph[-COLUMNS:])):
        low = 0.0
        for stage, took in enumerate(column):
            y0, y1 = (round(HEIGHT * min(v, top) / top) for v in (low, low + took))
            left = at * COLUMN
            colour = (*COLOURS[stage % len(COLOURS)], 255)
            out[HEIGHT - y1 : HEIGHT - y0, left : left + COLUMN - 1] = colour
            low += took
    out[HEIGHT // 2, ::2] = _LINE
    return out


def equation(names: Sequence[str], column: Sequence[float]) -> str:
    """The newest column in words: 'encode 3 + uplink 7 ... = 21 ms'."""
    parts = [f"{name} {took:.0f}" for name, took in zip(names, column, strict=True) if took > 0.0]
    return f"{' + '.join(parts)} = {sum(column):.0f} ms" if parts else "no frame to measure yet"
