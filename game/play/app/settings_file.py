"""Changes single settings in the player's TOML file: comments stay, and it is whole at any moment.

Owns the edit of the text. What a value may be, `game.settings` says: it reads the new text before
it replaces the old one.
"""

import json
import re
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from game.errors import SettingsError
from game.session.append import write_whole
from game.settings import Loaded, load

Value = str | bool | int | float | tuple[str, ...]
_SECTION = re.compile(r"^\s*\[\s*([\w.-]+)\s*\]")


def change(path: Path, changes: Mapping[str, Value], profile: str = "player") -> Loaded:
    """Set 'section.key' to values in the file at `path`, made where there is none.

    Returns the settings as the next start reads them. Raises SettingsError, and then nothing has
    changed: for a value that is not allowed, or a file that is too unusual to be edited.
    """
    before = path.read_text(encoding="utf-8") if path.is_file() else ""
    after = edited(before, changes)
    trial = path.with_name(f".{path.name}.trial")
    path.parent.mkdir(parents=True, exist_ok=True)
    write_whole(trial, after.encode())
    try:
        loaded = load(profile, trial)
    finally:
        trial.unlink(missing_ok=True)
    write_whole(path, after.encode())
    path.chmod(0o600)  # it may hold the key of a stream server
    return loaded


def edited(text: str, changes: Mapping[str, Value]) -> str:
    """The TOML text with these values. Raises SettingsError where it cannot be edited safely."""
    lines = text.splitlines()
    for key, value in changes.items():
        section, _, name = key.partition(".")
        _set(lines, section, name, f"{name} = {_toml(value)}")
    after = "\n".join(lines) + "\n"
    wanted: dict[str, Any] = _parsed(text)
    for key, value in changes.items():
        section, _, name = key.partition(".")
        wanted.setdefault(section, {})[name] = list(value) if isinstance(value, tuple) else value
    if _parsed(after) != wanted:
        raise SettingsError("--settings", "file", "it is written unusually; edit it by hand")
    return after


def _parsed(text: str) -> dict[str, Any]:
    try:
        return tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise SettingsError("--settings", "file", f"not a TOML file: {error}") from error


def _set(lines: list[str], section: str, name: str, line: str) -> None:
    start = next(
        (n for n, each in enumerate(lines) if (m := _SECTION.match(each)) and m[1] == section), -1
    )
    if start < 0:
        lines += [""] if lines and lines[-1].strip() else []
        lines += [f"[{section}]", line]
        return
    end = next((n for n in range(start + 1, len(lines)) if _SECTION.match(lines[n])), len(lines))
    for at in range(start + 1, end):
        if re.match(rf"^\s*{re.escape(name)}\s*=", lines[at]):
            lines[at] = line
            return
    # a comment in front of the next section is about that one
    while end > start + 1 and lines[end - 1].strip()[:1] in ("", "#"):
        end -= 1
    lines.insert(end, line)


def _toml(value: Value) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, tuple):
        return f"[{', '.join(_toml(each) for each in value)}]"
    return json.dumps(value, ensure_ascii=False) if isinstance(value, str) else repr(value)
