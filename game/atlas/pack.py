"""How a pack lies on disk: columns of integers and texts, compressed, and the digest that names it.

A file is a zlib stream of one JSON line `[[name, kind, count], ...]` (count: of integers, or of
bytes), then the columns. An integer column holds the differences of neighbours as little-endian
int32 in four planes of bytes, which compress better; a text column is a JSON list. The digest
covers header and uncompressed bytes, whatever zlib's version. Refuses what does not read back.
"""

import hashlib
import json
import zlib
from collections.abc import Mapping, Sequence
from itertools import accumulate
from struct import pack, unpack

PACK_VERSION = 1
FILES = ("buildings.bin", "ground.bin", "streets.bin")
MAX_RAW = 256 << 20  # no pack file is larger when unpacked [byte]

Ints = Mapping[str, Sequence[int]]
Texts = Mapping[str, Sequence[str]]


def pack_columns(ints: Ints, texts: Texts) -> bytes:
    """Canonical, uncompressed bytes of named columns."""
    header: list[list[str | int]] = []
    body: list[bytes] = []
    for name, numbers in ints.items():
        header.append([name, "int", len(numbers)])
        body.append(_planes(numbers))
    for name, column in texts.items():
        data = json.dumps(list(column), ensure_ascii=False).encode()
        header.append([name, "text", len(data)])
        body.append(data)
    return json.dumps(header).encode() + b"\n" + b"".join(body)


def unpack_columns(raw: bytes) -> tuple[dict[str, list[int]], dict[str, list[str]]]:
    """Integer columns and text columns by name. ValueError where the bytes are not columns."""
    line, _, _ = raw.partition(b"\n")
    at = len(line) + 1
    ints: dict[str, list[int]] = {}
    texts: dict[str, list[str]] = {}
    for name, kind, count in json.loads(line):
        size = count if kind == "text" else 4 * count
        data = raw[at : at + size]
        if len(data) != size:
            raise ValueError(f"column {name} is cut short")
        at += size
        if kind == "text":
            texts[name] = json.loads(data)
        else:
            ints[name] = _joined(data, count)
    if at != len(raw):
        raise ValueError("bytes after the last column")
    return ints, texts


def _planes(values: Sequence[int]) -> bytes:
    previous, differences = 0, []
    for value in values:
        differences.append(value - previous)
        previous = value
    data = pack(f"<{len(differences)}i", *differences)
    return data[0::4] + data[1::4] + data[2::4] + data[3::4]


def _joined(data: bytes, count: int) -> list[int]:
    whole = bytearray(4 * count)
    for plane in range(4):
        whole[plane::4] = data[plane * count : (plane + 1) * count]
    return list(accumulate(unpack(f"<{count}i", whole)))


def compress(raw: bytes) -> bytes:
    """The bytes as they lie on disk."""
    return zlib.compress(raw, 9)


def decompress(data: bytes) -> bytes:
    """The uncompressed bytes. ValueError where the stream is damaged or far too large."""
    engine = zlib.decompressobj()
    try:
        raw = engine.decompress(data, MAX_RAW)
    except zlib.error as error:
        raise ValueError(f"damaged ({error})") from error
    if not engine.eof or engine.unused_data:
        raise ValueError("damaged (cut short, or with bytes after its end)")
    return raw


def digest(header: Mapping[str, object], raws: Mapping[str, bytes]) -> str:
    """Hex SHA-256 over the header without its digest, then name, length and bytes of each file."""
    told = {key: value for key, value in header.items() if key != "digest"}
    engine = hashlib.sha256(json.dumps(told, sort_keys=True, separators=(",", ":")).encode())
    for name in FILES:
        engine.update(f"\n{name} {len(raws[name])}\n".encode())
        engine.update(raws[name])
    return engine.hexdigest()
