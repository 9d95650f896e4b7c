"""Draws the program's icon, a street between towers at dusk, and writes it as each system wants it.

python packaging/desktop/icon.py FOLDER
Needs nothing but Python. The same numbers give the same files.
"""

import struct
import sys
import zlib
from pathlib import Path

NAME = "scale-diffusion"
SIZES = (16, 32, 48, 128, 256)
_FINE = 3
"""Samples along each side of a pixel."""
_ICNS = {16: b"icp4", 32: b"icp5", 128: b"ic07", 256: b"ic08"}
_CORNER = 0.18
_HORIZON = 0.60
_VANISHING = 0.5
_ROOFS = ((0.00, 0.30), (0.12, 0.16), (0.26, 0.34), (0.36, 0.46), (0.64, 0.40), (0.74, 0.22),
          (0.88, 0.12), (1.00, 0.12))  # fmt: skip
"""Left edge of each block of houses and how high it begins; the gap in the middle is the street."""
_Colour = tuple[float, float, float]


def write(folder: Path) -> dict[str, Path]:
    """The icon as .png (the largest), .ico and .icns in `folder`, by kind."""
    folder.mkdir(parents=True, exist_ok=True)
    drawn = {size: png(size, picture(size)) for size in SIZES}
    contents = {"png": drawn[SIZES[-1]], "ico": ico(drawn), "icns": icns(drawn)}
    made = {kind: folder / f"{NAME}.{kind}" for kind in contents}
    for kind, path in made.items():
        path.write_bytes(contents[kind])
    return made


def picture(size: int) -> bytes:
    """RGBA, top row first; each pixel the mean of a few samples."""
    rows = bytearray()
    step, count = 1 / (size * _FINE), _FINE * _FINE
    for row in range(size):
        for column in range(size):
            total, covered = [0.0, 0.0, 0.0], 0
            for sample in range(count):
                x = (column * _FINE + sample % _FINE + 0.5) * step
                y = (row * _FINE + sample // _FINE + 0.5) * step
                if _inside(x, y):
                    covered += 1
                    total = [a + b for a, b in zip(total, _colour(x, y), strict=True)]
            rows += bytes(round(255 * part / max(1, covered)) for part in total)
            rows.append(round(255 * covered / count))
    return bytes(rows)


def _inside(x: float, y: float) -> bool:
    """Of a square with round corners."""
    across = max(_CORNER - x, x - 1 + _CORNER, 0.0)
    down = max(_CORNER - y, y - 1 + _CORNER, 0.0)
    return across * across + down * down <= _CORNER * _CORNER


def _colour(x: float, y: float) -> _Colour:
    if y < _HORIZON:
        return _house(x, y) or _sky(y)
    depth = (y - _HORIZON) / (1 - _HORIZON)
    aside = abs(x - _VANISHING) / (0.07 + 0.55 * depth)
    if aside > 1:
        return 0.20, 0.19, 0.26  # pavement
    if aside < 0.05 and int(2.2 / (depth + 0.12)) % 2 == 0:
        return 1.0, 0.80, 0.25
    return 0.11, 0.11, 0.15


def _sky(y: float) -> _Colour:
    share = y / _HORIZON
    return 0.16 + 0.84 * share * share, 0.14 + 0.42 * share * share, 0.36 + 0.02 * share


def _house(x: float, y: float) -> _Colour | None:
    """A tower's wall or one of its lit windows; None where the sky is seen."""
    lit = 0.42 < x < 0.58  # the street's gap
    roof = next((top for left, top in reversed(_ROOFS) if x >= left), 1.0)
    if lit or y < roof:
        return None
    column, row = int(x * 26), int(y * 22)
    pane = (x * 26) % 1 < 0.55 and (y * 22) % 1 < 0.5
    if pane and (column * 7 + row * 13) % 5 < 2:
        return 1.0, 0.86, 0.48
    return 0.09, 0.10, 0.20


def png(size: int, rgba: bytes) -> bytes:
    """An 8-bit RGBA PNG file."""
    rows = b"".join(b"\0" + rgba[at : at + 4 * size] for at in range(0, len(rgba), 4 * size))
    head = struct.pack(">IIBBBBB", size, size, 8, 6, 0, 0, 0)
    parts = ((b"IHDR", head), (b"IDAT", zlib.compress(rows, 9)), (b"IEND", b""))
    return b"\x89PNG\r\n\x1a\n" + b"".join(
        struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))
        for kind, body in parts
    )


def ico(drawn: dict[int, bytes]) -> bytes:
    """A Windows icon whose pictures are PNG files, which it takes since Vista."""
    head = struct.pack("<HHH", 0, 1, len(drawn))
    at, table, body = len(head) + 16 * len(drawn), b"", b""
    for size, file in sorted(drawn.items()):
        side = size % 256  # 0 stands for 256
        table += struct.pack("<BBBBHHII", side, side, 0, 0, 1, 32, len(file), at + len(body))
        body += file
    return head + table + body


def icns(drawn: dict[int, bytes]) -> bytes:
    """A macOS icon whose pictures are PNG files."""
    body = b"".join(
        kind + struct.pack(">I", 8 + len(drawn[size])) + drawn[size] for size, kind in _ICNS.items()
    )
    return b"icns" + struct.pack(">I", 8 + len(body)) + body


if __name__ == "__main__":
    for written in write(Path(sys.argv[1])).values():
        print(written)
