"""Where everything of a screen stands on a canvas: marks to draw, and where each row can be hit.

Pure. Rows that do not fit scroll, so that the row with the focus is always seen whole.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

from game.view.screen.canvas import (
    LINE,
    Box,
    Canvas,
    Mark,
    Marks,
    Sprite,
    Words,
    clipped,
    clipped_left,
    width_of,
    wrapped,
)
from game.view.screen.model import (
    Bar,
    Button,
    Choice,
    Field,
    Image,
    KeyRow,
    Note,
    Row,
    Screen,
    Toggle,
)
from game.view.screen.theme import Theme

BODY, TITLE, SMALL = 15.0, 26.0, 12.5
"""Sizes of letters [pt] before the theme's factor."""
_MARGIN, _PAD, _GAP = 28.0, 10.0, 5.0
_SHRINK = (1.0, 0.9, 0.8)
_NARROW, _WIDE = 640.0, 1500.0
_STACKED = 420.0
"""Narrower than this, at normal letters, what is told at the side stands below instead."""
_SHARES = (0.54, 0.6, 0.66)
_SHRUNK = (0.9, 0.8, 0.7, 0.6, 0.5)


@dataclass(frozen=True, slots=True)
class Placed:
    """marks: to draw, in their order. hits: row index to left, top, right, bottom [pt]."""

    marks: Marks
    hits: dict[int, tuple[float, float, float, float]]


@dataclass(frozen=True, slots=True)
class _Pen:
    """What rows are drawn with: the theme, a column, and whether the focus is on the row."""

    theme: Theme
    left: float
    width: float
    focused: bool = False

    def size(self, points: float) -> float:
        return points * self.theme.text

    @property
    def inner(self) -> float:
        return self.width - 2 * _PAD


def place(screen: Screen, canvas: Canvas, theme: Theme, behind: bool = True) -> Placed:
    """Lay a screen out. behind: darken what is behind the panel."""
    colours = theme.colours
    marks: list[Mark] = []
    if behind:
        marks.append(Box(0, 0, canvas.width, canvas.height, colours.ground))
    width = min(canvas.width - 2 * _MARGIN, _WIDE if screen.wide or screen.aside else _NARROW)
    left = (canvas.width - width) / 2
    title, small = TITLE * theme.text, SMALL * theme.text
    title = min(title, 0.97 * width / max(width_of(screen.title, 1.0), 1.0))
    marks.append(Words(left, _MARGIN, screen.title, title, colours.accent, bold=True))
    top = _MARGIN + title * LINE + 4
    marks.append(Box(left, top, width, 1.5, colours.edge))
    top += 12
    foot = _foot(screen.foot, width, small)
    bottom = canvas.height - _MARGIN - len(foot) * small * LINE
    for number, line in enumerate(foot):
        y = bottom + number * small * LINE + 6
        marks.append(Words(left, y, line, small, colours.dim))
    if not screen.aside:
        hits = _column(screen, theme, (left, top, width, bottom), marks)
        return Placed(tuple(marks), hits)
    if width / theme.text < _STACKED:
        middle = top + (bottom - top) * 0.6
        hits = _column(screen, theme, (left, top, width, middle), marks)
        marks.append(Box(left, middle + 6, width, 1.5, colours.edge))
        _aside(screen.aside, _Pen(theme, left, width), middle + 14, bottom, marks)
        return Placed(tuple(marks), hits)
    share = width * _share(screen, theme, width)
    hits = _column(screen, theme, (left, top, share, bottom), marks)
    beside = left + share + 22
    marks.append(Box(beside - 12, top, 1.5, bottom - top, colours.edge))
    _aside(screen.aside, _Pen(theme, beside, left + width - beside), top, bottom, marks)
    return Placed(tuple(marks), hits)


def _share(screen: Screen, theme: Theme, width: float) -> float:
    """How much of the width the rows take beside what is told at the side: as they need."""
    told = [row for row in screen.rows if isinstance(row, Button) and row.detail]
    for share in _SHARES:
        pen = _Pen(theme, 0.0, width * share)
        if all(_fits(row, pen) for row in told):
            return share
    return _SHARES[-1]


def _foot(text: str, width: float, size: float) -> tuple[str, ...]:
    """The line at the foot, broken between what it names and not within."""
    lines: list[str] = []
    for part in text.split("   ") if text else ():
        longer = f"{lines[-1]}   {part}" if lines else part
        if lines and width_of(longer, size) <= width:
            lines[-1] = longer
        else:
            lines += wrapped(part, width, size)
    return tuple(lines)


def _readable(screen: Screen, theme: Theme, width: float, room: float) -> Theme:
    """Letters small enough that what stands above the first row to choose can be seen with it:
    nothing scrolls there by itself.
    """
    first = next((n for n in range(len(screen.rows)) if screen.hears(n)), 0)
    for share in (1.0, *_SHRUNK):
        pen = _Pen(replace(theme, text=theme.text * share), 0.0, width)
        heights = [_height(row, pen) + _GAP for row in screen.rows]
        if window_of(heights, room, first)[0] == 0:
            return pen.theme
    return pen.theme


def _column(
    screen: Screen, theme: Theme, room: tuple[float, float, float, float], marks: list[Mark]
) -> dict[int, tuple[float, float, float, float]]:
    """The rows themselves; returns where they were drawn."""
    left, top, width, bottom = room
    theme = _readable(screen, theme, width, bottom - top)
    heights = [_height(row, _Pen(theme, left, width)) + _GAP for row in screen.rows]
    first, last = window_of(heights, bottom - top, screen.focus)
    colours, hits = theme.colours, {}
    y = top
    for index in range(first, last):
        pen = _Pen(theme, left, width, focused=index == screen.focus)
        marks += _draw(screen.rows[index], pen, y)
        if screen.hears(index):
            hits[index] = (left, y, left + width, y + heights[index] - _GAP)
        y += heights[index]
    size = SMALL * theme.text
    if first > 0:
        marks.append(Words(left + width - 4, top - 11, "▲ more", size * 0.8, colours.accent, 1))
    if last < len(screen.rows):
        y = bottom - size * 0.6
        marks.append(Words(left + width - 4, y, "▼ more", size * 0.8, colours.accent, 1))
    return hits


def window_of(heights: Sequence[float], room: float, focus: int) -> tuple[int, int]:
    """First row and the one after the last that fit `room` with row `focus` among them."""
    count = len(heights)
    if sum(heights) <= room:
        return 0, count
    focus = min(max(focus, 0), count - 1)
    first = last = focus
    used = heights[focus] if heights else 0.0
    last = min(last + 1, count)
    for index in range(focus + 1, min(focus + 3, count)):  # a little of what comes next
        if used + heights[index] > room:
            break
        used += heights[index]
        last = index + 1
    while first > 0 and used + heights[first - 1] <= room:
        first -= 1
        used += heights[first]
    while last < count and used + heights[last] <= room:
        used += heights[last]
        last += 1
    return first, last


def _aside(rows: tuple[Row, ...], pen: _Pen, top: float, bottom: float, marks: list[Mark]) -> None:
    usual, y = pen.theme, top
    for share in _SHRINK:  # a long text is rather small than cut
        pen = replace(pen, theme=replace(usual, text=usual.text * share))
        if sum(_height(row, pen) + _GAP for row in rows) <= bottom - top:
            break
    for row in rows:
        tall = _height(row, pen) + _GAP
        if y + tall > bottom:
            if isinstance(row, Note):
                size = pen.size(BODY)
                marks += _note(row, pen, y)[: max(0, int((bottom - y) / (size * LINE)))]
            return
        marks += _draw(row, pen, y)
        y += tall


def _height(row: Row, pen: _Pen) -> float:
    body, small = pen.size(BODY) * LINE, pen.size(SMALL) * LINE
    if isinstance(row, Note):
        size = pen.size(BODY)
        return len(wrapped(row.text, pen.inner, size)) * size * LINE if row.text else body * 0.5
    if isinstance(row, Image):
        return row.height + 4
    if isinstance(row, Bar):
        return body + 12 + len(_under(row, pen)) * small
    tall = body + _PAD
    if isinstance(row, Button):
        return tall + (len(_name(row, pen)) - 1) * body + len(_below(row, pen)) * small
    if isinstance(row, Field):
        return tall + body + len(_advice(row, pen)) * small + 4
    return tall + len(_setting_lines(row, pen)) * body + len(_hint(row, pen)) * small


def _name(row: Button, pen: _Pen) -> tuple[str, ...]:
    return wrapped(row.text, pen.inner, pen.size(BODY))


def _fits(row: Button, pen: _Pen) -> bool:
    """Whether the detail has room beside the name."""
    name, detail = width_of(row.text, pen.size(BODY)), width_of(row.detail, pen.size(SMALL))
    return name + 14 + detail <= pen.inner


def _below(row: Button, pen: _Pen) -> list[str]:
    lines = row.lines if not row.detail or _fits(row, pen) else (row.detail, *row.lines)
    return [part for line in lines for part in wrapped(line, pen.inner, pen.size(SMALL))]


def _under(row: Bar, pen: _Pen) -> tuple[str, ...]:
    """The detail of a bar that has no room beside its name."""
    size = pen.size(SMALL)
    beside = width_of(row.text, size) + 12 + width_of(row.detail, size) <= pen.inner
    return () if beside or not row.detail else wrapped(row.detail, pen.inner, size)


def _value(row: Toggle | Choice | KeyRow) -> str:
    if isinstance(row, Toggle):
        return "[■] on " if row.on else "[ ] off"
    if isinstance(row, Choice):
        return f"◀ {row.options[row.at]} ▶" if row.options else ""
    return "press a key…" if row.waiting else "  ".join(row.keys) or "(none)"


def _setting_lines(row: Toggle | Choice | KeyRow, pen: _Pen) -> tuple[str, ...]:
    """The value of a setting that has no room beside its name: a line of its own."""
    size = pen.size(BODY)
    beside = width_of(row.text, size) + 14 + width_of(_value(row), size) <= pen.inner
    return () if beside else (clipped(_value(row), pen.inner, size),)


def _advice(row: Field, pen: _Pen) -> tuple[str, ...]:
    return wrapped(row.advice, pen.inner, pen.size(SMALL)) if row.advice else ()


def _hint(row: Toggle | Choice | KeyRow, pen: _Pen) -> tuple[str, ...]:
    """A hint is only unfolded under the row that has the focus, its room is always kept."""
    return wrapped(row.hint, pen.inner, pen.size(SMALL)) if row.hint else ()


def _draw(row: Row, pen: _Pen, y: float) -> list[Mark]:
    drawers: dict[type, Callable[..., list[Mark]]] = {
        Note: _note, Bar: _bar, Image: _image, Button: _button, Toggle: _setting,
        Choice: _setting, KeyRow: _setting, Field: _field,
    }  # fmt: skip
    return drawers[type(row)](row, pen, y)


def _note(row: Note, pen: _Pen, y: float) -> list[Mark]:
    size = pen.size(BODY)
    colour = pen.theme.tone(row.tone)
    return [
        Words(pen.left + _PAD, y + n * size * LINE, line, size, colour, bold=row.bold)
        for n, line in enumerate(wrapped(row.text, pen.inner, size))
        if line
    ]


def _image(row: Image, pen: _Pen, y: float) -> list[Mark]:
    wide = min(row.height * row.ratio, pen.inner)
    return [Sprite(pen.left + _PAD, y, wide, wide / row.ratio, row.name, row.version)]


def _bar(row: Bar, pen: _Pen, y: float) -> list[Mark]:
    size, colours = pen.size(SMALL), pen.theme.colours
    low = y + pen.size(BODY) * LINE
    share = min(max(row.share, 0.0), 1.0)
    right = pen.left + pen.width - _PAD
    under = _under(row, pen)
    detail = "" if under else row.detail
    marks: list[Mark] = [
        Words(pen.left + _PAD, y, clipped(row.text, pen.inner, size), size, colours.ink),
        Box(pen.left + _PAD, low, pen.inner, 8, colours.panel, colours.edge),
        Box(pen.left + _PAD, low, pen.inner * share, 8, pen.theme.tone(row.tone)),
    ]
    if detail:
        marks.append(Words(right, y, detail, size, colours.dim, 1))
    for number, line in enumerate(under):
        below = low + 10 + number * size * LINE
        marks.append(Words(pen.left + _PAD, below, line, size, colours.dim))
    return marks


def _plate(pen: _Pen, y: float, tall: float) -> list[Mark]:
    """The panel of a row; the one with the focus is lighter, framed, and has an arrow."""
    colours = pen.theme.colours
    fill = colours.focus if pen.focused else colours.panel
    out: list[Mark] = [
        Box(pen.left, y, pen.width, tall, fill, colours.accent if pen.focused else None)
    ]
    if pen.focused:
        out.append(Box(pen.left, y, 4, tall, colours.accent))
    return out


def _button(row: Button, pen: _Pen, y: float) -> list[Mark]:
    size, small, colours = pen.size(BODY), pen.size(SMALL), pen.theme.colours
    marks = _plate(pen, y, _height(row, pen))
    ink = pen.theme.tone(row.tone) if row.enabled else colours.dim
    base = y + _PAD / 2
    for number, line in enumerate(_name(row, pen)):
        high = base + number * size * LINE
        marks.append(Words(pen.left + _PAD, high, line, size, ink, bold=pen.focused))
    if row.detail and _fits(row, pen):
        at = pen.left + pen.width - _PAD
        marks.append(Words(at, base + (size - small), row.detail, small, colours.dim, 1))
    base += len(_name(row, pen)) * size * LINE
    for number, line in enumerate(_below(row, pen)):
        low = base + number * small * LINE
        marks.append(Words(pen.left + _PAD, low, line, small, colours.dim))
    return marks


def _setting(row: Toggle | Choice | KeyRow, pen: _Pen, y: float) -> list[Mark]:
    size, small, colours = pen.size(BODY), pen.size(SMALL), pen.theme.colours
    marks = _plate(pen, y, _height(row, pen))
    base = y + _PAD / 2
    tone = colours.ink
    if isinstance(row, Toggle):
        tone = colours.accent if row.on else colours.dim
    elif isinstance(row, KeyRow) and row.waiting:
        tone = colours.warn
    own = _setting_lines(row, pen)
    name = clipped(row.text, pen.inner, size)
    marks.append(Words(pen.left + _PAD, base, name, size, colours.ink, bold=pen.focused))
    base += len(own) * size * LINE
    value = own[0] if own else _value(row)
    marks.append(Words(pen.left + pen.width - _PAD, base, value, size, tone, 1))
    for number, line in enumerate(_hint(row, pen)):
        low = base + size * LINE + number * small * LINE
        marks.append(Words(pen.left + _PAD, low, line, small, colours.dim))
    return marks


def _field(row: Field, pen: _Pen, y: float) -> list[Mark]:
    size, small, colours = pen.size(BODY), pen.size(SMALL), pen.theme.colours
    marks = _plate(pen, y, _height(row, pen))
    base = y + _PAD / 2
    marks.append(Words(pen.left + _PAD, base, row.text, small, colours.dim))
    low = base + small * LINE
    shown = "•" * len(row.value) if row.secret else row.value
    cursor = "█" if pen.focused else ""
    if shown or not row.ghost:
        line, ink = clipped_left(shown + cursor, pen.inner, size), colours.ink
    else:
        line, ink = clipped(cursor + row.ghost, pen.inner, size), colours.dim
    marks.append(Box(pen.left + _PAD, low + size * LINE, pen.inner, 1.0, colours.edge))
    marks.append(Words(pen.left + _PAD, low, line, size, ink))
    for number, text in enumerate(_advice(row, pen)):
        under = low + size * LINE + 4 + number * small * LINE
        marks.append(Words(pen.left + _PAD, under, text, small, pen.theme.tone(row.tone)))
    return marks
