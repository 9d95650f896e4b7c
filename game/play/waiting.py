"""Waiting for a service without a frozen window: it goes on being drawn, and can be given up.

Owns the thread that a blocking question runs in, and what a player without menus sees meanwhile.
"""

import threading
import time
from collections.abc import Callable, Mapping
from typing import TypeVar

from game.play.intake import ServiceUnreachable
from game.view.hud import Hud
from game.view.keys import Deed, Mapper
from game.view.window import Window

Answer = TypeVar("Answer")
Alive = Callable[[str, float, float], None]
"""Called all the while with what is waited for, how long so far and at most [s]. May raise."""
QUIET_S = 0.4
"""A shorter wait shows nothing."""
TICKET, SEED, PICTURE = "the run ticket", "the run's traffic", "the first painted picture"


class GaveUp(Exception):
    """The player would rather not wait for this drive."""


class DriveUnpaid(ServiceUnreachable):
    """The player drives at once, without what was waited for."""

    def __str__(self) -> str:
        return f"you did not wait for {self.why}"


def nobody(what: str, waited_s: float, limit_s: float) -> None:
    """Nobody looks on."""


def pumped(
    ask: Callable[[], Answer], what: str, limit_s: float, alive: Alive,
    now: Callable[[], float] = time.monotonic,
) -> Answer:  # fmt: skip
    """What `ask` returns or raises; it runs in a thread of its own, left alone if `alive` raises.

    limit_s: how long `ask` may take by itself, to be shown.
    """
    if alive is nobody:
        return ask()
    answers: list[Answer] = []
    errors: list[BaseException] = []
    done = threading.Event()

    def run() -> None:
        try:
            answers.append(ask())
        except BaseException as error:
            errors.append(error)
        done.set()

    threading.Thread(target=run, name="asking", daemon=True).start()
    began = now()
    while not done.wait(0.01):
        alive(what, now() - began, limit_s)
    if errors:
        raise errors[0]
    return answers[0]


class AtWindow:
    """Shows the wait on a window without menus; Esc gives it up. Raises GaveUp."""

    def __init__(self, window: Window, bindings: Mapping[str, Deed]) -> None:
        self._window, self._keys = window, Mapper(bindings)

    def __call__(self, what: str, waited_s: float, limit_s: float) -> None:
        self._keys.feed(self._window.poll())
        if self._window.closed or Deed.QUIT.value in self._keys.commands():
            raise GaveUp
        if waited_s > QUIET_S:
            text = f"waiting for {what}, {waited_s:.0f} of {limit_s:.0f} s; Esc leaves"
            self._window.present(None, Hud(message=text))
