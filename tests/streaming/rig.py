"""What stream tests stand on: a server process, rings, test pictures with barcodes, and waiting."""

import asyncio
import binascii
import multiprocessing
import os
import signal
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from streaming.frames import EncodedFrame, unpack_encoded
from streaming.ring import FifoRing, LatestRing
from streaming.server import Ready, ServerConfig, run_server, serve
from tests.waiting import wait_for

SPAWN = multiprocessing.get_context("spawn")
SIDE = 480
CELL = 16
CELLS = 28  # 4 sync, 16 tick, 8 check


def picture(tick: int, side: int = SIDE) -> np.ndarray:
    """A moving street-like picture with the tick in a barcode across its top."""
    y, x = np.mgrid[0:side, 0:side]
    out = np.full((side, side, 4), 255, np.uint8)
    out[..., 0] = (x + tick * 2) % 256
    out[..., 1] = 90 + (y // 4) % 100
    out[..., 2] = ((x // 40 + (y + tick) // 40) % 2) * 120 + 40
    bits = [1, 0, 1, 0] + [tick >> (15 - i) & 1 for i in range(16)]
    check = binascii.crc32((tick & 0xFFFF).to_bytes(2, "big")) & 0xFF
    bits += [check >> (7 - i) & 1 for i in range(8)]
    for i, bit in enumerate(bits):
        out[0:CELL, i * CELL : (i + 1) * CELL, :3] = 230 if bit else 20
    return out


def barcode(pixels: np.ndarray) -> int | None:
    """The low 16 bits of the tick drawn into a BGRA picture; None when it does not read."""
    strip = pixels[4 : CELL - 4, : CELLS * CELL, :3].mean(axis=(0, 2))
    cells = strip.reshape(CELLS, CELL)[:, 4:-4].mean(axis=1)
    middle = cells[:4].mean()
    bits = [int(value > middle) for value in cells]
    if bits[:4] != [1, 0, 1, 0]:
        return None
    value = int("".join(map(str, bits[4:20])), 2)
    check = int("".join(map(str, bits[20:])), 2)
    return value if binascii.crc32(value.to_bytes(2, "big")) & 0xFF == check else None


class ServerProcess:
    """A stream server in a process of its own."""

    def __init__(self, config: ServerConfig) -> None:
        self.config = config
        self.ready: Ready
        self.start()

    def start(self) -> None:
        ours, theirs = SPAWN.Pipe()
        self._process = SPAWN.Process(target=run_server, args=(self.config, theirs), daemon=True)
        self._process.start()
        theirs.close()
        self._pipe = ours
        assert ours.poll(120), "the server did not come up"
        ready = ours.recv()
        assert isinstance(ready, Ready), ready
        self.ready = ready

    @property
    def url(self) -> str:
        return f"ws://127.0.0.1:{self.ready.port}"

    @property
    def ready_pid(self) -> int:
        return self._process.pid or 0

    def alive(self) -> bool:
        return self._process.is_alive()

    def kill(self) -> None:
        os.kill(self.ready_pid, signal.SIGKILL)
        self._process.join()

    def stop(self) -> None:
        self._pipe.close()  # as if the parent had died
        self._process.join(120)
        assert not self._process.is_alive(), "the server outlived its parent"


class ServerThread:
    """A stream server in a thread of this process: starts at once, cannot be killed."""

    def __init__(self, config: ServerConfig) -> None:
        self.ready: Ready
        self._up = threading.Event()
        self._thread = threading.Thread(target=self._run, args=(config,), daemon=True)
        self._thread.start()
        assert self._up.wait(120), "the server did not come up"

    def _run(self, config: ServerConfig) -> None:
        asyncio.run(self._main(config))

    async def _main(self, config: ServerConfig) -> None:
        self._loop, self._stop = asyncio.get_running_loop(), asyncio.Event()
        await serve(config, self._stop, self._on_ready)

    def _on_ready(self, ready: Ready) -> None:
        self.ready = ready
        self._up.set()

    @property
    def url(self) -> str:
        return f"ws://127.0.0.1:{self.ready.port}"

    def alive(self) -> bool:
        return self._thread.is_alive()

    def stop(self) -> None:
        self._loop.call_soon_threadsafe(self._stop.set)
        self._thread.join(120)
        assert not self._thread.is_alive()


@dataclass
class Rings:
    source: LatestRing
    styled: LatestRing
    encoded: FifoRing

    def close(self) -> None:
        for ring in (self.source, self.styled, self.encoded):
            ring.close()


@contextmanager
def rings(label: str = "rig") -> Iterator[Rings]:
    """The three rings of a stream, closed at the end."""
    made = Rings(
        LatestRing.create(f"{label}-source", SIDE, SIDE),
        LatestRing.create(f"{label}-styled", SIDE, SIDE),
        FifoRing.create(f"{label}-encoded", 1 << 18, slots=120),
    )
    try:
        yield made
    finally:
        made.close()


class Game(threading.Thread):
    """Stands in for the game: 30 pictures a second, ticks by two, and takes what comes back."""

    def __init__(self, rings: Rings, first_tick: int = 0) -> None:
        super().__init__(name="game", daemon=True)
        self._rings, self.tick = rings, first_tick
        self._drawn = [picture(tick) for tick in range(first_tick, first_tick + 120, 2)]
        self._first = first_tick
        self.put = 0
        self.ticks: list[int] = []
        self.styled: dict[int, int | None] = {}
        self.encoded: list[EncodedFrame] = []
        self._over = threading.Event()

    def run(self) -> None:
        due = time.monotonic()
        while not self._over.is_set():
            if time.monotonic() >= due:
                due = max(due + 1 / 30, time.monotonic())  # a hiccup is no burst
                self.tick += 2
                self._rings.source.put(self.tick, time.monotonic_ns(), self._picture())
                self.put += 1
                self.ticks.append(self.tick)
            self.collect()
            time.sleep(0.002)

    def _picture(self) -> np.ndarray:
        image = self._drawn[(self.put * 2) % 120 // 2].copy()
        image[:CELL] = picture_strip(self.tick)
        return image

    def collect(self) -> None:
        """Take what has come back."""
        last = max(self.styled, default=-1)
        frame = self._rings.styled.get(last)
        if frame is not None:
            self.styled[frame.tick] = barcode(frame.pixels)
        while (item := self._rings.encoded.pop()) is not None:
            self.encoded.append(unpack_encoded(item.data))

    def share(self, frames: int) -> float:
        """Put `frames` more pictures and tell which share of them has come back a second later."""
        first = self.put
        wait_for(lambda: self.put >= first + frames)
        window = self.ticks[first : first + frames]
        put = self.put
        wait_for(lambda: self.put >= put + 30 or self.encoded[-1].tick >= window[-1])
        back = {frame.tick for frame in self.encoded}
        return sum(tick in back for tick in window) / frames

    def stop(self) -> None:
        self._over.set()
        self.join()
        self.collect()


def picture_strip(tick: int) -> np.ndarray:
    """Only the barcode rows of `picture(tick)`."""
    out = np.full((CELL, SIDE, 4), 255, np.uint8)
    bits = [1, 0, 1, 0] + [tick >> (15 - i) & 1 for i in range(16)]
    check = binascii.crc32((tick & 0xFFFF).to_bytes(2, "big")) & 0xFF
    bits += [check >> (7 - i) & 1 for i in range(8)]
    for i, bit in enumerate(bits):
        out[:, i * CELL : (i + 1) * CELL, :3] = 230 if bit else 20
    return out


def journal_lines(path: Path) -> list[str]:
    """The lines of a journal file."""
    return path.read_text("ascii").splitlines()
