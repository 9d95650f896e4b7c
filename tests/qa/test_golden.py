"""Golden pictures: single shades and edges may differ, a moved car may not; the page shows it."""

from pathlib import Path

import numpy as np
import pytest

from game.qa.golden import Tolerance, apart, compare, read_png
from game.qa.viewer import Shown, write_page
from game.view.picture import write_png

CHANCE = np.random.default_rng(7)


@pytest.fixture
def street() -> np.ndarray:
    """A picture with flat parts, edges and texture."""
    picture = np.full((120, 160, 3), 90, np.uint8)
    picture[60:] = 40
    picture[20:60, 30:70] = (180, 160, 140)
    picture[80:] += CHANCE.integers(0, 30, (40, 160, 3), dtype=np.uint8)
    return picture


def test_a_picture_is_like_itself(street: np.ndarray) -> None:
    found = compare(street, street)
    assert found.same
    assert (found.share, found.mean, found.worst) == (0.0, 0.0, 0)


def test_noise_of_a_few_shades_and_an_edge_beside_itself_are_taken(street: np.ndarray) -> None:
    noisy = (street.astype(int) + CHANCE.integers(-3, 4, street.shape)).clip(0, 255)
    assert compare(street, noisy.astype(np.uint8)).same
    moved = street.copy()
    moved[20:60, 30:71] = (180, 160, 140)  # one pixel wider
    assert compare(street, moved).same


def test_a_moved_object_is_seen(street: np.ndarray) -> None:
    moved = street.copy()
    moved[20:60, 30:70] = 90
    moved[20:60, 40:80] = (180, 160, 140)
    found = compare(street, moved)
    assert not found.same
    # ten columns of forty rows changed at either side, less the pixel that an edge may move
    assert found.share == pytest.approx(2 * 9 * 40 / (120 * 160), rel=0.15)
    assert "of the pixels differ" in found.why


def test_a_darker_picture_is_seen_although_no_pixel_is_far_off(street: np.ndarray) -> None:
    darker = (street - 10).astype(np.uint8)
    found = compare(street, darker)
    assert found.share == 0.0
    assert not found.same
    assert "on average" in found.why


def test_another_size_is_no_match(street: np.ndarray) -> None:
    found = compare(street, street[:100])
    assert "160x120 and 160x100" in found.why


def test_reach_is_as_far_as_it_says(street: np.ndarray) -> None:
    dot = street.copy()
    dot[100:104] = 255
    shifted = np.roll(dot, 3, axis=1)
    assert apart(dot, shifted, 3)[:, 5:-5].max() == 0
    assert compare(street, street, Tolerance(shade=0, share=0.0, mean=0.0)).same


def test_files_read_back_and_other_files_are_refused(street: np.ndarray, tmp_path: Path) -> None:
    write_png(tmp_path / "a.png", street)
    assert np.array_equal(read_png(tmp_path / "a.png"), street)
    (tmp_path / "b.png").write_bytes(b"not a picture")
    with pytest.raises((ValueError, OSError)):
        read_png(tmp_path / "b.png")


def test_the_page_shows_what_differs_first_and_fetches_nothing(
    street: np.ndarray, tmp_path: Path
) -> None:
    moved = np.roll(street, 10, axis=1)
    shown = [
        Shown("a fine one", street, street, compare(street, street)),
        Shown("z <moved>", moved, street, compare(street, moved)),
        Shown("new", street, None, None),
    ]
    write_page(shown, tmp_path / "page.html")
    text = (tmp_path / "page.html").read_text()
    assert "3 pictures, 2 differ" in text
    assert text.index("z &lt;moved&gt;") < text.index("a fine one")
    assert text.count("data:image/png;base64,") == 3 + 3 + 1
    for outside in ("http://", "https://", 'src="/', "@import"):
        assert outside not in text
