"""Outgoing video that is handed its frames: one place, the newest frame wins, nobody waits."""

import asyncio
from collections.abc import AsyncIterator
from typing import Any

from aiortc import MediaStreamTrack
from aiortc.mediastreams import MediaStreamError
from av import VideoFrame

from streaming.frames import Pixels
from streaming.rtc import PTS_PER_TICK, TIME_BASE


class OfferedTrack(MediaStreamTrack):  # type: ignore[misc]
    """A video track fed by `offer`. A frame not fetched before the next one is dropped, counted."""

    kind = "video"

    def __init__(self) -> None:
        super().__init__()
        self._frame: VideoFrame | None = None
        self._there = asyncio.Event()
        self.dropped = 0

    def offer(self, tick: int, pixels: Pixels) -> None:
        """Send (height, width, 4) BGRA with this tick, which must rise. The array is not copied."""
        frame = VideoFrame.from_numpy_buffer(pixels, "bgra")
        frame.pts, frame.time_base = tick * PTS_PER_TICK, TIME_BASE
        if self._frame is not None:
            self.dropped += 1
        self._frame = frame
        self._there.set()

    async def recv(self) -> VideoFrame:
        """The newest frame, as soon as there is one."""
        await self._there.wait()
        frame, self._frame = self._frame, None
        self._there.clear()
        if frame is None or self.readyState != "live":
            raise MediaStreamError
        return frame

    def stop(self) -> None:
        """End the track and wake whoever waits for a frame."""
        super().stop()
        self._there.set()


async def newest(track: Any) -> AsyncIterator[tuple[Any, int]]:
    """Decoded frames of a received track, each with how many older ones were passed over.

    Drains the library's unbounded queue every time. Ends with the track.
    """
    while True:
        try:
            frame = await track.recv()
            skipped = 0
            while track._queue.qsize():
                frame, skipped = await track.recv(), skipped + 1
        except MediaStreamError:
            return
        yield frame, skipped
