"""Keyboard and mouse of one window as RawInput, through Panda's own event queue.

Reports bound controls only. When the window loses focus every held key comes up, marked synthetic.
"""

from collections.abc import Callable
from typing import Any

from panda3d.core import (
    ButtonThrower,
    DataGraphTraverser,
    EventQueue,
    ModifierButtons,
    MouseAndKeyboard,
    PandaNode,
)

from game.view.keys import BINDINGS, Deed, RawInput

_DOWN, _UP = "view-down", "view-up"


class Devices:
    """Polls one window. `now` gives monotonic nanoseconds."""

    def __init__(self, window: Any, now: Callable[[], int]) -> None:
        self._window, self._now = window, now
        self._graph = PandaNode("devices")
        source = MouseAndKeyboard(window, 0, "keyboard")
        self._graph.addChild(source)
        thrower = ButtonThrower("buttons")
        thrower.setButtonDownEvent(_DOWN)
        thrower.setButtonUpEvent(_UP)
        thrower.setModifierButtons(ModifierButtons())
        source.addChild(thrower)
        self._traverser = DataGraphTraverser()
        self._held: dict[str, None] = {}
        self._focused = True
        self._last: tuple[float, float] | None = None

    def poll(self) -> list[RawInput]:
        """Everything since the last poll, in order."""
        t_ns = self._now()
        self._traverser.traverse(self._graph)
        found: list[RawInput] = []
        queue = EventQueue.getGlobalEventQueue()
        while not queue.isQueueEmpty():
            event = queue.dequeueEvent()
            if event.getName() in (_DOWN, _UP) and event.getNumParameters():
                code = str(event.getParameter(0).getStringValue())
                found += self._key(t_ns, code, event.getName() == _DOWN)
        found += self._focus(t_ns)
        found += self._look(t_ns)
        return found

    def _key(self, t_ns: int, code: str, down: bool) -> list[RawInput]:
        if code not in BINDINGS or down == (code in self._held):
            return []
        if down:
            self._held[code] = None
        else:
            del self._held[code]
        return [RawInput(t_ns, "key", code, float(down))]

    def _focus(self, t_ns: int) -> list[RawInput]:
        focused = bool(self._window.getProperties().getForeground())
        lost, self._focused = self._focused and not focused, focused
        if not lost:
            return []
        return [RawInput(t_ns, "focus", "window", 0.0, synthetic=True), *self.release(t_ns)]

    def release(self, t_ns: int) -> list[RawInput]:
        """Every held key comes up."""
        ups = [RawInput(t_ns, "key", code, 0.0, synthetic=True) for code in self._held]
        self._held.clear()
        return ups

    def _look(self, t_ns: int) -> list[RawInput]:
        """Movement of the pointer while the look button is held."""
        pointer = self._window.getPointer(0)
        here = (float(pointer.getX()), float(pointer.getY()))
        looking = any(BINDINGS[code] is Deed.LOOK for code in self._held)
        before, self._last = self._last, here if looking else None
        if before is None or not looking:
            return []
        moved = (("mouse-x", here[0] - before[0]), ("mouse-y", here[1] - before[1]))
        return [RawInput(t_ns, "look", code, by, "px") for code, by in moved if by]
