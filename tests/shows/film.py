"""Films a virtual display into an MP4 file, in a thread, at the pace of the clock."""

import threading
import time
from fractions import Fraction
from pathlib import Path

import av
import numpy as np

from tests.shows.display import Display


class Film:
    """As a context: every picture of the display from entering to leaving, `fps` a second.

    most_s: whatever comes later is left out [s].
    """

    def __init__(
        self, display: Display, path: Path, fps: int = 15, most_s: float = float("inf")
    ) -> None:
        self._display, self._path, self._fps, self._most_s = display, path, fps, most_s
        self._began = time.monotonic()
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._run, name="film", daemon=True)
        self.frames = 0

    @property
    def seconds(self) -> float:
        """How long it has been running."""
        return time.monotonic() - self._began

    def __enter__(self) -> "Film":
        self._began = time.monotonic()
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._over.set()
        self._thread.join(60)

    def _run(self) -> None:
        with av.open(str(self._path), "w") as out:
            track = out.add_stream("libx264", rate=self._fps)
            track.width, track.height = self._display.width & ~1, self._display.height & ~1
            track.pix_fmt = "yuv420p"
            track.codec_context.time_base = track.time_base = Fraction(1, 1000)
            track.options = {"preset": "ultrafast", "crf": "26", "threads": "1"}
            began, last = self._began, -1
            while not self._over.is_set() and self.seconds < self._most_s:
                seen = self._display.watch()[: track.height, : track.width]
                picture = av.VideoFrame.from_ndarray(np.ascontiguousarray(seen), format="bgr24")
                now_ms = int((time.monotonic() - began) * 1000)
                picture.pts = last = max(now_ms, last + 1)
                picture.time_base = Fraction(1, 1000)
                out.mux(track.encode(picture))
                self.frames += 1
                self._over.wait(max(0.0, began + self.frames / self._fps - time.monotonic()))
            out.mux(track.encode(None))
