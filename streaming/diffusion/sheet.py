"""Writes pictures side by side as a PNG, with nothing but zlib."""

import struct
import zlib
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from torch import Tensor


def write_sheet(path: Path, cells: list[list[Tensor]]) -> None:
    """Rows of equally large pictures (3, h, w) in 0..1."""
    rows = [np.concatenate([pixels_of(cell) for cell in row], axis=1) for row in cells]
    write_png(path, np.concatenate(rows, axis=0))


def pixels_of(picture: Tensor) -> NDArray[np.uint8]:
    """(3, h, w) in 0..1 as (h, w, 3) uint8."""
    moved = picture.detach().clamp(0, 1).mul(255).round().byte().permute(1, 2, 0)
    return np.ascontiguousarray(moved.numpy())


def write_png(path: Path, rgb: NDArray[np.uint8]) -> None:
    """(h, w, 3) RGB; the folder is made."""
    path.parent.mkdir(parents=True, exist_ok=True)
    height, width = rgb.shape[:2]
    raw = np.zeros((height, 1 + 3 * width), np.uint8)
    raw[:, 1:] = rgb.reshape(height, -1)
    head = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    parts = ((b"IHDR", head), (b"IDAT", zlib.compress(raw.tobytes(), 6)), (b"IEND", b""))
    data = b"\x89PNG\r\n\x1a\n"
    for name, body in parts:
        crc = zlib.crc32(name + body)
        data += struct.pack(">I", len(body)) + name + body + struct.pack(">I", crc)
    path.write_bytes(data)
