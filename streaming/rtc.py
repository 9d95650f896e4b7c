"""aiortc as we use it: our own encoders, exact ticks on the wire, the bitstream in view.

RTP timestamp = tick * 1500 at 90 kHz with origin zero, so the tick travels with every packet and
survives any loss. Owns every private member of the library that the sending side touches.
"""

import ipaddress
import time
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any

import aioice.ice
from aiortc import RTCConfiguration, RTCPeerConnection, RTCRtpSender, clock, rtcrtpsender
from aiortc.codecs.vpx import Vp8Encoder
from aiortc.rtcrtpsender import RTP_HISTORY_SIZE
from aiortc.rtp import RtcpRrPacket, RtcpSrPacket

from streaming import jitter
from streaming.codec import PTS_PER_TICK, TIME_BASE, OnEncoded, TickEncoder, tick_of
from streaming.ratecontrol import RateControl, Retries

__all__ = ["PTS_PER_TICK", "TIME_BASE", "TickEncoder", "tick_of"]

_zero_origin: ContextVar[bool] = ContextVar("zero_origin", default=False)
_loopback: ContextVar[bool] = ContextVar("loopback", default=False)
_stock: dict[str, Any] = {}


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


def connection(configuration: RTCConfiguration | None = None) -> RTCPeerConnection:
    """A peer connection; without a configuration it asks nobody outside for its address."""
    install()
    return RTCPeerConnection(configuration or RTCConfiguration(iceServers=[]))


def offer_codecs(transceiver: Any, mime: str = "video/VP8") -> None:
    """Offer VP8 and, where it is to be sent, `mime` before it; each with its retransmission."""
    codecs = RTCRtpSender.getCapabilities("video").codecs
    wanted = [c for c in codecs if c.mimeType == mime]
    vp8 = [c for c in codecs if c.mimeType == "video/VP8" and c not in wanted]
    rtx = [c for c in codecs if c.mimeType == "video/rtx"]
    transceiver.setCodecPreferences([*wanted, *vp8, *rtx[:1]])


def equip_sender(sender: Any, encoder: TickEncoder, rate: RateControl) -> None:
    """Give one fresh sender our encoder, its codec and a timestamp origin of zero.

    rate: told what the far side reports, and obeyed.
    """
    encoder.bitrate = rate.target
    encoder.on_estimate = lambda bits: _aim(encoder, rate.estimated(bits, time.monotonic()))
    sender._send_keyframe = encoder.want_key
    send, handle = sender.send, sender._handle_rtcp_packet

    async def send_ours(parameters: Any) -> None:
        parameters.codecs.sort(key=lambda codec: codec.mimeType != encoder.mime)  # stable
        encoder.use(parameters.codecs[0].mimeType)
        await send(parameters)

    async def handle_and_tell(packet: Any) -> None:
        await handle(packet)
        if isinstance(packet, RtcpRrPacket | RtcpSrPacket):
            for report in [r for r in packet.reports if r.ssrc == sender._ssrc]:
                round_trip, loss = sender._RTCRtpSender__rtt or 0.0, report.fraction_lost / 256
                _aim(encoder, rate.reported(loss, round_trip, time.monotonic()))

    sender.send, sender._handle_rtcp_packet = send_ours, handle_and_tell
    _limit_retries(sender, rate)
    _equip(sender, encoder)


def _aim(encoder: TickEncoder, bitrate: int) -> None:
    encoder.bitrate = bitrate


def _limit_retries(sender: Any, rate: RateControl) -> None:
    """Lost packets go out again within a budget, and with the time at which they really do."""
    retransmit, history, retries = sender._retransmit, sender._RTCRtpSender__rtp_history, Retries()

    async def again(sequence_number: int) -> None:
        packet = history.get(sequence_number % RTP_HISTORY_SIZE)
        if packet is None or packet.sequence_number != sequence_number:
            return
        now, round_trip = time.monotonic(), sender._RTCRtpSender__rtt or 0.0
        if rate.rests(now):
            return
        if retries.allows(sequence_number, len(packet.payload), rate.target, round_trip, now):
            packet.extensions.abs_send_time = (clock.current_ntp_time() >> 14) & 0x00FFFFFF
            await retransmit(sequence_number)

    sender._retransmit = again


def _equip(sender: Any, encoder: Any) -> None:
    sender._RTCRtpSender__encoder = encoder
    run = sender._run_rtp

    async def run_from_zero(codec: Any) -> None:
        _zero_origin.set(True)  # in the context of the sender's own task
        await run(codec)

    sender._run_rtp = run_from_zero


def equip_receiver(
    receiver: Any, tap: jitter.Tap, first_tick: int = 0, patched: bool = True
) -> jitter.PromptBuffer | None:
    """Give one fresh receiver absolute timestamps, the tap and, if patched, our jitter buffer.

    Patched, nothing is decoded here: who taps does it, and tells the buffer when that fails.
    """
    clock = TickClock(first_tick * PTS_PER_TICK)
    if patched:
        return jitter.equip(receiver, tap, clock.unwrap)
    jitter.equip_stock(receiver, tap, clock.unwrap)
    return None


class TickClock:
    """Unwraps 32-bit RTP timestamps around what was last seen; they wrap after 13 hours."""

    def __init__(self, near: int = 0) -> None:
        self._last = near

    def unwrap(self, timestamp: int) -> int:
        """The full timestamp nearest to the one before."""
        ahead = (timestamp - self._last) & 0xFFFFFFFF
        self._last += ahead if ahead < 1 << 31 else ahead - (1 << 32)
        return self._last


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
    _equip(sender, StockEncoder(on_encoded))
