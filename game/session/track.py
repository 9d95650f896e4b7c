"""Writers of one picture track: numbered segments, each frame appended whole with its tick.

SourceTrack and CheckTrack encode captured pictures; StyledTrack stores what was received, byte
for byte. Each returns the FrameRecord of what it wrote. Knows no ring and no process.
"""

import hashlib
import re
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
from av.video.reformatter import VideoReformatter
from numpy.typing import NDArray

from game.session import h264, matroska
from game.session.append import AppendFile
from game.session.format import FrameRecord, Pairing, TrackId
from game.session.matroska import TrackHeader
from game.world.version import TICK_HZ

_NAME = re.compile(r"^(source|check|styled\d*)-(\d{4})\.mkv$")


@dataclass(frozen=True, slots=True)
class Encoding:
    """How captured pictures are stored. gop: frames between pictures that decode alone."""

    codec: str
    pixels: str
    options: tuple[tuple[str, str], ...]
    gop: int = 30


# measured by tests/bench/encoders.py on rendered Midtown at full look, 480 x 480, 30 a second: 38.2
# dB in 0.80 GB/h for 3.0 ms a picture. The preset's own search (crf 22) takes 4.1 ms for 38.2 dB in
# 0.76; superfast crf 18 with the encoder's own idea of what eyes forgive 39.5 dB in 1.48. Lossless
# takes 14 GB/h and 3 ms.
_BY_NUMBERS = (
    "x264-params",
    "psy=0:aq-mode=0:subme=1:me=dia",
)  # nearest in numbers, not to the eye
NEAR_LOSSLESS = Encoding(
    "libx264", "yuv444p", (("preset", "veryfast"), ("crf", "24.5"), _BY_NUMBERS)
)
LOSSLESS = Encoding("libx264rgb", "bgr0", (("preset", "ultrafast"), ("qp", "0")))
CHECK = Encoding("libx264rgb", "bgr0", (("preset", "superfast"), ("qp", "0")), gop=1)
SEGMENT_BYTES = 192 << 20
"""A new segment begins behind this size: what is uploaded stays of a bearable length [byte]."""
ENCODINGS = {"near-lossless": NEAR_LOSSLESS, "lossless": LOSSLESS}


def label(track: int) -> str:
    """File name part of a track: source, check, styled, styled2, styled3 ..."""
    if track in (TrackId.SOURCE, TrackId.CHECK):
        return TrackId(track).name.lower()
    extra = track - TrackId.STYLED
    return "styled" if extra == 0 else f"styled{extra + 1}"


def segment_path(folder: Path, track: int, segment: int) -> Path:
    """Where a segment of a track lies."""
    return folder / f"{label(track)}-{segment:04d}.mkv"


def segments(folder: Path) -> dict[int, tuple[int, ...]]:
    """Numbers of the segments of each track in `folder`, ascending."""
    found: dict[int, list[int]] = {}
    for path in folder.iterdir():
        match = _NAME.match(path.name)
        if match:
            found.setdefault(_track_of(match[1]), []).append(int(match[2]))
    return {track: tuple(sorted(numbers)) for track, numbers in sorted(found.items())}


def _track_of(name: str) -> int:
    if name in ("source", "check"):
        return int(TrackId[name.upper()])
    return TrackId.STYLED + (int(name[6:] or 1) - 1)


class Segment:
    """One numbered file of one track, the next free number."""

    def __init__(self, folder: Path, track: int, header: TrackHeader) -> None:
        taken = segments(folder).get(track, ())
        self.track, self.number = track, taken[-1] + 1 if taken else 0
        self.count = 0
        self._file = AppendFile(segment_path(folder, track, self.number))
        self._file.put(matroska.head(header))

    def put(self, tick: int, key: bool, data: bytes, t_ns: int) -> FrameRecord:
        """Append one encoded frame. Raises OSError and then has stored nothing of it."""
        self._file.put(matroska.cluster(tick, key, data))
        digest = hashlib.sha256(data).digest()
        packet, self.count = self.count, self.count + 1
        return FrameRecord(self.track, tick, self.number, packet, len(data), t_ns, digest, key=key)

    @property
    def size(self) -> int:
        """Bytes so far."""
        return self._file.size

    def close(self) -> None:
        self._file.close()


class SourceTrack:
    """Encodes captured pictures into segments of one track. One picture in, one frame out."""

    def __init__(
        self, folder: Path, width: int, height: int, encoding: Encoding, track: int = TrackId.SOURCE
    ) -> None:
        self._folder, self._track, self._encoding = folder, track, encoding
        self._size = width, height
        self._encoder = open_encoder(width, height, encoding)
        self._reformatter = VideoReformatter()  # making its tables for each would cost more
        self._segment: Segment | None = None

    def put(self, pixels: bytes | NDArray[np.uint8], tick: int, t_ns: int) -> FrameRecord:
        """Encode and append one BGRA picture (height, width, 4). Raises OSError, ValueError."""
        picture = av.VideoFrame(*self._size, "bgr0")
        picture.planes[0].update(pixels)
        if self._encoding.pixels != "bgr0":
            picture = self._reformatter.reformat(picture, format=self._encoding.pixels, threads=1)
        picture.pts, picture.time_base = tick, Fraction(1, TICK_HZ)
        packets = self._encoder.encode(picture)
        if len(packets) != 1:
            raise ValueError(f"the encoder held back a picture at tick {tick}")
        stream, key = bytes(packets[0]), bool(packets[0].is_keyframe)
        if self._segment is not None and key and self._segment.size > SEGMENT_BYTES:
            self._segment.close()
            self._segment = None
        if self._segment is None:
            header = TrackHeader("V_MPEG4/ISO/AVC", *self._size, h264.decoder_setup(stream))
            self._segment = Segment(self._folder, self._track, header)
        return self._segment.put(tick, key, h264.sized(stream), t_ns)

    @property
    def size(self) -> int:
        """Bytes of this segment."""
        return self._segment.size if self._segment else 0

    def close(self) -> None:
        """Close the segment. The encoder holds nothing back."""
        if self._segment:
            self._segment.close()


class StyledTrack:
    """Stores received VP8 frames untouched."""

    def __init__(self, folder: Path, width: int, height: int, track: int = TrackId.STYLED) -> None:
        self._folder, self._track, self._size = folder, track, (width, height)
        self._segment: Segment | None = None

    def put(
        self,
        data: bytes,
        tick: int,
        t_ns: int,
        *,
        key: bool,
        pairing: Pairing = Pairing.EXACT,
        confidence: float = 1.0,
        prompt: int = -1,
        seed: int = 0,
    ) -> FrameRecord:
        """Append one encoded frame exactly as received. Raises OSError."""
        if self._segment is not None and self._segment.size > SEGMENT_BYTES:
            self._segment.close()
            self._segment = None
        if self._segment is None:
            header = TrackHeader("V_VP8", *(vp8_size(data) or self._size))
            self._segment = Segment(self._folder, self._track, header)
        plain = self._segment.put(tick, key, data, t_ns)
        return FrameRecord(
            plain.track, tick, plain.segment, plain.packet, plain.size, t_ns, plain.sha256,
            pairing, confidence, -1, prompt, seed, key,
        )  # fmt: skip

    @property
    def size(self) -> int:
        """Bytes of this segment."""
        return self._segment.size if self._segment else 0

    def close(self) -> None:
        """Close the segment."""
        if self._segment:
            self._segment.close()


def vp8_size(data: bytes) -> tuple[int, int] | None:
    """Width and height that a VP8 key frame names (RFC 6386, 9.1); None for an inter frame."""
    if len(data) < 10 or data[0] & 1 or data[3:6] != b"\x9d\x01\x2a":
        return None
    width, height = (int.from_bytes(data[i : i + 2], "little") & 0x3FFF for i in (6, 8))
    return (width, height) if width and height else None


def open_encoder(width: int, height: int, encoding: Encoding) -> av.VideoCodecContext:
    """An encoder of one thread that holds no picture back."""
    encoder = av.CodecContext.create(encoding.codec, "w")
    encoder.width, encoder.height, encoder.pix_fmt = width, height, encoding.pixels
    encoder.time_base, encoder.framerate = Fraction(1, TICK_HZ), Fraction(TICK_HZ // 2)
    encoder.thread_count = 1
    encoder.options = {
        **dict(encoding.options),
        "g": str(encoding.gop),
        "bf": "0",
        "tune": "zerolatency",
    }
    return encoder
