"""The terminal's letters and the pieces of the broken glass."""

import pytest

from game.view.screen.canvas import Box, Canvas, Sprite
from game.view.screen.shards import area, pose, shatter
from game.view.screen.terminal import LETTERS_S, Line, complete, cursor, revealed, scan, terminal
from game.view.screen.theme import Theme

TARGET = (0.3, 0.2, 0.4, 0.6)


def test_letters_come_in_one_line_after_the_other() -> None:
    lines = [Line("a" * 42, 0.0), Line("b" * 10, 0.0), Line("c", 100.0)]
    assert revealed(lines, 20 / LETTERS_S + 1e-6) == ((lines[0], 20),)
    assert [count for _, count in revealed(lines, 1.0)] == [42, 10]
    assert not complete(lines, 1.0)
    assert complete(lines[:2], 1.0)
    assert [count for _, count in revealed(lines, 0.001, hurry=True)] == [42, 10]


def test_a_calm_terminal_neither_blinks_nor_rolls() -> None:
    canvas, calm = Canvas.of(800, 600), Theme(calm=True)
    assert len({cursor(t / 10, True) for t in range(20)}) == 1
    assert len({cursor(t / 10, False) for t in range(20)}) == 2
    assert scan(canvas, 1.0, calm) == ()
    lines = [Line("one", 0.0)]
    still = [terminal(lines, t, canvas, calm, ("Broadway",)) for t in (5.0, 6.3)]
    assert still[0] == still[1]


def test_scan_lines_cover_the_screen_and_stay_inside() -> None:
    canvas = Canvas.of(1280, 800)
    for now in (0.0, 3.3, 8.9):
        shade, band = scan(canvas, now, Theme())
        assert isinstance(shade, Sprite)
        assert isinstance(band, Box)
        assert band.y >= 0
        assert band.y + band.height <= canvas.height + 1e-6


@pytest.mark.parametrize("seed", range(5))
def test_the_pieces_are_the_whole_screen_before_and_the_whole_target_after(seed: int) -> None:
    pieces = shatter(seed)
    assert 40 < len(pieces) < 120
    assert sum(area(each.corners) for each in pieces) == pytest.approx(1.0, abs=1e-6)
    for piece in pieces:
        begin, end = pose(piece, 0.0, TARGET), pose(piece, 1.0, TARGET)
        assert (begin.x, begin.y) == piece.middle
        assert (begin.turn, begin.wide, begin.high, begin.mix) == (0.0, 1.0, 1.0, 0.0)
        assert end.x == pytest.approx(TARGET[0] + piece.middle[0] * TARGET[2])
        assert end.y == pytest.approx(TARGET[1] + piece.middle[1] * TARGET[3])
        assert (end.turn, end.mix) == (pytest.approx(0.0), pytest.approx(1.0))
        assert (end.wide, end.high) == (pytest.approx(TARGET[2]), pytest.approx(TARGET[3]))


def test_no_piece_jumps() -> None:
    for piece in shatter(3):
        before = pose(piece, 0.0, TARGET)
        for step in range(1, 401):
            now = pose(piece, step / 400, TARGET)
            assert abs(now.x - before.x) + abs(now.y - before.y) < 0.06
            assert abs(now.wide - before.wide) < 0.05
            before = now
