"""Byte layout of `ticks.bin`: a header, then one framed record for every tick.

    header  8s magic, u16 format, u16 world version, u32 layout            16 bytes
    record  u32 length of the body, body, u32 crc32 of (length + body)
    body    u32 tick, u64 t_ns, u8 code, the state as `tickcode` tells it   layout 2
            u32 tick, u64 t_ns, packed state                                layout 1

The packed state is that of game.world.digest: digests, controls, entities. All little-endian. A
record whose frame or sum is wrong ends the sound part of the file. Layout 1 is read, not written.
"""

import mmap
import struct
import zlib

from game.session import tickcode
from game.session.format import FORMAT_VERSION
from game.world.digest import pack_state
from game.world.state import WorldState
from game.world.version import WORLD_VERSION

Bytes = bytes | mmap.mmap

MAGIC = b"SDTICKS\0"
PLAIN, CODED = 1, 2
LAYOUTS = (PLAIN, CODED)
MAX_BODY = 1 << 20
"""No body is longer [byte]: some ten thousand entities."""
MAX_TICKS = 60 * 60 * 60 * 6
"""No session is longer: six hours."""

HEADER = struct.Struct("<8sHHI")
_LENGTH = struct.Struct("<I")
_HEAD = struct.Struct("<IQ")
FRAMING = 2 * _LENGTH.size


def header(world_version: int = WORLD_VERSION) -> bytes:
    """First bytes of the file."""
    return HEADER.pack(MAGIC, FORMAT_VERSION, world_version, CODED)


def encode(state: WorldState, t_ns: int) -> bytes:
    """The framed record of one state that stands alone."""
    return _framed(state.tick, t_ns, *tickcode.Encoder().encode(pack_state(state)))


class TickEncoder:
    """Framed records of states in a row, each told against those before it."""

    def __init__(self) -> None:
        self._encoder = tickcode.Encoder()

    def encode(self, state: WorldState, t_ns: int) -> bytes:
        """The record to append for the next tick."""
        return _framed(state.tick, t_ns, *self._encoder.encode(pack_state(state)))


def _framed(tick: int, t_ns: int, how: int, payload: bytes) -> bytes:
    head = _HEAD.pack(tick, t_ns) + bytes((how,))
    framed = _LENGTH.pack(len(head) + len(payload)) + head + payload
    return framed + _LENGTH.pack(zlib.crc32(framed))


def body_length(data: Bytes, at: int) -> int:
    """Length of the body of the sound record at `at`, or -1 where there is none."""
    if at + FRAMING > len(data):
        return -1
    (length,) = _LENGTH.unpack_from(data, at)
    end = at + _LENGTH.size + length
    if not _HEAD.size < length <= MAX_BODY or end + _LENGTH.size > len(data):
        return -1
    (crc,) = _LENGTH.unpack_from(data, end)
    if zlib.crc32(memoryview(data)[at:end]) != crc:
        return -1
    return int(length)


def tick_at(data: Bytes, at: int) -> int:
    """Tick of the sound record at `at`."""
    return int(_LENGTH.unpack_from(data, at + _LENGTH.size)[0])


def time_at(data: Bytes, at: int) -> int:
    """Monotonic time at which the sound record at `at` was written [ns]."""
    return int(_HEAD.unpack_from(data, at + _LENGTH.size)[1])


def code_at(data: Bytes, at: int) -> int:
    """How the sound record at `at` tells its state; layout 2 alone."""
    return int(data[at + _LENGTH.size + _HEAD.size])


def payload_at(data: Bytes, at: int, length: int, layout: int) -> bytes:
    """What tells the state in the record at `at` whose body has `length` bytes."""
    start = at + _LENGTH.size
    first = start + _HEAD.size + (layout == CODED)
    return bytes(data[first : start + length])
