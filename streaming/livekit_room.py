"""A LiveKit room through the public client library: one track out, the server's track in.

The only module that knows that library. Raises LiveKitMissing where it is not installed.
"""

import asyncio
import contextlib
import logging
from collections.abc import Callable
from typing import Any

import numpy as np

from streaming.errors import LiveKitMissing
from streaming.frames import Pixels
from streaming.livekit import SERVER_IDENTITY, Returned
from streaming.models import Native

log = logging.getLogger(__name__)


def library() -> Any:
    """The client library's real-time module. Raises LiveKitMissing."""
    try:
        from livekit import rtc
    except (ImportError, OSError) as error:
        raise LiveKitMissing(f"{type(error).__name__}: {error}") from error
    return rtc


class LiveKitRoom:
    """Calls `took` with each of the server's pictures and `ended` when the room is over."""

    def __init__(
        self, took: Callable[[Returned], None], ended: Callable[[str], None], codec: str = "vp8"
    ) -> None:
        self._rtc = library()
        self._took, self._ended, self._codec = took, ended, codec
        self._room = self._rtc.Room()
        self._source: Any = None
        self._stream: Any = None
        self._reading: asyncio.Future[None] | None = None

    async def join(self, url: str, token: str) -> None:
        """Connect; subscribe to everything, read from the inference server alone."""
        self._room.on("track_subscribed", self._on_track)
        self._room.on("disconnected", lambda *why: self._ended(str(*why[:1])))
        options = self._rtc.RoomOptions(auto_subscribe=True, dynacast=False)
        await self._room.connect(url, token, options)

    async def publish(self, native: Native, bitrate: int) -> None:
        """Publish one camera track whose frames carry their time stamps."""
        self._source = self._rtc.VideoSource(native.width, native.height)
        track = self._rtc.LocalVideoTrack.create_video_track("camera", self._source)
        await self._room.local_participant.publish_track(track, self.options(native, bitrate))

    def options(self, native: Native, bitrate: int) -> Any:
        """How the track is published: one layer, no more than `bitrate`, stamps on every frame."""
        rtc = self._rtc
        options = rtc.TrackPublishOptions(
            source=rtc.TrackSource.SOURCE_CAMERA,
            video_codec=rtc.VideoCodec.Value(self._codec.upper()),
            simulcast=False,
            video_encoding=rtc.VideoEncoding(max_bitrate=bitrate, max_framerate=native.fps),
        )
        features = rtc.FrameMetadataFeature
        options.frame_metadata_features.extend([features.FMF_USER_TIMESTAMP, features.FMF_FRAME_ID])
        return options

    def put(self, canvas: Pixels, stamp_us: int, number: int) -> None:
        """Send an I420 picture (height * 3 / 2, width) with its stamp [us] and number."""
        rtc = self._rtc
        frame = rtc.VideoFrame(
            canvas.shape[1], canvas.shape[0] * 2 // 3, rtc.VideoBufferType.I420, canvas.tobytes()
        )
        told = rtc.FrameMetadata(user_timestamp=stamp_us, frame_id=number & 0xFFFFFFFF)
        self._source.capture_frame(frame, timestamp_us=stamp_us, metadata=told)

    def _on_track(self, track: Any, publication: Any, participant: Any) -> None:
        wanted = str(participant.identity).startswith(SERVER_IDENTITY)
        if wanted and track.kind == self._rtc.TrackKind.KIND_VIDEO and self._reading is None:
            self._reading = asyncio.ensure_future(self._read(track))
            self._reading.add_done_callback(self._read_to_its_end)

    def _read_to_its_end(self, reading: asyncio.Future[None]) -> None:
        """A reader that failed must not look like a server that sends nothing."""
        if not reading.cancelled() and (error := reading.exception()) is not None:
            log.error("livekit.reading", exc_info=error)
            self._ended(f"{type(error).__name__}: {error}")

    async def _read(self, track: Any) -> None:
        kind = self._rtc.VideoBufferType.I420
        self._stream = self._rtc.VideoStream(track, capacity=1, format=kind)  # the newest wins
        async for event in self._stream:
            told, frame = event.metadata, event.frame
            stamp = int(told.user_timestamp) if told is not None else 0
            rows = frame.height * 3 // 2
            data = np.frombuffer(frame.data, np.uint8)
            if frame.height % 2 or frame.width % 2 or data.size < rows * frame.width:
                continue
            pixels = data[: rows * frame.width].reshape(rows, frame.width)
            self._took(Returned(pixels, stamp or None))

    async def leave(self) -> None:
        """Stop reading and disconnect."""
        if self._reading is not None:
            self._reading.cancel()
            await asyncio.gather(self._reading, return_exceptions=True)
        if self._stream is not None:
            with contextlib.suppress(Exception):
                await self._stream.aclose()
        await self._room.disconnect()
        if self._source is not None:
            with contextlib.suppress(Exception):
                await self._source.aclose()
