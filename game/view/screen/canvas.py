"""What a screen is drawn with: marks on a canvas in points, the same at every size of window.

Pure: knows no library, no device, no clock. `paper` draws what is made here.
"""

import textwrap
from dataclasses import dataclass

LEAST_WIDTH, LEAST_HEIGHT = 800.0, 600.0
"""A window is at least so many points wide and high, however many pixels that is."""
SMALL_WIDTH, SMALL_HEIGHT, SMALL_SCALE = 560.0, 480.0, 0.85
"""A small one is given fewer, so that its letters can still be read."""

ADVANCE = 1233.0 / 2048.0
"""Width of every letter of the screens' font (DejaVu Sans Mono) in its size."""

LINE = 1.45
"""Distance of two lines of text, in its size."""

Colour = tuple[float, float, float, float]
"""Red, green, blue, opacity, 0 to 1."""


@dataclass(frozen=True, slots=True)
class Canvas:
    """The window in points. scale: pixels of a point."""

    width: float
    height: float
    scale: float

    @classmethod
    def of(cls, width: int, height: int) -> "Canvas":
        """The canvas of a window of this size [px]."""
        small = min(SMALL_SCALE, width / SMALL_WIDTH, height / SMALL_HEIGHT)
        scale = max(min(width / LEAST_WIDTH, height / LEAST_HEIGHT), small, 1e-3)
        return cls(width / scale, height / scale, scale)

    def points(self, x: float, y: float) -> tuple[float, float]:
        """A place in pixels, from the top left, as points."""
        return x / self.scale, y / self.scale


@dataclass(frozen=True, slots=True)
class Box:
    """A filled rectangle, its top left at x, y [pt]; with `edge` a frame of `line` points."""

    x: float
    y: float
    width: float
    height: float
    fill: Colour
    edge: Colour | None = None
    line: float = 1.5


@dataclass(frozen=True, slots=True)
class Words:
    """One line of text in letters of `size` points. y is its top; anchor: -1 left, 0, 1 right."""

    x: float
    y: float
    text: str
    size: float
    colour: Colour
    anchor: int = -1
    bold: bool = False


@dataclass(frozen=True, slots=True)
class Stroke:
    """A line through points [pt], `width` wide."""

    points: tuple[tuple[float, float], ...]
    width: float
    colour: Colour
    closed: bool = False


@dataclass(frozen=True, slots=True)
class Sprite:
    """A picture that the paper was given under `name`. version: another one means a new upload."""

    x: float
    y: float
    width: float
    height: float
    name: str
    version: int = 0
    colour: Colour = (1.0, 1.0, 1.0, 1.0)


Segment = tuple[float, float, float, float]
"""A straight line from one place to another [pt]."""


@dataclass(frozen=True, slots=True)
class Lines:
    """Many straight lines of one width and colour."""

    segments: tuple[Segment, ...]
    width: float
    colour: Colour


Mark = Box | Words | Stroke | Sprite | Lines
Marks = tuple[Mark, ...]


def width_of(text: str, size: float) -> float:
    """Width of one line of text [pt]."""
    return len(text) * ADVANCE * size


def letters(width: float, size: float) -> int:
    """How many letters fit into a width, at least one."""
    return max(1, int(width / (ADVANCE * size)))


def wrapped(text: str, width: float, size: float) -> tuple[str, ...]:
    """The lines of a text that is not to be wider than `width` [pt]; line breaks stay."""
    fit = letters(width, size)
    lines: list[str] = []
    for part in text.split("\n"):
        lines += textwrap.wrap(part, fit, break_long_words=True) or [""]
    return tuple(lines)


def clipped(text: str, width: float, size: float) -> str:
    """The text cut to a width, with an ellipsis where something was cut off."""
    fit = letters(width, size)
    return text if len(text) <= fit else text[: fit - 1] + "…"


def clipped_left(text: str, width: float, size: float) -> str:
    """The same with the beginning cut off: of a field, the end is what is being typed."""
    fit = letters(width, size)
    return text if len(text) <= fit else "…" + text[len(text) - fit + 1 :]
