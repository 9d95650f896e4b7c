"""The game's picture in a remote model's frame and back, for servers that take one size alone.

What comes back is cut to the game's own part and encoded again, amply: such a server's bitstream
shows bars, or more than the game drew, and no journal of ours names it.
"""

from typing import Any

import numpy as np

from streaming.codec import PTS_PER_TICK, TIME_BASE, TickEncoder, i420_of
from streaming.frames import Pixels
from streaming.models import Fit, Native

AMPLE = 2  # times the bitrate of the stream


class Tailor:
    """Of one link. side: (height, width) of the game's picture. bitrate [bit/s]: of the stream."""

    def __init__(self, side: tuple[int, int], model: Native, bitrate: int) -> None:
        self.model = model
        self._fit = Fit(side[1], side[0], model)
        self._recoder = TickEncoder(AMPLE * bitrate, model.fps)

    def canvas(self, pixels: Pixels) -> Pixels:
        """(height, width, 4) BGRA in the model's frame, I420; the next call uses it again."""
        return self._fit.lay(pixels)

    def picture(self, pixels: Pixels, tick: int) -> Any:
        """The same as a video frame of this tick."""
        return i420_of(self.canvas(pixels), tick)

    def cut(self, i420: Pixels, number: int) -> tuple[Any, bytes]:
        """The game's part of a returned frame, and its bitstream in VP8. number: its pts in ticks.

        Raises ValueError for a picture that cannot be.
        """
        frame = self._fit.take(np.ascontiguousarray(i420))
        frame.pts, frame.time_base = number * PTS_PER_TICK, TIME_BASE
        data = self._recoder.compress(frame)
        frame.pts = number * PTS_PER_TICK  # the encoder counts in its own way
        return frame, data

    def close(self) -> None:
        """Give the codec's memory back."""
        self._recoder.close()
