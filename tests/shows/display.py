"""A virtual display whose pixels can be read at once, and a hand that presses real keys on it.

Owns one Xvfb and one xdotool. The picture is the display's own memory, so looking costs nothing.
"""

import mmap
import os
import shutil
import struct
import subprocess
import tempfile
import time
from pathlib import Path
from types import TracebackType

import numpy as np
from numpy.typing import NDArray

from game.errors import MissingPart

_LOOKS = 60
"""So often a display is looked at, at most, until two looks are the same."""


class Display:
    """Xvfb of so many pixels, as a context. Raises MissingPart without Xvfb and xdotool."""

    def __init__(self, width: int, height: int) -> None:
        self.width, self.height = width, height
        for tool in ("Xvfb", "xdotool"):
            if shutil.which(tool) is None:
                raise MissingPart(f"there is no {tool} here", "apt-get install xvfb xdotool")

    def __enter__(self) -> "Display":
        self._folder = tempfile.TemporaryDirectory()
        read, write = os.pipe()
        size = f"{self.width}x{self.height}x24"
        self._server = subprocess.Popen(
            ["Xvfb", "-displayfd", str(write), "-screen", "0", size, "+extension", "GLX",
             "-fbdir", self._folder.name],
            pass_fds=(write,), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
        )  # fmt: skip
        os.close(write)
        with os.fdopen(read) as pipe:
            self.name = f":{pipe.readline().strip()}"
        self.environment = {**os.environ, "DISPLAY": self.name}
        self._hand = subprocess.Popen(
            ["xdotool", "-"], env=self.environment, stdin=subprocess.PIPE,
            stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, text=True,
        )  # fmt: skip
        self._map()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:  # fmt: skip
        if self._hand.stdin is not None:
            self._hand.stdin.close()
        self._hand.wait(10)
        self._server.terminate()
        self._server.wait(10)
        self._folder.cleanup()

    def _map(self) -> None:
        path = Path(self._folder.name) / "Xvfb_screen0"
        with path.open("rb") as file:
            memory = mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ)
        head = struct.unpack(">25I", memory[:100])
        colours, line = head[19], head[12]
        begins = head[0] + 12 * colours
        flat = np.frombuffer(memory, np.uint8, line * self.height, begins)
        self._pixels = flat.reshape(self.height, line // 4, 4)[:, : self.width, :3]

    def look(self) -> NDArray[np.uint8]:
        """What the display shows now, (h, w, 3) BGR, a copy."""
        return self._pixels.copy()

    def whole(self) -> NDArray[np.uint8]:
        """The same, when nobody is drawing on it: half a picture is no picture."""
        seen = self.look()
        for _ in range(_LOOKS):
            time.sleep(0.004)
            before, seen = seen, self.look()
            if np.array_equal(before, seen):
                break
        return seen

    def watch(self) -> NDArray[np.uint8]:
        """The display's own memory, (h, w, 3) BGR: it changes as one looks."""
        return self._pixels

    def do(self, words: str) -> int:
        """Let the hand do what xdotool is told; returns the monotonic time of asking [ns]."""
        assert self._hand.stdin is not None
        t_ns = time.monotonic_ns()
        self._hand.stdin.write(words + "\n")
        self._hand.stdin.flush()
        return t_ns

    def press(self, *keys: str, hold_s: float = 0.06, then_s: float = 0.15) -> int:
        """Press and let go of keys one after the other; the time of the last one [ns]."""
        t_ns = 0
        for key in keys:
            t_ns = self.do(f"keydown {key}")
            time.sleep(hold_s)
            self.do(f"keyup {key}")
            time.sleep(then_s)
        return t_ns

    def type(self, text: str) -> None:
        """Type a text without blanks."""
        self.do(f"type --delay 40 {text}")

    def focus(self, title: str) -> None:
        """Give the window of that title the keys; there is no window manager that would."""
        subprocess.run(
            ["xdotool", "search", "--sync", "--name", f"^{title}$", "windowfocus", "--sync"],
            env=self.environment, check=True, capture_output=True, timeout=60,
        )  # fmt: skip
