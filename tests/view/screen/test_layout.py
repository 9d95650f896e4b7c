"""Where rows stand: inside the window at every size of it and of the letters."""

import itertools

import pytest

from game.view.screen.canvas import (
    Box,
    Canvas,
    Words,
    clipped,
    clipped_left,
    width_of,
    wrapped,
)
from game.view.screen.layout import place, window_of
from game.view.screen.model import Bar, Button, Choice, Field, KeyRow, Note, Screen, Toggle
from game.view.screen.theme import PALETTES, TEXT_SIZES, Theme, contrast
from tests.view.screen.fits import span

SIZES = [(480, 480), (800, 600), (1280, 800), (1920, 1080), (600, 1200)]


def long_screen(focus: int = -1, aside: bool = False) -> Screen:
    rows = (
        Note("A long explanation that has to wrap because no window is as wide as it is. " * 3),
        *(Button(f"b{n}", f"Button {n}", "detail", ("what it does, in a line",)) for n in range(9)),
        Toggle("t", "Toggle", True, "a hint"),
        Choice("c", "Choice", ("one", "a longer option than the others"), 1),
        Field("f", "Field", "x" * 90, advice="something is wrong with it and here is what"),
        KeyRow("k", "Key", ("a", "arrow_left")),
        Bar("uploading", 0.4, "3 of 8 MB"),
    )
    beside = (Note("beside"), Note("text " * 60)) if aside else ()
    return Screen("Title", rows, focus, aside=beside, foot="how to go on " * 6)


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("text", TEXT_SIZES.values())
@pytest.mark.parametrize("aside", [False, True])
def test_nothing_leaves_the_window(size: tuple[int, int], text: float, aside: bool) -> None:
    canvas = Canvas.of(*size)
    for focus in (1, 9, 13):
        marks = place(long_screen(focus, aside), canvas, Theme(text=text)).marks
        for mark in marks:
            if isinstance(mark, Words):
                left, right = span(mark)
                assert left >= -0.5, mark
                assert right <= canvas.width + 0.5, mark
                assert 0 <= mark.y <= canvas.height, mark
            elif isinstance(mark, Box):
                assert mark.x + mark.width <= canvas.width + 0.5
                assert mark.y + mark.height <= canvas.height + 0.5


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("text", TEXT_SIZES.values())
def test_the_row_with_the_focus_is_always_seen(size: tuple[int, int], text: float) -> None:
    canvas = Canvas.of(*size)
    screen = long_screen()
    for focus in range(len(screen.rows)):
        if screen.hears(focus):
            assert focus in place(long_screen(focus), canvas, Theme(text=text)).hits


def test_rows_do_not_lie_on_each_other() -> None:
    hits = place(long_screen(1), Canvas.of(1280, 800), Theme()).hits
    ends = sorted((top, bottom) for _, top, _, bottom in hits.values())
    assert all(one[1] <= other[0] for one, other in itertools.pairwise(ends))


def test_the_window_of_rows_holds_the_focus_and_as_many_as_fit() -> None:
    assert window_of([10] * 5, 50, 3) == (0, 5)
    assert window_of([10] * 5, 20, 0) == (0, 2)
    assert window_of([10] * 5, 20, 4) == (3, 5)
    assert window_of([], 20, -1) == (0, 0)


def test_text_is_wrapped_and_cut_to_a_width() -> None:
    lines = wrapped("one two three\nfour", width_of("one two", 10.0) + 0.1, 10.0)
    assert lines == ("one two", "three", "four")
    assert clipped("abcdef", width_of("abcd", 10) + 0.1, 10) == "abc…"
    assert clipped_left("abcdef", width_of("abcd", 10) + 0.1, 10) == "…def"
    assert clipped("ab", 1000, 10) == "ab"


@pytest.mark.parametrize("name", PALETTES)
def test_every_palette_can_be_read(name: str) -> None:
    colours = PALETTES[name]
    for ground in (colours.ground, colours.panel, colours.focus):
        assert contrast(colours.ink, ground) >= 7.0
        for tone in ("dim", "accent", "good", "warn", "bad"):
            assert contrast(getattr(colours, tone), ground) >= 4.5, tone


def test_contrast_is_that_of_wcag() -> None:
    white, black, grey = (1.0, 1.0, 1.0, 1.0), (0.0, 0.0, 0.0, 1.0), (0.4667,) * 3 + (1.0,)
    assert contrast(white, black) == pytest.approx(21.0)
    assert contrast(grey, white) == pytest.approx(4.48, abs=0.01)  # the known #777777


def test_a_long_text_at_the_side_gets_smaller_before_it_is_cut() -> None:
    text = "word " * 80
    screen = Screen("T", (Button("a", "A"),), aside=(Note(text), Note("the end")))
    marks = place(screen, Canvas.of(480, 480), Theme()).marks
    said = [mark.text for mark in marks if isinstance(mark, Words)]
    assert "the end" in said
    sizes = {mark.size for mark in marks if isinstance(mark, Words) and mark.text == "the end"}
    assert sizes < {12.0, 13.5}
