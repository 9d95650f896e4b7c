"""H.264 from an encoder's byte stream into the form that Matroska holds: sizes, not start codes.

Owns the two conversions alone (ISO/IEC 14496-15). Encodes and decodes nothing.
"""

from collections.abc import Iterator

_SPS, _PPS = 7, 8
_HIGH = (100, 110, 122, 144, 244)


def units(stream: bytes) -> Iterator[bytes]:
    """NAL units of an Annex B byte stream, without start codes."""
    at = stream.find(b"\0\0\1")
    while at >= 0:
        start = at + 3
        at = stream.find(b"\0\0\1", start)
        # a unit never ends in a zero byte: zeros before a start code belong to the code
        unit = (stream[start:at] if at >= 0 else stream[start:]).rstrip(b"\0")
        if unit:
            yield unit


def sized(stream: bytes) -> bytes:
    """The same units, each behind its size in four bytes."""
    return b"".join(len(unit).to_bytes(4, "big") + unit for unit in units(stream))


def decoder_setup(stream: bytes, chroma_format: int = 3) -> bytes:
    """The avcC record for a stream that holds parameter sets; ValueError where it has none."""
    found = {unit[0] & 31: unit for unit in units(stream)}
    if _SPS not in found or _PPS not in found:
        raise ValueError("the first picture of the encoder holds no parameter sets")
    sps, pps = found[_SPS], found[_PPS]
    record = b"\x01" + sps[1:4] + b"\xff\xe1" + len(sps).to_bytes(2, "big") + sps
    record += b"\x01" + len(pps).to_bytes(2, "big") + pps
    if sps[1] in _HIGH:
        record += bytes((0xFC | chroma_format, 0xF8, 0xF8, 0))
    return record
