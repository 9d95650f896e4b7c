"""The recorder as a child process, and the handle that `play` holds.

The child outlives its parent just long enough to write down what waits in the rings. Killed, it
is started again by `revive` and goes on in new segments.
"""

import contextlib
import logging
import multiprocessing
import os
import signal
import sys
import time
from dataclasses import dataclass
from multiprocessing.connection import Connection
from multiprocessing.sharedctypes import RawArray
from pathlib import Path
from typing import Any

from game.recorder.deck import Count, Deck, RecorderConfig
from game.session.format import CaptureProfile
from streaming.ring import FifoRing

log = logging.getLogger(__name__)

SOURCE_SLOTS = 60
ENCODED_SLOTS = 120
ENCODED_BYTES = 1 << 18
_IDLE_S = 0.01
_CPU_EVERY = 32


@dataclass(frozen=True, slots=True)
class RecorderGauges:
    """What has been stored, lost and spent so far, over all lives of the process.

    waiting: items in the rings. dropped_*: refused by a full ring. failed: refused by encoder or
    disk. stopped: errno of a full disk, 0 while recording. cpu_s: processor seconds of the child.
    """

    source: int
    check: int
    styled: int
    bytes: int
    cpu_s: float
    failed: int
    stopped: int
    waiting: int
    dropped_source: int
    dropped_styled: int
    restarts: int


def source_ring(capture: CaptureProfile, label: str = "record-source") -> FifoRing:
    """A ring for captured pictures, two seconds deep. Push `pixels.data` (BGRA, C-contiguous)."""
    return FifoRing.create(label, capture.width * capture.height * 4, SOURCE_SLOTS)


def encoded_ring(label: str = "record-encoded") -> FifoRing:
    """A ring for `streaming.frames.pack_encoded` payloads, four seconds deep."""
    return FifoRing.create(label, ENCODED_BYTES, ENCODED_SLOTS)


class Recorder:
    """Handle of the child. Make it before the session, `start` it, `stop` it to drain and close."""

    def __init__(
        self,
        folder: Path,
        capture: CaptureProfile,
        source: FifoRing,
        encoded: FifoRing | None = None,
        *,
        mode: str = "near-lossless",
        nice: int = 5,
        log_file: Path | None = None,
    ) -> None:
        self.config = RecorderConfig(
            folder, capture.width, capture.height, source.name,
            encoded.name if encoded is not None else "", mode, nice, log_file,
        )  # fmt: skip
        self._source, self._encoded = source, encoded
        self._counters: Any = RawArray("q", len(Count))
        self._process: multiprocessing.process.BaseProcess | None = None
        self._pipe: Connection | None = None
        self.restarts = 0

    @property
    def pid(self) -> int:
        """Process id, 0 where it does not run."""
        return (self._process.pid or 0) if self._process is not None else 0

    def start(self) -> None:
        """Spawn the child and return at once."""
        context = multiprocessing.get_context("spawn")
        self._counters[Count.READY] = 0
        self._pipe, theirs = context.Pipe()
        self._process = context.Process(
            target=run, args=(self.config, self._counters, theirs), name="recorder", daemon=True
        )
        self._process.start()
        theirs.close()

    def ready(self, timeout_s: float = 30.0) -> bool:
        """Wait until the child takes pictures; False when it did not come up in time."""
        until = time.monotonic() + timeout_s
        while not self._counters[Count.READY] and self.alive() and time.monotonic() < until:
            time.sleep(0.005)
        return bool(self._counters[Count.READY])

    def alive(self) -> bool:
        """True while the child runs."""
        return self._process is not None and self._process.is_alive()

    def revive(self) -> bool:
        """Start the child again if it has died; True when it had to be."""
        if self._process is None or self._process.is_alive():
            return False
        log.warning("recorder.died code=%s", self._process.exitcode)
        self._reap()
        self.restarts += 1
        self.start()
        return True

    def gauges(self) -> RecorderGauges:
        """Counts so far; costs microseconds."""
        count = self._counters
        encoded = self._encoded
        return RecorderGauges(
            source=count[Count.SOURCE],
            check=count[Count.CHECK],
            styled=count[Count.STYLED],
            bytes=count[Count.BYTES],
            cpu_s=count[Count.CPU_US] / 1e6,
            failed=count[Count.FAILED],
            stopped=count[Count.STOPPED],
            waiting=len(self._source) + (len(encoded) if encoded is not None else 0),
            dropped_source=self._source.dropped,
            dropped_styled=encoded.dropped if encoded is not None else 0,
            restarts=self.restarts,
        )

    def stop(self, timeout_s: float = 20.0) -> RecorderGauges:
        """Let the child write what waits, then end it. Returns the final gauges.

        Does not close the rings. A child that stores nothing for `timeout_s` is killed; a dead one
        with items left is started once more to store them.
        """
        if self._process is not None and not self.alive() and self.gauges().waiting:
            self.revive()
        if self._pipe is not None:
            with contextlib.suppress(OSError):
                self._pipe.send_bytes(b"stop")
        self._drained(timeout_s)
        gauges = self.gauges()
        self._reap()
        self._process = None
        return gauges

    def _drained(self, timeout_s: float) -> None:
        """Wait for the child's end as long as items go on leaving the rings."""
        until, waiting = time.monotonic() + timeout_s, self.gauges().waiting
        while self._process is not None and self._process.is_alive() and time.monotonic() < until:
            self._process.join(0.25)
            left = self.gauges().waiting
            if left < waiting:
                until, waiting = time.monotonic() + timeout_s, left

    def _reap(self) -> None:
        if self._process is not None:
            if self._process.is_alive():
                log.error("recorder.killed waiting=%d", self.gauges().waiting)
                self._process.kill()
            self._process.join()
            self._process.close()
        if self._pipe is not None:
            self._pipe.close()
            self._pipe = None


def run(config: RecorderConfig, counters: Any, pipe: Connection) -> None:
    """Body of the child: take, store, and at the parent's word or death drain and close."""
    _set_up(config)
    stopping = [False]
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, lambda *_: stopping.__setitem__(0, True))
    source = FifoRing.attach(config.source)
    encoded = FifoRing.attach(config.encoded) if config.encoded else None
    deck = Deck(config, source, encoded, counters)
    counters[Count.READY] = 1
    spent_before, turns = counters[Count.CPU_US], 0
    while True:
        busy = deck.step()
        turns += 1
        if turns % _CPU_EVERY == 0:
            counters[Count.CPU_US] = spent_before + time.process_time_ns() // 1000
        if busy:
            continue
        if stopping[0]:
            break
        stopping[0] = _told_to_stop(pipe)
    deck.close()
    counters[Count.CPU_US] = spent_before + time.process_time_ns() // 1000


def _told_to_stop(pipe: Connection) -> bool:
    """Wait a moment; True once the parent has spoken or is gone."""
    try:
        return pipe.poll(_IDLE_S) and bool(pipe.recv_bytes(16))
    except (EOFError, OSError):
        return True


def _set_up(config: RecorderConfig) -> None:
    if config.log is not None:
        stream = open(config.log, "a", buffering=1, encoding="utf-8")  # noqa: SIM115
        os.dup2(stream.fileno(), 2)
    logging.basicConfig(
        stream=sys.stderr, level=logging.INFO, format="%(asctime)s %(name)s %(message)s"
    )
    if config.nice and hasattr(os, "nice"):
        os.nice(config.nice)
