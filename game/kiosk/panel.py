"""The kiosk's one screen: pictures, marks and what hands do, calm and without a way out.

Owns window, flash guard and the QR picture; forgets all of a visitor in `forget`. Without a display
it draws the captured pictures alone, and signs come from whoever plays the visitors.
"""

import time
from collections.abc import Callable, Iterable

import numpy as np
from numpy.typing import NDArray

from game.errors import MissingPart
from game.kiosk.flash import FlashGuard
from game.kiosk.hands import KEYS, Hands
from game.kiosk.machine import Sign
from game.kiosk.screens import QR, Drawn, View, draw, marks
from game.session.format import CaptureProfile
from game.view.axes import Calibration
from game.view.front import Front, open_front
from game.view.hud import Hud
from game.view.keys import RawInput
from game.view.pads import Pads
from game.view.scene import Scene
from game.view.screen.canvas import Canvas, Marks
from game.view.screen.ear import Ear
from game.view.screen.theme import Theme
from game.view.window import Over, Window
from game.world.city import City

_SIZE = (1280, 960)


class BoothWindow(Window):
    """A window whose pictures pass the flash guard and carry the kiosk's marks."""

    guard: FlashGuard
    marks: Marks = ()
    now_ms: Callable[[], int]

    pads: Pads

    def poll(self) -> list[RawInput]:
        """Keys, mouse and pads."""
        return [*super().poll(), *self.pads.keys(time.monotonic_ns())]

    def present(
        self, picture: NDArray[np.uint8] | None, hud: Hud, over: Over | None = None
    ) -> None:
        """Show a picture under HUD and marks, unless it would flash."""
        if picture is not None:
            picture = self.guard.tame(picture, self.now_ms())
        if self.front is not None:
            drawn = over(self.front.canvas) if over is not None else ()
            self.front.show((*drawn, *self.marks), picture, hud)


class Panel:
    """mode: window (full screen, MissingPart without a display) or offscreen. It can show screens
    at once, and drives after `furnish`. known: wheels and pads as they were calibrated.
    """

    window: BoothWindow

    def __init__(
        self, mode: str, theme: Theme, staff_code: str, known: Iterable[Calibration] = ()
    ) -> None:
        self.front: Front | None = None
        if mode == "window":
            self.front = open_front("Scale Diffusion", *_SIZE)
            if self.front is None:
                raise MissingPart(
                    "there is no display for the kiosk",
                    "start it in a graphical session (docs/kiosk.md has the unit for it)",
                )
            self.front.full_screen(True, _SIZE)
        self._pads, self._ear = Pads(known=known), Ear()
        self._theme, self._hands = theme, Hands(staff_code)
        self._drawn = Drawn()
        self._listening = False

    def furnish(self, city: City, profile: CaptureProfile, scene: Scene) -> None:
        """Put a city behind the screens. scene: made for it and for the first device."""
        self.window = BoothWindow(city, profile, "offscreen", front=self.front, scene=scene)
        self.window.now_ms = self.now_ms
        self.window.pads = self._pads
        self.forget()

    @staticmethod
    def now_ms() -> int:
        """Monotonic milliseconds."""
        return time.monotonic_ns() // 1_000_000

    @property
    def closed(self) -> bool:
        """True when the system took the window away."""
        return self.window.closed

    def screen(self, view: View) -> None:
        """Draw a screen without a picture behind it."""
        laid = self._lay(view)
        if self.front is not None:
            self.front.blank()
            self.front.show(laid)

    def over(self, view: View, *, driving: bool) -> None:
        """Lay a screen over the pictures that follow. driving: keys drive, nothing is touched."""
        if driving and self._listening:
            self._listen(False)
            self._pads.rest()
            self.window.bind(KEYS)
        self.window.marks = self._lay(view)

    def touched(self, view: View) -> list[Sign]:
        """What was done to the screen since the last call."""
        if self.front is None:
            return []
        if not self._listening:
            self._listen(True)
        events = [*self.front.events(), *self._ear.pad(*self._pads.menu())]
        return self._hands.on_screen(events, view.mode, self._drawn, self.now_ms())

    @property
    def focus(self) -> int:
        """The button that keys and pads are on."""
        return self._hands.focus

    def code(self, picture: NDArray[np.uint8]) -> None:
        """Hold a QR picture for the last screen."""
        if self.front is not None:
            self.front.put(QR, picture)

    def forget(self) -> None:
        """Let nothing of a visitor be seen or held: pictures, code, keys, marks."""
        self.window.guard = FlashGuard()
        self._ear = Ear()
        self._pads.rest()
        self.window.marks = ()
        self.code(np.zeros((8, 8, 4), np.uint8))
        if self.front is not None:
            self.front.blank()
            self._listen(True)

    def close(self) -> None:
        """Give the window back."""
        self.window.close()
        if self.front is not None:
            self.front.close()

    def _lay(self, view: View) -> Marks:
        canvas = self.front.canvas if self.front is not None else Canvas.of(*_SIZE)
        self._drawn = draw(view, canvas, self._theme)
        return marks(self._drawn)

    def _listen(self, on: bool) -> None:
        assert self.front is not None
        self._listening = on
        self.front.listen(on)
        self.front.cursor(on)
