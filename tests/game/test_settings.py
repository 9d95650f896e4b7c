"""Layers, origins, nearest keys and secrets of the settings."""

from pathlib import Path

import pytest

from game.errors import SettingsError
from game.settings import Secret, has_display, load, template


def test_later_layers_win_and_origins_are_remembered(tmp_path: Path) -> None:
    file = tmp_path / "s.toml"
    file.write_text('[play]\nseed = 3\n[stream]\nstyle = "noir"\n')
    environ = {"SCALE_DIFFUSION__STREAM__STYLE": "rain"}
    loaded = load("qa", file, ["play.seed=9"], environ)
    assert (loaded.settings.play.seed, loaded.settings.stream.style) == (9, "rain")
    assert loaded.settings.play.driver == "bot"
    assert loaded.origins["play.seed"] == "--set"
    assert loaded.origins["stream.style"] == "environment SCALE_DIFFUSION__STREAM__STYLE"
    assert loaded.origins["play.driver"] == "profile qa"
    assert loaded.origins["record.source"] == "default"


@pytest.mark.parametrize(
    ("override", "says"),
    [
        ("play.sed=1", "nearest known setting is play.seed"),
        ("play.seed=many", "not a whole number"),
        ("play.window=round", "not one of auto, window, offscreen"),
        ("record.enabled=perhaps", "neither true nor false"),
        ("nonsense", "section.key=value"),
        ("stream.bitrate=1", "300000"),
    ],
)
def test_a_wrong_setting_says_what_would_be_right(override: str, says: str) -> None:
    with pytest.raises(SettingsError, match=says):
        load(overrides=[override], environ={})


def test_a_secret_never_prints() -> None:
    settings = load(overrides=["stream.api_key=topsecret"], environ={}).settings
    assert settings.stream.api_key.reveal() == "topsecret"
    assert "topsecret" not in f"{settings} {settings.stream.api_key} {settings!r}"
    assert not Secret()


def test_the_template_is_valid_and_names_every_key(tmp_path: Path) -> None:
    file = tmp_path / "s.toml"
    file.write_text(template().replace("# ", ""))
    assert "bitrate = 2500000" in template()
    assert template().count(" = ") == len(load(environ={}).origins)


def test_a_missing_settings_file_is_an_error_but_a_missing_default_is_not(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match="no such file"):
        load(file=tmp_path / "none.toml", environ={})


def test_without_a_display_there_is_no_window() -> None:
    assert has_display({"DISPLAY": ":0"})
