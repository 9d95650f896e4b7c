"""What a keyboard, a mouse and a pad do to a screen, as events. Pure: names in, events out."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field

from game.view.screen.model import Event, Go

KEYS: dict[str, Go] = {
    "arrow_up": Go.UP, "arrow_down": Go.DOWN, "arrow_left": Go.LEFT, "arrow_right": Go.RIGHT,
    "page_up": Go.PAGE_UP, "page_down": Go.PAGE_DOWN, "home": Go.HOME, "end": Go.END,
    "enter": Go.OK, "escape": Go.BACK, "backspace": Go.RUB, "delete": Go.ERASE, "tab": Go.NEXT,
}  # fmt: skip
PAD: dict[str, Go] = {
    "dpad_up": Go.UP, "dpad_down": Go.DOWN, "dpad_left": Go.LEFT, "dpad_right": Go.RIGHT,
    "face_a": Go.OK, "start": Go.OK, "face_b": Go.BACK, "back": Go.BACK,
    "lshoulder": Go.PAGE_UP, "rshoulder": Go.PAGE_DOWN,
}  # fmt: skip
_MODIFIERS = ("control", "shift", "alt", "meta")
_STICK_ON, _STICK_OFF = 0.6, 0.35


@dataclass(slots=True)
class Ear:
    """Turns strokes into events. paste: gives the clipboard's text, '' where there is none."""

    paste: Callable[[], str] = str
    _held: set[str] = field(default_factory=set)
    _stick: dict[str, int] = field(default_factory=dict)

    def key(self, name: str, down: bool) -> list[Event]:
        """A key or a mouse button went down (or repeats) or up; a KEY event says which."""
        plain = name[1:] if name[1:] in _MODIFIERS else name
        if plain in _MODIFIERS:
            (self._held.add if down else self._held.discard)(plain)
        if not down:
            return []
        if plain in _MODIFIERS:  # panda tells each twice: as lshift, then as shift
            return [Event(Go.KEY, name)] if plain != name else []
        if (name == "v" and self._held & {"control", "meta"}) or (
            name == "insert" and "shift" in self._held
        ):
            text = self.paste()
            return [Event(Go.PASTE, text)] if text else []
        found = [Event(Go.KEY, name)] if name != "escape" else []
        if name in KEYS:
            go = Go.PREVIOUS if name == "tab" and "shift" in self._held else KEYS[name]
            found.append(Event(go))
        elif name == "mouse3":
            found.append(Event(Go.BACK))
        elif name in ("wheel_up", "wheel_down"):
            found.append(Event(Go.SCROLL, y=-1.0 if name == "wheel_up" else 1.0))
        return found

    def text(self, letters: str) -> list[Event]:
        """Letters were typed; those that go with control or command are no text."""
        if self._held & {"control", "meta"} or not letters.isprintable():
            return []
        return [Event(Go.TEXT, letters)]

    def pad(self, pressed: Iterable[str], axes: Iterable[tuple[str, float]] = ()) -> list[Event]:
        """Buttons that went down on a pad, and where its sticks are (-1 to 1, up positive)."""
        found = [Event(PAD[name]) for name in pressed if name in PAD]
        for name, value in axes:
            before = self._stick.get(name, 0)
            now = before if abs(value) > _STICK_OFF else 0
            if abs(value) > _STICK_ON:
                now = 1 if value > 0 else -1
            self._stick[name] = now
            if now and now != before and name in ("left_x", "left_y"):
                ways = (Go.RIGHT, Go.LEFT) if name == "left_x" else (Go.UP, Go.DOWN)
                found.append(Event(ways[0] if now > 0 else ways[1]))
        return found
