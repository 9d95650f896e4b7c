"""Game pads and wheels: what is pressed and where the axes are, as menus take it and as they drive.

Buttons stand for keys, through the same ramps as a keyboard's; sticks, wheel and pedals are
integers of their own, see `axes`. Owns the table of what a button means; reads all devices as one.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence

from game.view.axes import Axes, Calibration, Gadget
from game.view.gadgets import Plugged
from game.view.keys import RawInput

DRIVES: Mapping[str, str] = {
    "dpad_left": "a", "dpad_right": "d", "dpad_up": "w", "dpad_down": "s",
    "face_a": "w", "face_b": "s", "face_x": "space", "face_y": "c",
    "lshoulder": "h", "rshoulder": "r", "ltrigger": "s", "rtrigger": "w",
    "back": "escape",
}  # fmt: skip
"""Which key a button stands for while driving."""
_ANALOGUE = {"ltrigger": "left_trigger", "rtrigger": "right_trigger"}
"""Buttons that are the end of an axis: where there is the axis, it drives alone."""
Source = Callable[[], Sequence[Gadget]]


class PadKeys:
    """Turns states of devices into key events. Pure."""

    def __init__(self) -> None:
        self._down: dict[str, str] = {}

    def feed(self, gadgets: Iterable[Gadget], t_ns: int) -> list[RawInput]:
        """Keys that went down or up since the last state."""
        wanted: dict[str, str] = {}
        for gadget in gadgets:
            for name in gadget.pressed:
                if name in DRIVES and _ANALOGUE.get(name) not in gadget.axes:
                    wanted[DRIVES[name]] = gadget.kind
        before, self._down = self._down, wanted
        ups = sorted(before.keys() - wanted.keys())
        downs = sorted(wanted.keys() - before.keys())
        return [
            *(RawInput(t_ns, "key", key, 0.0, src=before[key]) for key in ups),
            *(RawInput(t_ns, "key", key, 1.0, src=wanted[key]) for key in downs),
        ]


class Pads:
    """Every pad and wheel of this machine. Without one, nothing is ever pressed.

    source: what is plugged in now. known: calibrations by the player's settings.
    """

    def __init__(self, source: Source | None = None, known: Iterable[Calibration] = ()) -> None:
        self._source: Source = source or Plugged()
        self._keys, self.axes = PadKeys(), Axes(known)
        self._before: frozenset[str] = frozenset()

    def gadgets(self) -> tuple[Gadget, ...]:
        """What is plugged in, as it is now."""
        return tuple(self._source())

    def kinds(self) -> tuple[str, ...]:
        """Kinds of what is plugged in and drives, each once: pad, wheel ..."""
        drives = (g.kind for g in self.gadgets() if self.axes.calibration(g).uses)
        return tuple(dict.fromkeys(drives))

    def calibrate(self, known: Iterable[Calibration]) -> None:
        """Drive with these calibrations from now on."""
        self.axes = Axes(known)

    def menu(self) -> tuple[tuple[str, ...], tuple[tuple[str, float], ...]]:
        """Buttons that went down since the last call, and the sticks, for a screen."""
        pressed: set[str] = set()
        sticks: dict[str, float] = {}
        for gadget in self.gadgets():
            pressed |= gadget.pressed
            for name, value in gadget.axes.items():
                if gadget.kind == "pad" and abs(value) > abs(sticks.get(name, 0.0)):
                    sticks[name] = value
                else:
                    sticks.setdefault(name, 0.0)
        fresh, self._before = sorted(pressed - self._before), frozenset(pressed)
        return tuple(fresh), tuple(sticks.items())

    def keys(self, t_ns: int) -> list[RawInput]:
        """Events of keys and axes since the last call, for driving."""
        gadgets = self.gadgets()
        self._before = frozenset().union(*(gadget.pressed for gadget in gadgets))
        return [*self._keys.feed(gadgets, t_ns), *self.axes.feed(gadgets, t_ns)]

    def shake(self, strong: float, weak: float) -> None:
        """Let those shake that can, with the low and the high motor, 0 to 1."""
        shake = getattr(self._source, "shake", None)
        if shake is not None:
            shake(strong, weak)

    def rest(self) -> None:
        """Forget what is held: somebody else begins."""
        self._keys = PadKeys()
        self.axes.rest()
        self._before = frozenset().union(*(gadget.pressed for gadget in self.gadgets()))
