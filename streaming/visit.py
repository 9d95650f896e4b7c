"""One player at the server's door: admission, then its messages until either side leaves.

Owns one WebSocket, the seat that it leads to, and the journal of the session while it lasts.
"""

import asyncio
import contextlib
import logging
import secrets
import time
from typing import TYPE_CHECKING

from aiohttp import WSMsgType, web

from streaming import wire
from streaming.access import Pass
from streaming.errors import TicketRefused, WireMalformed
from streaming.journal import JournalWriter, is_session_name
from streaming.seal import check_ticket, digest, public_hex
from streaming.seat import Seat
from streaming.seed import drawn, is_late

if TYPE_CHECKING:
    from streaming.server import Server

log = logging.getLogger(__name__)

BLOCK_EVERY_S = 1.0
MALFORMED_LIMIT = 50


class Visit:
    """One WebSocket: admission, then its messages until either side leaves."""

    def __init__(
        self, server: "Server", socket: web.WebSocketResponse, far: str, entry: Pass
    ) -> None:
        self._server, self._socket, self._far, self.entry = server, socket, far, entry
        self._session = ""
        self._ticket = ""
        self._seat: Seat | None = None
        self._journal: JournalWriter | None = None
        self._ticker: asyncio.Task[None] | None = None
        self._closing: asyncio.Task[None] | None = None
        self._malformed = 0
        self._waits = False

    async def send(self, message: wire.Message) -> None:
        """Send if the socket still takes it."""
        with contextlib.suppress(ConnectionError, RuntimeError):
            if not self._socket.closed:
                await self._socket.send_str(wire.pack(message))

    async def run(self) -> None:
        """Greet, then serve messages until the socket closes."""
        await self.send(wire.SessionId(secrets.token_hex(8)))
        model, key = self._server.backend.model, public_hex(self._server.key)
        await self.send(wire.Hello(1, model, key if self._server.config.journal else ""))
        ice = self._server.config.ice
        if ice.turn:
            await self.send(wire.TurnConfig(list(ice.turn), ice.username, ice.credential))
        async for raw in self._socket:
            if raw.type not in (WSMsgType.TEXT, WSMsgType.BINARY) or self._closing is not None:
                break
            try:
                message = wire.parse(raw.data)
                if message is not None:
                    await self._take(message)
            except (TicketRefused, WireMalformed, ValueError) as error:
                await self.send(wire.ErrorMessage(str(error)[:500]))
                self._malformed += 1
                self._server.tally.malformed += not isinstance(error, TicketRefused)
                if isinstance(error, TicketRefused) or self._malformed > MALFORMED_LIMIT:
                    log.info("visit.refused session=%s error=%s", self._session, error)
                    why = "ticket" if isinstance(error, TicketRefused) else "malformed"
                    self._server.tally.refused[why] += 1
                    break

    async def _take(self, message: wire.Message) -> None:
        if isinstance(message, wire.Ticket):
            await self._sit_down(message)
        elif isinstance(message, wire.Bye):
            await self._finish()
        elif isinstance(message, wire.SetImage):
            passthrough = message.image_data is None and message.image_ref is None
            why = None if passthrough else "this backend takes no reference image"
            await self.send(wire.SetImageAck(passthrough, why))
        elif isinstance(message, wire.Offer | wire.Prompt | wire.Inputs | wire.IceCandidate):
            seat = self._seat or await self._sit_as_guest()
            if isinstance(message, wire.Offer):
                await seat.answer(message)
            elif isinstance(message, wire.Prompt):
                await seat.prompt(message)
            elif isinstance(message, wire.Inputs):
                seat.commit(message)
            else:
                await seat.candidate(message)

    async def _sit_as_guest(self) -> Seat:
        if self._server.config.ticket_keys:
            raise TicketRefused("", "none shown")
        name = f"guest-{secrets.token_hex(8)}"
        return await self._sit_down(wire.Ticket({"session": name}, secrets.token_hex(16)))

    async def _sit_down(self, message: wire.Ticket) -> Seat:
        if self._seat is not None:
            raise TicketRefused(self._session, "is seated already")
        server = self._server
        session = check_ticket(message.ticket, server.config.ticket_keys, time.time())
        if not is_session_name(session):
            raise TicketRefused("", "names a session that is no plain name")
        most, same = server.config.per_player, self._neighbours()
        if most and same >= most:
            raise TicketRefused(session, f"{same} streams of this player run already")
        self._waits = True
        await server.book.wait_for_room(self._tell_queue)
        self._waits = False
        self._session, self._ticket = session, digest(message.ticket)
        await server.book.claim(session, message.resume, self)
        if server.config.journal is not None:
            self._journal = JournalWriter(
                server.config.journal,
                session,
                self._ticket,
                server.backend.model,
                server.key,
                server.now_ns,
            )
            if self._journal.ended:
                raise TicketRefused(session, "was used, its session has ended")
            for line in self._journal.since(message.journal_n):
                await self.send(wire.JournalBlock(line))
        self._seat = Seat(
            server.painter,
            self.send,
            self._journal,
            server.now_ns,
            bitrate=server.config.bitrate,
            first_tick=max(message.tick, 0),
            patched=server.patched,
            loopback=server.loopback,
            ice=server.config.ice,
            far=self._far,
            on_frame=server.tally.frame,
            seed=drawn(message.ticket, server.key) if is_late(message.ticket) else None,
        )
        self._ticker = asyncio.ensure_future(self._every_second(self._seat))
        server.tally.served += 1
        await self.send(wire.Seated(session))
        await self._seat.gate.tell()
        log.info("seat.taken session=%s players=%d", session, len(server.book))
        return self._seat

    def _neighbours(self) -> int:
        """How many streams the same key, or without keys the same address, has here besides."""
        server = self._server
        mine = self._far if server.access.open else self.entry.who
        others = [v for v in server.visits if v is not self and v.takes_room]
        return sum(mine == (v._far if server.access.open else v.entry.who) for v in others)

    @property
    def takes_room(self) -> bool:
        """Whether this visit streams or waits to."""
        return self._waits or self._seat is not None

    async def _tell_queue(self, position: int, size: int) -> None:
        await self.send(wire.QueuePosition(position, size))

    async def _every_second(self, seat: Seat) -> None:
        while True:
            await asyncio.sleep(BLOCK_EVERY_S)
            await seat.seal()
            await seat.tell_times()
            if seat.seconds():
                await self.send(wire.GenerationTick(round(seat.seconds(), 3)))
            if (why := self._over_time(seat.seconds())) and self._closing is None:
                await self.send(wire.GenerationEnded(round(seat.seconds(), 3), why))
                self._closing = asyncio.ensure_future(self._close(why))

    def _over_time(self, seconds: float) -> str:
        """Why this stream must end now; '' mostly."""
        config, longest = self._server.config, self.entry.longest_s
        if longest and seconds > longest:
            return f"the session limit of this token, {longest:.0f} s, is reached"
        if config.turn_s and seconds > config.turn_s and self._server.book.waiting:
            return "your turn is over, others wait"
        return ""

    async def _finish(self) -> None:
        """The player's session is over for good: last block, then goodbye."""
        if self._seat is not None:
            await self._stop_media()
            await self._seat.seal(end=True)
            await self.send(wire.GenerationEnded(round(self._seat.seconds(), 3), "bye"))
        await self._socket.close()

    async def _stop_media(self) -> None:
        if self._ticker is not None:
            self._ticker.cancel()
        if self._seat is not None:
            await self._seat.close()
            tally = self._server.tally
            tally.skipped += self._seat.skipped
            tally.candidates_dropped += self._seat.candidates_dropped
            self._seat.skipped = self._seat.candidates_dropped = 0

    async def close(self, why: str) -> None:
        """End this visit; every caller waits until it is over."""
        if self._closing is None:
            self._closing = asyncio.ensure_future(self._close(why))
        await asyncio.shield(self._closing)

    async def _close(self, why: str) -> None:
        if self._seat is not None:
            await self._stop_media()
            await self._seat.seal()
        if self._journal is not None:
            self._journal.close()
        if self._session:
            self._server.book.leave(self._session, self)
        if why:
            await self.send(wire.ErrorMessage(why))
        with contextlib.suppress(Exception):
            await asyncio.wait_for(self._socket.close(), 1.0)
