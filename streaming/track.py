"""Video that is handed its frames, and frames taken from received video: bounded, newest first.

A short backlog, as a healed loss or a hiccup leaves it, is worked off; a lasting one is skipped.
"""

import asyncio
from collections import deque
from collections.abc import AsyncIterator, Callable
from typing import Any

from aiortc import MediaStreamTrack
from aiortc.mediastreams import MediaStreamError
from av import VideoFrame

from streaming.codec import picture_of
from streaming.frames import Pixels

ENCODED_WAIT = 64  # more encoded frames than this cannot wait: something is broken


class EncodedTrack(MediaStreamTrack):  # type: ignore[misc]
    """A video track fed with encoded frames, which may not be skipped: they need each other.

    Feed it once it is `wanted`; until then the connection is not up and nobody takes them.
    """

    kind = "video"

    def __init__(self) -> None:
        super().__init__()
        self._frames: deque[tuple[int, bytes]] = deque()
        self._there = asyncio.Event()
        self._asked = asyncio.Event()

    @property
    def wanted(self) -> bool:
        """Whether the connection is up and takes frames."""
        return self._asked.is_set() and len(self._frames) < ENCODED_WAIT

    @property
    def up(self) -> bool:
        """Whether the connection has ever asked for a frame."""
        return self._asked.is_set()

    async def until_wanted(self) -> None:
        """Return once the connection takes frames."""
        await self._asked.wait()

    def offer(self, tick: int, data: bytes) -> None:
        """Send the encoded frame of this tick."""
        self._frames.append((tick, data))
        self._there.set()

    async def recv(self) -> Any:
        """The next (tick, data), as soon as there is one."""
        self._asked.set()
        await self._there.wait()
        if not self._frames or self.readyState != "live":
            raise MediaStreamError
        encoded = self._frames.popleft()
        if not self._frames:
            self._there.clear()
        return encoded

    def stop(self) -> None:
        """End the track and wake whoever waits."""
        super().stop()
        self._there.set()


class OfferedTrack(MediaStreamTrack):  # type: ignore[misc]
    """A video track fed by `offer`; beyond `depth` frames the oldest is dropped and counted."""

    kind = "video"

    def __init__(self, depth: int = 1) -> None:
        super().__init__()
        self._frames: deque[VideoFrame] = deque(maxlen=depth)
        self._there = asyncio.Event()
        self.dropped = 0

    def offer(self, tick: int, pixels: Pixels) -> None:
        """Send (height, width, 4) BGRA with this tick, which must rise. The array is not copied."""
        frame = picture_of(pixels, tick)
        self.dropped += len(self._frames) == self._frames.maxlen
        self._frames.append(frame)
        self._there.set()

    async def recv(self) -> VideoFrame:
        """The next frame, as soon as there is one."""
        await self._there.wait()
        if not self._frames or self.readyState != "live":
            raise MediaStreamError
        frame = self._frames.popleft()
        if not self._frames:
            self._there.clear()
        return frame

    def stop(self) -> None:
        """End the track and wake whoever waits for a frame."""
        super().stop()
        self._there.set()


def EVERY() -> int:
    """Pass over no frame, as the library's own examples do."""
    return 1 << 30


async def newest(
    track: Any, allowed: Callable[[], int] = lambda: 0
) -> AsyncIterator[tuple[Any, int]]:
    """Decoded frames of a received track, each with how many older ones were passed over.

    Skips frames of the library's unbounded queue until `allowed()` are left. Ends with the track.
    """
    while True:
        try:
            frame = await track.recv()
            skipped = 0
            while track._queue.qsize() > allowed():
                frame, skipped = await track.recv(), skipped + 1
        except MediaStreamError:
            return
        yield frame, skipped
