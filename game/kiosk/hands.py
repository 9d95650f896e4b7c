"""What visitors and staff do, as signs: touches, keys and pads on screens; the wheel while driving.

Pure. Owns the focus of buttons, the keys that are left of the game's, and the staff's code. There
is no key that ends the program, types a prompt or reaches the system.
"""

from collections import deque
from collections.abc import Iterable

from game.kiosk.machine import Mode, Sign
from game.kiosk.screens import BUTTONS, Drawn
from game.view.keys import BINDINGS, Deed, RawInput
from game.view.screen.model import Event, Go

_LOCKED = (Deed.TYPE, Deed.PAUSE, Deed.GRAPH, Deed.STYLED, Deed.LESS_DREAM, Deed.MORE_DREAM)
KEYS = {code: deed for code, deed in BINDINGS.items() if deed not in _LOCKED}
"""What drives a kiosk. The key that quits elsewhere only asks to end the run here."""
NOWHERE = -1
"""Where the focus begins: a second press of what woke the kiosk up must not agree to anything."""
CODE_MS = 6_000
TRIES, LOCK_MS = 3, 60_000


class StaffCode:
    """Watches keys for the staff's digits; slow down who guesses."""

    def __init__(self, code: str) -> None:
        self._code = code
        self._typed: deque[tuple[int, str]] = deque(maxlen=max(1, len(code)))
        self._wrong = 0
        self._locked_ms = -LOCK_MS

    def heard(self, digit: str, now_ms: int) -> bool:
        """Take in one key; True when it completes the code."""
        if not self._code or not (len(digit) == 1 and digit.isdigit()):
            return False
        if now_ms - self._locked_ms < LOCK_MS:
            return False
        self._typed.append((now_ms, digit))
        if len(self._typed) < len(self._code):
            return False
        began = self._typed[0][0]
        right = "".join(each for _, each in self._typed) == self._code
        if right and now_ms - began <= CODE_MS:
            self._typed.clear()
            self._wrong = 0
            return True
        self._wrong += 1
        if self._wrong >= TRIES * len(self._code):
            self._locked_ms, self._wrong = now_ms, 0
            self._typed.clear()
        return False


class Hands:
    """Turns what was done into signs. focus: the button that keys and pads are on, or NOWHERE."""

    def __init__(self, staff_code: str = "") -> None:
        self.focus = NOWHERE
        self._code = StaffCode(staff_code)
        self._mode = Mode.RESET

    def on_screen(
        self, events: Iterable[Event], mode: Mode, drawn: Drawn, now_ms: int
    ) -> list[Sign]:
        """What was done to a screen of this mode."""
        if mode is not self._mode:
            self._mode, self.focus = mode, NOWHERE
        signs: list[Sign] = []
        for event in events:
            if event.go is Go.KEY and self._code.heard(event.text, now_ms):
                signs.append(Sign.OPEN if mode is Mode.CLOSED else Sign.CLOSE)
            else:
                signs += self._one(event, mode, drawn)
        return signs

    def _one(self, event: Event, mode: Mode, drawn: Drawn) -> list[Sign]:
        if event.go in (Go.POINT, Go.TEXT, Go.PASTE) or (
            event.go is Go.KEY and event.text.isdigit()
        ):
            return []
        if event.go is Go.CLICK:
            return [drawn.at(event.x, event.y) or Sign.TOUCH]
        buttons = BUTTONS.get(mode, ())
        if not buttons:
            return [Sign.TOUCH]
        if event.go in (Go.UP, Go.LEFT, Go.PREVIOUS, Go.DOWN, Go.RIGHT, Go.NEXT):
            by = -1 if event.go in (Go.UP, Go.LEFT, Go.PREVIOUS) else 1
            self.focus = (0 if self.focus == NOWHERE else self.focus + by) % len(buttons)
        elif event.go is Go.OK and self.focus != NOWHERE:
            return [buttons[self.focus][0]]
        elif event.go is Go.BACK:
            return [Sign.BACK]
        return [Sign.TOUCH]


def at_wheel(raw: Iterable[RawInput], commands: Iterable[str]) -> list[Sign]:
    """What was done while driving. A key that the system lets go by itself is nobody's deed."""
    signs = [Sign.DRIVES for each in raw if each.value and not each.synthetic][:1]
    return signs + [Sign.BACK for command in commands if command == Deed.QUIT.value]
