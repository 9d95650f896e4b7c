"""Smooth edges: as a finer picture would have them, of the colours alone, and only at edges."""

from collections.abc import Iterator
from dataclasses import replace

import numpy as np
import pytest

from game.view.edges import soften
from game.view.renderer import SceneRenderer
from game.world.city import City
from tests.view.boxes import PROFILE, state_at

SIDE = 96
DARK, BRIGHT = 40, 200
AROUND = [(y, x) for y in (-2, -1, 0, 1, 2) for x in (-2, -1, 0, 1, 2)]


def half_plane(slope: float, finer: int = 1) -> np.ndarray:
    """Levels (side, side), bright above a line through the middle; averaged `finer` squared."""
    steps = (np.arange(SIDE * finer) + 0.5) / finer
    line = SIDE / 2 + slope * (steps - SIDE / 2 + 0.25)
    above = np.where(steps[:, None] < line, float(BRIGHT), float(DARK))
    return np.asarray(above.reshape(SIDE, finer, SIDE, finer).mean((1, 3)))


def smoothed(levels: np.ndarray) -> np.ndarray:
    grey = np.ascontiguousarray(levels, np.uint32)
    picture = np.asarray(grey | grey << 8 | grey << 16 | 0xFF000000, np.uint32)
    soften(picture, grey.astype(np.uint8))
    assert np.array_equal(picture & 255, picture >> 16 & 255)
    assert np.array_equal(picture & 255, picture >> 8 & 255)
    assert (picture >> 24 == 255).all()
    return (picture & 255).astype(np.float64)


@pytest.mark.parametrize("slope", [0.05, 0.11, 0.3, 0.45, -0.2, -0.37])
@pytest.mark.parametrize("upright", [False, True])
def test_a_slanted_edge_comes_close_to_the_picture_drawn_sixteen_times_as_fine(
    slope: float, upright: bool
) -> None:
    hard, fine = half_plane(slope), half_plane(slope, 16)
    if upright:
        hard, fine = hard.T, fine.T
    inner = (slice(SIDE // 4, -SIDE // 4),) * 2  # a line that leaves the picture has no other end
    before, after = (np.abs(each - fine)[inner].mean() for each in (hard, smoothed(hard)))
    assert after < 0.4 * before


def test_level_edges_corners_and_lamps_of_two_pixels_stay_as_they_are() -> None:
    levels = np.full((SIDE, SIDE), float(DARK))
    levels[20:40, 30:70] = BRIGHT  # a square wall
    levels[60:62, 50:52] = BRIGHT  # a lamp
    levels[80, 10:13] = BRIGHT
    assert np.array_equal(smoothed(levels), levels)


@pytest.mark.parametrize("upright", [False, True])
def test_a_picture_may_be_wider_than_it_is_high(upright: bool) -> None:
    levels = half_plane(0.11)
    whole, part = smoothed(levels), levels[:64]
    found = smoothed(part.T).T if upright else smoothed(part)
    assert np.array_equal(found[:60], whole[:60])
    assert not np.array_equal(found, part)


def test_a_picture_of_one_face_stays_as_it_is() -> None:
    picture = np.arange(SIDE * SIDE, dtype=np.uint32).reshape(SIDE, SIDE)
    kept = picture.copy()
    soften(picture, np.zeros((SIDE, SIDE), np.uint8))
    assert np.array_equal(picture, kept)


@pytest.fixture(scope="module", params=["clear", "rain"])
def pair(request: pytest.FixtureRequest, city: City) -> Iterator[tuple[SceneRenderer, ...]]:
    made = [
        SceneRenderer(city, replace(PROFILE, edges=edges, hour=22.0, weather=request.param))
        for edges in ("hard", "smooth")
    ]
    yield tuple(made)
    for each in made:
        each.close()


@pytest.mark.render
def test_smooth_colours_differ_at_edges_alone_and_labels_not_at_all(
    pair: tuple[SceneRenderer, SceneRenderer],
) -> None:
    state, names = state_at(-70.0, tick=30), ["colour", "class", "instance", "normal", "depth"]
    hard, smooth = ({k: np.asarray(v) for k, v in each.render(state, names, 240, 240).items()}
                    for each in pair)  # fmt: skip
    for name in names[1:]:
        assert np.array_equal(hard[name], smooth[name])
    changed = (hard["colour"] != smooth["colour"]).any(2)
    assert 100 < changed.sum() < 0.1 * changed.size
    low = np.minimum.reduce([np.roll(hard["colour"], by, (0, 1)) for by in AROUND])
    high = np.maximum.reduce([np.roll(hard["colour"], by, (0, 1)) for by in AROUND])
    inner = (slice(3, -3),) * 2
    assert (smooth["colour"] >= low)[inner].all()  # a mixture of what is there, nothing new
    assert (smooth["colour"] <= high)[inner].all()
    sky = (hard["class"] == 10) & (np.roll(hard["class"], 1, 1) == 10)
    sky &= (np.roll(hard["class"], -1, 1) == 10) & (np.roll(hard["class"], -1, 0) == 10)
    sky &= np.roll(hard["class"], 1, 0) == 10
    assert not changed[sky].any()
