"""One picture with the tick that it belongs to, as streaming knows it. No game in here."""

import struct
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Pixels = NDArray[np.uint8]

# tick, received_ns, flags, prompt, seed, confidence; then the encoded bytes
_ENCODED = struct.Struct("<qqHHqf")
_KEY, _EXACT = 1, 2


@dataclass(frozen=True, slots=True)
class Frame:
    """A picture on its way. pixels: (height, width, 4) BGRA, top row first. t_ns: monotonic."""

    tick: int
    pixels: Pixels
    t_ns: int


@dataclass(frozen=True, slots=True)
class EncodedFrame:
    """One encoded picture exactly as it came over the wire.

    tick: of the source frame that it was made from. exact: the server said so (else estimated,
    with `confidence`). prompt: number of the prompt in force. received_ns: monotonic.
    """

    tick: int
    data: bytes
    key: bool
    received_ns: int
    exact: bool = True
    confidence: float = 1.0
    prompt: int = 0
    seed: int = 0


def pack_encoded(frame: EncodedFrame) -> bytes:
    """The frame as one ring payload: a fixed header, then the encoded bytes untouched."""
    flags = (_KEY if frame.key else 0) | (_EXACT if frame.exact else 0)
    head = _ENCODED.pack(
        frame.tick, frame.received_ns, flags, frame.prompt & 0xFFFF, frame.seed, frame.confidence
    )
    return head + frame.data


def unpack_encoded(payload: bytes) -> EncodedFrame:
    """Inverse of pack_encoded. A payload shorter than its header raises ValueError."""
    if len(payload) < _ENCODED.size:
        raise ValueError(f"encoded frame payload of {len(payload)} bytes is cut short")
    tick, received_ns, flags, prompt, seed, confidence = _ENCODED.unpack_from(payload)
    return EncodedFrame(
        tick=tick,
        data=payload[_ENCODED.size :],
        key=bool(flags & _KEY),
        received_ns=received_ns,
        exact=bool(flags & _EXACT),
        confidence=confidence,
        prompt=prompt,
        seed=seed,
    )


def is_vp8_key(data: bytes) -> bool:
    """Whether a VP8 frame decodes on its own: bit 0 of the first byte is clear (RFC 6386, 9.1)."""
    return bool(data) and not data[0] & 1
