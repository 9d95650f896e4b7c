"""Pictures of one track at random access: finds packets by the frame table, decodes them in order.

All segments of a track feed one decoder, so a stream that went on after a restart still decodes.
Only H.264 and VP8 decoders are ever opened, with bounded picture sizes. Raises ValueError.
"""

import mmap
from bisect import bisect_right
from collections.abc import Iterator, Sequence
from pathlib import Path

import av
import numpy as np
from av.video.reformatter import VideoReformatter
from numpy.typing import NDArray

from game.session import matroska
from game.session.format import FrameRecord
from game.session.track import segment_path

MAX_PIXELS = 4096 * 2304
MAX_SEGMENT = 1 << 38

Rgb = NDArray[np.uint8]


class SegmentFile:
    """One segment mapped for reading: its head and where each of its frames lies."""

    def __init__(self, path: Path) -> None:
        """Raises ValueError for anything but a segment of our own writing."""
        self.path = path
        if path.is_symlink() or not path.is_file():
            raise ValueError(f"{path.name} is missing or no plain file")
        with path.open("rb") as stream:
            if not 0 < path.stat().st_size < MAX_SEGMENT:
                raise ValueError(f"{path.name} is empty or too long")
            self.data = mmap.mmap(stream.fileno(), 0, access=mmap.ACCESS_READ)
        try:
            self.header, start = matroska.read_head(self.data[: matroska.MAX_HEADER])
        except ValueError as error:
            self.data.close()
            raise ValueError(f"{path.name}: {error}") from error
        self.blocks = tuple(matroska.blocks(self.data, start))
        self.sound = (
            self.blocks[-1].start + self.blocks[-1].size if self.blocks else start
        )  # [byte]
        self.torn = len(self.data) - self.sound

    def packet(self, index: int) -> bytes:
        """The bytes of one frame. Raises ValueError where there is none."""
        if not 0 <= index < len(self.blocks):
            raise ValueError(f"{self.path.name} holds no packet {index}")
        block = self.blocks[index]
        return self.data[block.start : block.start + block.size]

    def close(self) -> None:
        self.data.close()


class Pictures:
    """The frames of one track as packets and pictures. Close it after use."""

    def __init__(self, folder: Path, track: int, records: Sequence[FrameRecord]) -> None:
        self._folder, self._track = folder, track
        self._records = tuple(sorted(records, key=lambda r: (r.segment, r.packet)))
        self._at = {record.tick: i for i, record in reversed(list(enumerate(self._records)))}
        self._keys = [i for i, record in enumerate(self._records) if record.key]
        self._files: dict[int, SegmentFile] = {}
        self._decoder: av.VideoCodecContext | None = None
        self._reformatter = VideoReformatter()
        self._decoder_segment = self._next = -1

    @property
    def ticks(self) -> tuple[int, ...]:
        """Ticks that have a frame, in order of storage."""
        return tuple(record.tick for record in self._records)

    def encoded(self, tick: int) -> bytes:
        """The stored bytes of one frame. Raises ValueError where there is none."""
        return self._packet(self._records[self._index(tick)])

    def picture(self, tick: int) -> Rgb:
        """(height, width, 3) RGB of one tick. Raises ValueError."""
        return next(self.pictures((tick,)))[1]

    def pictures(self, ticks: Sequence[int] | None = None) -> Iterator[tuple[int, Rgb]]:
        """Tick and RGB picture for each of `ticks` (all, when None); cheapest ascending."""
        for tick, frame in self.frames(ticks):
            yield tick, self.rgb(frame)

    def frames(self, ticks: Sequence[int] | None = None) -> Iterator[tuple[int, av.VideoFrame]]:
        """The same as the decoder gives them, for who does not need every one in colour."""
        for tick in self.ticks if ticks is None else ticks:
            index = self._index(tick)
            self._seek(index)
            frame = None
            while self._next <= index:
                frame = self._decode(self._records[self._next])
                self._next += 1
            if frame is None:
                raise ValueError(f"no picture of tick {tick}")
            yield tick, frame

    def rgb(self, frame: av.VideoFrame) -> Rgb:
        """(height, width, 3) of a decoded frame."""
        picture = self._reformatter.reformat(frame, format="rgb24", threads=1)
        return np.asarray(picture.to_ndarray(), np.uint8)

    def close(self) -> None:
        """Unmap the segments."""
        for file in self._files.values():
            file.close()
        self._files, self._decoder = {}, None

    def _index(self, tick: int) -> int:
        if tick not in self._at:
            raise ValueError(f"no frame of tick {tick}")
        return self._at[tick]

    def _seek(self, index: int) -> None:
        """Stand before `index`: go on decoding when that is nearer than the last key frame."""
        place = bisect_right(self._keys, index)
        if place == 0:
            raise ValueError(f"tick {self._records[index].tick} has no key frame before it")
        key = self._keys[place - 1]
        if not key <= self._next <= index:
            self._next = key
            self._decoder = None

    def _decode(self, record: FrameRecord) -> av.VideoFrame:
        file = self._file(record.segment)
        if self._decoder is None or (
            record.segment != self._decoder_segment and file.header.private
        ):
            self._decoder = _decoder(file.header)
        self._decoder_segment = record.segment
        try:
            frames = self._decoder.decode(av.Packet(self._packet(record)))
        except av.FFmpegError as error:
            self._next = -1
            raise ValueError(f"the frame of tick {record.tick} does not decode") from error
        if len(frames) != 1 or (frames[0].width, frames[0].height) != (
            file.header.width,
            file.header.height,
        ):
            self._next = -1
            raise ValueError(f"the frame of tick {record.tick} is not one picture of its track")
        return frames[0]

    def _packet(self, record: FrameRecord) -> bytes:
        return self._file(record.segment).packet(record.packet)

    def _file(self, segment: int) -> SegmentFile:
        if segment not in self._files:
            path = segment_path(self._folder, self._track, segment)
            self._files[segment] = SegmentFile(path)
        return self._files[segment]


def _decoder(header: matroska.TrackHeader) -> av.VideoCodecContext:
    if header.width * header.height > MAX_PIXELS:
        raise ValueError(f"a picture of {header.width}x{header.height} is too large")
    decoder = av.CodecContext.create(matroska.CODECS[header.codec], "r")
    if header.private:
        decoder.extradata = header.private
    decoder.thread_count = 1
    decoder.options = {"max_pixels": str(MAX_PIXELS)}
    return decoder
