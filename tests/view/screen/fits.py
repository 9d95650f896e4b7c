"""Where words end on a canvas, and whether a whole screen stays in its window."""

from game.view.screen.canvas import Canvas, Words, width_of
from game.view.screen.layout import place
from game.view.screen.model import Screen
from game.view.screen.theme import TEXT_SIZES, Theme


def span(mark: Words) -> tuple[float, float]:
    """Left and right end of a text [points]."""
    wide = width_of(mark.text, mark.size)
    left = {-1: mark.x, 0: mark.x - wide / 2, 1: mark.x - wide}[mark.anchor]
    return left, left + wide


def stays_inside(name: str, screen: Screen, canvas: Canvas) -> None:
    """No text of the screen, in any size, leaves the window; the row with the focus can be hit."""
    for text in TEXT_SIZES.values():
        placed = place(screen, canvas, Theme(text=text))
        for mark in placed.marks:
            if isinstance(mark, Words):
                left, right = span(mark)
                assert left >= -0.5, (name, mark)
                assert right <= canvas.width + 0.5, (name, mark)
        if screen.focused is not None:
            assert screen.focus in placed.hits, name
