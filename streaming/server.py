"""Our own stream server: the `direct` protocol over a WebSocket, several players, one backend.

Owns the listening socket, admission (key, ticket, room) and the journal folder. Stops in good
order when told, and by itself when the process that started it is gone.
"""

import asyncio
import contextlib
import logging
import secrets
import signal
import sys
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

from aiohttp import WSMsgType, web
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from streaming import jitter, wire
from streaming.access import Access, MintRefused, Pass
from streaming.backends.filter import Slow
from streaming.backends.table import make
from streaming.errors import PortTaken, StreamingError, TicketRefused, WireMalformed
from streaming.ice import IceConfig
from streaming.impairment import BadLine, Impairment
from streaming.journal import JournalWriter, is_session_name
from streaming.pages import Tally, page, prometheus
from streaming.painter import Painter
from streaming.rtc import install, is_loopback
from streaming.seal import check_ticket, digest, load_key, public_hex
from streaming.seat import Seat
from streaming.seatbook import SeatBook

log = logging.getLogger(__name__)

PATH = "/v1/stream"
BLOCK_EVERY_S = 1.0
MALFORMED_LIMIT = 50
HEARTBEAT_S = 5.0
METRICS_TYPE = "text/plain; version=0.0.4; charset=utf-8"
SWITCH_S = 0.0005  # how long a thread may keep the interpreter from the others


@dataclass(frozen=True, slots=True)
class ServerConfig:
    """How a stream server runs. Picklable.

    host, port: 0 takes a free port. backend: by name. size: (height, width) to warm up for.
    journal: folder, None keeps no journal. key_file: journal key (hex), made on first use; None
    uses a key of this run. api_key, api_keys: any of them opens; none at all asks for none.
    ticket_keys: enrolled public keys (hex); none accepts unsigned tickets and guests without one.
    players: seats. per_player: streams of one key, or of one address where there are no keys; 0 is
    no limit. turn_s: who has had so long leaves when others wait; 0 lets everybody finish.
    bitrate [bit/s].
    ice: how players find it; a TURN server named there is told to them, with its password.
    patched False runs the library as it is, impairment spoils the line, and work_s [s] is added to
    every picture: for measurements.
    """

    host: str = "127.0.0.1"
    port: int = 0
    backend: str = "filter"
    size: tuple[int, int] = (480, 480)
    journal: Path | None = None
    key_file: Path | None = None
    api_key: str = field(default="", repr=False)
    api_keys: tuple[str, ...] = field(default=(), repr=False)
    ticket_keys: tuple[str, ...] = ()
    players: int = 4
    per_player: int = 0
    turn_s: float = 0.0
    bitrate: int = 2_500_000
    patched: bool = True
    impairment: Impairment | None = None
    ice: IceConfig = IceConfig()  # noqa: RUF009 - frozen
    work_s: float = 0.0

    def __post_init__(self) -> None:
        if not 0 <= self.port < 65536 or self.players < 1 or self.bitrate < 100_000:
            raise ValueError("a server needs a port, at least one seat and 100 kbit/s")


@dataclass(frozen=True, slots=True)
class Ready:
    """What a started server says of itself. journal_key: public, hex.

    chosen: how the backend will run on this machine, one line, or ''.
    """

    port: int
    journal_key: str
    model: str
    chosen: str = ""


def anchored_clock() -> Callable[[], int]:
    """Nanoseconds since 1970 that never run backwards, whatever is done to the wall clock."""
    anchor = time.time_ns() - time.monotonic_ns()
    return lambda: anchor + time.monotonic_ns()


class Server:
    """The parts that all visits share."""

    def __init__(self, config: ServerConfig) -> None:
        self.config = config
        self.backend = make(config.backend)
        if config.work_s:
            self.backend = Slow(self.backend, config.work_s)
        self.backend.warm(*config.size)
        self.key = load_key(config.key_file) if config.key_file else Ed25519PrivateKey.generate()
        self.book = SeatBook(config.players, config.journal)
        self.painter = Painter(self.backend)
        self.now_ns = anchored_clock()
        self.patched = config.patched and jitter.self_check()
        self.loopback = is_loopback(config.host)
        self.visits: set[Visit] = set()
        self.tally = Tally()
        self.access = Access((config.api_key, *config.api_keys), self.key)
        self.stopping = False

    def app(self) -> web.Application:
        """Routes: the stream, tokens for it, and the pages for operators."""
        app = web.Application(client_max_size=1 << 16)
        app.router.add_get(PATH, self._stream)
        app.router.add_post("/v1/client/tokens", self._mint)
        app.router.add_get("/health", self._health)
        app.router.add_get("/metrics", self._metrics)
        app.router.add_get("/", self._page)
        return app

    async def _mint(self, request: web.Request) -> web.Response:
        """A token for a player, asked for by who holds a key."""
        if self.access.open or not self.access.is_key(request.headers.get("X-API-KEY", "")):
            self.tally.refused["mint"] += 1
            return web.json_response({"error": "401: Invalid API key"}, status=401)
        try:
            wanted = await request.json() if request.can_read_body else {}
            if not isinstance(wanted, dict):
                raise MintRefused("send one JSON object")
            return web.json_response(self.access.mint(wanted, secrets.token_hex(8), time.time()))
        except (ValueError, RecursionError) as error:
            return web.json_response({"error": str(error)}, status=400)

    async def _metrics(self, request: web.Request) -> web.Response:
        return web.Response(text=prometheus(self), headers={"Content-Type": METRICS_TYPE})

    async def _page(self, request: web.Request) -> web.Response:
        return web.Response(text=page(self), content_type="text/html")

    async def _health(self, request: web.Request) -> web.Response:
        down = self.painter.down
        return web.json_response(
            {
                "ok": not self.stopping,
                "state": "stopping" if self.stopping else "passthrough" if down else "styling",
                "why": down,
                "model": self.backend.model,
                "players": len(self.book),
                "waiting": self.book.waiting,
                "limit": self.config.players,
                "served": self.tally.served,
                "patched": self.patched,
                "journal_key": public_hex(self.key),
            },
            status=503 if self.stopping else 200,
        )

    async def _stream(self, request: web.Request) -> web.WebSocketResponse:
        socket = web.WebSocketResponse(heartbeat=HEARTBEAT_S, max_msg_size=wire.LARGEST_MESSAGE)
        await socket.prepare(request)
        asked, origin = request.query, request.headers.get("Origin", "")
        entry = self.access.admit(
            asked.get("api_key", ""), asked.get("model", ""), origin, time.time()
        )
        visit = Visit(self, socket, request.remote or "", entry or Pass(""))
        if entry is None:
            self.tally.refused["key"] += 1
            await visit.send(wire.ErrorMessage("401: Invalid API key"))
            await socket.close()
            return socket
        self.visits.add(visit)
        try:
            await visit.run()
        finally:
            self.visits.discard(visit)
            await visit.close("")
        return socket

    async def close(self) -> None:
        """Show everybody out and seal the journals."""
        self.stopping = True
        await asyncio.gather(*(v.close("the server is stopping") for v in list(self.visits)))


class Visit:
    """One WebSocket: admission, then its messages until either side leaves."""

    def __init__(
        self, server: Server, socket: web.WebSocketResponse, far: str, entry: Pass
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
        )
        self._ticker = asyncio.ensure_future(self._every_second(self._seat))
        server.tally.served += 1
        await self.send(wire.Seated(session))
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


async def serve(
    config: ServerConfig, stop: asyncio.Event, on_ready: Callable[[Ready], None]
) -> None:
    """Serve until `stop` is set. on_ready is called once the port takes connections."""
    install()
    line = BadLine(config.impairment).install() if config.impairment else None
    server = Server(config)
    runner = web.AppRunner(server.app(), access_log=None, shutdown_timeout=1.0)
    await runner.setup()
    try:
        site = web.TCPSite(runner, config.host, config.port)
        try:
            await site.start()
        except OSError as error:
            raise PortTaken(config.host, config.port, error.strerror or str(error)) from error
        port = runner.addresses[0][1]
        chosen = server.backend.told()
        on_ready(Ready(port, public_hex(server.key), server.backend.model, chosen))
        log.info("server.ready host=%s port=%d model=%s", config.host, port, server.backend.model)
        await stop.wait()
    finally:
        await server.close()
        await runner.cleanup()
        if line is not None:
            line.remove()


def run_server(config: ServerConfig, pipe: Any) -> None:
    """Process entry. Sends Ready (or the error) through `pipe`; ends when the pipe does.

    Anything received through the pipe, or SIGTERM, stops the server in good order.
    """
    connection: Connection = pipe
    sys.setswitchinterval(SWITCH_S)

    async def main() -> None:
        stop = asyncio.Event()
        loop = asyncio.get_running_loop()
        with contextlib.suppress(NotImplementedError):
            loop.add_signal_handler(signal.SIGTERM, stop.set)
            loop.add_signal_handler(signal.SIGINT, lambda: None)  # the parent decides

        def watch() -> None:
            with contextlib.suppress(EOFError, OSError):
                connection.recv()
            with contextlib.suppress(RuntimeError):
                loop.call_soon_threadsafe(stop.set)

        threading.Thread(target=watch, name="parent-watch", daemon=True).start()
        try:
            await serve(config, stop, connection.send)
        except StreamingError as error:
            connection.send(error)

    asyncio.run(main())
