"""A tiny LiveKit server for one player: rooms by WebSocket and protobuf, media by aiortc.

It plays the inference server too: what the player publishes comes back, as it was encoded, as the
track of a participant `inference-server-1`, time stamps included. For tests of the real client.
"""

import asyncio
import contextlib
import json
import threading
from collections.abc import Callable
from typing import Any

from aiohttp import WSMsgType, web
from aiortc import RTCSessionDescription
from aiortc.rtcicetransport import RTCIceCandidate
from aiortc.sdp import candidate_from_sdp
from livekit.protocol import models, rtc

from streaming import rtc as ours
from streaming.ratecontrol import RateControl
from streaming.track import EncodedTrack

ROOM, SERVER, TRACK = "r1", "inference-server-1", "TR_styled"


class RawSender:
    """Stands in for the library's encoder: sends encoded frames as they are, as VP8."""

    target_bitrate = bitrate = 0
    mime, name = "video/VP8", "vp8"
    on_estimate: Any = None

    def __init__(self, want_key: Callable[[], None]) -> None:
        self._id, self.want_key = 0, want_key

    def use(self, mime: str) -> None:
        assert mime == self.mime

    def pack(self, encoded: tuple[int, bytes]) -> tuple[list[bytes], int]:
        from aiortc.codecs.vpx import Vp8Encoder

        timestamp, data = encoded
        self._id = (self._id + 1) % (1 << 15)
        return list(Vp8Encoder._packetize(data, self._id)), timestamp & 0xFFFFFFFF


class RoomServer:
    """In a thread. `url` is what a client joins with any token."""

    def __init__(self, echo_stamps: bool = True) -> None:
        self.echo_stamps = echo_stamps
        self.log: list[str] = []
        self.frames = 0
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
        app.router.add_get("/rtc", self._rtc)
        app.router.add_get("/{rest:.*}", self._other)
        runner = web.AppRunner(app, shutdown_timeout=0.2)
        await runner.setup()
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        self.port = runner.addresses[0][1]
        self._up.set()
        await self._over.wait()
        await runner.cleanup()

    async def _other(self, request: web.Request) -> web.Response:
        self.log.append(f"GET {request.path}")
        return web.Response(status=404)

    async def _rtc(self, request: web.Request) -> web.WebSocketResponse:
        self.log.append("join " + str(sorted(request.query)))
        socket = web.WebSocketResponse()
        await socket.prepare(request)
        await Visit(self, socket).run()
        return socket

    def stop(self) -> None:
        self._loop.call_soon_threadsafe(self._over.set)
        self._thread.join(120)


class Visit:
    """One participant: publisher and subscriber connection."""

    def __init__(self, server: RoomServer, socket: web.WebSocketResponse) -> None:
        self._server, self._socket = server, socket
        self._publisher: Any = None
        self._subscriber: Any = None
        self._echo = EncodedTrack()
        self._published = False
        self._features: list[int] = []

    async def _send(self, **fields: Any) -> None:
        await self._socket.send_bytes(rtc.SignalResponse(**fields).SerializeToString())

    async def run(self) -> None:
        me = models.ParticipantInfo(sid="PA_me", identity="player", state=2)
        me.permission.can_publish = me.permission.can_subscribe = True
        await self._send(
            join=rtc.JoinResponse(
                room=models.Room(sid="RM_1", name=ROOM),
                participant=me,
                server_version="1.9.0",
                server_info=models.ServerInfo(version="1.9.0", protocol=15),
                subscriber_primary=False,
                ping_interval=30,
                ping_timeout=60,
            )
        )
        try:
            async for raw in self._socket:
                if raw.type is WSMsgType.BINARY:
                    request = rtc.SignalRequest()
                    request.ParseFromString(raw.data)
                    await self._take(request)
        finally:
            for connection in (self._publisher, self._subscriber):
                if connection is not None:
                    await connection.close()

    async def _take(self, request: Any) -> None:
        kind = request.WhichOneof("message")
        self._server.log.append(str(kind))
        if kind == "offer":
            await self._answer(request.offer.sdp)
        elif kind == "answer":
            description = RTCSessionDescription(request.answer.sdp, "answer")
            await self._subscriber.setRemoteDescription(description)
        elif kind == "trickle":
            await self._trickle(request.trickle)
        elif kind == "add_track":
            add, self._published = request.add_track, True
            track = models.TrackInfo(sid="TR_cam", name=add.name, type=add.type, source=add.source)
            self._features = list(add.packet_trailer_features) if self._server.echo_stamps else []
            track.packet_trailer_features.extend(add.packet_trailer_features)
            await self._send(track_published=rtc.TrackPublishedResponse(cid=add.cid, track=track))
        elif kind in ("ping", "ping_req"):
            await self._send(pong=0)

    async def _answer(self, sdp: str) -> None:
        if self._publisher is None:
            self._publisher = ours.connection(ours.RTCConfiguration(iceServers=[]))
        with ours.on_loopback(True):
            await self._publisher.setRemoteDescription(RTCSessionDescription(sdp, "offer"))
            video = [t for t in self._publisher.getTransceivers() if t.kind == "video"]
            for transceiver in video:
                if not hasattr(transceiver, "tapped"):
                    transceiver.tapped = True
                    ours.equip_receiver(transceiver.receiver, self._frame, 0, True)
            await self._publisher.setLocalDescription(await self._publisher.createAnswer())
        answer = self._publisher.localDescription.sdp
        await self._send(answer=rtc.SessionDescription(type="answer", sdp=answer))
        if self._published and self._subscriber is None:
            await self._offer_echo()

    def _frame(self, timestamp: int, data: bytes, codec: str) -> None:
        self._server.frames += 1
        if self._echo.wanted:
            self._echo.offer(timestamp, data)

    def _want_key(self) -> None:
        """Whoever watches needs a key frame: ask the player's encoder for one."""
        for transceiver in self._publisher.getTransceivers():
            streams = getattr(transceiver.receiver, "_RTCRtpReceiver__remote_streams", {})
            for ssrc in list(streams) if transceiver.kind == "video" else []:
                self._asking = asyncio.ensure_future(transceiver.receiver._send_rtcp_pli(ssrc))

    async def _offer_echo(self) -> None:
        track = models.TrackInfo(sid=TRACK, name="styled", type=1, source=1, mime_type="video/VP8")
        track.packet_trailer_features.extend(self._features)
        peer = models.ParticipantInfo(sid="PA_srv", identity=SERVER, state=2, tracks=[track])
        await self._send(update=rtc.ParticipantUpdate(participants=[peer]))
        self._subscriber = ours.connection(ours.RTCConfiguration(iceServers=[]))
        with ours.on_loopback(True):
            sender = self._subscriber.addTrack(self._echo)
            sender._stream_id = f"PA_srv|{TRACK}"
            sender._track_id = TRACK
            ours.equip_sender(sender, RawSender(self._want_key), RateControl(2_000_000))
            ours.offer_codecs(self._subscriber.getTransceivers()[0], "video/VP8")
            await self._subscriber.setLocalDescription(await self._subscriber.createOffer())
        offer = self._subscriber.localDescription.sdp
        await self._send(offer=rtc.SessionDescription(type="offer", sdp=offer))

    async def _trickle(self, message: Any) -> None:
        connection = self._subscriber if message.target == 1 else self._publisher
        told = json.loads(message.candidateInit)
        if connection is None or not told.get("candidate"):
            return
        with contextlib.suppress(Exception):
            found: RTCIceCandidate = candidate_from_sdp(told["candidate"].split(":", 1)[1])
            found.sdpMid, found.sdpMLineIndex = told.get("sdpMid"), told.get("sdpMLineIndex")
            await connection.addIceCandidate(found)
