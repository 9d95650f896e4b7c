"""Settings changed from inside the program: the file stays the player's own."""

from pathlib import Path

import pytest

from game.errors import SettingsError
from game.play.app.settings_file import change, edited

TEXT = """# mine
[stream]
url = "off"          # no network here

# keys
[play]
keys = "f=peek"
"""


def test_a_value_is_changed_in_its_place_and_the_rest_stays() -> None:
    after = edited(TEXT, {"play.keys": "q=none", "stream.codec": "h264", "app.volume": 20})
    assert after == (
        '# mine\n[stream]\nurl = "off"          # no network here\ncodec = "h264"\n\n# keys\n'
        '[play]\nkeys = "q=none"\n\n[app]\nvolume = 20\n'
    )


def test_a_file_appears_where_there_was_none_and_only_its_owner_reads_it(tmp_path: Path) -> None:
    path = tmp_path / "deep" / "settings.toml"
    loaded = change(path, {"app.palette": "amber", "stream.api_key": 'a"b\\c', "app.calm": True})
    assert loaded.settings.app.palette == "amber"
    assert loaded.settings.app.calm
    assert loaded.settings.stream.api_key.reveal() == 'a"b\\c'
    assert path.stat().st_mode & 0o777 == 0o600
    assert [each.name for each in path.parent.iterdir()] == ["settings.toml"]


@pytest.mark.parametrize(
    "changes", [{"app.palette": "pink"}, {"app.volume": 400}, {"app.no_such": 1}]
)
def test_a_value_that_is_not_allowed_changes_nothing(
    tmp_path: Path, changes: dict[str, str | int]
) -> None:
    path = tmp_path / "settings.toml"
    path.write_text(TEXT)
    with pytest.raises(SettingsError):
        change(path, changes)
    assert path.read_text() == TEXT
    assert [each.name for each in tmp_path.iterdir()] == ["settings.toml"]


@pytest.mark.parametrize(
    "text",
    ['[play]\nkeys = """\nurl = 1\n"""\n', 'play = { keys = "x" }\n', "[play\n"],
)
def test_a_file_that_is_written_unusually_is_left_to_its_owner(text: str) -> None:
    with pytest.raises(SettingsError):
        edited(text, {"play.keys": "f=peek"})
