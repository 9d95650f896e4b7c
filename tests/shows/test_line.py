"""The picture of the architecture names what there is."""

import importlib.util
from xml.etree.ElementTree import fromstring

import pytest

from tests.shows.line import ARROWS, BOXES, PICTURE, Box, draw


def test_the_committed_picture_is_the_one_that_is_drawn() -> None:
    assert PICTURE.read_text(encoding="utf-8") == draw(), "python -m tests.shows.line draws it anew"
    fromstring(draw())


@pytest.mark.parametrize("box", BOXES, ids=lambda box: box.title)
def test_every_box_names_a_module(box: Box) -> None:
    assert importlib.util.find_spec(box.module), box.module


def test_every_box_is_on_the_line() -> None:
    titles = [box.title for box in BOXES]
    assert len(set(titles)) == len(titles)
    ends = {arrow.start for arrow in ARROWS} | {arrow.end for arrow in ARROWS}
    assert ends == set(titles)
