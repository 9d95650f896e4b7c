"""What we mend in the library, and whether the installed release still needs it.

Each probe runs the library's own code and says True while the fault is there. A probe that comes
out False, or cannot run any more, means: a new release has changed this; read it, take ours out.
"""

import fractions
import inspect
from collections.abc import Callable
from dataclasses import dataclass
from types import SimpleNamespace
from typing import Any

import aioice.ice
import numpy as np
from aiortc import RTCIceGatherer, RTCRtpReceiver
from aiortc.codecs import vpx
from aiortc.codecs.h264 import H264Encoder
from aiortc.jitterbuffer import JitterBuffer
from aiortc.rtcrtpreceiver import NackGenerator, RemoteStreamTrack
from aiortc.rtcrtpsender import RTCRtpSender
from aiortc.rtp import RtpPacket
from av import VideoFrame

from streaming import rtc


@dataclass(frozen=True, slots=True)
class Fix:
    """One thing mended. where: our code that does it. needed: the probe."""

    name: str
    where: str
    why: str
    needed: Callable[[], bool]


def report() -> dict[str, bool | str]:
    """By name: True while needed, False when obsolete, a text when the probe cannot run."""
    found: dict[str, bool | str] = {}
    for fix in FIXES:
        try:
            found[fix.name] = fix.needed()
        except Exception as error:  # a changed library may break a probe in any way
            found[fix.name] = f"{type(error).__name__}: {error}"
    return found


def _packet(seq: int, marker: int = 0) -> RtpPacket:
    packet = RtpPacket(sequence_number=seq, timestamp=3000, payload=b"\x10x")
    packet.marker, packet._data = marker, b"x"
    return packet


def _holds_frames() -> bool:
    buffer = JitterBuffer(capacity=16, is_video=True)
    return [buffer.add(_packet(seq, seq == 2))[1] for seq in range(3)] == [None] * 3


def _asks_once() -> bool:
    nacks = NackGenerator()
    for seq in (0, 2):
        nacks.add(_packet(seq))
    return bool(nacks.missing) and not nacks.add(_packet(3))


def _queues_without_end() -> bool:
    receiver = RTCRtpReceiver("video", SimpleNamespace(state="new"))
    decoder: Any = receiver._RTCRtpReceiver__decoder_queue
    return bool(decoder.maxsize == 0 and RemoteStreamTrack("video")._queue.maxsize == 0)


def _fixes_rates() -> bool:
    encoder = vpx.Vp8Encoder()
    encoder.target_bitrate = 2_500_000
    return bool(encoder.target_bitrate < 2_500_000)


def _makes_up_for_gaps() -> bool:
    """Frames left out make the next ones larger: the encoder goes by time."""
    noise = np.random.default_rng(1)

    def size(every: int) -> int:
        encoder, out = vpx.Vp8Encoder(), 0
        for i in range(12):
            pixels = noise.integers(0, 255, (96, 96, 4), np.uint8)
            frame = VideoFrame.from_ndarray(pixels, format="bgra")
            frame.pts, frame.time_base = i * 3000 * every, fractions.Fraction(1, 90_000)
            out += sum(map(len, encoder.encode(frame)[0])) if i else 0
        return out

    return bool(size(8) > 1.2 * size(1))


def _slow_preset() -> bool:
    return "preset" not in inspect.getsource(H264Encoder._encode_frame)


def _random_origin() -> bool:
    return "timestamp_origin = random32()" in inspect.getsource(RTCRtpSender._run_rtp)


def _forgets_loopback() -> bool:
    stock = rtc._stock.get("hosts", aioice.ice.get_host_addresses)
    return "127.0.0.1" not in stock(use_ipv4=True, use_ipv6=False)


def _asks_outside() -> bool:
    return any("google" in str(server.urls) for server in RTCIceGatherer.getDefaultIceServers())


def _gathers_first() -> bool:
    timeout = inspect.signature(aioice.ice.Connection.get_component_candidates)
    return bool(timeout.parameters["timeout"].default >= 5)


def _resends_freely() -> bool:
    return "budget" not in inspect.getsource(RTCRtpSender._retransmit).lower()


def _encodes_elsewhere() -> bool:
    return "run_in_executor" in inspect.getsource(RTCRtpSender._next_encoded_frame)


FIXES: tuple[Fix, ...] = (
    Fix("held frame", "jitter.PromptBuffer", "a picture waits for the next one", _holds_frames),
    Fix("one request", "jitter.Recovery", "a lost packet is asked for once", _asks_once),
    Fix("queues", "jitter.TapQueue", "decoder and track queues grow", _queues_without_end),
    Fix("rates", "codec.TickEncoder", "VP8 stops at 1.5 Mbit/s", _fixes_rates),
    Fix("gaps", "codec.TickEncoder", "frames grow after a gap", _makes_up_for_gaps),
    Fix("preset", "codec._h264", "H264 is encoded slowly", _slow_preset),
    Fix("executor", "track.EncodedTrack", "frames change threads to encode", _encodes_elsewhere),
    Fix("origin", "rtc.install", "timestamps begin anywhere", _random_origin),
    Fix("loopback", "rtc.on_loopback", "127.0.0.1 is not gathered", _forgets_loopback),
    Fix("outside", "rtc.connection", "a public STUN server is asked unbidden", _asks_outside),
    Fix("trickle", "ice.trickle", "gathering ends before anything is said", _gathers_first),
    Fix("resending", "ratecontrol.Retries", "a full line is filled with copies", _resends_freely),
)


def installed() -> str:
    """The library's version."""
    import aiortc

    return str(aiortc.__version__)
