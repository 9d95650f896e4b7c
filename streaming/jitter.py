"""Our receiving side of aiortc 1.16: frames leave with their last packet, losses heal in time.

Replaces private members of one receiver at a time, never the library's classes. `self_check` tells
at start-up whether this release still behaves as the patch expects; if not, all stays stock.

Stock holds each picture until the first packet of the next one, asks for a lost packet once, and
waits for seconds. Here the marker bit ends a picture; what is missing is asked for again every
50 ms, eight times at most; a hole that blocks for 250 ms and was asked for often enough is given up
and a key frame asked for.
"""

import asyncio
import contextlib
import logging
import queue
import time
from collections import deque
from collections.abc import Awaitable, Callable
from types import SimpleNamespace
from typing import Any

from aiortc import RTCRtpReceiver
from aiortc.jitterbuffer import JitterBuffer, JitterFrame
from aiortc.rtp import RtpPacket
from aiortc.utils import uint16_add, uint16_gt

from streaming.codec import is_key
from streaming.ratecontrol import Estimator

log = logging.getLogger(__name__)

CAPACITY = 512
ASK_EVERY_S = 0.05
ASK_TIMES = 8
GIVE_UP_S = 0.25
GIVE_UP_TRIES = 4  # time alone gives up what a busy machine had no chance to ask for
GIVE_UP_LATEST_S = 0.6
LONGEST_HEAL_S = 0.5
PLI_EVERY_S = 0.2
STEP_S = 0.02

Tap = Callable[[int, bytes, str], None]
"""Told (timestamp, encoded frame, codec) of every frame as received, on the event loop."""

_PRIVATE = (
    "_RTCRtpReceiver__decoder_queue",
    "_RTCRtpReceiver__jitter_buffer",
    "_RTCRtpReceiver__nack_generator",
    "_RTCRtpReceiver__remote_bitrate_estimator",
    "_RTCRtpReceiver__remote_streams",
    "_RTCRtpReceiver__timestamp_mapper",
    "_send_rtcp_nack",
    "_send_rtcp_pli",
)


class PromptBuffer(JitterBuffer):  # type: ignore[misc]
    """Releases a frame with its last packet. While `wait_key`, only a key frame passes.

    h264: payload types of packets that are not VP8.
    """

    def __init__(self, wait_key: bool = True) -> None:
        super().__init__(capacity=CAPACITY, is_video=True)
        self.wait_key = wait_key
        self.h264: set[int] = set()

    def add(self, packet: RtpPacket) -> tuple[bool, JitterFrame | None]:
        overflowed, frame = super().add(packet)
        if overflowed:
            self.wait_key = True
            frame = None
        return overflowed, frame

    def _remove_frame(self, sequence_number: int) -> JitterFrame | None:
        return self.next_complete()

    def next_complete(self) -> JitterFrame | None:
        """Take the oldest frame if all its packets are there."""
        while (packets := self._oldest_whole()) is not None:
            data = b"".join(packet._data for packet in packets)
            self.remove(len(packets))
            if not data:
                continue  # padding, by which a sender probes the line: no picture
            if self.wait_key and not self._opens(packets[0], data):
                continue
            self.wait_key = False
            return JitterFrame(data, packets[0].timestamp)
        return None

    def _oldest_whole(self) -> list[RtpPacket] | None:
        packets: list[RtpPacket] = []
        for offset in range(self._capacity):
            packet = self._packets[(self._origin + offset) % self._capacity]
            if packet is None:
                return None
            if packets and packet.timestamp != packets[0].timestamp:
                return packets  # a sender that sets no marker
            packets.append(packet)
            if packet.marker:
                return packets
        return None

    def _opens(self, packet: RtpPacket, data: bytes) -> bool:
        if packet.payload_type in self.h264:
            return is_key("h264", data)
        starts = bool(packet.payload) and bool(packet.payload[0] & 0x10)  # RFC 7741: S bit
        return starts and is_key("vp8", data)

    def hole(self, newest: int | None) -> int | None:
        """The first packet that is not there, up to the `newest` that was seen; None if none."""
        if self._origin is None or newest is None:
            return None
        for offset in range(min(uint16_add(newest, 1 - self._origin), CAPACITY)):
            seq: int = uint16_add(self._origin, offset)
            if self._packets[seq % self._capacity] is None:
                return seq
        return None

    def jump_to(self, sequence_number: int) -> None:
        """Forget everything and expect `sequence_number` next, a key frame or its continuation."""
        self.remove(self._capacity)
        self._origin = sequence_number
        self.wait_key = True


class Recovery:
    """Decides what to ask for and when to give up. Pure but for the clock handed in."""

    def __init__(self, buffer: PromptBuffer, nacks: Any, now: Callable[[], float]) -> None:
        self._buffer, self._nacks, self._now = buffer, nacks, now
        self._asked: dict[int, tuple[float, float, int]] = {}  # first, last, times
        self._healed: deque[float] = deque(maxlen=20)
        self.heals_s = 0.0  # how long a packet that was asked for takes at the least
        self._hole: int | None = None
        self._hole_since = 0.0
        self._pli_at = float("-inf")
        self.given_up = 0

    def missing(self) -> list[int]:
        """Sequence numbers that the buffer still waits for; older ones are struck off."""
        origin = self._buffer._origin
        if origin is not None:
            for seq in [s for s in self._nacks.missing if uint16_gt(origin, s)]:
                self._nacks.missing.discard(seq)
        return sorted(self._nacks.missing)

    def due(self) -> list[int]:
        """What to ask for now; asking is noted."""
        now, ask = self._now(), []
        missing = self.missing()
        self._learn(set(self._asked).difference(missing), now)
        self._asked = {seq: self._asked[seq] for seq in missing if seq in self._asked}
        every = max(ASK_EVERY_S, 1.3 * self.heals_s)  # sooner, and the line carries it twice
        for seq in missing:
            first, last, times = self._asked.get(seq, (now, float("-inf"), 0))
            if times < ASK_TIMES and now - last >= every:
                self._asked[seq] = (first, now, times + 1)
                ask.append(seq)
        return ask

    def _learn(self, healed: set[int], now: float) -> None:
        for seq in healed:
            self._healed.append(min(now - self._asked[seq][0], LONGEST_HEAL_S))
            self.heals_s = min(self._healed)

    def wants_key_frame(self) -> bool:
        """Give up a hole that is too old; True when a key frame must be asked for now."""
        now, hole = self._now(), self._buffer.hole(self._nacks.max_seq)
        if hole is None:
            self._hole = None
        elif self._hole != self._buffer._origin:  # the hole is timed, not the state
            self._hole, self._hole_since = self._buffer._origin, now
        elif self._is_hopeless(hole, now):
            self._buffer.jump_to(uint16_add(self._nacks.max_seq, 1))
            self._nacks.missing.clear()
            self._asked.clear()
            self._hole, self._pli_at = None, float("-inf")
            self.given_up += 1
        if self._nacks.max_seq is None or not self._buffer.wait_key:
            return False
        if now - self._pli_at < max(PLI_EVERY_S, 2 * self.heals_s):
            return False
        self._pli_at = now
        return True

    def _is_hopeless(self, hole: int, now: float) -> bool:
        """Whether this packet, which blocks all after it, will not come any more."""
        if hole not in self._nacks.missing:  # so far back that nobody could send it again
            return True
        blocked = now - self._hole_since
        if blocked < max(GIVE_UP_S, 2.5 * self.heals_s):
            return False
        _, _, times = self._asked.get(hole, (now, now, 0))
        return times >= GIVE_UP_TRIES or blocked >= max(GIVE_UP_LATEST_S, 2.5 * self.heals_s)


class TapQueue(queue.Queue):  # type: ignore[type-arg]
    """The receiver's way to its decoder. Shows each frame as received, and drains the backlog.

    decode: whether the library's decoder thread gets them too.
    """

    def __init__(self, buffer: PromptBuffer | None, tap: Tap, decode: bool = True) -> None:
        super().__init__()
        self._buffer, self._tap, self._decode = buffer, tap, decode
        self.map: Callable[[int], int] = lambda timestamp: timestamp

    def put(self, item: Any, block: bool = True, timeout: float | None = None) -> None:
        """Pass on (codec, frame), then every frame behind it that is whole already."""
        if item is None:
            super().put(item, block, timeout)
            return
        codec, frame = item
        self._pass(codec, frame)
        while self._buffer is not None and (more := self._buffer.next_complete()):
            more.timestamp = self.map(more.timestamp)
            self._pass(codec, more)

    def _pass(self, codec: Any, frame: JitterFrame) -> None:
        self._tap(frame.timestamp, frame.data, codec.mimeType.lower().removeprefix("video/"))
        if self._decode:
            super().put((codec, frame))


def equip(receiver: Any, tap: Tap, map_: Callable[[int], int]) -> PromptBuffer:
    """Fit one fresh video receiver with buffer, recovery and tap. Call before media flows.

    Who taps also decodes, and sets `wait_key` of the returned buffer when that fails. map_: what
    becomes of RTP timestamps.
    """
    buffer = PromptBuffer()
    frames = TapQueue(buffer, tap, decode=False)
    frames.map = map_
    _fit(receiver, frames, map_)
    receiver._RTCRtpReceiver__jitter_buffer = buffer
    receiver._RTCRtpReceiver__remote_bitrate_estimator = Estimator()
    recovery = Recovery(buffer, receiver._RTCRtpReceiver__nack_generator, time.monotonic)
    _start_asking(receiver, recovery, buffer)
    return buffer


def equip_stock(receiver: Any, tap: Tap, map_: Callable[[int], int]) -> None:
    """Only the tap and the timestamps, for comparison and for releases that fail `self_check`."""
    _fit(receiver, TapQueue(None, tap), map_)


def _fit(receiver: Any, frames: TapQueue, map_: Callable[[int], int]) -> None:
    receiver._RTCRtpReceiver__decoder_queue = frames
    receiver._RTCRtpReceiver__timestamp_mapper.map = map_


def _start_asking(receiver: Any, recovery: Recovery, buffer: PromptBuffer) -> None:
    send_nack: Callable[[int, list[int]], Awaitable[None]] = receiver._send_rtcp_nack
    receive, stop = receiver.receive, receiver.stop
    heard: list[int] = []
    tasks: list[asyncio.Task[None]] = []

    async def ask(ssrc: int, lost: list[int]) -> None:
        heard[:] = [ssrc]
        if due := recovery.due():
            await send_nack(ssrc, due)

    async def repeat() -> None:
        while True:
            await asyncio.sleep(STEP_S)
            ssrc = heard[0] if heard else next(iter(receiver._RTCRtpReceiver__remote_streams), None)
            if ssrc is None:
                continue
            if due := recovery.due():
                await send_nack(ssrc, due)
            if recovery.wants_key_frame():
                await receiver._send_rtcp_pli(ssrc)

    async def receive_and_repeat(parameters: Any) -> None:
        kinds = {codec.payloadType: codec.mimeType for codec in parameters.codecs}
        buffer.h264.update(number for number, mime in kinds.items() if mime == "video/H264")
        await receive(parameters)
        if not tasks:
            tasks.append(asyncio.ensure_future(repeat()))

    async def stop_both() -> None:
        for task in tasks:
            task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await task
        await stop()

    receiver._send_rtcp_nack = ask
    receiver.receive, receiver.stop = receive_and_repeat, stop_both


def self_check() -> bool:
    """Whether a three-packet frame leaves our buffer with its third packet, marker set."""
    try:
        buffer = PromptBuffer()
        frames = [buffer.add(_packet(seq, marker=seq == 2))[1] for seq in range(3)]
        receiver = RTCRtpReceiver("video", SimpleNamespace(state="new"))
        for name in _PRIVATE:
            getattr(receiver, name)
    except Exception as error:
        log.warning("jitter.obsolete error=%r; the library's own receiver is used", error)
        return False
    good = frames[:2] == [None, None] and frames[2] is not None and frames[2].data == b"\0ab"
    if not good:
        log.warning("jitter.obsolete; the library's own receiver is used")
    return good


def _packet(seq: int, marker: bool) -> RtpPacket:
    packet = RtpPacket(sequence_number=seq, timestamp=3000, payload=b"\x10x")
    packet.marker = int(marker)
    packet._data = (b"\0", b"a", b"b")[seq]
    return packet
