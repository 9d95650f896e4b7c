"""A frame to the network's size and what the network says back over the frame.

Scaling is libswscale's, plane by plane, and the sum is in whole numbers: both take a graph twice as
long. The scaler takes the mean of what lies under a pixel, as the pictures of the training do.
"""

from typing import Any

import numpy as np
from av import VideoFrame
from av.video.reformatter import VideoReformatter
from numpy.typing import NDArray

from streaming.frames import Pixels

Whole = NDArray[np.int32]

ZERO = 512
"""What stands for no change in a `change` plane; planes hold 0..1023."""
ONE = 128
"""What stands for a gain of 1."""
_BYTES, _WORDS = "yuv444p", "yuv444p16le"  # three planes each, of whichever colours


class Planes:
    """The way of one player's frames through a network of another size. Not for several threads."""

    def __init__(self, height: int, width: int, size: int) -> None:
        self._full, self._size = (height, width), size
        self._scaler: Any = VideoReformatter()
        self._whole = VideoFrame(width, height, _BYTES)
        self._change = VideoFrame(size, size, _WORDS)
        self._gain: VideoFrame | None = None
        self._sum = np.empty((height, width), np.uint16)

    def shrink(self, frame: Pixels) -> Pixels:
        """(1, 3, size, size) RGB of a (height, width, 4) BGRA frame, which `lay` then lays over."""
        for at in range(3):
            np.copyto(_view(self._whole, at, np.uint8), frame[..., 2 - at])
        small = self._scaled(self._whole, self._size, self._size, _BYTES)
        return np.stack([_view(small, at, np.uint8) for at in range(3)])[None]

    def lay(self, change: Whole, gain: Whole) -> Pixels:
        """The frame of before times `gain` (1, 1, h, w) plus `change` (1, 3, size, size)."""
        height, width = self._full
        for at in range(3):
            np.copyto(_view(self._change, at, np.uint16), change[0, at], casting="unsafe")
        wide = self._scaled(self._change, width, height, _WORDS)
        if self._gain is None:
            self._gain = VideoFrame(gain.shape[3], gain.shape[2], "gray16le")
        np.copyto(_view(self._gain, 0, np.uint16), gain[0, 0], casting="unsafe")
        gains = _view(self._scaled(self._gain, width, height, "gray16le"), 0, np.uint16)
        out = np.full((height, width, 4), 255, np.uint8)
        total = self._sum
        for at in range(3):
            np.multiply(_view(self._whole, at, np.uint8), gains, out=total, dtype=np.uint16)
            np.right_shift(total, 7, out=total)  # by ONE
            np.add(total, _view(wide, at, np.uint16), out=total)
            np.clip(total, ZERO, ZERO + 255, out=total)
            np.copyto(out[..., 2 - at], total, casting="unsafe")  # its lower byte: ZERO falls away
        return out

    def _scaled(self, frame: VideoFrame, width: int, height: int, kind: str) -> VideoFrame:
        made: VideoFrame = self._scaler.reformat(
            frame, width, height, kind, interpolation="BILINEAR", threads=1
        )
        return made


def _view(frame: VideoFrame, at: int, kind: type[np.generic]) -> NDArray[Any]:
    """One plane as (height, width), in place."""
    plane = frame.planes[at]
    lines = np.frombuffer(plane, kind).reshape(plane.height, -1)
    return lines[:, : plane.width]
