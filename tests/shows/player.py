"""One run of the program on a virtual display, and what it said and when. Ends what it started."""

import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path

from tests.shows.display import Display

ROOT = Path(__file__).resolve().parents[2]
TITLE = "Scale Diffusion"


class Player:
    """`scale-diffusion ARGUMENTS` on a display, as a context. lines: (monotonic s, text)."""

    def __init__(self, display: Display, *arguments: str) -> None:
        self.lines: list[tuple[float, str]] = []
        self.began = time.monotonic()
        self.process = subprocess.Popen(
            [sys.executable, "-c", "from game.cli import main; main()", *arguments],
            cwd=ROOT,
            env={**display.environment, "PYTHONPATH": str(ROOT), "PYTHONUNBUFFERED": "1",
                 "PYTHONFAULTHANDLER": "1"},
            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
            start_new_session=True,
        )  # fmt: skip
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    def __enter__(self) -> "Player":
        return self

    def __exit__(self, *_: object) -> None:
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGINT)
            try:
                self.process.wait(20)
            except subprocess.TimeoutExpired:
                os.killpg(self.process.pid, signal.SIGKILL)
                self.process.wait(10)
        self._reader.join(10)

    def _read(self) -> None:
        assert self.process.stdout is not None
        for line in self.process.stdout:
            self.lines.append((time.monotonic(), line.rstrip()))
        self.process.stdout.close()

    def said(self, words: str, after: int = 0) -> float:
        """When a line with these words was said, 0.0 where none was. after: line to begin at."""
        return next((t for t, line in self.lines[after:] if words in line), 0.0)

    def wait_for(
        self, words: str, limit_s: float = 90.0, after: int = 0,
        meanwhile: Callable[[], None] = lambda: None,
    ) -> float:  # fmt: skip
        """Wait until it is said; returns when. Raises RuntimeError with the last lines."""
        end = time.monotonic() + limit_s
        while not (when := self.said(words, after)):
            if self.process.poll() is not None or time.monotonic() > end:
                code = self.process.poll()
                if code is not None:
                    self._reader.join(5)  # its last words
                end_of_it = f"ended with {code}" if code is not None else f"took {limit_s:.0f} s"
                tail = "\n".join(line for _, line in self.lines[-40:])
                raise RuntimeError(f"'{words}' was not said, the program {end_of_it}:\n{tail}")
            meanwhile()
            time.sleep(0.02)
        return when

    def now(self) -> int:
        """Number of the next line, to be waited for from here on."""
        return len(self.lines)
