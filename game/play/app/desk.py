"""Shows screens on the one window and waits for what the player asks for. Owns pace and theme."""

import logging
import time
from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from game.view.front import Front
from game.view.hud import Hud
from game.view.pads import Pads
from game.view.screen.canvas import Canvas, Marks
from game.view.screen.ear import Ear
from game.view.screen.layout import place
from game.view.screen.model import Act, Event, Screen, answer
from game.view.screen.terminal import SCAN
from game.view.screen.theme import Theme

log = logging.getLogger(__name__)
FRAME_S = 1.0 / 30.0


class WindowClosed(Exception):
    """The player closed the window while a screen was shown."""


def described(screen: Screen) -> str:
    """A screen in a line of the log: which row of which has the focus, and the title."""
    rows = [getattr(row, "id", "") if screen.hears(n) else "" for n, row in enumerate(screen.rows)]
    here = rows[screen.focus] if 0 <= screen.focus < len(rows) else ""
    return f"focus={here} rows={'|'.join(filter(None, rows))} title={screen.title}"


class Desk:
    """alive: called at every picture, for what must go on meanwhile (streams, services)."""

    def __init__(
        self, front: Front, theme: Theme, alive: Callable[[], None] | None = None,
        now: Callable[[], float] = time.monotonic, wait: Callable[[float], None] = time.sleep,
    ) -> None:  # fmt: skip
        self.front, self.theme = front, theme
        self.alive = alive or (lambda: None)
        self.now, self._wait = now, wait
        self._high = 0
        self.pads = Pads()
        self._ear = Ear()

    def events(self) -> list[Event]:
        """What keyboard, mouse and pads did to the screen since the last call."""
        return [*self.front.events(), *self._ear.pad(*self.pads.menu())]

    def ask(
        self, screen: Screen, *, until_s: float = 0.0,
        over: Callable[[Canvas], Marks] | None = None,
        refresh: Callable[[Screen], Screen] | None = None,
        beside: Callable[[Screen], Screen] | None = None, every_s: float = 0.5,
    ) -> tuple[Screen, Act]:  # fmt: skip
        """Show a screen until something is asked for; returns it as it then is, and the act.

        until_s: without an act for so long, Act 'later'; 0: never. over: more to draw.
        refresh: called every `every_s` for newer rows. beside: called when the focus has moved.
        Raises WindowClosed.
        """
        self.front.listen(True)
        log.debug("app.screen %s", described(screen))
        began = told = self.now()
        while True:
            due = self.now() + FRAME_S
            placed = place(screen, self.front.canvas, self.theme)
            more = over(self.front.canvas) if over is not None else ()
            self.front.show((*placed.marks, *more))
            events = self.events()
            if self.front.closed:
                raise WindowClosed
            for event in events:
                began = self.now()
                before = screen.focus
                screen, act = answer(screen, event, placed.hits)
                if act is not None:
                    return screen, act
                if beside is not None and screen.focus != before:
                    screen = beside(screen)
            if refresh is not None and self.now() - told > every_s:
                screen, told = refresh(screen), self.now()
            if until_s and self.now() - began > until_s:
                return screen, Act("later")
            self.alive()
            self._wait(max(0.0, due - self.now()))

    def glance(self, screen: Screen) -> tuple[Screen, Act | None]:
        """One picture of a screen at the desk's pace, for what cannot wait in `ask`.

        Returns it as it then is, and what was asked for. Raises WindowClosed.
        """
        placed = place(screen, self.front.canvas, self.theme)
        self.turn(placed.marks)
        for event in self.events():
            screen, act = answer(screen, event, placed.hits)
            if act is not None:
                return screen, act
        return screen, None

    def turn(
        self, marks: Marks, picture: NDArray[np.uint8] | None = None, frame_s: float = FRAME_S
    ) -> None:
        """One picture at the desk's pace, for what is not a screen."""
        due = self.now() + frame_s
        self.scanned()
        self.front.show(marks, picture, Hud())
        if self.front.closed:
            raise WindowClosed
        self._wait(max(0.0, due - self.now()))

    def rest(self, seconds: float) -> None:
        """Leave the last picture where it is. Raises WindowClosed."""
        if self.front.closed:
            raise WindowClosed
        self._wait(seconds)

    def scanned(self) -> None:
        """Hold scan lines of this window's height: every third pixel row is darker."""
        high = self.front.size[1]
        if high == self._high:
            return
        self._high = high
        lines = np.zeros((high, 2, 4), np.uint8)
        lines[::3, :, 3] = 130
        lines[1::3, :, 3] = 40
        self.front.put(SCAN, lines)
