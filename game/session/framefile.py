"""Byte layout of `frames.bin`: a header, then fixed records with a sum each.

Owns the layout and the cut at a torn tail. The authority on which packet shows which tick.
"""

import math
import struct
import zlib

from game.session.format import FORMAT_VERSION, FrameRecord

MAGIC = b"SDFRAME\0"
HEADER = struct.Struct("<8sHHI")
_BODY = struct.Struct("<BBBxiIIIqdiiQ32s")
_SUM = struct.Struct("<I")
RECORD_BYTES = _BODY.size + _SUM.size
MAX_FRAMES = 60 * 60 * 60 * 6 * 4


def header() -> bytes:
    """First bytes of the file."""
    return HEADER.pack(MAGIC, FORMAT_VERSION, RECORD_BYTES, 0)


def encode(frame: FrameRecord) -> bytes:
    """The record of one frame."""
    body = _BODY.pack(
        frame.track,
        frame.pairing,
        frame.key,
        frame.tick,
        frame.segment,
        frame.packet,
        frame.size,
        frame.t_ns,
        frame.confidence,
        frame.shown,
        frame.prompt,
        frame.seed,
        frame.sha256,
    )
    return body + _SUM.pack(zlib.crc32(body))


def decode(data: bytes, at: int) -> FrameRecord:
    """The record at `at`. Raises ValueError where its sum or a value is wrong."""
    body = bytes(data[at : at + _BODY.size])
    if len(data) < at + RECORD_BYTES or _SUM.unpack_from(data, at + _BODY.size)[0] != zlib.crc32(
        body
    ):
        raise ValueError("the sum of a frame record is wrong")
    (track, pairing, key, tick, segment, packet, size, t_ns, confidence, shown, prompt, seed,
     sha256) = _BODY.unpack(body)  # fmt: skip
    if pairing > 2 or key > 1 or tick < 0 or not math.isfinite(confidence):
        raise ValueError("a frame record is out of range")
    return FrameRecord(
        track, tick, segment, packet, size, t_ns, sha256, pairing, confidence, shown, prompt, seed,
        bool(key),
    )  # fmt: skip


def sound(data: bytes) -> tuple[list[FrameRecord], int]:
    """All records up to the first bad one, and the length of that sound part [byte].

    Raises ValueError where the header is wrong.
    """
    if len(data) < HEADER.size:
        return [], 0
    magic, version, size, _ = HEADER.unpack_from(data)
    if magic != MAGIC or not 1 <= version <= FORMAT_VERSION or size != RECORD_BYTES:
        raise ValueError("not a frame table of this format")
    records: list[FrameRecord] = []
    at = HEADER.size
    while at + RECORD_BYTES <= len(data) and len(records) < MAX_FRAMES:
        try:
            records.append(decode(data, at))
        except ValueError:
            break
        at += RECORD_BYTES
    return records, at
