"""What the kiosk shows in each of its states, as marks, and which part of it means what.

Pure: a View and a canvas in, marks and hits out. Buttons are at least 72 points high, for fingers.
"""

from dataclasses import dataclass, field

from game.kiosk.machine import Mode, Sign
from game.view.screen.canvas import LINE, Box, Canvas, Mark, Marks, Sprite, Words, wrapped
from game.view.screen.theme import Palette, Theme

QR = "qr"
"""The sprite of the visitor's code."""
_MARGIN, _GAP = 32.0, 14.0
_TALL, _WIDEST = 72.0, 720.0

CONSENT = (
    "You drive a short run through real Manhattan. The picture is repainted by a model as you go.",
    "If you let us keep your drive, this machine records what you do with the controls and what the"
    " screen shows, without sound and without a camera, and sends it to the host for checking and"
    " for training driving software. It holds no name. At the end you get a code for a clip of your"
    " drive and for its pay.",
    "You may also just drive. Then nothing is kept.",
)


@dataclass(frozen=True, slots=True)
class Card:
    """What a run came to. outcome: one line. code: as it is shown, '' where nothing was kept."""

    title: str
    outcome: str
    seconds: float
    code: str = ""
    link: str = ""


@dataclass(frozen=True, slots=True)
class View:
    """All that a screen may show. focus: which button keys and pads are on. left_s: until it ends.

    notice: one line for the visitor. style: the look that is painted now.
    """

    mode: Mode
    focus: int = -1
    left_s: float = 0.0
    style: str = ""
    notice: str = ""
    card: Card | None = None


@dataclass(slots=True)
class Drawn:
    """marks, and left, top, right, bottom [pt] of what can be touched, in the order of focus."""

    marks: list[Mark] = field(default_factory=list)
    hits: list[tuple[Sign, tuple[float, float, float, float]]] = field(default_factory=list)

    def at(self, x: float, y: float) -> Sign | None:
        """What a touch at a place means, None beside every button."""
        for sign, (left, top, right, bottom) in self.hits:
            if left <= x <= right and top <= y <= bottom:
                return sign
        return None


BUTTONS: dict[Mode, tuple[tuple[Sign, str], ...]] = {
    Mode.CONSENT: (
        (Sign.RECORD, "Drive, and keep my drive"),
        (Sign.PLAY, "Just drive, keep nothing"),
        (Sign.BACK, "Back"),
    ),
    Mode.CLAIM: ((Sign.BACK, "Done"),),
}


def draw(view: View, canvas: Canvas, theme: Theme) -> Drawn:
    """The screen of a view."""
    drawn = Drawn()
    _SCREENS[view.mode](view, canvas, theme, drawn)
    return drawn


def _column(canvas: Canvas) -> tuple[float, float]:
    width = min(canvas.width - 2 * _MARGIN, _WIDEST)
    return (canvas.width - width) / 2, width


def _ground(canvas: Canvas, colours: Palette, drawn: Drawn) -> None:
    red, green, blue, _ = colours.ground
    drawn.marks.append(Box(0, 0, canvas.width, canvas.height, (red, green, blue, 1.0)))


def _text(
    drawn: Drawn, theme: Theme, canvas: Canvas, top: float, text: str, size: float, tone: str
) -> float:
    """Wrapped text from `top` on; returns where it ends."""
    left, width = _column(canvas)
    points = size * theme.text
    for line in wrapped(text, width, points):
        drawn.marks.append(Words(left, top, line, points, theme.tone(tone), bold=size > 20))
        top += points * LINE
    return top + _GAP


def _buttons(view: View, canvas: Canvas, theme: Theme, drawn: Drawn, top: float) -> None:
    left, width = _column(canvas)
    colours, size = theme.colours, 22.0 * theme.text
    for number, (sign, text) in enumerate(BUTTONS[view.mode]):
        y = top + number * (_TALL + _GAP)
        focused = number == view.focus
        fill = colours.focus if focused else colours.panel
        edge = colours.accent if focused else colours.edge
        drawn.marks.append(Box(left, y, width, _TALL, fill, edge, 4.0 if focused else 2.0))
        middle = y + (_TALL - size * LINE) / 2
        drawn.marks.append(
            Words(canvas.width / 2, middle, text, size, colours.ink, anchor=0, bold=focused)
        )
        drawn.hits.append((sign, (left, y, left + width, y + _TALL)))


def _attract(view: View, canvas: Canvas, theme: Theme, drawn: Drawn) -> None:
    colours = theme.colours
    red, green, blue, _ = colours.ground
    high = 132.0
    drawn.marks.append(Box(0, canvas.height - high, canvas.width, high, (red, green, blue, 0.82)))
    centre, low = canvas.width / 2, canvas.height - high
    drawn.marks.append(
        Words(
            centre, low + 16, "Touch to drive", 40 * min(theme.text, 1.25), colours.accent, 0, True
        )
    )
    told = "real Manhattan, repainted as you go"
    told += f" - now: {view.style}" if view.style else ""
    drawn.marks.append(Words(centre, low + 84, told, 16, colours.ink, 0))
    drawn.hits.append((Sign.TOUCH, (0.0, 0.0, canvas.width, canvas.height)))


def _consent(view: View, canvas: Canvas, theme: Theme, drawn: Drawn) -> None:
    buttons = canvas.height - len(BUTTONS[view.mode]) * (_TALL + _GAP) - _MARGIN / 2
    for share in (1.4, 1.2, 1.0, 0.9, 0.8, 0.7, 0.6):  # as large as there is room for
        drawn.marks.clear()
        _ground(canvas, theme.colours, drawn)
        top = _text(drawn, theme, canvas, _MARGIN, "Drive Manhattan", 30 * share, "accent")
        for part in CONSENT:
            top = _text(drawn, theme, canvas, top, part, 15 * share, "plain")
        if top <= buttons:
            break
    _buttons(view, canvas, theme, drawn, buttons)


def _driving(view: View, canvas: Canvas, theme: Theme, drawn: Drawn) -> None:
    colours = theme.colours
    width = min(360.0, canvas.width * 0.4)
    left, top = (canvas.width - width) / 2, canvas.height - 82  # the street's name is below
    red, green, blue, _ = colours.ground
    drawn.marks.append(Box(left - 8, top - 30, width + 16, 52, (red, green, blue, 0.7)))
    told = view.notice or f"{max(0, int(view.left_s))} s left"
    tone = "warn" if view.notice else "plain"
    drawn.marks.append(Words(canvas.width / 2, top - 24, told, 15, theme.tone(tone), 0))


def _ending(view: View, canvas: Canvas, theme: Theme, drawn: Drawn) -> None:
    _ground(canvas, theme.colours, drawn)
    _text(drawn, theme, canvas, canvas.height * 0.4, "One moment", 30, "accent")


def _claim(view: View, canvas: Canvas, theme: Theme, drawn: Drawn) -> None:
    _ground(canvas, theme.colours, drawn)
    card = view.card or Card("", "", 0.0)
    top = _text(drawn, theme, canvas, _MARGIN, card.outcome, 30, "accent")
    what = f"{card.title}, {card.seconds:.0f} s" if card.title else ""
    top = _text(drawn, theme, canvas, top, what, 16, "plain")
    bottom = canvas.height - _TALL - _MARGIN
    if card.code:
        top = _text(drawn, theme, canvas, top, _HOW, 15, "plain")
        side = max(140.0, min(bottom - top - 56, 320.0))
        drawn.marks.append(Sprite((canvas.width - side) / 2, top, side, side, QR))
        under = f"{card.link}   {card.code}"
        size = min(15.0, 15.0 * (canvas.width - 2 * _MARGIN) / (len(under) * 9.1))
        drawn.marks.append(
            Words(canvas.width / 2, top + side + 10, under, size, theme.colours.ink, 0)
        )
    else:
        _text(drawn, theme, canvas, top, "Nothing of this drive was kept.", 16, "plain")
    left = f"This screen goes in {max(0, int(view.left_s))} s"
    drawn.marks.append(Words(canvas.width / 2, bottom - 24, left, 12.5, theme.colours.dim, 0))
    _buttons(view, canvas, theme, drawn, bottom)


_HOW = (
    "Photograph this code: it is shown once. It gives you the clip of your drive, and lets you say"
    " where the drive is to be paid to."
)


def _reset(view: View, canvas: Canvas, theme: Theme, drawn: Drawn) -> None:
    _ground(canvas, theme.colours, drawn)
    _text(drawn, theme, canvas, canvas.height * 0.4, "Ready in a moment", 30, "accent")


def _closed(view: View, canvas: Canvas, theme: Theme, drawn: Drawn) -> None:
    _ground(canvas, theme.colours, drawn)
    top = _text(drawn, theme, canvas, canvas.height * 0.35, "Closed", 30, "accent")
    _text(drawn, theme, canvas, top, "The staff will open it again.", 18, "plain")


_SCREENS = {
    Mode.ATTRACT: _attract,
    Mode.CONSENT: _consent,
    Mode.DRIVING: _driving,
    Mode.ENDING: _ending,
    Mode.CLAIM: _claim,
    Mode.RESET: _reset,
    Mode.CLOSED: _closed,
}


def marks(drawn: Drawn) -> Marks:
    """What was drawn, as the paper takes it."""
    return tuple(drawn.marks)
