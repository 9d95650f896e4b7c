"""Photo mode: the picture of the moment as a PNG, as it is seen and as the game drew it."""

import struct
import zlib
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from game.play.drive import Drive
from game.session.append import write_whole


def save(drive: Drive, data: Path) -> Path:
    """Write what the window shows of the world, without the HUD. Returns the file; OSError."""
    picture = drive.picture if drive.picture is not None else drive.window.capture(drive.state)
    folder = data / "photos"
    folder.mkdir(parents=True, exist_ok=True)
    stem = f"{drive.stage.scenario.id}-{drive.stage.seed}-{drive.state.tick}"
    path = folder / f"{stem}.png"
    write_whole(path, png(picture))
    return path


def png(picture: NDArray[np.uint8]) -> bytes:
    """A BGRA picture (h, w, 4), top row first, as the bytes of an 8-bit RGB PNG file."""
    high, wide = picture.shape[:2]
    rows = np.zeros((high, 1 + 3 * wide), np.uint8)  # each row begins with its filter, 0: none
    rows[:, 1:] = picture[..., 2::-1].reshape(high, 3 * wide)

    def chunk(kind: bytes, body: bytes) -> bytes:
        crc = struct.pack(">I", zlib.crc32(kind + body))
        return struct.pack(">I", len(body)) + kind + body + crc

    head = struct.pack(">IIBBBBB", wide, high, 8, 2, 0, 0, 0)
    body = zlib.compress(rows.tobytes(), 6)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", body) + chunk(b"IEND", b"")
