"""One player at the server: the connection, the newest picture through the backend, the journal.

The newest frames win: a backlog is worked off only while that takes under 60 ms, so a slow backend
lowers the frame rate and adds no delay. Who may sit is decided elsewhere.
"""

import asyncio
import contextlib
import hashlib
import logging
import time
from collections import OrderedDict
from collections.abc import Awaitable, Callable
from concurrent.futures import Executor
from typing import Any

import numpy as np
from aiortc import RTCSessionDescription
from aiortc.sdp import candidate_from_sdp

from streaming import rtc, wire
from streaming.backends.base import Backend
from streaming.frames import Pixels
from streaming.journal import LUMA_SIDE, JournalWriter
from streaming.track import OfferedTrack, newest

log = logging.getLogger(__name__)

REMEMBERED = 256  # frames on their way through
LARGEST_SIDE = 2048
BACKLOG_S, BACKLOG = 0.06, 6

Send = Callable[[wire.Message], Awaitable[None]]


class Seat:
    """One player's stream. send: to the player, may fail silently. journal: None keeps none."""

    def __init__(
        self,
        backend: Backend,
        pool: Executor,
        send: Send,
        journal: JournalWriter | None,
        now_ns: Callable[[], int],
        *,
        bitrate: int,
        first_tick: int = 0,
        patched: bool = True,
        loopback: bool = True,
    ) -> None:
        self._backend, self._pool, self._send = backend, pool, send
        self._painter = backend.painter()
        self._journal, self._now_ns = journal, now_ns
        self._first_tick, self._patched, self._loopback = first_tick, patched, loopback
        self._prompts: list[wire.Prompt] = [wire.Prompt("", from_tick=-1)]
        self._received: OrderedDict[int, tuple[int, bytes]] = OrderedDict()
        self._track = OfferedTrack(depth=4)
        self._took_s = 0.01
        self._encoder = rtc.TickEncoder(bitrate, 30, self._on_encoded)
        self._loop = asyncio.get_running_loop()
        self._tasks: set[asyncio.Task[None]] = set()
        self._arrived: OrderedDict[int, int] = OrderedDict()
        self._connection: Any = None
        self._began = 0.0
        self.last_tick = -1
        self.frames = self.skipped = self.failures = 0

    async def answer(self, offer: wire.Offer) -> None:
        """Take the offer and send the answer with all candidates. Raises ValueError on bad SDP."""
        with rtc.on_loopback(self._loopback):
            if self._connection is None:
                self._connection = self._connect()
            connection = self._connection
            try:
                await connection.setRemoteDescription(RTCSessionDescription(offer.sdp, "offer"))
                for transceiver in connection.getTransceivers():
                    if transceiver.kind == "video" and transceiver.sender.track is self._track:
                        transceiver.direction = "sendrecv"
                await connection.setLocalDescription(await connection.createAnswer())
            except Exception as error:  # the library raises many kinds on hostile SDP
                raise ValueError(f"offer not understood: {error}") from error
        await self._send(wire.Answer(connection.localDescription.sdp))
        await self._send(wire.IceCandidate(None))

    def _connect(self) -> Any:
        connection = rtc.connection()
        sender = connection.addTrack(self._track)
        if self._patched:
            rtc.equip_sender(sender, self._encoder)
        else:
            rtc.equip_sender_stock(sender, self._on_encoded)
        receiver = next(t.receiver for t in connection.getTransceivers() if t.sender is sender)
        rtc.equip_receiver(receiver, self._on_received, self._first_tick, self._patched)
        connection.on("track", self._on_track)
        return connection

    async def candidate(self, message: wire.IceCandidate) -> None:
        """A candidate of the player's; nonsense and late ones are ignored."""
        if self._connection is None:
            return
        try:
            candidate = None
            if message.candidate is not None and message.candidate["candidate"]:
                candidate = candidate_from_sdp(message.candidate["candidate"].split(":", 1)[1])
                candidate.sdpMid = message.candidate.get("sdpMid")
                candidate.sdpMLineIndex = message.candidate.get("sdpMLineIndex")
            await self._connection.addIceCandidate(candidate)
        except Exception as error:  # as above
            log.info("seat.candidate ignored=%r", error)

    async def prompt(self, message: wire.Prompt) -> None:
        """Paint with this from the wished tick on, or from the next one if that has passed."""
        start = max(message.from_tick, self.last_tick + 1)
        chosen = wire.Prompt(
            message.prompt, message.enhance_prompt, message.style, message.seed, start
        )
        self._prompts = [*[p for p in self._prompts if p.from_tick < start][-8:], chosen]
        await self._send(wire.PromptAck(message.prompt, True, None, start))

    def commit(self, message: wire.Inputs) -> None:
        """Note the player's input hash in the journal."""
        if self._journal is not None and len(message.chain) == 64:
            with contextlib.suppress(ValueError):
                self._journal.commit(max(message.tick, 0), bytes.fromhex(message.chain).hex())

    async def seal(self, end: bool = False) -> None:
        """Sign what passed and send the block."""
        line = self._journal.seal(end) if self._journal is not None else None
        if line is not None:
            await self._send(wire.JournalBlock(line))

    async def close(self) -> None:
        """End the media and the tasks. The journal stays with its owner."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        self._track.stop()
        if self._connection is not None:
            await self._connection.close()

    def _on_received(self, timestamp: int, data: bytes) -> None:
        self._arrived[rtc.tick_of(timestamp)] = self._now_ns()
        while len(self._arrived) > REMEMBERED:
            self._arrived.popitem(last=False)

    def _on_track(self, track: Any) -> None:
        if track.kind == "video" and not self._tasks:
            self._tasks.add(asyncio.ensure_future(self._paint(track)))

    async def _paint(self, track: Any) -> None:
        async for frame, skipped in newest(track, self._allowed):
            self.skipped += skipped
            tick = rtc.tick_of(frame.pts)
            if tick <= self.last_tick or max(frame.width, frame.height) > LARGEST_SIDE:
                continue
            begin = time.perf_counter()
            received = self._arrived.get(tick, self._now_ns())
            prompt = next(p for p in reversed(self._prompts) if p.from_tick <= tick)
            luma, styled = await self._loop.run_in_executor(self._pool, self._style, frame, prompt)
            self.last_tick = tick
            self._received[tick] = (received, luma)
            while len(self._received) > REMEMBERED:
                self._received.popitem(last=False)
            await self._note_prompt(prompt)
            if not self._began:
                self._began = time.monotonic()
                await self._send(wire.GenerationStarted())
            self._track.offer(tick, styled)
            self.frames += 1
            self._took_s += (time.perf_counter() - begin - self._took_s) / 8

    def _allowed(self) -> int:
        """How many frames may wait behind the next one."""
        return min(BACKLOG, int(BACKLOG_S / self._took_s))

    def _style(self, frame: Any, prompt: wire.Prompt) -> tuple[bytes, Pixels]:
        luma = luma_print(frame)
        pixels: Pixels = frame.to_ndarray(format="bgra")
        try:
            styled = self._painter.style(pixels, prompt.prompt, prompt.seed, prompt.style)
        except Exception as error:  # whatever a backend dies of, the player keeps a picture
            self.failures += 1
            if self.failures == 1:
                log.error("backend.failed name=%s error=%r", self._backend.name, error)
                self._later(wire.ErrorMessage(f"backend failed, pictures pass unstyled: {error}"))
            return luma, pixels
        return luma, np.ascontiguousarray(styled)

    def _later(self, message: wire.Message) -> None:
        asyncio.run_coroutine_threadsafe(_sending(self._send, message), self._loop)

    async def _note_prompt(self, prompt: wire.Prompt) -> None:
        line = self._journal.prompt(prompt.prompt) if self._journal is not None else None
        if line is not None:
            await self._send(wire.JournalBlock(line))

    def _on_encoded(self, tick: int, data: bytes) -> None:
        """From the encoder's thread, before the frame is sent."""
        sha256 = hashlib.sha256(data).hexdigest()
        with contextlib.suppress(RuntimeError):  # the loop has closed
            self._loop.call_soon_threadsafe(self._journal_frame, tick, self._now_ns(), sha256)

    def _journal_frame(self, tick: int, sent_ns: int, sha256: str) -> None:
        received, luma = self._received.pop(tick, (sent_ns, b""))
        if self._journal is not None and luma and tick > self._journal.last_tick:
            self._journal.frame(tick, min(received, sent_ns), sent_ns, luma, sha256)

    def seconds(self) -> float:
        """How long this player has been served; 0 before the first frame."""
        return time.monotonic() - self._began if self._began else 0.0


async def _sending(send: Send, message: wire.Message) -> None:
    await send(message)


def luma_print(frame: Any) -> bytes:
    """Mean luma of 16x16 cells of a decoded yuv420p frame, rows from the top, one byte each."""
    plane = frame.planes[0]
    luma = np.frombuffer(plane, np.uint8).reshape(-1, plane.line_size)
    luma = luma[: frame.height, : frame.width]
    return cells_of(luma)


def cells_of(luma: Any) -> bytes:
    """Mean of 16x16 cells of a (height, width) luma picture, rounded down, as 256 bytes."""
    rows = np.linspace(0, luma.shape[0], LUMA_SIDE + 1).astype(int)[:-1]
    columns = np.linspace(0, luma.shape[1], LUMA_SIDE + 1).astype(int)[:-1]
    sums = np.add.reduceat(np.add.reduceat(luma, rows, 0, np.uint32), columns, 1, np.uint32)
    heights = np.diff([*rows, luma.shape[0]])
    widths = np.diff([*columns, luma.shape[1]])
    cells: bytes = (sums // (heights[:, None] * widths[None, :])).astype(np.uint8).tobytes()
    return cells
