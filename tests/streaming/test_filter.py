"""The filter backend: vivid and deterministic, and edges stay where they were."""

import numpy as np
import pytest

from streaming.backends.filter import STYLES, Filter, style_of
from streaming.backends.table import NAMES, make
from streaming.errors import BackendUnknown


def street() -> np.ndarray:
    y, x = np.mgrid[0:480, 0:480]
    picture = np.full((480, 480, 4), 255, np.uint8)
    for channel, base in enumerate((200, 180, 140)):
        plane = np.where(y < 200, base - y // 4, 90)
        for i, at in enumerate(range(20, 460, 55)):
            plane = np.where(
                (x > at) & (x < at + 40) & (y > 60 + 9 * i) & (y < 220), 40 + 18 * i, plane
            )
        picture[..., channel] = plane
    return picture


def edges(picture: np.ndarray) -> np.ndarray:
    luma = picture[..., :3].astype(float) @ [0.114, 0.587, 0.299]
    return np.abs(np.diff(luma, axis=1))[:-1] + np.abs(np.diff(luma, axis=0))[:, :-1]


@pytest.mark.parametrize("style", STYLES)
def test_edges_stay_where_they_were(style: str) -> None:
    before, after = edges(street()), edges(Filter().style(street(), "", 0, style))
    strong = before > 20
    assert np.corrcoef(before.ravel(), after.ravel())[0, 1] > 0.5
    assert after[strong].mean() > 8 * after[before < 1].mean()


def test_styles_differ_and_repeat() -> None:
    pictures = {name: Filter().style(street(), "", 3, name) for name in STYLES}
    for name, picture in pictures.items():
        assert (picture == Filter().style(street(), name, 9)).all()
        assert (picture[..., 3] > 0).all()
        others = [other for key, other in pictures.items() if key != name]
        assert min(np.abs(picture.astype(int) - other).mean() for other in others) > 5


def test_it_is_more_than_a_faint_tint() -> None:
    source = street()
    for name in STYLES:
        changed = np.abs(Filter().style(source, "", 0, name)[..., :3].astype(int) - source[..., :3])
        assert changed.mean() > 10, name


def test_the_prompt_chooses_where_no_style_is_named() -> None:
    assert style_of("Manhattan by NIGHT, rain on the street") == "night"
    assert style_of("by night", "neon") == "neon"
    assert style_of("nothing known", "nor this") == "day"


def test_an_unknown_backend_names_the_known() -> None:
    with pytest.raises(BackendUnknown, match=", ".join(NAMES)):
        make("magic")
    assert make("identity").style(street(), "", 0).shape == (480, 480, 4)
