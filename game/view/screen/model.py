"""What a screen is: a title and rows, one of which has the focus; and what an event does to it.

Pure functions of (screen, event): no drawing, no device, no clock. An Act is what the screen asks
its owner to do; the owner answers with another screen.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from enum import Enum


class Go(Enum):
    """What a person does to a screen, from whichever device."""

    UP = "up"
    DOWN = "down"
    LEFT = "left"
    RIGHT = "right"
    NEXT = "next"
    PREVIOUS = "previous"
    PAGE_UP = "page-up"
    PAGE_DOWN = "page-down"
    HOME = "home"
    END = "end"
    OK = "ok"
    BACK = "back"
    RUB = "rub"
    ERASE = "erase"
    TEXT = "text"
    PASTE = "paste"
    POINT = "point"
    CLICK = "click"
    SCROLL = "scroll"
    KEY = "key"


@dataclass(frozen=True, slots=True)
class Event:
    """go: what. text: what was typed or pasted, or a key's name. x, y: of the pointer [pt]."""

    go: Go
    text: str = ""
    x: float = 0.0
    y: float = 0.0


@dataclass(frozen=True, slots=True)
class Note:
    """Text to read; wraps. tone: plain, dim, accent, good, warn or bad."""

    text: str
    tone: str = "plain"
    bold: bool = False


@dataclass(frozen=True, slots=True)
class Bar:
    """A share, 0 to 1, of something with a name."""

    text: str
    share: float
    detail: str = ""
    tone: str = "accent"


@dataclass(frozen=True, slots=True)
class Image:
    """A picture that the paper holds under `name`, `height` points high; ratio: width by height."""

    name: str
    height: float
    ratio: float = 1.0
    version: int = 0


@dataclass(frozen=True, slots=True)
class Button:
    """Something to do. detail: what stands at its right. lines: what stands below it."""

    id: str
    text: str
    detail: str = ""
    lines: tuple[str, ...] = ()
    enabled: bool = True
    tone: str = "plain"


@dataclass(frozen=True, slots=True)
class Toggle:
    """On or off."""

    id: str
    text: str
    on: bool
    hint: str = ""


@dataclass(frozen=True, slots=True)
class Choice:
    """One of several; left and right go through them."""

    id: str
    text: str
    options: tuple[str, ...]
    at: int = 0
    hint: str = ""


@dataclass(frozen=True, slots=True)
class Field:
    """Text to type. advice: what is wrong or right with it, in `tone`. ghost: shown while empty."""

    id: str
    text: str
    value: str = ""
    ghost: str = ""
    advice: str = ""
    tone: str = "dim"
    secret: bool = False
    longest: int = 200
    hint: str = ""


@dataclass(frozen=True, slots=True)
class KeyRow:
    """A deed and the keys that do it; `waiting` for the next key that is pressed."""

    id: str
    text: str
    keys: tuple[str, ...] = ()
    waiting: bool = False
    hint: str = ""


Row = Note | Bar | Image | Button | Toggle | Choice | Field | KeyRow
_ACTIVE = (Button, Toggle, Choice, Field, KeyRow)


@dataclass(frozen=True, slots=True)
class Screen:
    """rows from top to bottom. focus: index of the row that hears. scroll: rows above the window.

    aside: rows at the right of them, to read. foot: the bottom line, about keys and the like.
    """

    title: str
    rows: tuple[Row, ...]
    focus: int = -1
    scroll: int = 0
    aside: tuple[Row, ...] = ()
    foot: str = ""
    wide: bool = False

    def __post_init__(self) -> None:
        if not self.hears(self.focus):
            first = next((i for i, _ in enumerate(self.rows) if self.hears(i)), -1)
            object.__setattr__(self, "focus", first)

    def hears(self, index: int) -> bool:
        """Whether the row can have the focus."""
        if not 0 <= index < len(self.rows):
            return False
        row = self.rows[index]
        return isinstance(row, _ACTIVE) and (not isinstance(row, Button) or row.enabled)

    @property
    def focused(self) -> Button | Toggle | Choice | Field | KeyRow | None:
        """The row that hears, if any does."""
        row = self.rows[self.focus] if 0 <= self.focus < len(self.rows) else None
        return row if isinstance(row, _ACTIVE) else None

    def named(self, id: str) -> Row | None:
        """The row of that id."""
        return next((row for row in self.rows if getattr(row, "id", "") == id), None)

    def with_row(self, index: int, row: Row) -> "Screen":
        """The same screen with another row at a place."""
        return replace(self, rows=(*self.rows[:index], row, *self.rows[index + 1 :]))

    def at(self, id: str) -> "Screen":
        """The same screen with the focus on the row of that id, if it is there."""
        for index, row in enumerate(self.rows):
            if getattr(row, "id", "") == id and self.hears(index):
                return replace(self, focus=index)
        return self


@dataclass(frozen=True, slots=True)
class Act:
    """What the player wants: the id of a row and its new value; id 'back' leaves the screen."""

    id: str
    value: str = ""


BACK = Act("back")
Hits = Mapping[int, tuple[float, float, float, float]]
"""Where each row that hears was drawn: left, top, right, bottom [pt]."""

_PAGE = 8


def answer(screen: Screen, event: Event, hits: Hits | None = None) -> tuple[Screen, Act | None]:
    """The screen after an event, and what it asks for. hits: needed for pointer events alone."""
    row = screen.focused
    if isinstance(row, KeyRow) and row.waiting:
        return _caught(screen, row, event)
    if event.go in (Go.POINT, Go.CLICK):
        return _pointed(screen, event, hits or {})
    if isinstance(row, Field) and event.go in (Go.TEXT, Go.PASTE, Go.RUB, Go.ERASE):
        return _typed(screen, row, event)
    if event.go is Go.BACK:
        return screen, BACK
    if event.go in (Go.LEFT, Go.RIGHT):
        return _sideways(screen, 1 if event.go is Go.RIGHT else -1)
    if event.go is Go.OK:
        return _pressed(screen)
    return _moved(screen, event), None


def _caught(screen: Screen, row: KeyRow, event: Event) -> tuple[Screen, Act | None]:
    """The next key becomes the deed's; escape leaves it as it was."""
    if event.go is Go.BACK:
        return screen.with_row(screen.focus, replace(row, waiting=False)), None
    if event.go is not Go.KEY:
        return screen, None
    return screen.with_row(screen.focus, replace(row, waiting=False)), Act(row.id, event.text)


def _pointed(screen: Screen, event: Event, hits: Hits) -> tuple[Screen, Act | None]:
    for index, (left, top, right, bottom) in hits.items():
        if left <= event.x < right and top <= event.y < bottom and screen.hears(index):
            there = replace(screen, focus=index)
            if event.go is Go.POINT:
                return there, None
            if isinstance(there.focused, Choice):
                return _sideways(there, 1 if event.x >= (left + right) / 2 else -1)
            return _pressed(there)
    return screen, None


def _typed(screen: Screen, row: Field, event: Event) -> tuple[Screen, Act | None]:
    if event.go is Go.RUB:
        value = row.value[:-1]
    elif event.go is Go.ERASE:
        value = ""
    else:
        told = "".join(letter for letter in event.text if letter.isprintable())
        value = (row.value + told)[: row.longest]
    if value == row.value:
        return screen, None
    return screen.with_row(screen.focus, replace(row, value=value)), Act(f"{row.id}:typed", value)


def _sideways(screen: Screen, by: int) -> tuple[Screen, Act | None]:
    row = screen.focused
    if isinstance(row, Choice) and row.options:
        at = (row.at + by) % len(row.options)
        return screen.with_row(screen.focus, replace(row, at=at)), Act(row.id, row.options[at])
    if isinstance(row, Toggle):
        return _pressed(screen)
    return screen, None


def _pressed(screen: Screen) -> tuple[Screen, Act | None]:
    row = screen.focused
    if isinstance(row, Toggle):
        now = replace(row, on=not row.on)
        return screen.with_row(screen.focus, now), Act(row.id, "on" if now.on else "off")
    if isinstance(row, Choice):
        return _sideways(screen, 1)
    if isinstance(row, Field):
        return screen, Act(row.id, row.value)
    if isinstance(row, KeyRow):
        return screen.with_row(screen.focus, replace(row, waiting=True)), None
    return screen, Act(row.id) if row is not None else None


def _moved(screen: Screen, event: Event) -> Screen:
    places = [index for index in range(len(screen.rows)) if screen.hears(index)]
    if not places:
        return screen
    at = places.index(screen.focus) if screen.focus in places else 0
    last = len(places) - 1
    steps = {
        Go.UP: at - 1, Go.PREVIOUS: at - 1, Go.DOWN: at + 1, Go.NEXT: at + 1,
        Go.PAGE_UP: max(at - _PAGE, 0), Go.PAGE_DOWN: min(at + _PAGE, last),
        Go.HOME: 0, Go.END: last,
    }  # fmt: skip
    if event.go is Go.SCROLL:
        to = min(max(at + (1 if event.y > 0 else -1), 0), last)
    else:
        to = steps.get(event.go, at) % len(places)
    return replace(screen, focus=places[to])
