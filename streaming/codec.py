"""Pictures to bitstream and back, as we want it: low delay, one bitrate at a time, sizes checked.

Our encoder and decoder stand in for the library's, whose options are literals. The encoder packs
for RTP as the library does. Owns codec contexts; knows no connection.
"""

import struct
import time
from collections.abc import Callable
from fractions import Fraction
from typing import Any

import av
import av.video.frame
from aiortc.codecs.h264 import H264Encoder
from aiortc.codecs.vpx import Vp8Encoder
from av.video.reformatter import VideoReformatter

from streaming.frames import Pixels

CLOCK_HZ = 90_000
PTS_PER_TICK = 1500
TIME_BASE = Fraction(1, CLOCK_HZ)
CODECS = ("vp8", "h264")
LARGEST_SIDE = 2048
KEY_EVERY_S = 0.15
FINEST_STEP = 0.1  # a smaller change of the rate is not worth a key frame
_START_CODE = b"\x00\x00\x01"

OnEncoded = Callable[[int, bytes], None]


def tick_of(pts: int) -> int:
    """The tick that a timestamp names. Decoders may floor it by one, hence the rounding."""
    return (pts + PTS_PER_TICK // 2) // PTS_PER_TICK


def picture_of(pixels: Pixels, tick: int) -> Any:
    """A video frame on (height, width, 4) BGRA, not copied: leave the array alone until encoded."""
    frame = av.VideoFrame.from_numpy_buffer(pixels, "bgra")
    frame.pts, frame.time_base = tick * PTS_PER_TICK, TIME_BASE
    return frame


def i420_of(pixels: Pixels, tick: int) -> Any:
    """The same of (height * 3 / 2, width) I420, copied."""
    frame = av.VideoFrame.from_ndarray(pixels, format="yuv420p")
    frame.pts, frame.time_base = tick * PTS_PER_TICK, TIME_BASE
    return frame


class TickEncoder:
    """Encodes pictures whose pts is tick * 1500; stands in for the library's encoder.

    on_encoded(tick, data) is called from the encoding thread, before the frame is packed.
    on_estimate(bit/s) is what the far side's REMB says. Key frames come when asked for, and with
    every change of size or rate.
    """

    def __init__(
        self,
        bitrate: int,
        fps: int = 30,
        on_encoded: OnEncoded | None = None,
        codec: str = "vp8",
        on_estimate: Callable[[int], None] | None = None,
    ) -> None:
        if codec not in CODECS:
            raise ValueError(f"no codec '{codec}'; choose from: {', '.join(CODECS)}")
        self.name = codec
        self.bitrate = bitrate
        self.on_encoded, self.on_estimate = on_encoded, on_estimate
        self._fps = fps
        self._codec: Any = None
        self._rate = 0
        self._reformatter = VideoReformatter()
        self._key_wanted, self._key_at = True, float("-inf")
        self._picture_id = 0
        self.frames = self.bytes = self.keys = 0
        self.busy_s = 0.0

    @property
    def mime(self) -> str:
        """As the session description names it."""
        return "video/VP8" if self.name == "vp8" else "video/H264"

    def close(self) -> None:
        """Give the codec's memory back now; megabytes would wait for the garbage collector."""
        self._codec = None
        self._reformatter = VideoReformatter()

    def use(self, mime: str) -> None:
        """What was agreed upon in the end: VP8 where the far side does not take our first wish."""
        if mime != self.mime:
            self.name, self._codec = "vp8", None

    @property
    def target_bitrate(self) -> int:
        """Bits per second that are aimed at now."""
        return self.bitrate

    @target_bitrate.setter
    def target_bitrate(self, bitrate: int) -> None:
        """The library hands over what the far side estimates; who set us up decides."""
        if self.on_estimate is not None:
            self.on_estimate(bitrate)

    def want_key(self) -> None:
        """Make the next frame one that decodes on its own, unless one has only just left."""
        if time.monotonic() - self._key_at >= KEY_EVERY_S:
            self._key_wanted = True

    def compress(self, frame: Any) -> bytes:
        """The bitstream of one picture; b'' where the codec swallowed it."""
        begin = time.perf_counter()
        pts = frame.pts
        if frame.format.name != "yuv420p":
            frame = self._reformatter.reformat(frame, format="yuv420p", threads=1)
        # the codec counts frames: by their ticks, it would make up in size for those left out
        frame.pts, frame.time_base = self.frames * (CLOCK_HZ // self._fps), TIME_BASE
        size = (frame.width, frame.height)
        stale = abs(self.bitrate - self._rate) > FINEST_STEP * self._rate
        if self._codec is None or stale or (self._codec.width, self._codec.height) != size:
            self._rate = self.bitrate
            self._codec = _BUILDERS[self.name](*size, self._rate, self._fps)
            self._key_wanted = True
        context, kinds = self._codec, av.video.frame.PictureType
        frame.pict_type = kinds.I if self._key_wanted else kinds.NONE
        if self._key_wanted:
            self.keys, self._key_at, self._key_wanted = self.keys + 1, time.monotonic(), False
        data = b"".join(bytes(packet) for packet in context.encode(frame))
        self.frames, self.bytes = self.frames + 1, self.bytes + len(data)
        self.busy_s += time.perf_counter() - begin
        if self.on_encoded is not None and data:
            self.on_encoded(tick_of(pts), data)
        return data

    def encode(self, frame: Any, force_keyframe: bool = False) -> tuple[list[bytes], int]:
        """RTP payloads of one frame and its timestamp, low 32 bits."""
        if force_keyframe:
            self.want_key()
        pts = frame.pts
        return self.pack((tick_of(pts), self.compress(frame)))

    def pack(self, encoded: tuple[int, bytes]) -> tuple[list[bytes], int]:
        """RTP payloads of a compressed (tick, data) and its timestamp, low 32 bits."""
        tick, data = encoded
        timestamp = tick * PTS_PER_TICK & 0xFFFFFFFF
        if self.name == "h264":
            return H264Encoder._packetize(H264Encoder._split_bitstream(data)), timestamp
        payloads = Vp8Encoder._packetize(data, self._picture_id)
        self._picture_id = (self._picture_id + 1) % (1 << 15)
        return list(payloads), timestamp


def _vp8(width: int, height: int, bitrate: int, fps: int) -> Any:
    codec = _context("libvpx", width, height, bitrate, fps)
    codec.gop_size = 3000
    codec.qmin, codec.qmax = 2, 56
    rate = str(bitrate)
    codec.options = {
        "bufsize": rate,
        "minrate": rate,
        "maxrate": rate,
        "cpu-used": "-6",
        "deadline": "realtime",
        "lag-in-frames": "0",
        "noise-sensitivity": "0",
        "overshoot-pct": "15",
        "undershoot-pct": "100",
        "static-thresh": "1",
        "partitions": "0",
        "max-intra-rate": "300",  # % of a frame's share: a key frame must not fill the line
    }
    return codec


def _h264(width: int, height: int, bitrate: int, fps: int) -> Any:
    codec = _context("libx264", width, height, bitrate, fps)
    codec.gop_size = 3000
    codec.profile = "Baseline"
    kilobits = bitrate // 1000
    codec.options = {
        "preset": "veryfast",  # the library's medium costs four times as much
        "tune": "zerolatency",
        "x264-params": f"vbv-maxrate={kilobits}:vbv-bufsize={kilobits // 3}:scenecut=0",
    }
    return codec


def _context(name: str, width: int, height: int, bitrate: int, fps: int) -> Any:
    codec = av.CodecContext.create(name, "w")
    codec.width, codec.height, codec.pix_fmt = width, height, "yuv420p"
    codec.time_base, codec.framerate = TIME_BASE, Fraction(fps)
    codec.bit_rate = bitrate
    codec.thread_count = 1 if width * height <= 640 * 480 else 2
    return codec


_BUILDERS: dict[str, Callable[[int, int, int, int], Any]] = {"vp8": _vp8, "h264": _h264}


class SizeRefused(ValueError):
    """A bitstream that announces a picture larger than we take; it is not decoded."""


class TickDecoder:
    """Decodes one stream in the order of arrival. Not safe for two threads at once."""

    def __init__(self) -> None:
        self._codecs: dict[str, Any] = {}

    def close(self) -> None:
        """Give the codecs' memory back now."""
        self._codecs = {}

    def decode(self, codec: str, timestamp: int, data: bytes) -> list[Any]:
        """Pictures in yuv420p, with pts = timestamp. Raises ValueError on what does not decode."""
        if codec == "vp8" and (size := vp8_size(data)) is not None and max(size) > LARGEST_SIDE:
            raise SizeRefused(f"pictures of {size[0]}x{size[1]} are larger than {LARGEST_SIDE}")
        packet = av.Packet(data)
        packet.pts, packet.time_base = timestamp, TIME_BASE
        codecs = self._codecs
        if codec not in codecs:
            context = av.CodecContext.create("libvpx" if codec == "vp8" else "h264", "r")
            context.thread_count = 1  # more of them add a hand-over to every frame
            codecs[codec] = context
        try:
            frames: list[Any] = codecs[codec].decode(packet)
        except av.FFmpegError as error:
            raise ValueError(f"does not decode: {error}") from error
        if any(max(frame.width, frame.height) > LARGEST_SIDE for frame in frames):
            raise SizeRefused(f"pictures are larger than {LARGEST_SIDE}")
        return frames


def vp8_size(data: bytes) -> tuple[int, int] | None:
    """Width and height that a VP8 key frame announces (RFC 6386, 9.1); None for an inter frame."""
    if len(data) < 10 or data[0] & 1 or data[3:6] != b"\x9d\x01\x2a":
        return None
    width, height = struct.unpack_from("<HH", data, 6)
    return width & 0x3FFF, height & 0x3FFF


def is_key(codec: str, data: bytes) -> bool:
    """Whether an encoded frame decodes on its own."""
    if codec == "vp8":
        return bool(data) and not data[0] & 1
    at = data.find(_START_CODE)
    while 0 <= at < len(data) - 3:
        if data[at + 3] & 0x1F in (5, 7):  # a slice of an IDR picture, or the parameters before it
            return True
        at = data.find(_START_CODE, at + 3)
    return False
