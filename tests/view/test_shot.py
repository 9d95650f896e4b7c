"""`city shot` on the bundled city: a picture of a named place, or one line that says why not."""

import json
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner
from PIL import Image

from game.cli.city_shot import command
from game.errors import GameError, UsageError
from game.view.picture import averaged


@pytest.mark.render
def test_a_named_place_becomes_a_picture_that_shows_a_street(tmp_path: Path) -> None:
    out = tmp_path / "sub" / "shot.png"
    arguments = ["--at", "W 42 St & 7 Av", "--channel", "class", "--size", "96x64", "--json"]
    done = CliRunner().invoke(command, [*arguments, "--out", str(out)], catch_exceptions=False)
    facts = json.loads(done.stdout.splitlines()[-1])
    assert facts["path"] == str(out)
    assert "42nd Street" in facts["address"]
    picture = np.array(Image.open(out))
    assert picture.shape == (64, 96, 3)
    seen = {tuple(int(v) for v in colour) for colour in picture.reshape(-1, 3)}
    assert {(128, 64, 128), (70, 70, 70), (0, 0, 142)} <= seen  # road, buildings, our car


@pytest.mark.render
def test_hour_and_weather_are_drawn_and_reported(tmp_path: Path) -> None:
    means = {}
    for hour, weather in (("13", "clear"), ("23", "rain")):
        out = tmp_path / f"{hour}.png"
        arguments = ["--at", "W 42 St & 7 Av", "--size", "64x64", "--json", "--out", str(out)]
        arguments += ["--hour", hour, "--weather", weather]
        done = CliRunner().invoke(command, arguments, catch_exceptions=False)
        facts = json.loads(done.stdout.splitlines()[-1])
        assert (facts["hour"], facts["weather"]) == (float(hour), weather)
        means[hour] = np.array(Image.open(out)).mean()
    assert means["23"] < means["13"] * 0.6


def test_a_place_that_is_not_there_names_the_nearest(tmp_path: Path) -> None:
    done = CliRunner().invoke(command, ["--at", "Nowhere", "--out", str(tmp_path / "x.png")])
    assert isinstance(done.exception, GameError)
    assert "nearest" in str(done.exception)


@pytest.mark.parametrize("size", ["big", "10x10", "9999x480"])
def test_a_size_that_cannot_be_is_a_usage_error(size: str, tmp_path: Path) -> None:
    arguments = ["--at", "x", "--size", size, "--out", str(tmp_path / "x.png")]
    assert CliRunner().invoke(command, arguments).exit_code == 2


def test_only_png_is_written() -> None:
    done = CliRunner().invoke(command, ["--at", "x", "--out", "x.jpg"])
    assert isinstance(done.exception, UsageError)


def test_a_smooth_pixel_is_the_mean_of_its_square() -> None:
    fine = np.random.default_rng(1).integers(0, 256, (6, 9, 3), np.uint8)
    found = averaged(fine, 3)
    assert found.shape == (2, 3, 3)
    for y in range(2):
        for x in range(3):
            square = fine[3 * y : 3 * y + 3, 3 * x : 3 * x + 3].reshape(9, 3)
            assert np.abs(found[y, x] - square.mean(0)).max() <= 0.51


@pytest.mark.render
def test_smooth_edges_keep_the_size_and_the_picture(tmp_path: Path) -> None:
    seen = []
    for smooth in ("1", "3"):
        out = tmp_path / f"{smooth}.png"
        arguments = ["--at", "W 42 St & 7 Av", "--size", "96x64", "--smooth", smooth, "--json"]
        done = CliRunner().invoke(command, [*arguments, "--out", str(out)], catch_exceptions=False)
        assert json.loads(done.stdout.splitlines()[-1])["smooth"] == int(smooth)
        seen.append(np.array(Image.open(out)).astype(float))
    assert seen[0].shape == seen[1].shape == (64, 96, 3)
    assert 0.5 < np.abs(seen[0] - seen[1]).mean() < 15.0


@pytest.mark.parametrize("more", [["--channel", "class"], ["--size", "4096x64"]])
def test_labels_are_never_smoothed_nor_too_large_a_picture(more: list[str]) -> None:
    arguments = ["--at", "x", "--smooth", "4", "--out", "x.png", *more]
    done = CliRunner().invoke(command, arguments)
    assert isinstance(done.exception, UsageError)
