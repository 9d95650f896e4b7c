"""One player's frames through a backend that paints several at a time: in now, out later, by tick.

Owns what must be remembered of a frame until it comes out, and when it is sent: a chunk comes out
at once, and is sent as far apart as its frames were taken. Where the backend fails or hangs, frames
go back as they came.
"""

import asyncio
import contextlib
import threading
import time
from collections import OrderedDict, deque
from collections.abc import Awaitable, Callable, Coroutine
from dataclasses import dataclass
from typing import Any

from av.video.reformatter import VideoReformatter

from streaming import wire
from streaming.backends.base import PictureStream
from streaming.frames import Pixels
from streaming.painter import HUNG_S, Painter

TICK_S = 1 / 60
HURRY = 0.9  # of the pace that frames were taken at, so that a hiccup is worked off
LATE = 6  # with so many waiting, nothing is held back
LONGEST_S = 0.25  # that a frame is held back


@dataclass(frozen=True, slots=True)
class Taken:
    """A frame under way. picture: as decoded. at: when it was taken, monotonic [s]."""

    tick: int
    picture: Any
    received_ns: int
    luma: bytes
    prompt: wire.Prompt
    at: float


@dataclass(frozen=True, slots=True)
class Painted:
    """A frame that went through: what is sent and what the journal says of it."""

    tick: int
    received_ns: int
    sent_ns: int
    luma: bytes
    data: bytes
    sha256: str
    prompt: wire.Prompt


Deliver = Callable[[Taken, Pixels | None], Awaitable[None]]
Go = Callable[[Coroutine[Any, Any, None]], "asyncio.Task[None]"]


class Relay:
    """deliver: sends a frame with its styled picture, or None where its own must do. go: a task.

    put is called from a worker thread, all else from the loop's. now: seconds, monotonic.
    """

    def __init__(
        self, painter: Painter, go: Go, deliver: Deliver, now: Callable[[], float] = time.monotonic
    ) -> None:
        self._painter, self._go, self._deliver, self._now = painter, go, deliver, now
        self._loop = asyncio.get_running_loop()
        self._lock = threading.Lock()
        self._reformatter = VideoReformatter()
        self._stream: PictureStream | None = None
        self._under_way: OrderedDict[int, Taken] = OrderedDict()
        self._finished: deque[tuple[Taken, Pixels | None]] = deque()
        self._pouring: asyncio.Task[None] | None = None
        self._sent_at, self._sent_tick, self._last = float("-inf"), -1, -1
        self._dropped, self._closed = 0, False

    @property
    def dropped(self) -> int:
        """Frames that never entered: newer ones pushed them out."""
        return self._dropped + (self._stream.dropped if self._stream is not None else 0)

    def put(self, taken: Taken) -> bool:
        """Send a frame in; False where the backend rests and the frame must go back as it came."""
        with self._lock:
            if self._painter.resting or self._hangs() or not self._opened():
                self._painter.passed += 1
                return False
            if taken.tick <= self._last or self._stream is None:
                return True
            self._last = taken.tick
            self._under_way[taken.tick] = taken
            wish = taken.prompt
            picture: Any = self._reformatter.reformat(taken.picture, format="bgra", threads=1)
            self._stream.put(taken.tick, picture.to_ndarray(), wish.prompt, wish.seed, wish.style)
        return True

    def next(self) -> tuple[float, Taken, Pixels | None] | None:
        """Seconds to wait, a frame, and its styled picture or None for its own; None: no frame."""
        with self._lock:
            for done in self._stream.take() if self._stream is not None else ():
                taken = self._out(done.tick)
                if taken is not None:
                    self._painter.came(done.why, self._now() - taken.at)
                    self._finished.append((taken, done.pixels))
            if not self._finished:
                return None
            taken, pixels = self._finished.popleft()
        now, apart = self._now(), (taken.tick - self._sent_tick) * TICK_S * HURRY
        due = now if len(self._finished) >= LATE else self._sent_at + min(apart, LONGEST_S)
        self._sent_at, self._sent_tick = max(now, due), taken.tick
        return self._sent_at - now, taken, pixels

    def close(self) -> None:
        """Take and give nothing more."""
        with self._lock:
            self._closed = True
            self._drop()

    def _ready(self) -> None:
        """From any thread: something has come out."""
        with contextlib.suppress(RuntimeError):  # the loop has closed
            self._loop.call_soon_threadsafe(self._pour)

    def _pour(self) -> None:
        if not self._closed and (self._pouring is None or self._pouring.done()):
            self._pouring = self._go(self._send())

    async def _send(self) -> None:
        while (found := self.next()) is not None:
            wait_s, taken, styled = found
            if wait_s > 0:
                await asyncio.sleep(wait_s)
            await self._deliver(taken, styled)

    def _hangs(self) -> bool:
        """Whether frames went in long ago and nothing came out; then begin anew later."""
        oldest = next(iter(self._under_way.values()), None)
        if oldest is None or self._now() - oldest.at < HUNG_S:
            return False
        self._painter.failed(f"no picture in {HUNG_S:.0f} s")
        self._drop()
        return True

    def _opened(self) -> bool:
        if self._stream is None and not self._closed:
            self._stream = self._painter.open(self._ready)
        return self._stream is not None

    def _drop(self) -> None:
        if self._stream is not None:
            self._dropped += self._stream.dropped
            self._stream.close()
        self._stream = None
        self._under_way.clear()
        self._finished.clear()

    def _out(self, tick: int) -> Taken | None:
        """What was remembered of a frame; those before it were dropped on their way."""
        while self._under_way and next(iter(self._under_way)) < tick:
            self._under_way.popitem(last=False)
        return self._under_way.pop(tick, None)
