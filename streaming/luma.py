"""The print of a source picture in the journal: the mean luma of 16x16 cells."""

from typing import Any

import numpy as np

from streaming.journal import LUMA_SIDE


def luma_print(frame: Any) -> bytes:
    """Mean luma of 16x16 cells of a decoded yuv420p frame, rows from the top, one byte each."""
    plane = frame.planes[0]
    luma = np.frombuffer(plane, np.uint8).reshape(-1, plane.line_size)
    luma = luma[: frame.height, : frame.width]
    return cells_of(luma)


def cells_of(luma: Any) -> bytes:
    """Mean of 16x16 cells of a (height, width) luma picture, rounded down, as 256 bytes."""
    height, width = luma.shape
    if height % LUMA_SIDE == 0 and width % LUMA_SIDE == 0 and height <= 257 * LUMA_SIDE:
        rows, columns = height // LUMA_SIDE, width // LUMA_SIDE
        bands = luma.reshape(LUMA_SIDE, rows, width).sum(axis=1, dtype=np.uint16)  # 257 * 255 fits
        sums = bands.reshape(LUMA_SIDE, LUMA_SIDE, columns).sum(axis=2, dtype=np.uint32)
        return bytes((sums // (rows * columns)).astype(np.uint8).tobytes())
    return _cells_of_any(luma)


def _cells_of_any(luma: Any) -> bytes:
    """The same for sides that 16 does not divide: cells differ by a row or a column."""
    rows = np.linspace(0, luma.shape[0], LUMA_SIDE + 1).astype(int)[:-1]
    columns = np.linspace(0, luma.shape[1], LUMA_SIDE + 1).astype(int)[:-1]
    sums = np.add.reduceat(np.add.reduceat(luma, rows, 0, np.uint32), columns, 1, np.uint32)
    heights = np.diff([*rows, luma.shape[0]])
    widths = np.diff([*columns, luma.shape[1]])
    cells: bytes = (sums // (heights[:, None] * widths[None, :])).astype(np.uint8).tobytes()
    return cells
