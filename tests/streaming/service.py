"""A local service that speaks the livekit control socket, and a room without a network.

Written from the published clients' messages, not from our own code: it builds its JSON by hand.
"""

import asyncio
import json
import threading
from collections.abc import Callable
from typing import Any

from aiohttp import WSMsgType, web

from streaming.frames import Pixels
from streaming.livekit import Returned
from streaming.models import Native


class Service:
    """Control server in a thread. Set the fields before a client comes; `heard` holds what it said.

    queue: positions told before the room, pause_s apart. key: '' takes any. silent: no room ever.
    """

    def __init__(self, queue: tuple[int, ...] = (), pause_s: float = 0.0, key: str = "") -> None:
        self.queue, self.pause_s, self.key, self.silent = queue, pause_s, key, False
        self.room_url = "ws://room.invalid"
        self.heard: list[dict[str, Any]] = []
        self.queries: list[dict[str, str]] = []
        self.sockets: list[web.WebSocketResponse] = []
        self._up = threading.Event()
        self._thread = threading.Thread(target=lambda: asyncio.run(self._main()), daemon=True)
        self._thread.start()
        assert self._up.wait(120)

    @property
    def url(self) -> str:
        return f"ws://127.0.0.1:{self.port}"

    async def _main(self) -> None:
        self._loop, self._over = asyncio.get_running_loop(), asyncio.Event()
        app = web.Application()
        app.router.add_get("/v1/stream", self._stream)
        runner = web.AppRunner(app, shutdown_timeout=0.2)
        await runner.setup()
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        self.port = runner.addresses[0][1]
        self._up.set()
        await self._over.wait()
        await self._hang_up()
        await runner.cleanup()

    async def _stream(self, request: web.Request) -> web.WebSocketResponse:
        socket = web.WebSocketResponse()
        await socket.prepare(request)
        self.queries.append(dict(request.query))
        self.sockets.append(socket)
        if self.key and request.query.get("api_key") != self.key:
            await socket.send_json({"type": "error", "error": "401: Invalid API key"})
            await socket.close()
            return socket
        async for raw in socket:
            if raw.type is not WSMsgType.TEXT:
                break
            message = json.loads(raw.data)
            self.heard.append(message)
            if message["type"] == "livekit_join":
                self._admitting = asyncio.ensure_future(self._admit(socket))
            elif message["type"] == "prompt":
                ack = {"prompt": message["prompt"], "success": True, "error": None}
                await socket.send_json({"type": "prompt_ack", **ack})
        return socket

    async def _admit(self, socket: web.WebSocketResponse) -> None:
        for position in self.queue:
            told = {"position": position, "queue_size": len(self.queue)}
            await socket.send_json({"type": "queue_position", **told})
            await asyncio.sleep(self.pause_s)
        if self.silent:
            return
        room = {"livekit_url": self.room_url, "token": "room-token", "room_name": "r1"}
        await socket.send_json({"type": "livekit_room_info", "session_id": "s1", **room})
        await socket.send_json({"type": "generation_started"})
        await socket.send_json({"type": "generation_tick", "seconds": 1.0})

    async def _hang_up(self) -> None:
        for socket in self.sockets:
            await socket.close()

    def hang_up(self) -> None:
        """Close every control socket, as a restart of the service does."""
        asyncio.run_coroutine_threadsafe(self._hang_up(), self._loop).result(120)

    def stop(self) -> None:
        self._loop.call_soon_threadsafe(self._over.set)
        self._thread.join(120)


class FakeRoom:
    """Gives every picture back `delay_s` later, with its stamp or without, painted by `paint`."""

    made: list["FakeRoom"] = []
    delay_s, echo = 0.12, True
    paint: Callable[[Pixels], Pixels] = staticmethod(lambda canvas: canvas)

    def __init__(
        self, took: Callable[[Returned], None], ended: Callable[[str], None], codec: str
    ) -> None:
        self._took, self.ended = took, ended
        self.joined: tuple[str, str] | None = None
        self.native: Native | None = None
        self.left = False
        FakeRoom.made.append(self)

    async def join(self, url: str, token: str) -> None:
        self.joined = (url, token)

    async def publish(self, native: Native, bitrate: int) -> None:
        self.native = native

    def put(self, canvas: Pixels, stamp_us: int, number: int) -> None:
        assert self.native is not None
        assert canvas.shape == (self.native.height * 3 // 2, self.native.width)
        back = Returned(FakeRoom.paint(canvas.copy()), stamp_us if FakeRoom.echo else None)
        asyncio.get_running_loop().call_later(FakeRoom.delay_s, self._give, back)

    def _give(self, back: Returned) -> None:
        if not self.left:
            self._took(back)

    async def leave(self) -> None:
        self.left = True
