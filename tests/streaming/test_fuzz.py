"""Nonsense over the signalling socket: neither side falls over, and both go on serving."""

import asyncio
import json
import random
import threading
from pathlib import Path

import aiohttp
import pytest
from aiohttp import web

from streaming import wire
from streaming.peer import PeerConfig
from streaming.peer_process import PeerThread
from streaming.server import PATH, ServerConfig
from streaming.visit import MALFORMED_LIMIT
from tests.streaming.rig import Game, ServerThread, rings
from tests.streaming.test_wire import EXAMPLES, mangled
from tests.waiting import wait_for

pytestmark = pytest.mark.network
MESSAGES = 500


def nonsense(random_: random.Random) -> str | bytes:
    kind = random_.randrange(6)
    if kind == 0:
        return random_.randbytes(random_.randrange(200))
    if kind == 1:
        return "[" * random_.randrange(1, 3000)
    if kind == 2:
        return json.dumps({"type": random_.choice(["offer", "answer"]), "sdp": "v=0\r\n" * 9})
    if kind == 3:
        return wire.pack(random_.choice([m for m in EXAMPLES if not isinstance(m, wire.Bye)]))
    return mangled(random_)


async def shower(url: str, seed: int, messages: int = MESSAGES) -> int:
    """Send pieces of nonsense over as many sockets as it takes; how many were sent."""
    random_ = random.Random(seed)
    sent = 0
    async with aiohttp.ClientSession() as http:
        while sent < messages:
            async with http.ws_connect(url + PATH) as socket:
                for _ in range(MALFORMED_LIMIT // 2):
                    if socket.closed:
                        break
                    piece = nonsense(random_)
                    try:
                        if isinstance(piece, bytes):
                            await socket.send_bytes(piece)
                        else:
                            await socket.send_str(piece)
                    except ConnectionError:
                        break
                    sent += 1
    return sent


MANY = [MESSAGES, pytest.param(10_000, marks=[pytest.mark.slow, pytest.mark.timeout(900)])]


@pytest.mark.parametrize("messages", MANY)
def test_a_server_outlives_nonsense_and_still_serves(messages: int) -> None:
    server = ServerThread(ServerConfig(players=8))
    assert asyncio.run(shower(server.url, 11, messages)) >= messages
    with rings() as made:
        child = PeerThread(PeerConfig(server.url, "after"), made.source, made.styled, made.encoded)
        game = Game(made)
        child.start()
        game.start()
        wait_for(lambda: len(game.styled) > 3, what="frames after the shower")
        child.stop()
        game.stop()
    server.stop()


class Liar:
    """A server that greets like ours and then talks nonsense."""

    def __init__(self, seed: int) -> None:
        self._random = random.Random(seed)
        self.sent = 0
        self.port = 0
        self._up = threading.Event()
        self._thread = threading.Thread(target=lambda: asyncio.run(self._main()), daemon=True)
        self._thread.start()
        assert self._up.wait(120)

    async def _main(self) -> None:
        self._loop, self._over = asyncio.get_running_loop(), asyncio.Event()
        app = web.Application()
        app.router.add_get(PATH, self._talk)
        runner = web.AppRunner(app, shutdown_timeout=0.2)
        await runner.setup()
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        self.port = runner.addresses[0][1]
        self._up.set()
        await self._over.wait()
        await runner.cleanup()

    async def _talk(self, request: web.Request) -> web.WebSocketResponse:
        socket = web.WebSocketResponse()
        await socket.prepare(request)
        await socket.send_str(wire.pack(wire.Hello(1, "liar/0")))
        await socket.send_str(wire.pack(wire.Seated("x")))
        for _ in range(150):
            piece = nonsense(self._random)
            if "401" in str(piece):
                continue  # that would be a refusal for good, and no nonsense
            try:
                if isinstance(piece, bytes):
                    await socket.send_bytes(piece)
                else:
                    await socket.send_str(piece)
            except ConnectionError:
                break
            self.sent += 1
        await socket.close()
        return socket

    def stop(self) -> None:
        self._loop.call_soon_threadsafe(self._over.set)
        self._thread.join(120)


@pytest.mark.parametrize("messages", MANY)
def test_a_peer_outlives_a_server_that_talks_nonsense(tmp_path: Path, messages: int) -> None:
    liar = Liar(5)
    with rings() as made:
        path = tmp_path / "journal"
        config = PeerConfig(f"ws://127.0.0.1:{liar.port}", "x", journal_path=path)
        child = PeerThread(config, made.source, made.styled, made.encoded)
        game = Game(made)
        child.start()
        game.start()
        wait_for(lambda: liar.sent >= messages, 120 + messages, "so many pieces of nonsense")
        assert child.alive()
        assert not child.gauges().connected
        assert child.gauges().state != "refused"
        child.stop()
        game.stop()
        assert not child.alive()
    liar.stop()
