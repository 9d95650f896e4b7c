"""Composes all settings once: code defaults < profile < user TOML < environment < --set.

Owns the layers, the origin of every value, and the only look at the environment.
"""

import dataclasses
import difflib
import os
import tomllib
import types
import typing
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, get_args, get_origin, get_type_hints

import platformdirs

from game.errors import SettingsError
from game.settings.sections import PROFILES, Secret, Settings

ENV_PREFIX = "SCALE_DIFFUSION__"


@dataclass(frozen=True, slots=True)
class Loaded:
    """Settings together with where each value came from."""

    settings: Settings
    origins: Mapping[str, str]


def load(
    profile: str = "player",
    file: Path | None = None,
    overrides: Iterable[str] = (),
    environ: Mapping[str, str] | None = None,
) -> Loaded:
    """Compose the layers. Raises SettingsError for an unknown key or a value of the wrong kind."""
    environ = os.environ if environ is None else environ
    values: dict[str, tuple[Any, str]] = {}
    for section, keys in PROFILES[profile].items():
        for key, value in keys.items():
            values[f"{section}.{key}"] = (value, f"profile {profile}")
    values.update(_from_file(file))
    values.update(_from_environment(environ))
    values.update(_from_overrides(overrides))
    return _build(values)


def has_display(environ: Mapping[str, str] | None = None) -> bool:
    """True where a window can be opened: a display on Linux, always elsewhere."""
    environ = os.environ if environ is None else environ
    if os.name == "nt" or os.uname().sysname == "Darwin":
        return True
    return bool(environ.get("DISPLAY") or environ.get("WAYLAND_DISPLAY"))


def service_socket(environ: Mapping[str, str] | None = None) -> str:
    """Where the service manager wants to be told that all is well, '' where none asks."""
    return (os.environ if environ is None else environ).get("NOTIFY_SOCKET", "")


def template() -> str:
    """A commented TOML file of all settings at their defaults, made from the dataclasses."""
    lines = []
    for section in dataclasses.fields(Settings):
        kind = get_type_hints(Settings)[section.name]
        lines.append(f"[{section.name}]  # {(kind.__doc__ or '').strip().splitlines()[0]}")
        default = kind()
        for item in dataclasses.fields(kind):
            value = getattr(default, item.name)
            lines.append(f"# {item.name} = {_toml(value)}")
        lines.append("")
    return "\n".join(lines)


def _toml(value: object) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int | float):
        return str(value)
    if isinstance(value, Secret):
        return '""'
    if isinstance(value, tuple):
        return '"' + ",".join(value) + '"'
    text = "" if value == Path() else str(value)
    return '"' + text.replace("\\", "\\\\") + '"'


def user_file() -> Path:
    """The player's own settings file, whether or not it is there."""
    return Path(platformdirs.user_config_dir("scale-diffusion")) / "settings.toml"


def _from_file(file: Path | None) -> dict[str, tuple[Any, str]]:
    path = file or user_file()
    if not path.is_file():
        if file is not None:
            raise SettingsError("--settings", str(file), "no such file")
        return {}
    try:
        data = tomllib.loads(path.read_text(encoding="utf-8"))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise SettingsError("--settings", str(path), f"not a TOML file: {error}") from error
    found = {}
    for section, keys in data.items():
        if not isinstance(keys, dict):
            raise SettingsError(section, str(path), "belongs into a [section]")
        for key, value in keys.items():
            found[f"{section}.{key}"] = (value, str(path))
    return found


def _from_environment(environ: Mapping[str, str]) -> dict[str, tuple[Any, str]]:
    found = {}
    for name, value in environ.items():
        if name.startswith(ENV_PREFIX):
            key = name.removeprefix(ENV_PREFIX).lower().replace("__", ".")
            found[key] = (value, f"environment {name}")
    return found


def _from_overrides(overrides: Iterable[str]) -> dict[str, tuple[Any, str]]:
    found = {}
    for text in overrides:
        key, equals, value = text.partition("=")
        if not equals:
            raise SettingsError(text, "--set", "write it as section.key=value")
        found[key.strip()] = (value, "--set")
    return found


def _build(values: Mapping[str, tuple[Any, str]]) -> Loaded:
    hints = get_type_hints(Settings)
    known = {
        f"{section}.{item.name}": get_type_hints(kind)[item.name]
        for section, kind in hints.items()
        for item in dataclasses.fields(kind)
    }
    origins = dict.fromkeys(known, "default")
    chosen: dict[str, dict[str, Any]] = {section: {} for section in hints}
    for key, (value, origin) in values.items():
        if key not in known:
            near = difflib.get_close_matches(key, known, n=1, cutoff=0.0)
            raise SettingsError(key, origin, f"unknown; the nearest known setting is {near[0]}")
        section, _, name = key.partition(".")
        chosen[section][name] = _convert(key, value, known[key], origin)
        origins[key] = origin
    sections = {}
    for name, kind in hints.items():
        try:
            sections[name] = kind(**chosen[name])
        except ValueError as error:
            raise SettingsError(name, "settings", str(error)) from error
    return Loaded(Settings(**sections), origins)


def _convert(key: str, value: Any, kind: Any, origin: str) -> Any:
    if get_origin(kind) in (typing.Union, types.UnionType):
        kind = get_args(kind)[0]
    if kind is Secret:
        return Secret(str(value))
    if kind is Path:
        return Path(str(value)).expanduser() if str(value) else Path()
    if kind is bool:
        return _boolean(key, value, origin)
    if kind is int:
        try:
            return int(str(value).replace("_", ""))
        except ValueError as error:
            raise SettingsError(key, origin, f"'{value}' is not a whole number") from error
    if kind is float:
        try:
            return float(str(value))
        except ValueError as error:
            raise SettingsError(key, origin, f"'{value}' is not a number") from error
    if get_origin(kind) is tuple:
        items = value if isinstance(value, list) else str(value).split(",")
        return tuple(str(item).strip() for item in items if str(item).strip())
    if not isinstance(value, str):
        raise SettingsError(key, origin, f"expected a text, got {value!r}")
    return value


def _boolean(key: str, value: Any, origin: str) -> bool:
    if isinstance(value, bool):
        return value
    text = str(value).lower()
    if text in ("true", "1", "yes", "on"):
        return True
    if text in ("false", "0", "no", "off"):
        return False
    raise SettingsError(key, origin, f"'{value}' is neither true nor false")
