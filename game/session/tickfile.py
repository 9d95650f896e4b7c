"""Byte layout of `ticks.bin`: a header, then one framed record for every tick.

    header  8s magic, u16 format, u16 world version, u32 layout            16 bytes
    record  u32 length of the body, body, u32 crc32 of (length + body)
    body    u32 tick, u64 t_ns, packed state (game.world.digest: digests, controls, entities)

All little-endian. A record whose frame or sum is wrong ends the sound part of the file.
"""

import mmap
import struct
import zlib
from dataclasses import dataclass

from game.session.format import FORMAT_VERSION
from game.world.digest import pack_state
from game.world.state import WorldState
from game.world.version import WORLD_VERSION

Bytes = bytes | mmap.mmap

MAGIC = b"SDTICKS\0"
LAYOUT = 1
MAX_BODY = 1 << 20
"""No body is longer [byte]: some ten thousand entities."""
MAX_TICKS = 60 * 60 * 60 * 6
"""No session is longer: six hours."""

HEADER = struct.Struct("<8sHHI")
_LENGTH = struct.Struct("<I")
_HEAD = struct.Struct("<IQ")
FRAMING = 2 * _LENGTH.size


@dataclass(frozen=True, slots=True)
class TickRecord:
    """One tick as stored. t_ns: monotonic time of writing. packed: exact bytes of the state."""

    tick: int
    t_ns: int
    packed: bytes


def header(world_version: int = WORLD_VERSION) -> bytes:
    """First bytes of the file."""
    return HEADER.pack(MAGIC, FORMAT_VERSION, world_version, LAYOUT)


def encode(state: WorldState, t_ns: int) -> bytes:
    """The framed record of one state."""
    packed = pack_state(state)
    head = _HEAD.pack(state.tick, t_ns)
    framed = _LENGTH.pack(len(head) + len(packed)) + head + packed
    return framed + _LENGTH.pack(zlib.crc32(framed))


def body_length(data: Bytes, at: int) -> int:
    """Length of the body of the sound record at `at`, or -1 where there is none."""
    if at + FRAMING > len(data):
        return -1
    (length,) = _LENGTH.unpack_from(data, at)
    end = at + _LENGTH.size + length
    if not _HEAD.size <= length <= MAX_BODY or end + _LENGTH.size > len(data):
        return -1
    (crc,) = _LENGTH.unpack_from(data, end)
    if zlib.crc32(memoryview(data)[at:end]) != crc:
        return -1
    return int(length)


def tick_at(data: Bytes, at: int) -> int:
    """Tick of the sound record at `at`."""
    return int(_LENGTH.unpack_from(data, at + _LENGTH.size)[0])


def decode(data: Bytes, at: int, length: int) -> TickRecord:
    """The record at `at` whose body has `length` bytes (from `body_length`)."""
    start = at + _LENGTH.size
    tick, t_ns = _HEAD.unpack_from(data, start)
    return TickRecord(tick, t_ns, bytes(data[start + _HEAD.size : start + length]))
