"""The `livekit` transport: Decart's control socket, and the pictures through a LiveKit room.

Messages and order are those of the published clients. Each picture goes out with a time stamp of
its own; where the server returns it, the pair is exact. Speaks to one service and owns one room.
"""

import asyncio
import contextlib
import logging
import time
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Protocol
from urllib.parse import urlencode

from streaming import wire
from streaming.errors import ServerUnreachable
from streaming.frames import Frame, Pixels
from streaming.link import BYE_S, Link, Owner, _settle
from streaming.models import Native
from streaming.tailor import Tailor

log = logging.getLogger(__name__)

ROOM_INFO_S = 15.0
ROOM_S = 15.0
PROMPT_S = 15.0
USER_AGENT = "scale-diffusion"
SERVER_IDENTITY = "inference-server-"
MAX_BITRATE = 3_500_000
REMEMBERED = 512


@dataclass(frozen=True, slots=True)
class Returned:
    """A picture out of the room. pixels: I420, (height * 3 / 2, width). stamp_us: None unechoed."""

    pixels: Pixels
    stamp_us: int | None


class Room(Protocol):
    """What a transport needs of a room; the real one is in `livekit_room`."""

    async def join(self, url: str, token: str) -> None: ...
    async def publish(self, native: Native, bitrate: int) -> None: ...
    def put(self, canvas: Pixels, stamp_us: int, number: int) -> None: ...
    async def leave(self) -> None: ...


MakeRoom = Callable[[Callable[[Returned], None], Callable[[str], None], str], Room]
"""Makes a room that calls the first with every picture and the second when it has ended.

The third names the codec of what is published.
"""


class LiveKitLink(Link):
    """A link by way of a LiveKit room. side: (height, width) of the game's picture."""

    def __init__(
        self,
        url: str,
        owner: Owner,
        model: str,
        native: Native,
        side: tuple[int, int],
        bitrate: int,
        codec: str = "vp8",
        make_room: MakeRoom | None = None,
    ) -> None:
        super().__init__(url, owner, None, False, 0)
        self._model, self._native = model, native
        self._tailor: Tailor = Tailor(side, native, bitrate)
        self._bitrate = min(bitrate, MAX_BITRATE)
        self._make_room, self._codec = make_room or _room, codec
        self._room: Room | None = None
        self._info: asyncio.Future[wire.LiveKitRoomInfo] = self._over.get_loop().create_future()
        self._in_queue = asyncio.Event()
        self._sent: OrderedDict[int, int] = OrderedDict()
        self._stamp = self._number = self._newest_tick = 0
        self._due = 0.0

    @property
    def ready(self) -> bool:
        """Whether the room takes pictures, and the model's rate allows the next one."""
        return self._room is not None and time.monotonic() >= self._due

    def _query(self, api_key: str) -> str:
        told = {"api_key": api_key, "model": self._model, "user_agent": USER_AGENT}
        return "?" + urlencode({**told, "livekit_early_room_info": "true"})

    async def open(
        self, api_key: str, ticket: wire.Ticket, prompt: Callable[[], wire.Prompt]
    ) -> None:
        """Dial, ask for a room, say the prompt, join and publish. The ticket is ours alone."""
        make = self._make_room  # a missing library is told before dialling
        room = make(self._took, self._room_ended, self._codec)
        await self._dial(api_key)
        self._go(self._listen())
        self._owner.hello(None)
        await self.send(wire.LiveKitJoin(False, {"frame_timing": True}))
        await self.send(prompt())
        info = await self._room_info()
        try:
            await asyncio.wait_for(room.join(info.livekit_url, info.token), ROOM_S)
            await asyncio.wait_for(room.publish(self._native, self._bitrate), ROOM_S)
        except Exception as error:
            with contextlib.suppress(Exception):
                await room.leave()
            why = "no room" if isinstance(error, TimeoutError) else wire.redacted(str(error))
            raise ServerUnreachable(self._address, f"the LiveKit room: {why[:200]}") from error
        self._room = room

    async def _room_info(self) -> wire.LiveKitRoomInfo:
        """Wait for the room; once a place in the queue was told, for as long as that takes."""
        waited = asyncio.ensure_future(self._in_queue.wait())
        any_of: set[asyncio.Future[Any]] = {self._info, self._over, waited}
        try:
            await asyncio.wait(any_of, timeout=ROOM_INFO_S, return_when="FIRST_COMPLETED")
        finally:
            waited.cancel()
        patience = None if self._in_queue.is_set() else 0.0
        found: wire.LiveKitRoomInfo = await self._until(self._info, patience)
        return found

    async def _take(self, message: wire.Message) -> None:
        if isinstance(message, wire.LiveKitRoomInfo):
            _settle(self._info, message)
            return
        if isinstance(message, wire.QueuePosition):
            self._in_queue.set()
        if isinstance(message, wire.GenerationEnded):
            self._owner.notice(f"the service ended the stream: {message.reason or 'no reason'}")
        await super()._take(message)

    def offer(self, frame: Frame) -> None:
        """Send this picture with a time stamp that no other one has."""
        assert self._room is not None
        self._due = time.monotonic() + 0.9 / self._native.fps
        self._stamp = max(self._stamp + 1, frame.t_ns // 1000)
        self._number += 1
        self._sent[self._stamp] = frame.tick
        while len(self._sent) > REMEMBERED:
            self._sent.popitem(last=False)
        self._room.put(self._tailor.canvas(frame.pixels), self._stamp, self._number)

    def _took(self, got: Returned) -> None:
        """A picture from the room, on the event loop."""
        tick = self._sent.get(got.stamp_us) if got.stamp_us is not None else None
        if got.stamp_us is not None and (tick is None or tick <= self._newest_tick):
            return  # nobody's, or come twice
        self._newest_tick = tick if tick is not None else self._newest_tick
        self._number += 1
        try:
            frame, data = self._tailor.cut(got.pixels, tick if tick is not None else self._number)
        except ValueError as error:
            self._owner.notice(f"the service sends a picture that cannot be: {error}")
            return
        self._owner.returned(frame, data, tick)

    def _room_ended(self, why: str) -> None:
        if not self._over.done():
            self._over.set_exception(
                ServerUnreachable(self._address, f"the LiveKit room ended: {why}")
            )
            self._over.exception()

    async def bye(self, wait_s: float = BYE_S) -> None:
        """The service needs no goodbye: leaving is enough."""

    async def close(self) -> None:
        """Leave the room and close the socket."""
        room, self._room = self._room, None
        if room is not None:
            with contextlib.suppress(Exception):
                await asyncio.wait_for(room.leave(), 2.0)
        await super().close()


def _room(took: Callable[[Returned], None], ended: Callable[[str], None], codec: str) -> Room:
    from streaming.livekit_room import LiveKitRoom

    return LiveKitRoom(took, ended, codec)
