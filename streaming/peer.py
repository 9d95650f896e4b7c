"""The player's end of the stream: keeps a link up, feeds it the newest picture, hands frames on.

Never blocks and never gives up, except where the server said no for good. The prompt, the ticket
and the seat's secret live here, so every reconnect restores them.
"""

import asyncio
import contextlib
import logging
import secrets
import time
from collections import OrderedDict, deque
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from av.video.reformatter import VideoReformatter

from streaming import jitter, wire
from streaming.client_journal import ClientJournal
from streaming.codec import PTS_PER_TICK, TickEncoder, is_key, tick_of
from streaming.errors import LiveKitMissing, ServerRefused, StreamingError
from streaming.foreign import Foreign
from streaming.frames import EncodedFrame, pack_encoded
from streaming.gauges import Gauges, Meter, Percentiles
from streaming.ice import IceConfig
from streaming.impairment import BadLine, Impairment
from streaming.link import Link
from streaming.models import native
from streaming.ratecontrol import Window
from streaming.ring import FifoRing, LatestRing
from streaming.stages import StageClock, unpack_times

log = logging.getLogger(__name__)

STYLED = 2  # kind of encoded frames in the ring
STALLED_S = 0.5
GIVE_UP_S = 2.0
FIRST_FRAME_S = 8.0
LOOK_S = 0.004  # between looks at a ring whose writer rings no bell
PROMPT_LEAD_TICKS = 12
RETRY_S = (0.1, 0.2, 0.4, 0.8)  # a server that is back is found within a second
SERVICE_RETRY_S = (1.0, 2.0, 4.0, 8.0, 10.0)  # every try at a service may be billed
REMEMBERED = 512
TRANSPORTS = ("direct", "livekit")


@dataclass(frozen=True, slots=True)
class PeerConfig:
    """How a peer connects. Picklable.

    url: ws://host:port, with or without path. session, ticket: of the run; {} makes a plain one.
    resume: secret of the seat; give a restarted peer the same config. journal_path: where the
    server's signed blocks are appended. prompt..number: in force from the first frame. fps, bitrate
    [bit/s], codec: of what is sent, at most and where the server takes it. nice: lowers the
    process's priority. patched False runs the library as it is, and impairment spoils the line:
    for measurements. transport: direct or livekit, the latter with model and, where the table does
    not know it, size (WIDTHxHEIGHT@FPS).
    """

    url: str
    session: str
    ticket: Mapping[str, Any] = field(default_factory=dict)
    api_key: str = field(default="", repr=False)
    resume: str = field(default_factory=lambda: secrets.token_hex(16), repr=False)
    journal_path: Path | None = None
    prompt: str = ""
    style: str = ""
    enhance: bool = False
    seed: int = 0
    number: int = 0
    fps: int = 30
    bitrate: int = 2_500_000
    nice: int = 0
    patched: bool = True
    impairment: Impairment | None = None
    codec: str = "vp8"
    transport: str = "direct"
    model: str = "lucy-restyle-latest"
    size: str = ""
    ice: IceConfig = IceConfig()  # noqa: RUF009 - frozen

    def __post_init__(self) -> None:
        if not 1 <= self.fps <= 120 or not 100_000 <= self.bitrate <= 50_000_000:
            raise ValueError("a peer sends 1..120 frames/s at 0.1..50 Mbit/s")
        if self.transport not in TRANSPORTS:
            raise ValueError(f"no transport '{self.transport}'; choose: {', '.join(TRANSPORTS)}")
        if self.transport == "livekit":
            native(self.model, self.size)  # raises ModelUnknown


class Peer:
    """One stream over as many links as it takes. All methods run on the event loop."""

    def __init__(
        self, config: PeerConfig, source: LatestRing, styled: LatestRing, encoded: FifoRing
    ) -> None:
        self._config = config
        self._source, self._styled, self._encoded = source, styled, encoded
        self._prompt = wire.Prompt(config.prompt, config.enhance, config.style, config.seed)
        self._numbers: deque[tuple[int, int, int]] = deque(
            [(-1, config.number, config.seed)], maxlen=16
        )
        self._number = config.number
        self._unacknowledged: deque[tuple[wire.Prompt, int]] = deque(maxlen=16)
        self._inputs: wire.Inputs | None = None
        self._journal = ClientJournal(config.journal_path)
        self._reformatter = VideoReformatter()
        self._stop, self._rung = asyncio.Event(), asyncio.Event()
        self._link: Link | None = None
        self._patched = config.patched and jitter.self_check()
        self._unanswered: OrderedDict[int, tuple[int, float]] = OrderedDict()
        self._window = Window(config.fps)
        self._sent: OrderedDict[int, int] = OrderedDict()
        self._tick = self._returned_tick = -1
        self._seen = source.count
        self._heard_at = 0.0
        self._state, self._detail, self._queue, self._backend = "starting", "", 0, ""
        self._round_trip, self._out, self._in, self._bits = Meter(), Meter(), Meter(), Meter()
        self._counts = dict.fromkeys(
            ("sent", "returned", "dropped", "lost", "foreign", "reconnects"), 0
        )
        self._connect_ms = 0.0
        self._foreign: Foreign | None = None  # set where the server does not echo ticks
        self._echoes = True
        self._stages, self._loss = StageClock(), Meter()

    # what the game may ask for

    def set_prompt(
        self, text: str, style: str = "", enhance: bool = False, seed: int = 0, number: int = -1
    ) -> None:
        """Paint with this from a few ticks ahead on, and after every reconnect.

        number: what frames made from it carry; -1 counts on from the last one.
        """
        self._prompt = wire.Prompt(text, enhance, style, seed)
        self._number = self._number + 1 if number < 0 else number
        if self._link is not None:
            self._spawn(self._link.send(self._next_prompt(PROMPT_LEAD_TICKS)))

    def commit(self, tick: int, chain: bytes) -> None:
        """Send the running hash of the inputs up to `tick` for the journal."""
        self._inputs = wire.Inputs(tick, chain.hex())
        if self._link is not None:
            self._spawn(self._link.send(self._inputs))

    def ring(self) -> None:
        """A new picture is in the ring. Without it the ring is looked at every few milliseconds."""
        self._rung.set()

    def stop(self) -> None:
        """End `run` in good order."""
        self._stop.set()

    def gauges(self) -> Gauges:
        """A reading of now."""
        rate = self._link.rate if self._link is not None else None
        foreign = None if self._echoes else self._foreign
        if rate is not None and self._state == "streaming":
            self._loss.add(rate.loss)
        losses = self._loss.values()
        return Gauges(
            state=self._state,
            connected=self._state == "streaming",
            round_trip_ms=Percentiles.of(self._round_trip.values()),
            fps_in=round(self._in.rate(), 2),
            fps_out=round(self._out.rate(), 2),
            bitrate=int(self._bits.sum_rate()),
            queue_position=self._queue,
            backend=self._backend,
            detail=self._detail,
            connect_ms=self._connect_ms,
            cpu_s=round(time.process_time(), 3),
            stages=self._stages.reading(),
            line_loss=round(sum(losses) / len(losses), 4) if losses else 0.0,
            line_ms=round(rate.round_trip_s * 1000, 1) if rate is not None else 0.0,
            sending=rate.target if rate is not None else 0,
            exact=self._echoes,
            confidence=1.0 if foreign is None else round(foreign.confidence, 3),
            **self._counts,
        )

    async def run(self) -> None:
        """Stream until `stop`. Raises nothing: what goes wrong is in the gauges and the log."""
        line = BadLine(self._config.impairment).install() if self._config.impairment else None
        failures = 0
        try:
            while not self._stop.is_set():
                self._state = "reconnecting" if self._counts["reconnects"] else "connecting"
                before = self._counts["returned"]
                refused = await self._one_link()
                self._link = None
                if self._stop.is_set():
                    break
                self._counts["reconnects"] += 1
                if refused:
                    self._state = "refused"
                    await self._stop.wait()
                    break
                failures = 0 if self._counts["returned"] > before else failures + 1
                self._state = "reconnecting"
                waits = RETRY_S if self._config.transport == "direct" else SERVICE_RETRY_S
                await self._pause(waits[min(failures, len(waits) - 1)])
        finally:
            self._journal.close()
            if line is not None:
                line.remove()

    async def _one_link(self) -> bool:
        """Open a link and stay on it. True when the server refused for good."""
        config, began = self._config, time.monotonic()
        encoder = None
        if self._patched:
            encoder = TickEncoder(config.bitrate, config.fps, codec=config.codec)
        first_tick = max(self._source.latest_tick, 0)
        link = self._new_link(encoder, first_tick)
        ticket = dict(config.ticket) or {"session": config.session}
        seat = wire.Ticket(ticket, config.resume, self._journal.next_n, first_tick)
        stopping = asyncio.ensure_future(self._stop.wait())
        work = asyncio.ensure_future(self._open_and_feed(link, seat, began))
        try:
            await asyncio.wait({work, stopping}, return_when=asyncio.FIRST_COMPLETED)
            if work.done():
                work.result()
            else:
                await link.bye()
        except (ServerRefused, LiveKitMissing) as error:
            self._note(error)
            return True
        except StreamingError as error:
            self._note(error)
        except Exception as error:  # a library's surprise must not end the stream
            log.exception("peer.surprise")
            self._detail = f"{type(error).__name__}: {error}"
        finally:
            await _ended(work, stopping)
            await link.close()
            self._unanswered.clear()
        return False

    def _new_link(self, encoder: TickEncoder | None, first_tick: int) -> Link:
        config = self._config
        self._echoes, self._foreign = True, None
        if config.transport == "livekit":
            from streaming.livekit import LiveKitLink

            chosen = native(config.model, config.size)
            side = (self._styled.shape[0], self._styled.shape[1])
            rate, codec = config.bitrate, config.codec
            return LiveKitLink(config.url, self, config.model, chosen, side, rate, codec)
        return Link(config.url, self, encoder, self._patched, first_tick, config.ice)

    async def _open_and_feed(self, link: Link, seat: wire.Ticket, began: float) -> None:
        self._unacknowledged.clear()
        await link.open(self._config.api_key, seat, lambda: self._next_prompt(0))
        if self._unacknowledged and self._unacknowledged[-1][0] is not self._prompt:
            await link.send(self._next_prompt(PROMPT_LEAD_TICKS))  # changed meanwhile
        self._link, self._queue = link, 0
        self._connect_ms = round((time.monotonic() - began) * 1000, 1)
        if self._inputs is not None:
            await link.send(self._inputs)
        feeding = asyncio.ensure_future(self._feed(link))
        watching = asyncio.ensure_future(self._watch(link))
        over = asyncio.ensure_future(link.over())
        try:
            await asyncio.wait({feeding, watching, over}, return_when=asyncio.FIRST_COMPLETED)
            for task in (over, watching, feeding):
                if task.done():
                    task.result()
        finally:
            await _ended(feeding, watching, over)

    async def _feed(self, link: Link) -> None:
        took = time.monotonic()
        while True:
            await self._next_picture(took)
            now = time.monotonic()
            expired = now - self._window.expires_s
            while self._unanswered and next(iter(self._unanswered.values()))[1] < expired:
                self._unanswered.popitem(last=False)
            full = self._patched and len(self._unanswered) >= self._window.size
            if full or not link.ready:
                await asyncio.sleep(0.002)
                continue
            took, count = now, self._source.count
            frame = self._source.get(self._tick)
            if frame is None:
                continue
            self._counts["dropped"] += max(0, count - self._seen - 1)
            self._seen = count
            self._tick = frame.tick
            self._unanswered[frame.tick] = (frame.t_ns, now)
            self._sent[frame.tick] = frame.t_ns
            while len(self._sent) > REMEMBERED:
                self._sent.popitem(last=False)
            link.offer(frame)
            self._stages.sent(frame.tick, frame.t_ns)
            if self._foreign is not None and not self._echoes:
                self._foreign.sent(frame, time.monotonic_ns())
            self._counts["sent"] += 1
            self._out.add(1.0)

    async def _next_picture(self, took: float) -> None:
        """Return once there is a picture newer than the last, at most `fps` times a second."""
        rest = took + 0.7 / self._config.fps - time.monotonic()
        if rest > 0.001:
            await asyncio.sleep(rest)
        while self._source.latest_tick <= self._tick:
            self._rung.clear()
            if self._source.latest_tick <= self._tick:
                with contextlib.suppress(TimeoutError):
                    async with asyncio.timeout(LOOK_S):
                        await self._rung.wait()

    async def _watch(self, link: Link) -> None:
        """Tell a stall at once; end the link when it lasts. A source that rests is no stall."""
        opened = waiting = time.monotonic()
        while True:
            await asyncio.sleep(0.05)
            now = time.monotonic()
            if self._out.values()[-1:] == [] or self._tick <= self._returned_tick:
                waiting = now
                continue
            quiet = now - max(self._heard_at, waiting)
            fresh = self._heard_at < opened
            if quiet > STALLED_S and not fresh:
                self._state = "stalled"
            if quiet > (FIRST_FRAME_S if fresh else GIVE_UP_S):
                self._detail = f"no frame for {quiet:.1f} s"
                log.warning("peer.stalled session=%s %s", self._config.session, self._detail)
                return

    # what a link tells

    def hello(self, message: wire.Hello | None) -> None:
        """The server is ours, or is not."""
        self._backend = message.backend if message else "unknown"
        self._echoes = message is not None
        self._foreign = Foreign(self._config.fps) if message is None else None

    def queued(self, position: int) -> None:
        """Others are before us."""
        self._state, self._queue = "queued", position

    def acknowledged(self, message: wire.PromptAck) -> None:
        """The prompt is in force from the tick that the server names."""
        if not message.success:
            self.notice(f"prompt refused: {message.error}")
        while self._unacknowledged:
            prompt, number = self._unacknowledged.popleft()
            if prompt.prompt == message.prompt:
                if message.success and self._numbers[-1][1:] != (number, prompt.seed):
                    self._numbers.append((max(message.from_tick, 0), number, prompt.seed))
                return

    def block(self, line: str) -> None:
        """A signed piece of the journal."""
        self._journal.append(line)

    def notice(self, text: str) -> None:
        """Something for the HUD and the log."""
        self._detail = text
        log.warning("peer.notice session=%s %s", self._config.session, text)

    def times(self, text: str) -> None:
        """When the server had what."""
        self._stages.told(unpack_times(text))

    def encoded(self, timestamp: int, data: bytes, codec: str) -> None:
        """A frame as received, before it is decoded: into the recorder's ring, byte for byte."""
        now_ns = time.monotonic_ns()
        if self._foreign is not None:
            self._foreign.encoded(timestamp, data, codec, now_ns)
            return
        tick = tick_of(timestamp)  # other encoders floor a timestamp by one now and then
        if abs(timestamp - tick * PTS_PER_TICK) > 1 or tick not in self._sent:
            self._counts["foreign"] += 1
            return
        self._stages.received(tick)
        self._keep(tick, data, codec, now_ns)

    def _keep(
        self, tick: int, data: bytes, codec: str, now_ns: int, confidence: float | None = None
    ) -> None:
        """Into the recorder's ring. confidence: of an estimated tick, None of an exact one."""
        _, number, seed = next(e for e in reversed(self._numbers) if e[0] <= tick or e[0] == -1)
        exact, sure = confidence is None, 1.0 if confidence is None else confidence
        frame = EncodedFrame(tick, data, is_key(codec, data), now_ns, exact, sure, number, seed)
        if not self._encoded.push(pack_encoded(frame), kind=STYLED, tick=tick, t_ns=now_ns):
            self._counts["lost"] += 1
        self._bits.add(len(data) * 8.0)
        self._counts["returned"] += 1

    def decoded(self, frame: Any) -> None:
        """The newest picture: onto the ring to the screen."""
        if self._foreign is not None:
            self._guess(frame)
            return
        tick = tick_of(frame.pts)
        if tick in self._sent:
            self._show(frame, tick)
            self._stages.decoded(tick)

    def returned(self, frame: Any, data: bytes, tick: int | None) -> None:
        """A picture of a transport that hands out no bitstream. tick: None where none was echoed.

        data: VP8, encoded here.
        """
        now_ns = time.monotonic_ns()
        self._echoes = tick is not None
        if tick is not None and tick in self._sent:
            self._stages.received(tick)
            self._keep(tick, data, "vp8", now_ns)
            self._show(frame, tick)
            self._stages.decoded(tick)
        elif tick is None and self._foreign is not None:
            self._foreign.encoded(frame.pts, data, "vp8", now_ns)
            self._guess(frame)

    def _guess(self, frame: Any) -> None:
        """Pair a picture that carries no tick by how it moves."""
        assert self._foreign is not None
        match, found = self._foreign.decoded(frame, time.monotonic_ns())
        for held, own in found:
            self._keep(own.tick, held.data, held.codec, held.received_ns, own.confidence)
        if match is not None:
            self._show(frame, match.tick)

    def _show(self, frame: Any, tick: int) -> None:
        height, width = self._styled.shape[:2]
        picture = self._reformatter.reformat(frame, width, height, "bgra", threads=1)
        pixels: Any = picture.to_ndarray()
        self._styled.put(tick, time.monotonic_ns(), pixels)
        self._heard_at, self._returned_tick = time.monotonic(), tick
        self._state, self._detail = "streaming", ""
        self._in.add(1.0)
        sent_ns = self._sent.get(tick)
        if sent_ns is not None:
            trip_ms = (time.monotonic_ns() - sent_ns) / 1e6
            self._round_trip.add(trip_ms)
            self._window.answered(self._heard_at, trip_ms / 1000)
        for old in [t for t in self._unanswered if t <= tick]:
            del self._unanswered[old]

    def _next_prompt(self, lead: int) -> wire.Prompt:
        prompt = self._prompt
        start = self._source.latest_tick + lead if lead else -1
        self._unacknowledged.append((prompt, self._number))
        return wire.Prompt(prompt.prompt, prompt.enhance_prompt, prompt.style, prompt.seed, start)

    def _note(self, error: StreamingError) -> None:
        self._detail = str(error)
        log.warning("peer.link session=%s %s", self._config.session, error)

    def _spawn(self, work: Any) -> None:
        task = asyncio.ensure_future(work)
        task.add_done_callback(lambda done: done.cancelled() or done.exception())

    async def _pause(self, seconds: float) -> None:
        try:
            await asyncio.wait_for(self._stop.wait(), seconds)
        except TimeoutError:
            return


async def _ended(*tasks: asyncio.Future[Any]) -> None:
    """Cancel until all have ended: before Python 3.12 `wait_for` may swallow a cancellation."""
    while left := [task for task in tasks if not task.done()]:
        for task in left:
            task.cancel()
        await asyncio.wait(left, timeout=0.5)
    for task in tasks:
        task.cancelled() or task.exception()  # seen
