"""The film of the embedded network, read back by another library."""

from itertools import pairwise
from pathlib import Path

import av
import numpy as np
import pytest
from click.testing import CliRunner
from PIL import Image
from PIL.ImageSequence import Iterator

from game.cli.diffusion_film import film
from game.dataset.video import Webp

pytestmark = [pytest.mark.render, pytest.mark.heavy]


def test_a_film_goes_from_place_to_place_and_shows_both_pictures(tmp_path: Path) -> None:
    out = tmp_path / "two.mp4"
    asked = ["--place", "W 42 St & 7 Av", "--place", "W 46 St & 9 Av", "--styles", "day,night"]
    ran = CliRunner().invoke(film, [*asked, "--seconds", "0.4", "--size", "224", "--out", str(out)])
    assert ran.exit_code == 0, ran.output
    with av.open(str(out)) as container:
        seen = [frame.to_ndarray(format="rgb24").astype(int) for frame in container.decode(video=0)]
    assert len(seen) == 12
    assert {picture.shape for picture in seen} == {(480, 960, 3)}
    sources = [picture[:, :480] for picture in seen]
    moved = [abs(a - b).mean() for a, b in pairwise(sources)]
    assert np.argmax(moved) == 5, "the second place begins with the seventh frame"
    for picture in seen:
        assert abs(picture[:, :480] - picture[:, 480:]).mean() > 5, "nothing was painted"
    assert seen[5][:, 480:].mean() < seen[0][:, 480:].mean(), "night is on its way"
    assert [path.name for path in tmp_path.iterdir()] == ["two.mp4"]


def test_a_film_for_a_page_moves_and_is_half_as_large(tmp_path: Path) -> None:
    out = tmp_path / "page.webp"
    with Webp(out, 30, (48, 24)) as made:
        for shade in range(10):
            made.put(np.full((48, 96, 3), 25 * shade, np.uint8))
    with Image.open(out) as moving:
        assert moving.size == (48, 24)
        shades = [int(np.asarray(each.convert("RGB")).mean()) for each in Iterator(moving)]
        assert moving.info["duration"] == 100
    assert shades == pytest.approx([0, 75, 150, 225], abs=6)


def test_a_sheet_has_a_row_a_place_and_a_column_a_style(tmp_path: Path) -> None:
    out = tmp_path / "two.jpg"
    asked = ["--place", "W 42 St & 7 Av", "--place", "W 46 St & 9 Av", "--styles", "day,night,noir"]
    ran = CliRunner().invoke(film, [*asked, "--size", "224", "--out", str(out)])
    assert ran.exit_code == 0, ran.output
    with Image.open(out) as picture:
        seen = np.asarray(picture.convert("RGB")).astype(int)
    assert seen.shape == (480, 960, 3)
    first, day, night, noir = np.split(seen[:240], 4, axis=1)
    assert abs(first - day).mean() > 5
    assert night.mean() < day.mean()
    assert (noir.max(2) - noir.min(2)).mean() < 0.5 * (day.max(2) - day.min(2)).mean()
    assert abs(seen[:240, :240] - seen[240:, :240]).mean() > 5, "the second place is another one"
    assert [path.name for path in tmp_path.iterdir()] == ["two.jpg"]


def test_a_film_of_no_known_kind_is_told_at_once(tmp_path: Path) -> None:
    ran = CliRunner().invoke(film, ["--out", str(tmp_path / "drive.avi")])
    assert "neither .mp4 nor .webp nor .jpg" in str(ran.exception)
    assert not list(tmp_path.iterdir())


def test_an_unknown_style_is_told_before_anything_is_drawn(tmp_path: Path) -> None:
    out = tmp_path / "none.mp4"
    ran = CliRunner().invoke(film, ["--styles", "oil", "--out", str(out)])
    assert ran.exit_code != 0
    assert "no style 'oil'" in str(ran.exception)
    assert not out.exists()
