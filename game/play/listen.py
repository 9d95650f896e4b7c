"""Finer times for the keys that the window reports, from pynput, where the platform allows it.

The window alone decides what was pressed; this only tells when, a tick finer. Hears bound keys
only, deaf while the window has no focus, off unless the player's settings ask for it. A key that
the window does not report within `FORGET_NS` is forgotten and stored nowhere.
"""

import importlib
import time
from collections import deque
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

from game.errors import MissingPart
from game.view.keys import RawInput

SOURCE = "pynput"
FORGET_NS = 250_000_000
_NAMES = {
    "left": "arrow_left", "right": "arrow_right", "up": "arrow_up", "down": "arrow_down",
    "esc": "escape", "shift_l": "lshift", "shift_r": "rshift", "ctrl_l": "lcontrol",
    "ctrl_r": "rcontrol", "alt_l": "lalt", "alt_r": "ralt", "page_up": "page_up",
    "page_down": "page_down", "caps_lock": "caps_lock",
}  # fmt: skip
"""pynput's names of keys and the window's, where they differ."""


class FineTimes:
    """Listens beside the window. `start` it, `refine` what the window polled, `stop` it."""

    def __init__(
        self, bound: Mapping[str, object], now: Callable[[], int] = time.monotonic_ns
    ) -> None:
        self._bound, self._now = frozenset(bound), now
        self._heard: deque[tuple[int, str, bool]] = deque(maxlen=64)
        self._deaf = False
        self._listener: Any = None

    def start(self) -> None:
        """Begin to listen. Raises MissingPart where pynput is missing or has no access."""
        try:
            keyboard = importlib.import_module("pynput.keyboard")
            self._listener = keyboard.Listener(
                on_press=lambda key: self.hear(key, True),
                on_release=lambda key: self.hear(key, False),
            )
            self._listener.start()
            self._listener.wait()
        except Exception as error:  # each platform's backend fails with errors of its own
            raise MissingPart(
                f"finer key times need pynput and access to the keyboard ({error})",
                "pip install 'scale-diffusion[pynput]' and allow it, or leave them: "
                "--set record.fine_times=false",
            ) from error

    def hear(self, key: Any, down: bool) -> None:
        """Take a key in, on pynput's thread; anything that is bound to nothing is dropped here."""
        code = _code(key)
        if not self._deaf and code in self._bound:
            self._heard.append((self._now(), code, down))

    def refine(self, polled: list[RawInput]) -> list[tuple[RawInput, bool]]:
        """Each event of the window, with the finer time where it was heard, and whether it was."""
        now = self._now()
        while self._heard and now - self._heard[0][0] > FORGET_NS:
            self._heard.popleft()
        found = []
        for event in polled:
            at = self._taken(event)
            fine = replace(event, t_ns=at) if at is not None and at <= event.t_ns else event
            found.append((fine, fine is not event))
            if event.kind == "focus":
                self._deaf = not event.value
                self._heard.clear()
            elif event.kind == "key" and not event.synthetic:
                self._deaf = False  # the window hears keys only while it has the focus
        return found

    def _taken(self, event: RawInput) -> int | None:
        if event.kind != "key" or event.synthetic:
            return None
        for heard in self._heard:
            if heard[1:] == (event.code, bool(event.value)):
                self._heard.remove(heard)
                return heard[0]
        return None

    def stop(self) -> None:
        """Stop listening and forget everything."""
        if self._listener is not None:
            self._listener.stop()
            self._listener = None
        self._heard.clear()


def _code(key: Any) -> str:
    """The window's name of a pynput key."""
    char = getattr(key, "char", None)
    if isinstance(char, str):
        return char.lower()
    name = str(getattr(key, "name", "") or "")
    return _NAMES.get(name, name)
