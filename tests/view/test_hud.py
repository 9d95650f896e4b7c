"""Where the HUD's texts stand, and how the picture fits the window."""

from dataclasses import replace

import pytest

from game.view.hud import Chip, Hud, height_of, layout, recording_chip, stream_chip
from game.view.latency import COLOURS, COLUMN, ceiling, equation, paint
from game.view.present import fit
from game.view.screen.theme import HUD_SIZES


def test_an_empty_hud_draws_nothing() -> None:
    assert layout(Hud()) == ()


def test_every_part_is_there_once_and_where_it_belongs() -> None:
    hud = Hud(
        lines=("one", "two"), chips=(Chip("REC", "bad"),), title="Busy", remaining=61.9,
        outcome="failed: collision", speed=44.704, place="7th Avenue", wallet="12 SCALE",
        message="Press W",
    )  # fmt: skip
    found = {block.text: block for block in layout(hud)}
    assert list(found) == ["one", "two", "REC", "Busy   1:01", "failed: collision", "Press W",
                           "12 SCALE", "7th Avenue", "100 mph"]  # fmt: skip
    assert found["one"].row < found["two"].row
    assert (found["REC"].anchor, found["REC"].tone) == (1, "bad")
    assert found["failed: collision"].tone == "bad"


def test_chips_say_how_well_the_stream_is() -> None:
    assert stream_chip("live", 92.4) == Chip("stream 92 ms", "good")
    assert stream_chip("live", 900.0).tone == "warn"
    assert stream_chip("gone", None) == Chip("stream gone", "warn")
    assert recording_chip(False).tone == "warn"


@pytest.mark.parametrize(
    ("picture", "window", "halves"),
    [
        (1.0, 1.0, (1.0, 1.0)),
        (1.0, 2.0, (1.0, 1.0)),
        (1.0, 0.5, (0.5, 0.5)),
        (2.0, 1.0, (1.0, 0.5)),
    ],
)
def test_the_picture_is_as_large_as_fits_and_never_stretched(
    picture: float, window: float, halves: tuple[float, float]
) -> None:
    assert fit(picture, window) == halves
    assert halves[0] / halves[1] == picture


FULL = Hud(
    lines=("goal 120 m away", "style Noir"), chips=(Chip("REC", "bad"),), title="Busy",
    remaining=61.9, speed=20.0, place="West 42nd Street near 7th Avenue", wallet="12 SCALE",
)  # fmt: skip


@pytest.mark.parametrize("size", HUD_SIZES.values())
def test_a_larger_hud_hangs_from_the_top_and_stands_on_the_bottom(size: float) -> None:
    for aspect in (1.0, 16 / 9):
        found = {block.text: block for block in layout(FULL, size, aspect)}
        assert height_of(found["Busy   1:01"].row, size) == pytest.approx(1.0 - 1.15 * 0.058 * size)
        assert all(-1.0 < height_of(block.row, size) < 1.0 for block in found.values())


@pytest.mark.parametrize(
    ("title", "size", "aspect", "apart", "lifted"),
    [
        ("Busy", 1.0, 1.0, False, False),
        ("Ambulance to the East River", 1.0, 1.0, True, False),
        ("Ambulance to the East River", 1.0, 16 / 9, False, False),
        ("Busy", 1.6, 1.0, True, True),
        ("Busy", 1.6, 16 / 9, False, False),
    ],
)
def test_what_does_not_fit_beside_each_other_gets_its_own_line(
    title: str, size: float, aspect: float, apart: bool, lifted: bool
) -> None:
    goal = "120 m ahead, 40 s left"  # as long as such a line may be
    found = {b.text.split("   ")[0]: b for b in
             layout(replace(FULL, title=title, lines=(goal,)), size, aspect)}  # fmt: skip
    assert (found[goal].row > found[title].row) is apart
    street, speed = found["West 42nd Street near 7th Avenue"], found["45 mph"]
    assert (street.row - speed.row > 2.0) is lifted


def test_the_graph_stacks_its_stages_and_never_leaves_its_frame() -> None:
    column = (3.0, 7.0, 20.0, 6.0, 2.0, 1.0)
    picture = paint([column] * 3)
    newest = picture[:, -COLUMN, :3].tolist()
    assert [newest[y] for y in (-1, -30)] == [list(COLOURS[0]), list(COLOURS[2])]
    assert ceiling([column]) == 50.0
    assert (paint([(1e9,) * 6])[:, -COLUMN, 3] == 255).any()
    assert equation(("encode", "uplink", "backend", "downlink", "decode", "show"), column) == (
        "encode 3 + uplink 7 + backend 20 + downlink 6 + decode 2 + show 1 = 39 ms"
    )


def test_the_graph_is_there_only_when_asked_for() -> None:
    shown = layout(Hud(stages=("encode",), graph=((3.0,),)))
    assert any("encode 3 = 3 ms" in block.text for block in shown)
    assert layout(Hud(graph=((3.0,),))) == ()


def test_a_long_message_is_wrapped_into_the_window() -> None:
    (block,) = layout(Hud(message="the stream broke off, connecting again; drive on " * 2))
    assert max(len(line) for line in block.text.split("\n")) <= 44
