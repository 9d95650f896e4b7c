"""The mouse as a steering wheel: the pointer is held in one window, its movement turns the wheel.

Owns whether the pointer is held, and puts it back where it was found. What is given out are
integers, as of any wheel.
"""

from typing import Any

from panda3d.core import WindowProperties

from game.view.axes import PER_MILLE
from game.view.keys import RawInput
from game.world.controls import UNIT

CENTRE = "mouse2"
"""The button that puts the wheel straight."""


class MouseWheel:
    """window: Panda's. pace: steering [1/1000] of a pixel; 0: it never holds the pointer."""

    def __init__(self, window: Any, pace: int) -> None:
        self._window, self._pace = window, pace
        self.held = False
        self._at = (0, 0)  # where the pointer is as far as was seen; nobody moved it there
        self._before: tuple[int, int] | None = None  # where it was when it was last put there
        self._steer = self._told = 0
        self._found: tuple[int, int] = (0, 0)

    def moved(self, hold: bool) -> tuple[float, float]:
        """Hold the pointer, or let it go; how far it moved since the last call [px]."""
        if hold and not self.held and self._pace:
            self._take()
            return 0.0, 0.0
        if not hold and self.held:
            self._let_go()
        if not self.held:
            return 0.0, 0.0
        pointer = self._window.getPointer(0)
        seen = int(pointer.getX()), int(pointer.getY())
        if not pointer.getInWindow() or seen == self._before:
            return 0.0, 0.0  # told late: that is where it was before it was put elsewhere
        self._before = None
        dx, dy = seen[0] - self._at[0], seen[1] - self._at[1]
        self._at = seen
        if (dx or dy) and seen != self._middle:
            self._put(seen)
        return float(dx), float(dy)

    def events(self, dx: float, t_ns: int) -> list[RawInput]:
        """The wheel after the pointer moved by `dx` [px] to the right."""
        turned = self._steer - round(dx) * self._pace
        self._steer = max(-UNIT, min(UNIT, turned)) if self.held else 0
        if self._steer == self._told:
            return []
        self._told = self._steer
        return [RawInput(t_ns, "axis", "steer", self._steer, PER_MILLE, not self.held, "mouse")]

    def straight(self) -> None:
        """Put the wheel straight."""
        self._steer = 0

    @property
    def _middle(self) -> tuple[int, int]:
        return self._window.getXSize() // 2, self._window.getYSize() // 2

    def _take(self) -> None:
        pointer = self._window.getPointer(0)
        found = int(pointer.getX()), int(pointer.getY())
        if self._put(found):
            self._found, self.held = found, True
            self._show(False)

    def _put(self, seen: tuple[int, int]) -> bool:
        """Into the middle, from where it was seen; refused while it is somewhere else."""
        middle = self._middle
        if not self._window.movePointer(0, *middle):
            return False
        self._at, self._before = middle, seen if seen != middle else None
        return True

    def _let_go(self) -> None:
        self.held = False
        self._window.movePointer(0, *self._found)
        self._show(True)

    def _show(self, shown: bool) -> None:
        wanted = WindowProperties()
        wanted.setCursorHidden(not shown)
        confined = WindowProperties.MAbsolute if shown else WindowProperties.MConfined
        wanted.setMouseMode(confined)
        self._window.requestProperties(wanted)
