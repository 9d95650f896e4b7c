"""One picture with the tick that it belongs to, as streaming knows it. No game in here."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Pixels = NDArray[np.uint8]


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
