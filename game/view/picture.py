"""Pictures into files: a small PNG writer, and label channels as something to look at."""

import os
import struct
import zlib
from collections.abc import Sequence
from fractions import Fraction
from pathlib import Path
from typing import Any

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


def averaged(rgb: NDArray[np.uint8], finer: int) -> NDArray[np.uint8]:
    """A picture `finer` times as small along both sides: each pixel the mean of a square."""
    height, width, _ = rgb.shape
    squares = rgb.reshape(height // finer, finer, width // finer, finer, 3)
    return np.asarray(np.rint(squares.mean((1, 3), dtype=np.float32)), np.uint8)


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
    if channel == "flow":
        return _flow_colours(picture.astype(np.float64))
    if channel == "normal":
        return np.asarray((picture.astype(np.float64) * 127 + 128).clip(0, 255), np.uint8)
    return np.asarray(picture, np.uint8)


def _flow_colours(flow: NDArray[np.float64]) -> NDArray[np.uint8]:
    """Direction as hue, length as strength up to the picture's 99th percentile; NaN black."""
    known = ~np.isnan(flow[..., 0])
    right, up = np.where(known, flow[..., 0], 0.0), np.where(known, flow[..., 1], 0.0)
    length = np.sqrt(right * right + up * up)
    strength = np.minimum(length / max(float(np.percentile(length, 99)), 1e-6), 1.0)
    angle = np.arctan2(up, right)
    thirds = np.array([0.0, 2 * np.pi / 3, 4 * np.pi / 3])
    hue = 0.5 + 0.5 * np.cos(angle[..., None] - thirds)
    shade = 1.0 - strength[..., None] * (1.0 - hue)
    return np.asarray(np.where(known[..., None], shade * 255, 0), np.uint8)


def framed(
    rgb: NDArray[np.uint8], rects: Sequence[tuple[float, float, float, float]],
    colours: Sequence[tuple[int, int, int]],
) -> NDArray[np.uint8]:  # fmt: skip
    """A copy with one-pixel rectangles (left, top, right, bottom) [px] drawn on it."""
    made = rgb.copy()
    height, width, _ = made.shape
    for (left, top, right, bottom), colour in zip(rects, colours, strict=True):
        x0, x1 = (int(min(max(x, 0), width - 1)) for x in (left, right - 1))
        y0, y1 = (int(min(max(y, 0), height - 1)) for y in (top, bottom - 1))
        made[[y0, y1], x0 : x1 + 1] = colour
        made[y0 : y1 + 1, [x0, x1]] = colour
    return made


def sheet(pictures: Sequence[NDArray[np.uint8]], columns: int, gap: int = 4) -> NDArray[np.uint8]:
    """Pictures of one size side by side, row by row, on white."""
    height, width, _ = pictures[0].shape
    rows = -(-len(pictures) // columns)
    made = np.full((rows * (height + gap) - gap, columns * (width + gap) - gap, 3), 255, np.uint8)
    for place, picture in enumerate(pictures):
        y, x = place // columns * (height + gap), place % columns * (width + gap)
        made[y : y + height, x : x + width] = picture
    return made


def write_jpeg(path: Path, rgb: NDArray[np.uint8], coarseness: int = 5) -> int:
    """Write a picture as JPEG, whole or not at all; 2 is best, 31 worst. Returns bytes."""
    import av

    height, width, _ = rgb.shape
    even = np.ascontiguousarray(rgb[: height // 2 * 2, : width // 2 * 2])
    codec: Any = av.CodecContext.create("mjpeg", "w")
    codec.width, codec.height = even.shape[1], even.shape[0]
    codec.pix_fmt, codec.time_base = "yuvj420p", Fraction(1, 25)
    codec.options = {"flags": "+qscale", "qmin": str(coarseness), "qmax": str(coarseness)}
    frame = av.VideoFrame.from_ndarray(even, format="rgb24")
    packets = [*codec.encode(frame), *codec.encode(None)]
    body = b"".join(bytes(packet) for packet in packets)
    path.parent.mkdir(parents=True, exist_ok=True)
    waiting = path.with_name(path.name + ".part")
    waiting.write_bytes(body)
    os.replace(waiting, path)
    return len(body)
