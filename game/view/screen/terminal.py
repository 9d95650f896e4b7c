"""The terminal of the opening: lines that come in letter by letter, a cursor, a falling cascade.

Pure: seconds since the start go in, marks come out. Monochrome; states are words, not colours.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from game.view.screen.canvas import (
    LINE,
    Box,
    Canvas,
    Colour,
    Mark,
    Marks,
    Sprite,
    Words,
    clipped,
    width_of,
)
from game.view.screen.theme import Theme

SIZE = 13.5
LETTERS_S = 420.0
"""So many letters a second come in."""
BLINK_S = 0.53
SCAN = "scan lines"
"""Name of the picture that the paper has to hold for the scan lines."""
_LEFT, _TOP = 26.0, 22.0
_DROPS, _DROP_S = 9, 0.11


@dataclass(frozen=True, slots=True)
class Line:
    """One line of the terminal, known since second `at`. bright: worth reading twice."""

    text: str
    at: float
    bright: bool = False


def revealed(
    lines: Sequence[Line], now: float, hurry: bool = False
) -> tuple[tuple[Line, int], ...]:
    """The lines that have begun by now, each with how many of its letters are there.

    Each line begins when it is known and the one before it is complete. hurry: all at once.
    """
    out, free = [], 0.0
    for line in lines:
        begin = max(free, line.at)
        if begin > now:
            break
        count = len(line.text) if hurry else int((now - begin) * LETTERS_S)
        out.append((line, min(len(line.text), count)))
        free = begin + (0.0 if hurry else (len(line.text) + 12) / LETTERS_S)
        if not hurry and free > now:
            break
    return tuple(out)


def complete(lines: Sequence[Line], now: float, hurry: bool = False) -> bool:
    """Whether every letter of every line is there."""
    seen = revealed(lines, now, hurry)
    return len(seen) == len(lines) and (not seen or seen[-1][1] == len(seen[-1][0].text))


def cursor(now: float, calm: bool) -> str:
    """A block that blinks about once a second; a calm one stands still."""
    return "█" if calm or int(now / BLINK_S) % 2 == 0 else " "


def terminal(
    lines: Sequence[Line], now: float, canvas: Canvas, theme: Theme,
    falling: Sequence[str] = (), hurry: bool = False, room: float = 0.0,
) -> Marks:  # fmt: skip
    """The terminal's picture. falling: words of the cascade. room: kept free at the bottom [pt]."""
    ink = theme.colours.accent
    dim: Colour = (*theme.colours.dim[:3], 0.9)
    marks: list[Mark] = [Box(0, 0, canvas.width, canvas.height, (*theme.colours.ground[:3], 1.0))]
    written: list[Words] = []
    size = SIZE * theme.text
    step = size * LINE
    fit = max(1, int((canvas.height - 2 * _TOP - room) / step))
    seen = revealed(lines, now, hurry)
    for row, (line, count) in enumerate(seen[-fit:]):
        text = line.text[:count]
        last = row == min(len(seen), fit) - 1
        if last and room == 0.0:
            text += cursor(now, theme.calm)
        text = clipped(text, canvas.width - 2 * _LEFT, size)
        if text:
            colour = ink if line.bright else dim
            written.append(Words(_LEFT, _TOP + row * step, text, size, colour, bold=line.bright))
    drops = (drop for drop in _cascade(falling, now, canvas, theme) if not _under(drop, written))
    return (*marks, *drops, *written)


def _under(drop: Words, written: Sequence[Words]) -> bool:
    """Whether a falling word would stand under what is to be read."""
    left = drop.x - width_of(drop.text, drop.size)
    return any(
        abs(line.y - drop.y) < drop.size and line.x + width_of(line.text, line.size) > left
        for line in written
    )


def scan(canvas: Canvas, now: float, theme: Theme) -> Marks:
    """Scan lines over everything, and the bright band of a tube that rolls slowly down."""
    if theme.calm:
        return ()
    shade = Sprite(0, 0, canvas.width, canvas.height, SCAN, colour=(1.0, 1.0, 1.0, 0.55))
    tall = canvas.height * 0.18
    y = (now * 90.0) % (canvas.height + tall) - tall
    top, low = max(0.0, y), min(canvas.height, y + tall)
    band = Box(0, top, canvas.width, max(0.0, low - top), (*theme.colours.accent[:3], 0.025))
    return (shade, band)


def _cascade(falling: Sequence[str], now: float, canvas: Canvas, theme: Theme) -> list[Words]:
    """Columns of words that fall behind the lines, brightest at their heads."""
    if not falling or theme.calm:
        return []
    size = SIZE * 0.86
    step = size * LINE
    rows = int(canvas.height / step)
    colour = theme.colours.accent
    marks: list[Words] = []
    columns = max(1, int(canvas.width * 0.42 / 150.0))
    for column in range(columns):
        x = canvas.width - 8.0 - column * 150.0
        head = int(now / _DROP_S * (1.0 + 0.23 * (column % 3))) + column * 13
        for back in range(_DROPS):
            at = head - back
            row = at % (rows + _DROPS)
            if row >= rows or at < 0:
                continue
            word = clipped(falling[(at * 7 + column * 31) % len(falling)], 140.0, size)
            fade = 0.34 * (1.0 - back / _DROPS)
            marks.append(Words(x, row * step, word, size, (*colour[:3], fade), 1))
    return marks
