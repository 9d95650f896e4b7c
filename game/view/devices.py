"""Keyboard and mouse of one window as RawInput, through Panda's own event queue.

Reports bound controls only. When the window loses focus every held key comes up, marked synthetic.
Where the mouse steers, the pointer is held in the window while somebody drives, and at no other
time.
"""

from collections.abc import Callable, Mapping
from typing import Any

from panda3d.core import (
    ButtonThrower,
    DataGraphTraverser,
    EventQueue,
    GraphicsEngine,
    ModifierButtons,
    MouseAndKeyboard,
    PandaNode,
)

from game.view import clipboard
from game.view.keys import BINDINGS, Deed, RawInput
from game.view.mouse import CENTRE, MouseWheel
from game.view.screen.canvas import Canvas
from game.view.screen.ear import Ear
from game.view.screen.model import Event, Go

_DOWN, _UP, _STROKE, _AGAIN = "view-down", "view-up", "view-stroke", "view-again"
_TYPED_KEYS = ("enter", "escape", "backspace")


class Devices:
    """Polls one window. `now` gives monotonic nanoseconds."""

    def __init__(
        self, window: Any, now: Callable[[], int], bindings: Mapping[str, Deed] = BINDINGS,
        mouse_pace: int = 0,
    ) -> None:  # fmt: skip
        """mouse_pace: steering [1/1000] of a pixel, 0: the mouse does not steer."""
        self._mouse = MouseWheel(window, mouse_pace)
        self._window, self._now, self._bindings = window, now, bindings
        self._typing = False
        self._typed: list[str] = []
        self._listening = False
        self._ear = Ear(clipboard.read)
        self._heard: list[Event] = []
        self._clicks = 0
        self._pointed: tuple[float, float] | None = None
        self._waiting: list[RawInput] = []
        self._graph = PandaNode("devices")
        source = MouseAndKeyboard(window, 0, "keyboard")
        self._graph.addChild(source)
        thrower = ButtonThrower("buttons")
        thrower.setButtonDownEvent(_DOWN)
        thrower.setButtonUpEvent(_UP)
        thrower.setKeystrokeEvent(_STROKE)
        thrower.setButtonRepeatEvent(_AGAIN)
        thrower.setModifierButtons(ModifierButtons())
        source.addChild(thrower)
        self._traverser = DataGraphTraverser()
        self._engine = GraphicsEngine.getGlobalPtr()
        self._held: dict[str, None] = {}
        self._focused = True
        self._last: tuple[float, float] | None = None

    def poll(self) -> list[RawInput]:
        """Everything since the last poll, in order."""
        self._engine.renderFrame()  # nothing is active between pictures: it only hears the system
        t_ns = self._now()
        self._traverser.traverse(self._graph)
        found, self._waiting = self._waiting, []
        queue = EventQueue.getGlobalEventQueue()
        while not queue.isQueueEmpty():
            event = queue.dequeueEvent()
            if not event.getNumParameters():
                continue
            name, value = event.getName(), event.getParameter(0)
            if self._listening:
                self._hear(name, value)
            elif name in (_DOWN, _UP):
                found += self._key(t_ns, str(value.getStringValue()), name == _DOWN)
            elif name == _STROKE and self._typing:
                self._typed.append(str(value.getWstringValue()))
        found += self._focus(t_ns)
        held = self._focused and not self._typing and not self._listening
        dx, dy = self._mouse.moved(held)
        if self._looking:
            moved = (("mouse-x", dx), ("mouse-y", dy))
            found += [RawInput(t_ns, "look", code, by, "px") for code, by in moved if by]
            dx = 0.0
        found += self._mouse.events(dx, t_ns)
        return found if self._mouse.held else [*found, *self._look(t_ns)]

    def _key(self, t_ns: int, code: str, down: bool) -> list[RawInput]:
        if self._typing:
            if down and code in _TYPED_KEYS:
                self._typed.append(code)
            return []
        if code == CENTRE and down:
            self._mouse.straight()
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

    def listen(self, on: bool) -> None:
        """Begin or end taking everything for a screen: held keys come up, nothing drives."""
        if on and not self._listening:
            self._waiting += self.release(self._now())
        self._listening, self._heard, self._ear = on, [], Ear(self._ear.paste)
        self._pointed = None
        if on:
            self._mouse.moved(False)

    def heard(self, canvas: Canvas) -> list[Event]:
        """What was done to a screen since the last call, places in points of `canvas`."""
        given, self._heard = self._heard, []
        pointer = self._window.getPointer(0)
        here = (float(pointer.getX()), float(pointer.getY()))
        x, y = canvas.points(*here)
        if self._pointed is not None and here != self._pointed:
            given.append(Event(Go.POINT, x=x, y=y))
        self._pointed = here
        given += [Event(Go.CLICK, x=x, y=y)] * self._clicks
        self._clicks = 0
        return given

    def _hear(self, name: str, value: Any) -> None:
        if name == _STROKE:
            self._heard += self._ear.text(str(value.getWstringValue()))
        elif name in (_DOWN, _UP, _AGAIN):
            code = str(value.getStringValue())
            self._clicks += name == _DOWN and code == "mouse1"
            self._heard += self._ear.key(code, name != _UP)

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

    def take_over(self, before: "Devices") -> None:
        """Listen in the place of others, who let everything go that they held."""
        t_ns = self._now()
        before._mouse.moved(False)
        let_go = [*before.release(t_ns), *before._mouse.events(0.0, t_ns)]
        self._waiting += [*before._waiting, *let_go]

    def release(self, t_ns: int) -> list[RawInput]:
        """Every held key comes up."""
        ups = [RawInput(t_ns, "key", code, 0.0, synthetic=True) for code in self._held]
        self._held.clear()
        return ups

    @property
    def _looking(self) -> bool:
        return any(self._bindings[code] is Deed.LOOK for code in self._held)

    def _look(self, t_ns: int) -> list[RawInput]:
        """Movement of the pointer while the look button is held; else nobody asks the display."""
        if not self._looking:
            self._last = None
            return []
        pointer = self._window.getPointer(0)
        here = (float(pointer.getX()), float(pointer.getY()))
        before, self._last = self._last, here
        if before is None:
            return []
        moved = (("mouse-x", here[0] - before[0]), ("mouse-y", here[1] - before[1]))
        return [RawInput(t_ns, "look", code, by, "px") for code, by in moved if by]
