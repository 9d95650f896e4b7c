"""Our own stream server: the `direct` protocol over a WebSocket, several players, one backend.

Owns the listening socket, the backend and the pages; what happens at the door is a Visit's. Stops
in good order when told, and by itself when the process that started it is gone.
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
from functools import partial
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

from aiohttp import web
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from streaming import jitter, wire
from streaming.access import Access, MintRefused, Pass
from streaming.address import PATH
from streaming.backends.base import Backend
from streaming.backends.filter import Slow
from streaming.backends.isolated import Isolated
from streaming.backends.table import make, warmed
from streaming.errors import PortTaken, StreamingError
from streaming.ice_config import IceConfig
from streaming.impairment import BadLine, Impairment
from streaming.pages import Tally, page, prometheus
from streaming.painter import Painter
from streaming.rtc import install, is_loopback
from streaming.seal import load_key, public_hex
from streaming.seatbook import SeatBook
from streaming.visit import Visit

log = logging.getLogger(__name__)

HEARTBEAT_S = 5.0
METRICS_TYPE = "text/plain; version=0.0.4; charset=utf-8"
SWITCH_S = 0.0005  # how long a thread may keep the interpreter from the others


@dataclass(frozen=True, slots=True)
class ServerConfig:
    """How a stream server runs. Picklable.

    host, port: 0 takes a free port. backend: by name. weights: folder of what it computes with,
    None takes what comes with the program. size: (height, width) to warm up for. isolated: the
    backend has a process of its own, whose death costs the look of pictures and no connection.
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
    weights: Path | None = None
    size: tuple[int, int] = (480, 480)
    isolated: bool = False
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
        self.isolated: Isolated | None = None
        self.backend = self._backend()
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

    def _backend(self) -> Backend:
        """The chosen backend, warm."""
        config = self.config
        build = partial(make, config.backend, config.weights)
        if config.isolated:
            self.isolated = Isolated(build, config.backend)
        backend = warmed(self.isolated or build(), *config.size)
        return Slow(backend, config.work_s) if config.work_s else backend

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
                "backend_restarts": self.isolated.restarts if self.isolated else 0,
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
        end = getattr(self.isolated or self.backend, "close", None)
        if end is not None:  # a process or a thread of its own
            await asyncio.get_running_loop().run_in_executor(None, end)


async def serve(
    config: ServerConfig, stop: asyncio.Event, on_ready: Callable[[Ready], None]
) -> None:
    """Serve until `stop` is set. on_ready is called once the port takes connections.

    Raises what a backend dies of for good (see Backend).
    """
    install()
    line = BadLine(config.impairment).install() if config.impairment else None
    server = Server(config)
    lost: list[StreamingError] = []
    loop = asyncio.get_running_loop()

    def ended(error: StreamingError) -> None:
        lost.append(error)
        stop.set()

    if (watch := getattr(server.backend, "watch", None)) is not None:
        watch(lambda error: loop.call_soon_threadsafe(ended, error))
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
    if lost:
        raise lost[0]


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
