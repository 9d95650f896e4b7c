"""aiortc as we use it: VP8 at a fixed rate, exact ticks on the wire, the bitstream in view.

RTP timestamp = tick * 1500 at 90 kHz with origin zero, so the tick travels with every packet and
survives any loss. Owns every private member of the library that the sending side touches.
"""

import ipaddress
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from fractions import Fraction
from typing import Any

import aioice.ice
import av
import av.video.frame
from aiortc import RTCConfiguration, RTCPeerConnection, RTCRtpSender, rtcrtpsender
from aiortc.codecs.vpx import Vp8Encoder
from av.video.reformatter import VideoReformatter

from streaming import jitter

CLOCK_HZ = 90_000
PTS_PER_TICK = 1500
TIME_BASE = Fraction(1, CLOCK_HZ)

_zero_origin: ContextVar[bool] = ContextVar("zero_origin", default=False)
_loopback: ContextVar[bool] = ContextVar("loopback", default=False)
_stock: dict[str, Any] = {}

OnEncoded = Callable[[int, bytes], None]


def install() -> None:
    """Put our two switches into the library once; without their context they change nothing."""
    if _stock:
        return
    _stock["random32"] = rtcrtpsender.random32
    _stock["hosts"] = aioice.ice.get_host_addresses
    rtcrtpsender.random32 = _origin
    aioice.ice.get_host_addresses = _host_addresses


def _origin() -> int:
    return 0 if _zero_origin.get() else int(_stock["random32"]())


def _host_addresses(use_ipv4: bool, use_ipv6: bool) -> list[str]:
    if _loopback.get():
        return ["127.0.0.1"]
    found: list[str] = _stock["hosts"](use_ipv4=use_ipv4, use_ipv6=use_ipv6)
    return found or ["127.0.0.1"]


@contextmanager
def on_loopback(only: bool) -> Iterator[None]:
    """Within, connections gather 127.0.0.1 alone, which the library leaves out by itself."""
    token = _loopback.set(only)
    try:
        yield
    finally:
        _loopback.reset(token)


def is_loopback(host: str) -> bool:
    """Whether a host name or address means this machine."""
    if host in ("localhost", ""):
        return True
    try:
        return ipaddress.ip_address(host.strip("[]")).is_loopback
    except ValueError:
        return False


def connection() -> RTCPeerConnection:
    """A peer connection that asks nobody outside for its address."""
    install()
    return RTCPeerConnection(RTCConfiguration(iceServers=[]))


def prefer_vp8(transceiver: Any) -> None:
    """Offer VP8 and its retransmission, nothing else."""
    codecs = RTCRtpSender.getCapabilities("video").codecs
    vp8 = [c for c in codecs if c.mimeType == "video/VP8"]
    rtx = [c for c in codecs if c.mimeType == "video/rtx"]
    transceiver.setCodecPreferences([*vp8, *rtx[:1]])


def equip_sender(sender: Any, encoder: "TickEncoder") -> None:
    """Give one fresh sender our encoder and a timestamp origin of zero."""
    sender._RTCRtpSender__encoder = encoder
    run = sender._run_rtp

    async def run_from_zero(codec: Any) -> None:
        _zero_origin.set(True)  # in the context of the sender's own task
        await run(codec)

    sender._run_rtp = run_from_zero


def equip_receiver(
    receiver: Any, tap: Callable[[int, bytes], None], first_tick: int = 0, patched: bool = True
) -> None:
    """Give one fresh receiver absolute timestamps, the tap and, if patched, our jitter buffer."""
    clock = TickClock(first_tick * PTS_PER_TICK)
    (jitter.equip if patched else jitter.equip_stock)(receiver, tap, clock.unwrap)


def tick_of(pts: int) -> int:
    """The tick that a timestamp names. Decoders may floor it by one, hence the rounding."""
    return (pts + PTS_PER_TICK // 2) // PTS_PER_TICK


class TickClock:
    """Unwraps 32-bit RTP timestamps around what was last seen; they wrap after 13 hours."""

    def __init__(self, near: int = 0) -> None:
        self._last = near

    def unwrap(self, timestamp: int) -> int:
        """The full timestamp nearest to the one before."""
        ahead = (timestamp - self._last) & 0xFFFFFFFF
        self._last += ahead if ahead < 1 << 31 else ahead - (1 << 32)
        return self._last


class TickEncoder(Vp8Encoder):  # type: ignore[misc]
    """VP8 at one bitrate; hands every encoded frame to `on_encoded(tick, data)` from its thread.

    The frame's pts is tick * 1500. What the receiver estimates (REMB) is ignored on purpose.
    """

    def __init__(self, bitrate: int, fps: int, on_encoded: OnEncoded | None = None) -> None:
        super().__init__()
        self.codec: Any = None
        self.picture_id: int = 0
        self._bitrate, self._fps = bitrate, fps
        self._on_encoded = on_encoded
        self._reformatter = VideoReformatter()
        self.frames = 0
        self.bytes = 0
        self.busy_s = 0.0

    @property
    def target_bitrate(self) -> int:
        """Bits per second."""
        return self._bitrate

    @target_bitrate.setter
    def target_bitrate(self, bitrate: int) -> None:
        """Deaf: the library calls this with the far side's estimate."""

    def encode(self, frame: Any, force_keyframe: bool = False) -> tuple[list[bytes], int]:
        """RTP payloads of one frame and its timestamp, low 32 bits."""
        begin = time.perf_counter()
        pts = frame.pts
        if frame.format.name != "yuv420p":
            frame = self._reformatter.reformat(frame, format="yuv420p")
        frame.pts, frame.time_base = pts, TIME_BASE
        if self.codec is None or (self.codec.width, self.codec.height) != (
            frame.width,
            frame.height,
        ):
            self.codec = self._build(frame.width, frame.height)
        kinds = av.video.frame.PictureType
        frame.pict_type = kinds.I if force_keyframe else kinds.NONE
        data = b"".join(bytes(packet) for packet in self.codec.encode(frame))
        self.frames, self.bytes = self.frames + 1, self.bytes + len(data)
        self.busy_s += time.perf_counter() - begin
        if self._on_encoded is not None and data:
            self._on_encoded(tick_of(pts), data)
        payloads = self._packetize(data, self.picture_id)
        self.picture_id = (self.picture_id + 1) % (1 << 15)
        return payloads, pts & 0xFFFFFFFF

    def _build(self, width: int, height: int) -> Any:
        codec = av.CodecContext.create("libvpx", "w")
        codec.width, codec.height, codec.pix_fmt = width, height, "yuv420p"
        codec.time_base, codec.framerate = TIME_BASE, Fraction(self._fps)
        codec.bit_rate = self._bitrate
        codec.gop_size = 3000
        codec.qmin, codec.qmax = 2, 56
        rate = str(self._bitrate)
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
        }
        codec.thread_count = 1 if width * height <= 640 * 480 else 2
        return codec


class StockEncoder(Vp8Encoder):  # type: ignore[misc]
    """The library's own encoder with only the tap added, for comparison."""

    def __init__(self, on_encoded: OnEncoded | None) -> None:
        super().__init__()
        self._on_encoded = on_encoded

    def _packetize(self, buffer: bytes, picture_id: int) -> list[bytes]:
        self.last = buffer
        return list(Vp8Encoder._packetize(buffer, picture_id))

    def encode(self, frame: Any, force_keyframe: bool = False) -> tuple[list[bytes], int]:
        """As the library does it."""
        payloads, timestamp = super().encode(frame, force_keyframe)
        if self._on_encoded is not None:
            self._on_encoded(tick_of(frame.pts), self.last)
        return payloads, timestamp & 0xFFFFFFFF


def equip_sender_stock(sender: Any, on_encoded: OnEncoded | None = None) -> None:
    """The library's encoder and rates; only ticks and tap are ours."""
    encoder: Any = StockEncoder(on_encoded)
    equip_sender(sender, encoder)
