"""Pictures into video files that browsers play and loaders seek in: H.264, 4:2:0, no B-frames.
Moving pictures for pages: WebP.

Owns the settings of every encoder of a data set. Timestamps are exact: picture k at k / fps, or
at its tick.
"""

from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path
from types import TracebackType
from typing import Self

import av
import numpy as np

from game.session.pictures import Rgb

GOP = 5
"""Frames from key frame to key frame: short, so that any window is near one. With fast decoding
(no CABAC, no deblocking: a seventh more bytes) 5 serves both single frames and frames in a row."""


class _Film:
    """A container with one stream; use it as a context. The file is whole once it is left."""

    _container: av.container.OutputContainer
    _stream: av.VideoStream
    count = 0

    def _append(self, picture: Rgb, at: int, size: tuple[int, int], rate: Fraction) -> None:
        """Encode one RGB picture at `at` [1 / rate]."""
        frame = yuv(picture, size)
        frame.pts, frame.time_base = at, 1 / rate
        self._container.mux(self._stream.encode(frame))

    def __enter__(self) -> Self:
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


class Mp4(_Film):
    """One H.264 MP4 being written."""

    def __init__(
        self, path: Path, rate: Fraction | float, size: tuple[int, int], gop: int = GOP,
        crf: int = 18,
    ) -> None:  # fmt: skip
        """size: width, height of the film [px]; pictures of another size are scaled."""
        self._size = (size[0] // 2 * 2, size[1] // 2 * 2)
        self.rate = Fraction(rate).limit_denominator(1001)
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
        self._append(picture, self.count if at is None else at, self._size, self.rate)
        self.count += 1


class Webp(_Film):
    """A moving picture that pages show without a player. Smaller and jerkier than Mp4."""

    def __init__(self, path: Path, rate: int, size: tuple[int, int], every: int = 3) -> None:
        """rate: pictures a second that are put, of which each `every`-th is shown.

        size: width, height of the film [px].
        """
        self._every, self._size, self._rate = every, size, Fraction(rate, every)
        self._container = av.open(str(path), "w", format="webp", options={"loop": "0"})
        self._stream = self._container.add_stream("libwebp_anim", rate=self._rate)
        self._stream.width, self._stream.height = size
        self._stream.pix_fmt = "yuv420p"
        self._stream.options = {"quality": "45", "compression_level": "4"}

    def put(self, picture: Rgb) -> None:
        """Append one RGB picture."""
        if self.count % self._every == 0:
            self._append(picture, self.count // self._every, self._size, self._rate)
        self.count += 1


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
