"""Visitors that a program plays: they come, agree or not, drive, give up, walk away, come back.

For soaks and tests. The same seed gives the same visitors.
"""

import random
from dataclasses import dataclass

from game.kiosk.machine import Mode, Sign, State
from game.view.keys import RawInput

_HOLD_MS = 150


@dataclass(frozen=True, slots=True)
class Guest:
    """record, play, or leave at the question. drive_ticks: at the wheel. leaves: walks off in the
    middle; done: presses Done at the end, else lets the screen run out.
    """

    choice: str
    drive_ticks: int
    leaves: bool
    done: bool


class Script:
    """One guest after the other."""

    def __init__(self, seed: int) -> None:
        self._chance = random.Random(seed)
        self._guest = self._next()
        self._mode = Mode.RESET
        self._since = 0
        self._said = False

    def _next(self) -> Guest:
        roll = self._chance.random()
        choice = "record" if roll < 0.4 else "play" if roll < 0.92 else "leave"
        return Guest(
            choice,
            self._chance.randrange(70, 150),
            self._chance.random() < 0.1,
            self._chance.random() < 0.8,
        )

    def signs(self, state: State, now_ms: int, tick: int = 0) -> list[Sign]:
        """What the guest of the moment does on the screen that they see. tick: of the drive."""
        if state.mode is not self._mode:
            if state.mode is Mode.ATTRACT and self._mode is not Mode.ATTRACT:
                self._guest = self._next()
            self._mode, self._since, self._said = state.mode, now_ms, False
        waited = now_ms - self._since
        guest = self._guest
        if self._said or waited < _HOLD_MS:
            return []
        if state.mode is Mode.ATTRACT:
            return self._say(Sign.TOUCH)
        if state.mode is Mode.CONSENT:
            choices = {"record": Sign.RECORD, "play": Sign.PLAY, "leave": Sign.BACK}
            return self._say(choices[guest.choice])
        if state.mode is Mode.DRIVING and tick >= guest.drive_ticks and not guest.leaves:
            return self._say(Sign.BACK, Sign.BACK)
        if state.mode is Mode.CLAIM and guest.done:
            return self._say(Sign.BACK)
        return []

    def keys(self, tick: int, now_ms: int) -> list[RawInput]:
        """What the guest does with the keys at this tick: gas, and now and then the wheel."""
        if self._guest.leaves and tick > 60:
            return []
        turns = {0: ("w", 1.0), 40: ("a", 1.0), 55: ("a", 0.0), 80: ("d", 1.0), 95: ("d", 0.0)}
        key = turns.get(tick % 120)
        return [RawInput(now_ms * 1_000_000, "key", key[0], key[1])] if key else []

    def _say(self, *signs: Sign) -> list[Sign]:
        self._said = True
        return list(signs)


def script_of(seed: int) -> Script:
    """The visitors of a seed."""
    return Script(seed)
