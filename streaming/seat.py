"""One player at the server: the connection, the newest picture through the backend, the journal.

Each player has one worker thread that decodes, paints and encodes, so a picture changes hands once.
A burst, as a healed loss leaves it, is worked off; where the backend cannot keep up the newest
frames win, so it lowers the frame rate and adds no delay. Who may sit is decided elsewhere.
"""

import asyncio
import contextlib
import hashlib
import logging
import time
from collections import OrderedDict, deque
from collections.abc import Awaitable, Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import numpy as np
from aiortc import RTCSessionDescription
from av.video.reformatter import VideoReformatter

from streaming import rtc, wire
from streaming.codec import (
    CLOCK_HZ,
    PTS_PER_TICK,
    SizeRefused,
    TickDecoder,
    TickEncoder,
    picture_of,
    tick_of,
)
from streaming.frames import Pixels
from streaming.ice import Guard, configuration, open_ended, trickle
from streaming.ice_config import IceConfig
from streaming.journal import JournalWriter
from streaming.luma import luma_print
from streaming.painter import HUNG_S, Painter
from streaming.ratecontrol import Backlog, RateControl
from streaming.relay import Painted, Relay, Taken
from streaming.seed import SeedGate
from streaming.stages import Times, pack_times
from streaming.track import EVERY, EncodedTrack, OfferedTrack, newest

log = logging.getLogger(__name__)

REMEMBERED = 256  # frames on their way through
LARGEST_SIDE = 2048
TICKS_A_SECOND = CLOCK_HZ / PTS_PER_TICK

Send = Callable[[wire.Message], Awaitable[None]]


class Seat:
    """One player's stream. send: to the player, may fail silently. journal: None keeps none.

    seed: of the scenario, released with the first frame; None where the ticket names it.
    """

    def __init__(
        self,
        painter: Painter,
        send: Send,
        journal: JournalWriter | None,
        now_ns: Callable[[], int],
        *,
        bitrate: int,
        first_tick: int = 0,
        patched: bool = True,
        loopback: bool = True,
        ice: IceConfig = IceConfig(),  # noqa: B008 - frozen
        far: str = "",
        on_frame: Callable[[float, int], None] = lambda took_ms, size: None,
        seed: int | None = None,
    ) -> None:
        self._painter, self._player, self._send = painter, painter.for_player(), send
        self._journal, self._now_ns = journal, now_ns
        self.gate = SeedGate(seed, journal, now_ns, send)
        self._first_tick, self._patched, self._loopback = first_tick, patched, loopback
        self._ice, self._guard = ice, Guard(far, ice.private)
        self._answered, self._on_frame = asyncio.Event(), on_frame
        self._prompts: list[wire.Prompt] = [wire.Prompt("", from_tick=-1)]
        self._loop = asyncio.get_running_loop()
        self._tasks: set[asyncio.Task[None]] = set()
        self._arrived: OrderedDict[int, int] = OrderedDict()
        self._received: OrderedDict[int, tuple[int, bytes]] = OrderedDict()
        self._inbox: deque[tuple[int, bytes, str]] = deque(maxlen=REMEMBERED)
        self._pending: deque[Any] = deque()
        self._decoder, self._encoder = TickDecoder(), TickEncoder(bitrate)
        self.rate = RateControl(bitrate, time.monotonic())
        self._track: Any = EncodedTrack() if patched else OfferedTrack(depth=4)
        self._buffer: Any = None
        self._worker = ThreadPoolExecutor(1, "seat")
        self._working: asyncio.Task[None] | None = None
        self._reformatter = VideoReformatter()
        self._relay: Relay | None = None
        if painter.streams and patched:
            self._relay = Relay(painter, self._go, self._deliver)
        self._generation = 0
        self._closed = False
        self._times: deque[Times] = deque(maxlen=REMEMBERED)
        self._backlog, self._came_tick = Backlog(), -1
        self._connection: Any = None
        self._began = 0.0
        self.last_tick = -1
        self.frames = self.skipped = self.candidates_dropped = 0
        painter.listen(self._say)

    async def answer(self, offer: wire.Offer) -> None:
        """Take the offer and send the answer with all candidates. Raises ValueError on bad SDP."""
        with rtc.on_loopback(self._loopback):
            if self._connection is None:
                self._connection = self._connect(await configuration(self._ice))
            connection = self._connection
            try:
                sdp = self._guard.description(offer.sdp)
                await connection.setRemoteDescription(RTCSessionDescription(sdp, "offer"))
                for transceiver in connection.getTransceivers():
                    if transceiver.kind == "video" and transceiver.sender.track is self._track:
                        transceiver.direction = "sendrecv"
                await connection.setLocalDescription(await connection.createAnswer())
            except Exception as error:  # the library raises many kinds on hostile SDP
                raise ValueError(f"offer not understood: {error}") from error
        await self._send(wire.Answer(open_ended(connection.localDescription.sdp)))
        self._answered.set()

    def _connect(self, configuration: Any) -> Any:
        connection = rtc.connection(configuration)
        sender = connection.addTrack(self._track)
        if self._patched:
            rtc.equip_sender(sender, self._encoder, self.rate)
        else:
            rtc.equip_sender_stock(sender, self._on_encoded)
        transceiver = next(t for t in connection.getTransceivers() if t.sender is sender)
        trickle(transceiver, self._found)
        receiver = transceiver.receiver
        self._buffer = rtc.equip_receiver(
            receiver, self._on_received, self._first_tick, self._patched
        )
        if not self._patched:
            connection.on("track", self._on_track)
        return connection

    def _found(self, candidate: dict[str, Any] | None) -> None:
        """One of our own candidates that came after the answer."""
        self._go(self._tell_candidate(candidate))

    async def _tell_candidate(self, candidate: dict[str, Any] | None) -> None:
        await self._answered.wait()
        await self._send(wire.IceCandidate(candidate))

    async def candidate(self, message: wire.IceCandidate) -> None:
        """A candidate of the player's; nonsense, late and forbidden ones are ignored."""
        if self._connection is None:
            return
        try:
            await self._connection.addIceCandidate(self._guard.candidate(message.candidate))
        except Exception as error:  # as above
            log.info("seat.candidate ignored=%r", error)

    def _go(self, work: Any) -> asyncio.Task[None]:
        task: asyncio.Task[None] = self._loop.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        return task

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

    async def tell_times(self) -> None:
        """Say when the last frames were received and sent, so that the player sees the stages."""
        told, self._times = list(self._times), deque(maxlen=REMEMBERED)
        if told:
            await self._send(wire.Times(pack_times(told)))

    async def seal(self, end: bool = False) -> None:
        """Sign what passed and send the block."""
        line = self._journal.seal(end) if self._journal is not None else None
        if line is not None:
            await self._send(wire.JournalBlock(line))

    async def close(self) -> None:
        """End the media and the tasks. The journal stays with its owner."""
        self._painter.forget(self._say)
        self._closed = True
        self._generation += 1
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        self._track.stop()
        if self._connection is not None:
            await self._connection.close()
        self._worker.shutdown(wait=False, cancel_futures=True)
        if self._relay is not None:
            self.skipped += self._relay.dropped
            self._relay.close()
        self.candidates_dropped = self._guard.dropped
        self._encoder.close()
        self._decoder.close()
        self._inbox.clear()
        self._pending.clear()

    # our own way: encoded frames in, one job for each picture, encoded frames out

    def _on_received(self, timestamp: int, data: bytes, codec: str) -> None:
        tick = tick_of(timestamp)
        self._arrived[tick] = self._now_ns()
        self._backlog.apart((tick - self._came_tick) / TICKS_A_SECOND)
        self._came_tick = tick
        while len(self._arrived) > REMEMBERED:
            self._arrived.popitem(last=False)
        if self._patched and not self._closed:
            self._inbox.append((timestamp, data, codec))
            if self._working is None or self._working.done():
                self._working = self._go(self._work())

    async def _work(self) -> None:
        while self._inbox or self._pending:
            begin, generation = time.perf_counter(), self._generation
            job = self._loop.run_in_executor(self._worker, self._job, generation)
            done, _ = await asyncio.wait({job}, timeout=HUNG_S)
            if not done:
                self._abandon(job)
                continue
            painted = job.result()
            if painted is None or generation != self._generation:
                continue
            self._backlog.took(time.perf_counter() - begin)
            await self._sent(painted)

    def _abandon(self, job: asyncio.Future[Painted | None]) -> None:
        """The backend hangs: leave it that thread, go on with another."""
        job.add_done_callback(lambda late: late.cancelled() or late.exception())
        self._generation += 1
        self._worker.shutdown(wait=False, cancel_futures=True)
        self._worker = ThreadPoolExecutor(1, "seat")
        self._painter.hung()

    def _job(self, generation: int) -> Painted | None:
        """Decode what has come, paint the next picture of it. Runs in the worker thread."""
        while self._inbox:
            timestamp, data, codec = self._inbox.popleft()
            try:
                self._pending.extend(self._decoder.decode(codec, timestamp, data))
            except ValueError as error:
                self._buffer.wait_key = True
                if isinstance(error, SizeRefused):
                    self._say(str(error))
        while len(self._pending) > self._backlog.allowed + 1:
            self._pending.popleft()
            self.skipped += 1
        frame = self._pending.popleft() if self._pending else None
        tick = tick_of(frame.pts) if frame is not None else -1
        if frame is not None and self._opens(tick):
            return None
        if frame is None or tick <= self.last_tick or not self._track.wanted:
            return None
        if self.rate.rests(time.monotonic()):
            self.skipped += 1
            return None
        received, prompt = self._arrived.get(tick, self._now_ns()), self._prompt_for(tick)
        if self._relay is not None:
            taken = Taken(tick, frame, received, luma_print(frame), prompt, time.monotonic())
            return None if self._relay.put(taken) else self._encoded(taken, None)
        luma, styled = self._style(frame, prompt)
        if generation != self._generation:
            return None  # others have gone on without us
        return self._encoded(Taken(tick, frame, received, luma, prompt, 0.0), styled)

    def _encoded(self, taken: Taken, styled: Pixels | None) -> Painted:
        """The bitstream of a styled picture, or of the frame as it came."""
        tick = self.last_tick = taken.tick
        data = self._encoder.compress(taken.picture if styled is None else picture_of(styled, tick))
        sha256, sent_ns = hashlib.sha256(data).hexdigest(), self._now_ns()
        return Painted(tick, taken.received_ns, sent_ns, taken.luma, data, sha256, taken.prompt)

    async def _deliver(self, taken: Taken, styled: Pixels | None) -> None:
        """A frame has come out of a backend that paints several at a time (see Relay)."""
        if taken.tick <= self.last_tick or self._closed:
            return  # frames have passed unpainted meanwhile
        whole = None if styled is None else np.ascontiguousarray(styled)
        painted = await self._loop.run_in_executor(self._worker, self._encoded, taken, whole)
        await self._sent(painted)

    def _opens(self, tick: int) -> bool:
        """Release the seed with the first frame; whether this one shows the hold picture."""
        if self.gate.holds:
            self._loop.call_soon_threadsafe(lambda: self._go(self.gate.release()))
        return self.gate.is_hold(tick)

    async def _sent(self, painted: Painted) -> None:
        if painted.data:
            self._track.offer(painted.tick, painted.data)
            self.frames += 1
            self._on_frame((painted.sent_ns - painted.received_ns) / 1e6, len(painted.data))
        await self._begun(painted.prompt)
        self._received[painted.tick] = (painted.received_ns, painted.luma)
        self._journal_frame(painted.tick, painted.sent_ns, painted.sha256)

    # the library's way, for comparison

    def _on_track(self, track: Any) -> None:
        if track.kind == "video" and self._working is None:
            self._working = self._go(self._paint(track))

    async def _paint(self, track: Any) -> None:
        async for frame, _ in newest(track, EVERY):
            tick = tick_of(frame.pts)
            if (
                self._opens(tick)
                or tick <= self.last_tick
                or max(frame.width, frame.height) > LARGEST_SIDE
            ):
                continue
            begin = time.perf_counter()
            received, prompt = self._arrived.get(tick, self._now_ns()), self._prompt_for(tick)
            luma, styled = await self._loop.run_in_executor(
                self._worker, self._style, frame, prompt
            )
            self.last_tick = tick
            self._received[tick] = (received, luma)
            while len(self._received) > REMEMBERED:
                self._received.popitem(last=False)
            await self._begun(prompt)
            self._track.offer(tick, self._bgra(frame) if styled is None else styled)
            self.frames += 1
            self._backlog.took(time.perf_counter() - begin)

    def _on_encoded(self, tick: int, data: bytes) -> None:
        """From the library's encoder thread, before the frame is sent."""
        sha256 = hashlib.sha256(data).hexdigest()
        with contextlib.suppress(RuntimeError):  # the loop has closed
            self._loop.call_soon_threadsafe(self._journal_frame, tick, self._now_ns(), sha256)

    # what both have in common

    def _prompt_for(self, tick: int) -> wire.Prompt:
        return next(p for p in reversed(self._prompts) if p.from_tick <= tick)

    def _style(self, frame: Any, prompt: wire.Prompt) -> tuple[bytes, Pixels | None]:
        """Luma print and styled picture; None where the frame goes back as it came."""
        luma = luma_print(frame)
        if self._painter.passes:
            return luma, None
        pixels = self._bgra(frame)
        styled = self._painter.paint(self._player, pixels, prompt.prompt, prompt.seed, prompt.style)
        return luma, None if styled is None else np.ascontiguousarray(styled)

    def _bgra(self, frame: Any) -> Pixels:
        picture: Any = self._reformatter.reformat(frame, format="bgra", threads=1)
        pixels: Pixels = picture.to_ndarray()
        return pixels

    def _say(self, text: str) -> None:
        """From any thread: a line for the player."""
        with contextlib.suppress(RuntimeError):
            asyncio.run_coroutine_threadsafe(
                _sending(self._send, wire.ErrorMessage(text)), self._loop
            )

    async def _begun(self, prompt: wire.Prompt) -> None:
        if not self._began:
            self._began = time.monotonic()
            await self._send(wire.GenerationStarted())
        line = self._journal.prompt(prompt.prompt) if self._journal is not None else None
        if line is not None:
            await self._send(wire.JournalBlock(line))

    def _journal_frame(self, tick: int, sent_ns: int, sha256: str) -> None:
        received, luma = self._received.pop(tick, (sent_ns, b""))
        self._times.append((tick, received, sent_ns))
        if self._journal is not None and luma and tick > self._journal.last_tick:
            self._journal.frame(tick, min(received, sent_ns), sent_ns, luma, sha256)

    def seconds(self) -> float:
        """How long this player has been served; 0 before the first frame."""
        return time.monotonic() - self._began if self._began else 0.0


async def _sending(send: Send, message: wire.Message) -> None:
    await send(message)
