"""One connection of the player's side: signalling, media out and in, until it ends or fails.

Owns one WebSocket and one peer connection, and closes both. Reconnecting is its owner's business.
"""

import asyncio
import contextlib
import logging
import time
from collections.abc import Callable
from typing import Any, Protocol
from urllib.parse import urlencode, urlsplit

import aiohttp
from aiortc import RTCSessionDescription

from streaming import rtc, wire
from streaming.address import address_of
from streaming.codec import SizeRefused, TickDecoder, picture_of
from streaming.dns import Resolver
from streaming.errors import ServerRefused, ServerUnreachable, StreamingError, WireMalformed
from streaming.frames import Frame
from streaming.ice import Guard, configuration, open_ended, trickle
from streaming.ice_config import IceConfig
from streaming.ratecontrol import RateControl
from streaming.tailor import Tailor
from streaming.track import EVERY, EncodedTrack, OfferedTrack, newest

log = logging.getLogger(__name__)

OPEN_S = 5.0
HELLO_S = 5.0  # a server of ours says it at once; however busy, it is not taken for another
ANSWER_S = 10.0
BYE_S, DEAF_S = 8.0, 1.0  # for the journal's last block; of a server that has long been silent
HEARTBEAT_S = 5.0
MALFORMED_LIMIT = 200
_FOR_GOOD = (
    "permission denied",
    "not allowed",
    "invalid session",
    "401",
    "invalid api key",
    "unauthorized",
)


class Owner(Protocol):
    """What a link tells its peer. Everything runs on the event loop and must return at once.

    returned: a picture that came without a bitstream worth keeping; data is VP8 made here, tick
    None where none was echoed.
    """

    def hello(self, message: wire.Hello | None) -> None: ...
    def queued(self, position: int) -> None: ...
    def acknowledged(self, message: wire.PromptAck) -> None: ...
    def block(self, line: str) -> None: ...
    def encoded(self, timestamp: int, data: bytes, codec: str) -> None: ...
    def decoded(self, frame: Any) -> None: ...
    def returned(self, frame: Any, data: bytes, tick: int | None) -> None: ...
    def notice(self, text: str) -> None: ...
    def times(self, text: str) -> None: ...
    def seeded(self, seed: int) -> None: ...


class Link:
    """Open, run, then close. encoder: made anew for every link, its first frame is a key frame.

    tailor, model: for a server that is not ours and takes one size alone.
    """

    def __init__(
        self,
        url: str,
        owner: Owner,
        encoder: Any,
        patched: bool,
        first_tick: int,
        ice: IceConfig = IceConfig(),  # noqa: B008 - frozen
        tailor: Tailor | None = None,
        model: str = "",
    ) -> None:
        self._tailor, self._model, self._cuts = tailor, model, 0
        self._address, self._owner, self._ice = address_of(url), owner, ice
        self._guard = Guard("", ice.private)
        self._encoder, self._patched, self._first_tick = encoder, patched, first_tick
        self._http: aiohttp.ClientSession | None = None
        self._socket: Any = None
        self._connection: Any = None
        self._tasks: set[asyncio.Future[Any]] = set()
        self._over: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._hello: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._seated: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._answer: asyncio.Future[str] = asyncio.get_running_loop().create_future()
        self._ended, self._offered, self._answered = (asyncio.Event() for _ in range(3))
        self.ours = False
        self.track: Any = OfferedTrack(depth=3) if encoder is None else EncodedTrack()
        self.rate: RateControl | None = None
        if encoder is not None:
            self.rate = RateControl(encoder.bitrate, time.monotonic())
        self._decoder = TickDecoder()
        self._buffer: Any = None
        self._newest: Any = None
        self._heard_at = time.monotonic()

    async def open(
        self, api_key: str, ticket: wire.Ticket, prompt: Callable[[], wire.Prompt]
    ) -> None:
        """Dial, take the seat, set the prompt, start media. ServerUnreachable, ServerRefused."""
        await self._dial(api_key)
        self._go(self._listen())
        done, _ = await asyncio.wait(
            {self._hello, self._over}, timeout=HELLO_S, return_when="FIRST_COMPLETED"
        )
        self.ours = self._hello in done
        if self.ours:
            await self.send(ticket)
            await self._until(self._seated, None)  # a queue may be long; the socket's end ends it
        else:
            self._owner.hello(None)
        await self.send(prompt())
        loopback = rtc.is_loopback(urlsplit(self._address).hostname or "")
        with rtc.on_loopback(loopback):
            sdp = await self._offer()
            await self.send(wire.Offer(open_ended(sdp)))
            self._offered.set()
            answer = await self._until(self._answer, ANSWER_S)
            try:
                description = RTCSessionDescription(self._guard.description(answer), "answer")
                await self._connection.setRemoteDescription(description)
                self._answered.set()
            except Exception as error:  # the library raises many kinds on hostile SDP
                raise ServerUnreachable(self._address, f"answer not understood: {error}") from error

    async def _dial(self, api_key: str) -> None:
        self._http = aiohttp.ClientSession(
            connector=aiohttp.TCPConnector(resolver=Resolver(), use_dns_cache=False),
            timeout=aiohttp.ClientTimeout(total=None, sock_connect=OPEN_S),
        )
        query = self._query(api_key)
        try:
            self._socket = await asyncio.wait_for(
                self._http.ws_connect(
                    self._address + query, heartbeat=HEARTBEAT_S, max_msg_size=wire.LARGEST_MESSAGE
                ),
                OPEN_S,
            )
        except aiohttp.WSServerHandshakeError as error:
            if error.status in (401, 403):
                raise ServerRefused(self._address, f"{error.status}: {error.message}") from None
            raise ServerUnreachable(self._address, f"answers HTTP {error.status}") from None
        except TimeoutError:
            raise ServerUnreachable(self._address, f"no answer in {OPEN_S:.0f} s") from None
        except aiohttp.ClientConnectorError as error:
            why = error.os_error.strerror or str(error.os_error) or "cannot be reached"
            raise ServerUnreachable(self._address, why) from None
        except (aiohttp.ClientError, OSError, ValueError) as error:
            why = wire.redacted(str(error)) or type(error).__name__
            raise ServerUnreachable(self._address, why) from None
        far = self._socket.get_extra_info("peername")
        self._guard = Guard(str(far[0]) if far else "", self._ice.private)

    def _query(self, api_key: str) -> str:
        asked = {"api_key": api_key, "model": self._model}
        told = urlencode({name: value for name, value in asked.items() if value})
        return f"?{told}" if told else ""

    async def _offer(self) -> str:
        connection = self._connection = rtc.connection(await configuration(self._ice))
        transceiver = connection.addTransceiver(self.track, direction="sendrecv")
        trickle(transceiver, lambda found: self._go(self._found(found)))
        rtc.offer_codecs(transceiver, self._encoder.mime if self._encoder else "video/VP8")
        if self._encoder is not None and self.rate is not None:
            rtc.equip_sender(transceiver.sender, self._encoder, self.rate)
        else:
            rtc.equip_sender_stock(transceiver.sender)
        tap = self._tap if self._patched else self._owner.encoded
        self._buffer = rtc.equip_receiver(
            transceiver.receiver, tap, self._first_tick, self._patched
        )
        if not self._patched:
            connection.on("track", lambda track: self._go(self._receive(track)))
        await connection.setLocalDescription(await connection.createOffer())
        sdp: str = connection.localDescription.sdp
        return sdp

    async def send(self, message: wire.Message) -> None:
        """Send if the socket still takes it. What is ours alone goes only to our own server."""
        if not self.ours and message.TYPE.startswith("sd."):
            return
        with contextlib.suppress(ConnectionError, RuntimeError):
            if self._socket is not None and not self._socket.closed:
                await self._socket.send_str(wire.pack(message, self.ours))

    @property
    def ready(self) -> bool:
        """Whether the media are up and a picture offered now is sent now."""
        if self.rate is not None and self.rate.rests(time.monotonic()):
            return False
        return self._encoder is None or bool(self.track.wanted)

    @property
    def up(self) -> bool:
        """Whether the two ends have found a way to each other."""
        return not isinstance(self.track, EncodedTrack) or self.track.up

    def offer(self, frame: Frame) -> None:
        """Send this picture next. Encodes here: handing it to a thread costs more than it saves."""
        if self._encoder is None:
            self.track.offer(frame.tick, frame.pixels)
            return
        make = picture_of if self._tailor is None or self.ours else self._tailor.picture
        data = self._encoder.compress(make(frame.pixels, frame.tick))
        if data:
            self.track.offer(frame.tick, data)

    def _tap(self, timestamp: int, data: bytes, codec: str) -> None:
        """A frame as received: record it, decode it, and show it unless a newer one is here."""
        foreign = None if self.ours else self._tailor
        if foreign is None:
            self._owner.encoded(timestamp, data, codec)
        try:
            frames = self._decoder.decode(codec, timestamp, data)
        except ValueError as error:
            if self._buffer is not None:
                self._buffer.wait_key = True
            if isinstance(error, SizeRefused):
                self._owner.notice(f"the server {error}".replace("server pictures", "server's"))
            return
        if foreign is not None:
            self._cut(foreign, frames)
        elif frames:
            waiting, self._newest = self._newest is not None, frames[-1]
            if not waiting:
                asyncio.get_running_loop().call_soon(self._show)

    def _cut(self, tailor: Tailor, frames: list[Any]) -> None:
        """Hand on the game's part of pictures of another size."""
        for frame in frames:
            self._cuts += 1
            try:
                self._owner.returned(*tailor.cut(frame.to_ndarray(), self._cuts), None)
            except ValueError as error:
                self._owner.notice(f"the server sends a picture that cannot be: {error}")

    def _show(self) -> None:
        frame, self._newest = self._newest, None
        if frame is not None:
            self._owner.decoded(frame)

    async def over(self) -> None:
        """Return or raise when the link has ended."""
        await asyncio.shield(self._over)

    async def bye(self) -> None:
        """Tell the server that the session is over and wait for the journal's last block."""
        if self.ours and self._socket is not None and not self._socket.closed:
            await self.send(wire.Bye())
            wait_s = BYE_S if time.monotonic() - self._heard_at < HEARTBEAT_S else DEAF_S
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._ended.wait(), wait_s)

    async def close(self) -> None:
        """Close everything; nothing of this link is left running."""
        self.track.stop()
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        if self._connection is not None:
            await self._connection.close()
        with contextlib.suppress(Exception):
            if self._socket is not None:
                await asyncio.wait_for(self._socket.close(), 0.5)
        if self._http is not None:
            await self._http.close()
        for codec in (self._encoder, self._tailor):
            if codec is not None:
                codec.close()
        self._decoder.close()
        self._newest = None
        if self._over.done():
            self._over.exception()  # seen

    def _go(self, work: Any) -> None:
        self._tasks.add(asyncio.ensure_future(work))

    async def _until(self, wanted: asyncio.Future[Any], limit: float | None) -> Any:
        await asyncio.wait({wanted, self._over}, timeout=limit, return_when="FIRST_COMPLETED")
        if wanted.done():
            return wanted.result()
        if self._over.done():
            self._over.result()
            raise ServerUnreachable(self._address, "closed the connection")
        raise ServerUnreachable(self._address, f"no answer in {limit:.0f} s")

    async def _receive(self, track: Any) -> None:
        if track.kind == "video":
            async for frame, _ in newest(track, EVERY):
                self._owner.decoded(frame)

    async def _listen(self) -> None:
        malformed = 0
        error: StreamingError = ServerUnreachable(self._address, "closed the connection")
        async for raw in self._socket:
            if raw.type not in (aiohttp.WSMsgType.TEXT, aiohttp.WSMsgType.BINARY):
                break
            self._heard_at = time.monotonic()
            try:
                message = wire.parse(raw.data)
                if message is not None:
                    await self._take(message)
            except ServerRefused as refused:
                error = refused
                break
            except WireMalformed as bad:
                malformed += 1
                if malformed == 1:
                    log.warning("link.malformed %s", bad)
                if malformed > MALFORMED_LIMIT:
                    error = ServerUnreachable(self._address, "sends garbage")
                    break
        self._ended.set()
        if not self._over.done():
            self._over.set_exception(error)
            self._over.exception()

    async def _take(self, message: wire.Message) -> None:
        if isinstance(message, wire.JournalBlock):
            self._owner.block(message.block)
        elif isinstance(message, wire.PromptAck):
            self._owner.acknowledged(message)
        elif isinstance(message, wire.Times):
            self._owner.times(message.frames)
        elif isinstance(message, wire.Seed):
            self._owner.seeded(message.seed)
        elif isinstance(message, wire.Hello):
            self._owner.hello(message)
            _settle(self._hello, None)
        elif isinstance(message, wire.Seated):
            _settle(self._seated, None)
        elif isinstance(message, wire.Answer):
            _settle(self._answer, message.sdp)
        elif isinstance(message, wire.IceCandidate):
            self._go(self._candidate(message))
        elif isinstance(message, wire.TurnConfig):
            self._offered_turn(message)
        elif isinstance(message, wire.Offer):
            self._go(self._renegotiate(message))
        elif isinstance(message, wire.QueuePosition):
            self._owner.queued(message.position)
        elif isinstance(message, wire.GenerationEnded):
            self._ended.set()
        elif isinstance(message, wire.ErrorMessage):
            text = wire.redacted(message.error)[:300]
            if any(sign in text.lower() for sign in _FOR_GOOD):
                raise ServerRefused(self._address, text)
            self._owner.notice(text)

    def _offered_turn(self, message: wire.TurnConfig) -> None:
        try:
            urls = tuple(str(url) for url in message.urls if str(url).startswith("turn"))
            self._ice = self._ice.told(urls[:1], message.username, message.credential)
        except ValueError as error:
            log.info("link.turn ignored=%r", error)

    async def _renegotiate(self, message: wire.Offer) -> None:
        """The server asks again: say what was said before, the media stay as they are."""
        if not self._answered.is_set():
            return
        try:
            description = RTCSessionDescription(self._guard.description(message.sdp), "offer")
            await self._connection.setRemoteDescription(description)
            await self._connection.setLocalDescription(await self._connection.createAnswer())
            await self.send(wire.Answer(self._connection.localDescription.sdp))
        except Exception as error:  # as above
            log.info("link.offer ignored=%r", error)

    async def _found(self, candidate: dict[str, Any] | None) -> None:
        """One of our own candidates that came after the offer."""
        await self._offered.wait()
        await self.send(wire.IceCandidate(candidate))

    async def _candidate(self, message: wire.IceCandidate) -> None:
        try:
            candidate = self._guard.candidate(message.candidate)
            await self._answered.wait()
            await self._connection.addIceCandidate(candidate)
        except Exception as error:  # the library raises many kinds on nonsense
            log.info("link.candidate ignored=%r", error)


def _settle(future: asyncio.Future[Any], value: Any) -> None:
    if not future.done():
        future.set_result(value)
