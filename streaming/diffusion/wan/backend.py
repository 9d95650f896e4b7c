"""The `wan` backend: a card's network as the stream server uses it, several players in a pass.

Owns loading, the warm-up before the first player, and what is said of it. See engine.py for the
painting and card.py for what is painted with; without a folder, the nano model that is bundled.
"""

import logging
import threading
import time
import weakref
from collections.abc import Callable
from pathlib import Path

import numpy as np

from streaming.diffusion.wan.card import bundled, read_card
from streaming.diffusion.wan.engine import AT_ONCE, Engine, no_room
from streaming.diffusion.wan.errors import NoRoom
from streaming.diffusion.wan.lane import Lane
from streaming.diffusion.wan.launch import ranks
from streaming.diffusion.wan.live import BEAT_S, Chain
from streaming.diffusion.wan.rig import Rig
from streaming.errors import StreamingError
from streaming.frames import Pixels

log = logging.getLogger(__name__)

_PATIENCE_S = 600.0  # that the first chunk may take: kernels are chosen and compiled in it
_CHUNKS = 3  # that are timed once the window is full


class Wan:
    """A StreamBackend. Raises DiffusionError where the card's files are not what it says.

    Where torchrun started several processes, this is rank 0 of them (see live.py).
    """

    name = "wan"

    def __init__(self, folder: Path | None = None, device: str = "", at_once: int = AT_ONCE):
        self.card = read_card(folder or bundled())
        self.chain: Chain | None = None
        try:
            if ranks()[1] > 1:
                self.chain = Chain(self.card, device)
            self.rig = self.chain.rig if self.chain else Rig(self.card, device)
        except Exception as error:
            if no_room(error):
                raise NoRoom(self.card.model, str(error)) from error
            raise
        if self.chain is None:
            self.engine = Engine(self.rig, at_once)
        else:
            self.engine = Engine(self.rig, 1, most=1, idle=self.chain.beat, idle_s=BEAT_S)
        self.model = f"wan/{self.card.model}/{self.rig.digest[:16]}"
        self._frame_ms = self._first_ms = 0.0

    def warm(self, height: int, width: int) -> None:
        """Stream grey pictures until the window is full, then time a few chunks. Raises NoRoom."""
        try:
            painter = self.painter()
            grey = np.full((height, width, 4), 128, np.uint8)
            begin = time.perf_counter()
            painter.put_through([grey])
            self._first_ms = (time.perf_counter() - begin) * 1e3
            size = painter.chunk
            for _ in range(self.card.cache.window):
                painter.put_through([grey] * size)
            begin = time.perf_counter()
            for _ in range(_CHUNKS):
                painter.put_through([grey] * size)
            self._frame_ms = (time.perf_counter() - begin) * 1e3 / (_CHUNKS * size)
            painter.close()
        except Exception as error:
            if no_room(error) or "out of memory" in str(error):
                raise NoRoom(self.card.model, str(error)) from error
            if self.chain and self.chain.lost:
                raise self.chain.lost from error
            raise
        log.warning("backend.chosen name=wan %s", self.told())

    def told(self) -> str:
        """What it is and how fast, for people."""
        card, rate = self.card, 1e3 / self._frame_ms if self._frame_ms else 0.0
        count = len(card.sample.timesteps)
        over = f" over {self.chain.wire.ranks} processes" if self.chain else ""
        return (
            f"{card.name or card.model}, {card.width}x{card.height}, {count} "
            f"step{'s' if count > 1 else ''}, {card.autoencoder} autoencoder, {self.rig.device}"
            f"{over}, {rate:.1f} frames/s"
        )

    def open(self, ready: Callable[[], None]) -> Lane:
        """See StreamBackend."""
        return self.engine.open(ready)

    def painter(self) -> "OneByOne":
        """For who has one picture at a time and waits for it (a chunk of its copies)."""
        return OneByOne(self.engine)

    def style(self, frame: Pixels, prompt: str, seed: int, style: str = "") -> Pixels:
        """One picture on its own."""
        painter = self.painter()
        try:
            return painter.style(frame, prompt, seed, style)
        finally:
            painter.close()

    def watch(self, lost: Callable[[StreamingError], None]) -> None:
        """See Backend."""
        if self.chain is not None:
            self.chain.watch = lost
            if self.chain.lost is not None:
                lost(self.chain.lost)

    def close(self) -> None:
        """End the engine's thread, and the other processes where there are some."""
        self.engine.close()
        if self.chain is not None:
            self.chain.close()


class OneByOne:
    """A stream that is waited for. It takes memory from its first use until it is closed or lost:
    the server has one of each player, and feeds most players through `open` instead.
    """

    def __init__(self, engine: Engine) -> None:
        self._engine, self._came, self._tick = engine, threading.Event(), 0
        self._opened: Lane | None = None
        self._later = engine.rig.card.mode == "batched"

    @property
    def _lane(self) -> Lane:
        if self._opened is None:
            self._opened = self._engine.open(self._came.set)
            weakref.finalize(self, self._opened.close)
        return self._opened

    @property
    def chunk(self) -> int:
        """Frames that the next chunk takes."""
        return self._lane.stream.wanted

    def style(self, frame: Pixels, prompt: str, seed: int, style: str = "") -> Pixels:
        """The picture, painted after those before it; a chunk is filled with its copies."""
        return [frame, *self.put_through([frame] * self.chunk, prompt, seed, style)][-1]

    def put_through(
        self, frames: list[Pixels], prompt: str = "", seed: int = 0, style: str = ""
    ) -> list[Pixels]:
        """A whole chunk, painted; of a stream batch, what came out with it. Raises RuntimeError,
        TimeoutError.
        """
        self._lane.frame_s = 0.0  # nothing is thinned here
        for frame in frames:
            self._tick += 1
            self._lane.put(self._tick, frame, prompt, seed, style)
        out: list[Pixels] = []
        while len(out) < len(frames):
            if not self._came.wait(_PATIENCE_S):
                raise TimeoutError(f"no picture in {_PATIENCE_S:.0f} s")
            self._came.clear()
            for done in self._lane.take():
                if done.pixels is None:
                    raise RuntimeError(done.why)
                out.append(done.pixels)
            if self._later:
                break
        return out

    def close(self) -> None:
        """Give the memory back."""
        if self._opened is not None:
            self._opened.close()
