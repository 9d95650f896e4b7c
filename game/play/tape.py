"""The way to the recorder as the game holds it: two rings in order, and a child that may die."""

import os
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from game.recorder.process import Recorder, RecorderGauges, encoded_ring, source_ring
from game.session.format import CaptureProfile, TrackId


class Tape:
    """Owns both rings; the peer pushes into `encoded`, the game into its own."""

    def __init__(self, folder: Path, capture: CaptureProfile, mode: str, log: Path) -> None:
        self._source = source_ring(capture)
        self.encoded = encoded_ring()
        self._recorder = Recorder(
            folder, capture, self._source, self.encoded, mode=mode, log_file=log
        )
        self.paused = False

    @property
    def pid(self) -> int:
        """Process id of the recorder, 0 while it does not run."""
        return self._recorder.pid

    def start(self) -> None:
        """Spawn the recorder; returns at once."""
        self._recorder.start()

    def ready(self) -> bool:
        """Wait until it takes pictures; False when it did not come up."""
        return self._recorder.ready()

    def source(self, tick: int, drawn_ns: int, picture: NDArray[np.uint8]) -> bool:
        """Keep a captured picture (h, w, 4) BGRA; False when the ring was full."""
        return self._source.push(
            picture.data.cast("B"), kind=int(TrackId.SOURCE), tick=tick, t_ns=drawn_ns
        )

    def revive(self) -> bool:
        """Start the recorder again if it has died; True when it had to be."""
        return self._recorder.revive()

    def gauges(self) -> RecorderGauges:
        """What is stored and what was lost."""
        return self._recorder.gauges()

    def stopped(self) -> str:
        """Why no more pictures are kept, '' while they are."""
        errno = self._recorder.gauges().stopped
        return f"{os.strerror(errno)} (pictures)" if errno else ""

    def close(self) -> RecorderGauges:
        """Let it write what waits, end it, and give the rings back."""
        last = self._recorder.stop()
        self._source.close()
        self.encoded.close()
        return last
