"""The player's end of the stream: keeps a link up, feeds it the newest picture, hands frames on.

Never blocks and never gives up, except where the server said no for good. The prompt, the ticket
and the seat's secret live here, so every reconnect restores them.
"""

import asyncio
import contextlib
import logging
import time
from typing import Any

from streaming import jitter, wire
from streaming.client_journal import ClientJournal
from streaming.codec import TickEncoder
from streaming.errors import LiveKitMissing, ServerRefused, StreamingError
from streaming.gauges import Gauges, Meter, Percentiles
from streaming.impairment import BadLine
from streaming.link import Link
from streaming.models import native
from streaming.peer_config import PeerConfig
from streaming.promptbook import PromptBook
from streaming.returns import Returns
from streaming.ring import FifoRing, LatestRing
from streaming.seed import LATE, is_late
from streaming.stages import unpack_times
from streaming.tailor import Tailor

__all__ = ["Peer", "PeerConfig"]

log = logging.getLogger(__name__)

STALLED_S = 0.5
GIVE_UP_S = 2.0
FIRST_FRAME_S = 8.0
LOOK_S = 0.004  # between looks at a ring whose writer rings no bell
HOLD_S = 0.1  # between hold pictures, until the seed is here
PROMPT_LEAD_TICKS = 12
RETRY_S = (0.1, 0.2, 0.4, 0.8)  # a server that is back is found within a second
SERVICE_RETRY_S = (1.0, 2.0, 4.0, 8.0, 10.0)  # every try at a service may be billed


class Peer:
    """One stream over as many links as it takes. All methods run on the event loop."""

    def __init__(
        self, config: PeerConfig, source: LatestRing, styled: LatestRing, encoded: FifoRing
    ) -> None:
        self._config = config
        self._source, self._side = source, styled.shape[:2]
        first = wire.Prompt(config.prompt, config.enhance, config.style, config.seed)
        self._prompts = PromptBook(first, config.number)
        self._inputs: wire.Inputs | None = None
        self._journal = ClientJournal(config.journal_path)
        self._stop, self._rung = asyncio.Event(), asyncio.Event()
        self._link: Link | None = None
        self._patched = config.patched and jitter.self_check()
        self._returns = Returns(styled, encoded, self._prompts, config.fps, self._streams)
        self._tick = -1
        self._state, self._detail, self._queue, self._backend = "starting", "", 0, ""
        self._out, self._loss = Meter(), Meter()
        self._counts = dict.fromkeys(("sent", "dropped", "reconnects"), 0)
        self._connect_ms = 0.0
        self._fps = config.fps
        if config.size:
            self._fps = min(config.fps, native(config.model, config.size).fps)
        self._seed, self._awaits_seed = LATE, is_late(config.ticket)

    # what the game may ask for

    def set_prompt(
        self, text: str, style: str = "", enhance: bool = False, seed: int = 0, number: int = -1
    ) -> None:
        """Paint with this from a few ticks ahead on, and after every reconnect.

        number: what frames made from it carry; -1 counts on from the last one.
        """
        self._prompts.choose(wire.Prompt(text, enhance, style, seed), number)
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
        back = self._returns
        if rate is not None and self._state == "streaming":
            self._loss.add(rate.loss)
        losses = self._loss.values()
        return Gauges(
            state=self._state,
            connected=self._state == "streaming",
            round_trip_ms=Percentiles.of(back.round_trip.values()),
            fps_in=round(back.shown.rate(), 2),
            fps_out=round(self._out.rate(), 2),
            bitrate=int(back.bits.sum_rate()),
            queue_position=self._queue,
            backend=self._backend,
            detail=self._detail,
            connect_ms=self._connect_ms,
            cpu_s=round(time.process_time(), 3),
            stages=back.stages.reading(),
            line_loss=round(sum(losses) / len(losses), 4) if losses else 0.0,
            line_ms=round(rate.round_trip_s * 1000, 1) if rate is not None else 0.0,
            sending=rate.target if rate is not None else 0,
            exact=back.echoes,
            confidence=back.confidence,
            seed=self._seed,
            **self._counts,
            **back.counts,
        )

    async def run(self) -> None:
        """Stream until `stop`. Raises nothing: what goes wrong is in the gauges and the log."""
        line = BadLine(self._config.impairment).install() if self._config.impairment else None
        failures = 0
        try:
            while not self._stop.is_set():
                self._state = "reconnecting" if self._counts["reconnects"] else "connecting"
                before = self._returns.counts["returned"]
                refused = await self._one_link()
                self._link = None
                if self._stop.is_set():
                    break
                self._counts["reconnects"] += 1
                if refused:
                    self._state = "refused"
                    await self._stop.wait()
                    break
                failures = 0 if self._returns.counts["returned"] > before else failures + 1
                self._state = "reconnecting"
                waits = RETRY_S if self._config.transport == "direct" else SERVICE_RETRY_S
                await self._pause(waits[min(failures, len(waits) - 1)])
        finally:
            self._counts["dropped"] += self._source.count - self._source.taken
            self._source.taken = self._source.count
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
            self._returns.forget()
        return False

    def _new_link(self, encoder: TickEncoder | None, first_tick: int) -> Link:
        config = self._config
        self._returns.anew()
        if config.transport == "livekit":
            from streaming.livekit import LiveKitLink

            chosen = native(config.model, config.size)
            side = self._side
            rate, codec = config.bitrate, config.codec
            return LiveKitLink(config.url, self, config.model, chosen, side, rate, codec)
        if not config.size:
            return Link(config.url, self, encoder, self._patched, first_tick, config.ice)
        chosen = native(config.model, config.size)
        tailor = Tailor(self._side, chosen, config.bitrate)
        more = (config.ice, tailor, config.model)
        return Link(config.url, self, encoder, self._patched, first_tick, *more)

    async def _open_and_feed(self, link: Link, seat: wire.Ticket, began: float) -> None:
        self._prompts.anew()
        await link.open(self._config.api_key, seat, lambda: self._next_prompt(0))
        if self._prompts.stale:
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
            full = self._patched and self._returns.full(now)
            if full or not link.ready:
                await asyncio.sleep(0.002)
                continue
            took, count = now, self._source.count
            frame = self._source.get(LATE if self._awaits_seed else self._tick)
            if frame is None:
                continue
            self._counts["dropped"] += max(0, count - self._source.taken - 1)
            self._source.taken = count
            self._tick = frame.tick
            self._returns.sends(frame, now)
            link.offer(frame)
            self._returns.sent(frame)
            self._counts["sent"] += 1
            self._out.add(1.0)

    async def _next_picture(self, took: float) -> None:
        """Return once there is a picture newer than the last, at most `fps` times a second.

        While the seed is awaited, the hold picture comes again and again.
        """
        if self._awaits_seed and self._tick >= 0:
            await asyncio.sleep(HOLD_S)
            return
        rest = took + 0.7 / self._fps - time.monotonic()
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
            if not link.up and now - opened > FIRST_FRAME_S:
                self._detail = "no way through to the server: name a TURN server (stream.turn)"
                log.warning("peer.no_way session=%s", self._config.session)
                return
            if self._out.values()[-1:] == [] or self._tick <= self._returns.tick:
                waiting = now
                continue
            quiet = now - max(self._returns.heard_at, waiting)
            fresh = self._returns.heard_at < opened
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
        self._returns.echoing(message is not None)

    def queued(self, position: int) -> None:
        """Others are before us."""
        self._state, self._queue = "queued", position

    def acknowledged(self, message: wire.PromptAck) -> None:
        """The prompt is in force from the tick that the server names."""
        if not message.success:
            self.notice(f"prompt refused: {message.error}")
        self._prompts.acknowledged(message)

    def block(self, line: str) -> None:
        """A signed piece of the journal."""
        self._journal.append(line)

    def notice(self, text: str) -> None:
        """Something for the HUD and the log."""
        self._detail = text
        log.warning("peer.notice session=%s %s", self._config.session, text)

    def seeded(self, seed: int) -> None:
        """The server has seen the first picture and releases the scenario's seed."""
        self._seed, self._awaits_seed = seed, False
        self._returns.answered(self._tick)
        self._streams()

    def times(self, text: str) -> None:
        """When the server had what."""
        self._returns.stages.told(unpack_times(text))

    def encoded(self, timestamp: int, data: bytes, codec: str) -> None:
        """A frame as received, before it is decoded."""
        self._returns.encoded(timestamp, data, codec)

    def decoded(self, frame: Any) -> None:
        """The newest picture."""
        self._returns.decoded(frame)

    def returned(self, frame: Any, data: bytes, tick: int | None) -> None:
        """A picture of a transport that hands out no bitstream."""
        self._returns.returned(frame, data, tick)

    def _streams(self) -> None:
        self._state, self._detail = "streaming", ""

    def _next_prompt(self, lead: int) -> wire.Prompt:
        return self._prompts.ask(self._source.latest_tick + lead if lead else -1)

    def _note(self, error: StreamingError) -> None:
        if str(error) != self._detail:  # a server that stays away is said once
            log.warning("peer.link session=%s %s", self._config.session, error)
        self._detail = str(error)

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
