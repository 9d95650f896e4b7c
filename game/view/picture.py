"""Pictures into files: a small PNG writer, and label channels as something to look at."""

import os
import struct
import zlib
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from game.session.protocols import Picture

# Cityscapes colours of the train ids that we draw
_CLASS_COLOURS = {
    0: (128, 64, 128),
    1: (244, 35, 232),
    2: (70, 70, 70),
    5: (153, 153, 153),
    6: (250, 170, 30),
    7: (220, 220, 0),
    8: (107, 142, 35),
    9: (152, 251, 152),
    10: (70, 130, 180),
    11: (220, 20, 60),
    12: (255, 0, 0),
    13: (0, 0, 142),
    14: (0, 0, 70),
    15: (0, 60, 100),
    17: (0, 0, 230),
    18: (119, 11, 32),
}


def png(rgb: NDArray[np.uint8]) -> bytes:
    """An (h, w, 3) picture, top row first, as a PNG file."""
    height, width, _ = rgb.shape
    rows = np.zeros((height, 1 + width * 3), np.uint8)  # each row starts with filter type 0
    rows[:, 1:] = rgb.reshape(height, -1)
    head = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    body = zlib.compress(rows.tobytes(), 6)
    parts = ((b"IHDR", head), (b"IDAT", body), (b"IEND", b""))
    return b"\x89PNG\r\n\x1a\n" + b"".join(_chunk(kind, data) for kind, data in parts)


def _chunk(kind: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


def write_png(path: Path, rgb: NDArray[np.uint8]) -> None:
    """Write a picture; the file appears whole or not at all."""
    path.parent.mkdir(parents=True, exist_ok=True)
    waiting = path.with_name(path.name + ".part")
    waiting.write_bytes(png(rgb))
    os.replace(waiting, path)


def visible(channel: str, picture: Picture) -> NDArray[np.uint8]:
    """A channel as RGB: class in Cityscapes colours, depth dark when near, instances scattered."""
    if channel == "class":
        table = np.zeros((256, 3), np.uint8)
        for train, colour in _CLASS_COLOURS.items():
            table[train] = colour
        return np.asarray(table[picture.astype(np.uint8)])
    if channel == "instance":
        mixed = picture.astype(np.uint32) * np.uint32(2654435761)
        shades = np.stack([mixed >> 8 & 255, mixed >> 16 & 255, mixed >> 24 & 255], -1)
        return np.asarray(np.where(picture[..., None] == 0, 0, shades | 32), np.uint8)
    if channel == "depth":
        shade = np.log1p(picture.astype(np.float64)) / np.log1p(float(picture.max()))
        return np.repeat((shade * 255).astype(np.uint8)[..., None], 3, -1)
    if channel == "normal":
        return np.asarray((picture.astype(np.float64) * 127 + 128).clip(0, 255), np.uint8)
    return np.asarray(picture, np.uint8)
