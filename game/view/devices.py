"""Keyboard and mouse of one window as RawInput, through Panda's own event queue.

Reports bound controls only. When the window loses focus every held key comes up, marked synthetic.
"""

from collections.abc import Callable, Mapping
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

_DOWN, _UP, _STROKE = "view-down", "view-up", "view-stroke"
_TYPED_KEYS = ("enter", "escape", "backspace")


class Devices:
    """Polls one window. `now` gives monotonic nanoseconds."""

    def __init__(
        self, window: Any, now: Callable[[], int], bindings: Mapping[str, Deed] = BINDINGS
    ) -> None:
        self._window, self._now, self._bindings = window, now, bindings
        self._typing = False
        self._typed: list[str] = []
        self._waiting: list[RawInput] = []
        self._graph = PandaNode("devices")
        source = MouseAndKeyboard(window, 0, "keyboard")
        self._graph.addChild(source)
        thrower = ButtonThrower("buttons")
        thrower.setButtonDownEvent(_DOWN)
        thrower.setButtonUpEvent(_UP)
        thrower.setKeystrokeEvent(_STROKE)
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
        found, self._waiting = self._waiting, []
        queue = EventQueue.getGlobalEventQueue()
        while not queue.isQueueEmpty():
            event = queue.dequeueEvent()
            if not event.getNumParameters():
                continue
            name, value = event.getName(), event.getParameter(0)
            if name in (_DOWN, _UP):
                found += self._key(t_ns, str(value.getStringValue()), name == _DOWN)
            elif name == _STROKE and self._typing:
                self._typed.append(str(value.getWstringValue()))
        found += self._focus(t_ns)
        found += self._look(t_ns)
        return found

    def _key(self, t_ns: int, code: str, down: bool) -> list[RawInput]:
        if self._typing:
            if down and code in _TYPED_KEYS:
                self._typed.append(code)
            return []
        if code not in self._bindings or down == (code in self._held):
            return []
        if down:
            self._held[code] = None
        else:
            del self._held[code]
        return [RawInput(t_ns, "key", code, float(down))]

    def type(self, on: bool) -> None:
        """Begin or end taking keys as text: held keys come up and nothing drives meanwhile."""
        self._typing, self._typed = on, []
        if on:
            self._waiting += self.release(self._now())

    def typed(self) -> list[str]:
        """Since the last call: single characters, or enter, escape, backspace."""
        given, self._typed = self._typed, []
        return given

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
        looking = any(self._bindings[code] is Deed.LOOK for code in self._held)
        before, self._last = self._last, here if looking else None
        if before is None or not looking:
            return []
        moved = (("mouse-x", here[0] - before[0]), ("mouse-y", here[1] - before[1]))
        return [RawInput(t_ns, "look", code, by, "px") for code, by in moved if by]
