"""Matroska in the one shape that sessions use: one video track, one cluster a frame.

A frame is a single append, so a kill tears nothing and loses nothing. One timestamp unit is one
tick. The reader accepts this shape alone: whatever else a file claims to be, it is refused here
and never reaches a general demuxer.
"""

import mmap
import struct
from collections.abc import Iterator
from dataclasses import dataclass

from game.world.version import TICK_HZ

CODECS = {"V_MPEG4/ISO/AVC": "h264", "V_VP8": "vp8"}
"""Codec ids that a session may hold, and the decoder of each."""
MAX_HEADER = 1 << 16
MAX_FRAME = 1 << 26
MAX_SIDE = 8192

_TICK_NS = round(1_000_000_000 / TICK_HZ)
_EBML, _SEGMENT, _CLUSTER = b"\x1aE\xdf\xa3", b"\x18S\x80g", b"\x1fC\xb6u"
_UNKNOWN = b"\x01\xff\xff\xff\xff\xff\xff\xff"
# cluster: id, 8-byte size; timestamp: id, size 8, u64; block: id, 8-byte size, track, i16, flags
_HEAD = struct.Struct(">4sQ2sQ1sQBhB")
_SIZE_MARK = 1 << 56  # an 8-byte EBML size has this bit set above 56 bits of value


@dataclass(frozen=True, slots=True)
class TrackHeader:
    """What the head of a segment says. private: decoder set-up (avcC for H.264), may be empty."""

    codec: str  # Matroska codec id, a key of CODECS
    width: int
    height: int
    private: bytes = b""


@dataclass(frozen=True, slots=True)
class Block:
    """One frame in a segment: where its `size` bytes start in the file, and what it shows."""

    tick: int
    key: bool
    start: int
    size: int


def head(track: TrackHeader) -> bytes:
    """First bytes of a segment file."""
    ebml = b"".join(
        (
            _element(b"\x42\x86", _uint(1)),
            _element(b"\x42\xf7", _uint(1)),
            _element(b"\x42\xf2", _uint(4)),
            _element(b"\x42\xf3", _uint(8)),
            _element(b"\x42\x82", b"matroska"),
            _element(b"\x42\x87", _uint(4)),
            _element(b"\x42\x85", _uint(2)),
        )
    )
    info = (
        _element(b"\x2a\xd7\xb1", _uint(_TICK_NS))
        + _element(b"\x4d\x80", b"scale-diffusion")
        + _element(b"\x57\x41", b"scale-diffusion")
    )
    video = _element(b"\xb0", _uint(track.width)) + _element(b"\xba", _uint(track.height))
    entry = b"".join(
        (
            _element(b"\xd7", _uint(1)),
            _element(b"\x73\xc5", _uint(1)),
            _element(b"\x83", _uint(1)),
            _element(b"\x9c", _uint(0)),
            _element(b"\x86", track.codec.encode()),
            _element(b"\x63\xa2", track.private) if track.private else b"",
            _element(b"\xe0", video),
        )
    )
    return b"".join(
        (
            _element(_EBML, ebml),
            _SEGMENT + _UNKNOWN,
            _element(b"\x15\x49\xa9\x66", info),
            _element(b"\x16\x54\xae\x6b", _element(b"\xae", entry)),
        )
    )


def cluster(tick: int, key: bool, data: bytes) -> bytes:
    """The bytes to append for one frame."""
    block = 4 + len(data)
    body = _HEAD.size - 12 + len(data)
    return (
        _HEAD.pack(
            _CLUSTER, body | _SIZE_MARK, b"\xe7\x88", tick, b"\xa3", block | _SIZE_MARK, 0x81, 0,
            0x80 if key else 0,
        )
        + data
    )  # fmt: skip


def read_head(data: bytes) -> tuple[TrackHeader, int]:
    """The head of a segment and where its frames start. Raises ValueError for any other shape."""
    found = _Cursor(bytes(data[:MAX_HEADER]))
    found.enter(_EBML, skip=True)
    if found.take(12) != _SEGMENT + _UNKNOWN:
        raise ValueError("not a segment of this recorder")
    info = dict(_children(found.enter(b"\x15\x49\xa9\x66")))
    if int.from_bytes(info.get(b"\x2a\xd7\xb1", b""), "big") != _TICK_NS:
        raise ValueError("its time unit is not the tick")
    tracks = dict(_children(found.enter(b"\x16\x54\xae\x6b")))
    entry = dict(_children(tracks.get(b"\xae", b"")))
    video = dict(_children(entry.get(b"\xe0", b"")))
    codec = entry.get(b"\x86", b"").decode("ascii", "replace")
    width, height = (int.from_bytes(video.get(i, b"")[:8], "big") for i in (b"\xb0", b"\xba"))
    if codec not in CODECS:
        raise ValueError(f"codec {codec[:40]!r} is not allowed")
    if not (0 < width <= MAX_SIDE and 0 < height <= MAX_SIDE):
        raise ValueError(f"a picture of {width}x{height} is not allowed")
    return TrackHeader(codec, width, height, entry.get(b"\x63\xa2", b"")), found.at


def blocks(data: bytes | mmap.mmap, start: int) -> Iterator[Block]:
    """Frames of a segment in order, up to its end or the first torn or foreign cluster."""
    at, end = start, len(data)
    while at + _HEAD.size <= end:
        name, body, stamp, tick, block_id, block, track, relative, flags = _HEAD.unpack_from(
            data, at
        )
        size = (block ^ _SIZE_MARK) - 4
        fits = (
            name == _CLUSTER
            and stamp == b"\xe7\x88"
            and block_id == b"\xa3"
            and track == 0x81
            and relative == 0
            and flags in (0, 0x80)
            and 0 <= size <= MAX_FRAME
            and body ^ _SIZE_MARK == _HEAD.size - 12 + size
            and tick < 1 << 31
            and at + _HEAD.size + size <= end
        )
        if not fits:
            return
        yield Block(tick, flags == 0x80, at + _HEAD.size, size)
        at += _HEAD.size + size


def _uint(value: int) -> bytes:
    return value.to_bytes(max(1, (value.bit_length() + 7) // 8), "big")


def _element(name: bytes, body: bytes) -> bytes:
    return name + (len(body) | _SIZE_MARK).to_bytes(8, "big") + body


class _Cursor:
    """Walks elements of our own writing: every size takes eight bytes."""

    def __init__(self, data: bytes) -> None:
        self.data, self.at = data, 0

    def take(self, count: int) -> bytes:
        taken = self.data[self.at : self.at + count]
        if len(taken) != count:
            raise ValueError("its head is cut short")
        self.at += count
        return taken

    def size(self) -> int:
        value = int.from_bytes(self.take(8), "big") ^ _SIZE_MARK
        if value > MAX_HEADER:
            raise ValueError("a part of its head is too long")
        return value

    def enter(self, name: bytes, skip: bool = False) -> bytes:
        if self.take(len(name)) != name:
            raise ValueError("not a segment of this recorder")
        body = self.take(self.size())
        return b"" if skip else body


def _children(body: bytes) -> Iterator[tuple[bytes, bytes]]:
    cursor = _Cursor(body)
    while cursor.at < len(body):
        first = body[cursor.at]
        length = 1 if first & 0x80 else 2 if first & 0x40 else 3 if first & 0x20 else 4
        name = cursor.take(length)
        yield name, cursor.take(cursor.size())
