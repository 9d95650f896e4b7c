"""Pictures into video files that browsers play and loaders seek in: H.264, 4:2:0, no B-frames.

Owns the settings of every encoder of a data set. Timestamps are exact: picture k at k / fps, or
at its tick.
"""

from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path
from types import TracebackType

import av
import numpy as np

from game.session.pictures import Rgb

GOP = 5
"""Frames from key frame to key frame: short, so that any window is near one. With fast decoding
(no CABAC, no deblocking: a seventh more bytes) 5 serves both single frames and frames in a row."""


class Mp4:
    """One H.264 MP4 being written; use it as a context. The file is whole once it is left."""

    def __init__(
        self, path: Path, rate: Fraction | float, size: tuple[int, int], gop: int = GOP,
        crf: int = 18,
    ) -> None:  # fmt: skip
        """size: width, height of the film [px]; pictures of another size are scaled."""
        self._size = (size[0] // 2 * 2, size[1] // 2 * 2)
        self.rate = Fraction(rate).limit_denominator(1001)
        self.count = 0
        self._container = av.open(str(path), "w", format="mp4", options={"movflags": "+faststart"})
        self._stream = self._container.add_stream("libx264", rate=self.rate)
        self._stream.width, self._stream.height = self._size
        self._stream.pix_fmt = "yuv420p"
        self._stream.options = {
            "preset": "veryfast", "tune": "fastdecode", "crf": str(crf), "g": str(gop), "bf": "0",
        }  # fmt: skip
        self._stream.codec_context.thread_count = 1
        self._stream.time_base = 1 / (self.rate * 512)
        self._stream.codec_context.time_base = 1 / self.rate

    def put(self, picture: Rgb, at: int | None = None) -> None:
        """Append one RGB picture, at the next place or at `at` [1 / rate]."""
        frame = yuv(picture, self._size)
        frame.pts = self.count if at is None else at
        frame.time_base = 1 / self.rate
        self._container.mux(self._stream.encode(frame))
        self.count += 1

    def __enter__(self) -> "Mp4":
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        at: TracebackType | None,
    ) -> None:
        if kind is None and self.count:
            self._container.mux(self._stream.encode(None))
        self._container.close()


class AnnexB:
    """H.264 packets with start codes, one a picture, as players of single frames want them."""

    def __init__(self, size: tuple[int, int], fps: float, gop: int = 30, crf: int = 20) -> None:
        encoder = av.CodecContext.create("libx264", "w")
        encoder.width, encoder.height = size[0] // 2 * 2, size[1] // 2 * 2
        encoder.pix_fmt, encoder.thread_count = "yuv420p", 1
        encoder.time_base = 1 / Fraction(fps).limit_denominator(1001)
        encoder.options = {
            "preset": "veryfast", "crf": str(crf), "g": str(gop), "bf": "0", "tune": "zerolatency",
        }  # fmt: skip
        self._encoder, self._count = encoder, 0

    def put(self, picture: Rgb) -> bytes:
        """The packet of one RGB picture."""
        frame = yuv(picture, (self._encoder.width, self._encoder.height))
        frame.pts, self._count = self._count, self._count + 1
        return b"".join(bytes(packet) for packet in self._encoder.encode(frame))


def yuv(picture: Rgb, size: tuple[int, int]) -> av.VideoFrame:
    """(h, w, 3) RGB as a 4:2:0 frame of `size` (width, height)."""
    frame = av.VideoFrame.from_ndarray(np.ascontiguousarray(picture), format="rgb24")
    return frame.reformat(width=size[0], height=size[1], format="yuv420p")


def frames(path: Path) -> Iterator[tuple[Fraction, Rgb]]:
    """Time [s] and RGB picture of every frame of a film."""
    with av.open(str(path)) as container:
        for frame in container.decode(video=0):
            yield Fraction(frame.pts) * frame.time_base, frame.to_ndarray(format="rgb24")
