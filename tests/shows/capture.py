"""The whole program played by a script on a virtual display: a film, and a picture of every state.

Real keys, real windows, the opening from its first line. What the script waits for is what the
program says in its log, never a time.
"""

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

import av
import numpy as np
from numpy.typing import NDArray

from tests.shows.display import Display
from tests.shows.player import TITLE, Player

WALLET = "7xKXtg2CW87d97TXJSDpbD5jBkheTqA83TZRuJosgAsU"
"""An address that anybody may read; nothing is ever sent to it."""
FRACTURE = (0.1, 0.25, 0.45, 0.7, 0.92)
"""Moments of the break of the screen, of its length."""
FRACTURE_S = 2.8
AFTER_S = 20.0
"""What follows the drive, break and menus, takes at least so long."""


@dataclass(slots=True)
class Shot:
    """Where a show has got to. folder: takes the pictures. done: hears of each.

    side: of the window [px] that the opening leaves; once it is `windowed`, that alone is taken.
    """

    display: Display
    player: Player
    folder: Path
    done: Callable[[str], None]
    side: int = 480
    windowed: bool = False
    taken: list[str] = field(default_factory=list)
    _line: int = 0

    def take(self, name: str) -> None:
        """A picture of the display, as it is now."""
        path = self.folder / f"{len(self.taken):02d}-{name}.png"
        seen = self.display.whole()
        if self.windowed:
            high, wide = seen.shape[:2]
            top, left = max(0, (high - self.side) // 2), max(0, (wide - self.side) // 2)
            seen = seen[top : top + self.side, left : left + self.side]
        path.write_bytes(png(seen))
        self.taken.append(name)
        self.done(path.name)

    def until(self, words: str, limit_s: float = 120.0) -> None:
        """Wait for a line of the log, after the last one that was waited for."""
        self.player.wait_for(words, limit_s, self._line)
        found = next(n for n in range(self._line, self.player.now())
                     if words in self.player.lines[n][1])  # fmt: skip
        self._line = found + 1

    def screen(self, title: str = "", limit_s: float = 60.0) -> None:
        """Wait for a screen of the program, and until it is drawn."""
        self.until("app.screen ", limit_s)
        while title and title not in self._said():
            self.until("app.screen ", limit_s)
        time.sleep(0.4)

    def _said(self) -> str:
        return self.player.lines[self._line - 1][1]

    def choose(self, row: str, then: str = "Return") -> None:
        """Go to a row of the screen that was last waited for, and press a key."""
        words = self._said().partition("app.screen ")[2]
        focus = words.partition("focus=")[2].partition(" rows=")[0]
        rows = words.partition(" rows=")[2].partition(" title=")[0].split("|")
        if row not in rows:
            raise RuntimeError(f"no row '{row}' among {rows}")
        down = rows.index(row) - (rows.index(focus) if focus in rows else 0)
        self.display.press(*(["Down"] * down if down > 0 else ["Up"] * -down), then_s=0.08)
        self.display.press(then)

    def look_at(self, row: str, title: str, name: str) -> None:
        """Open the screen behind a row, take it, and come back."""
        self.choose(row)
        self.screen(title)
        self.take(name)
        self.display.press("Escape")
        self.screen()


def png(picture: NDArray[np.uint8]) -> bytes:
    """A BGR picture as a PNG file."""
    codec = av.CodecContext.create("png", "w")
    assert isinstance(codec, av.VideoCodecContext)
    codec.height, codec.width = picture.shape[:2]
    codec.pix_fmt = "rgb24"
    codec.time_base = codec.framerate = 1
    frame = av.VideoFrame.from_ndarray(np.ascontiguousarray(picture[..., ::-1]), format="rgb24")
    return b"".join(bytes(packet) for packet in [*codec.encode(frame), *codec.encode(None)])


def opening(shot: Shot) -> None:
    """Terminal, consent and what leaves, the wallet wrong and right, the break, the city."""
    hand = shot.display
    shot.until("app.phase name=boot")
    hand.focus(TITLE)
    time.sleep(1.5)
    shot.take("terminal")
    shot.until("app.phase name=consent")
    time.sleep(0.5)
    shot.take("consent")
    hand.press("Down", "Down", "Return")
    shot.until("app.phase name=facts")
    time.sleep(0.4)
    shot.take("what-leaves")
    hand.press("Escape")
    shot.until("app.phase name=consent")
    hand.press("Up", "Up", "Return")
    shot.until("app.phase name=wallet")
    hand.type("0xC0FFEE")
    time.sleep(1.0)
    shot.take("wallet-wrong")
    hand.press(*["BackSpace"] * 8, then_s=0.03)
    hand.type(WALLET)
    time.sleep(2.5)
    shot.take("wallet-right")
    hand.press("Return")
    shot.until("app.fracture", 120.0)
    began = time.monotonic()
    for number, moment in enumerate(FRACTURE):
        time.sleep(max(0.0, began + moment * FRACTURE_S - time.monotonic()))
        shot.take(f"fracture-{number + 1}")
    shot.until("app.start ")
    hand.focus(TITLE)
    shot.windowed = True


def driving(shot: Shot, seconds: float = 12.0) -> None:
    """Drive: throttle, bends, both cameras, a look aside, the horn."""
    hand = shot.display
    time.sleep(1.5)
    shot.take("driving")
    hand.do("keydown w")
    time.sleep(seconds / 3)
    hand.press("a", hold_s=0.15)
    hand.press("c")
    time.sleep(0.5)
    shot.take("hood")
    time.sleep(seconds / 3)
    hand.press("d", hold_s=0.2)
    hand.press("c", "h")
    hand.do("keyup w")
    hand.press("s", hold_s=0.8)
    shot.take("driving-again")
    hand.press("g")
    time.sleep(max(0.0, seconds / 3 - 1.5))
    shot.take("latency-graph")
    hand.press("g")


def breaks(shot: Shot) -> None:
    """The break, the settings with all their pages, and out to the menu."""
    shot.display.press("Escape")
    shot.screen("paused")
    shot.take("paused")
    shot.choose("settings")
    shot.screen("title=Settings")
    shot.take("settings")
    for title in (
        "Graphics", "Screens and sound", "Stream server", "Privacy and pay", "Mouse", "Storage",
    ):  # fmt: skip
        shot.look_at(title, title, f"settings-{title.split()[0].lower()}")
    shot.look_at("controls", "Keys", "settings-keys")
    shot.look_at("wheel", "Wheel and pad", "settings-wheel")
    shot.display.press("Escape")
    shot.screen("paused")
    shot.choose("menu")


def menus(shot: Shot) -> None:
    """The main menu and what is behind it."""
    shot.screen("SCALE DIFFUSION")
    shot.take("menu")
    for row, title, name in (
        ("map", "title=", "map"), ("scenarios", "Scenarios", "scenarios"),
        ("free", "Drive where you like", "free"), ("daily", "Today", "daily"),
        ("sessions", "title=", "drives"), ("uploads", "Uploads", "uploads"),
    ):  # fmt: skip
        shot.look_at(row, title, name)
    shot.choose("quit")
