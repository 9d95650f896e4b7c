"""The text files of a session: manifest, inputs, events, journal, end. Parsed and bounded.

Owns what a line may hold. Knows no folder and raises ValueError alone.
"""

from collections.abc import Iterator, Mapping
from dataclasses import fields
from typing import Any

from game.session import hostile
from game.session.format import EDGES, WEATHERS, CaptureProfile, Driver, InputEvent, Manifest
from game.session.ids import is_id
from game.session.tickfile import MAX_TICKS
from game.world.controls import IDLE, Controls

MAX_INPUTS = 1 << 28
MAX_EVENTS = 1 << 28
MAX_JOURNAL = 1 << 28
_WIDE = 1 << 63
_TEXT_LIMITS = {"created": 40, "build": 80, "payee": 64, "claim": 64, "source_codec": 16}


class BadLine(ValueError):
    """Line `number` (from 0) cannot be; `tick` is the last tick that the lines before it name."""

    def __init__(self, number: int, tick: int, why: str) -> None:
        super().__init__(number, tick, why)
        self.number, self.tick, self.why = number, tick, why

    def __str__(self) -> str:
        return f"line {self.number + 1}: {self.why}"


def manifest(data: Mapping[str, Any]) -> Manifest:
    """The manifest that a document holds. Raises ValueError for anything out of range."""
    unknown = set(data) - {each.name for each in fields(Manifest)}
    if unknown:
        raise ValueError(f"unknown field {sorted(unknown)[0]!r}")
    texts = {
        each.name: hostile.text(data, each.name, _TEXT_LIMITS.get(each.name, 256), "")
        for each in fields(Manifest)
        if each.type is str
    }
    if not is_id(texts["session"]):
        raise ValueError("session is no session id")
    driver = _mapping(data, "driver")
    return Manifest(
        **texts,
        world_version=hostile.integer(data, "world_version", 0, 65535),
        seed=hostile.integer(data, "seed", -_WIDE, 2 * _WIDE - 1),
        tick_hz=hostile.integer(data, "tick_hz", 1, 1000),
        format_version=hostile.integer(data, "format_version", 0, 65535),
        driver=Driver(hostile.text(driver, "kind", 16), hostile.text(driver, "name", 80)),
        capture=_capture(_mapping(data, "capture")),
        devices=_texts(data.get("devices", ())),
        ticket=dict(_mapping(data, "ticket")),
        tracks={
            str(name): {str(k): hostile.text(track, k, 256) for k in track}
            for name, track in _mapping(data, "tracks").items()
            if isinstance(track, Mapping)
        },
        clock={
            name: hostile.integer(_mapping(data, "clock"), name, 0, _WIDE - 1)
            for name in _mapping(data, "clock")
        },
    )


def _capture(data: Mapping[str, Any]) -> CaptureProfile:
    plain = CaptureProfile()
    hour = hostile.number(data, "hour") if "hour" in data else plain.hour  # older ones have neither
    weather = hostile.text(data, "weather", 16, plain.weather)
    edges = hostile.text(data, "edges", 16, EDGES[0])
    if not 0.0 <= hour <= 24.0 or weather not in WEATHERS or edges not in EDGES:
        raise ValueError(f"hour {hour}, weather {weather!r} or edges {edges!r} cannot be captured")
    return CaptureProfile(
        width=hostile.integer(data, "width", 16, 4096),
        height=hostile.integer(data, "height", 16, 4096),
        every_ticks=hostile.integer(data, "every_ticks", 1, 600),
        fov_degrees=hostile.number(data, "fov_degrees"),
        near=hostile.number(data, "near"),
        far=hostile.number(data, "far"),
        effects=hostile.text(data, "effects", 64),
        version=hostile.integer(data, "version", 0, 65535),
        hour=hour,
        weather=weather,
        edges=edges,
    )


def _mapping(data: Mapping[str, Any], key: str) -> Mapping[str, Any]:
    value = data.get(key, {})
    if not isinstance(value, Mapping) or len(value) > 64:
        raise ValueError(f"{key} must be an object")
    return value


def _texts(values: Any) -> tuple[str, ...]:
    if not isinstance(values, list | tuple) or len(values) > 64:
        raise ValueError("devices must be a list")
    if any(not isinstance(each, str) or len(each) > 256 for each in values):
        raise ValueError("devices must be texts")
    return tuple(values)


def whole(data: bytes) -> int:
    """Length of the part of a line file that ends in a newline."""
    return data.rfind(b"\n") + 1


def objects(data: bytes) -> Iterator[tuple[int, dict[str, Any]]]:
    """Number and object of every whole line. Raises BadLine."""
    tick = 0
    for number, line in enumerate(data[: whole(data)].splitlines()):
        try:
            if len(line) > hostile.MAX_LINE:
                raise ValueError("too long")
            found = hostile.parse(line)
        except ValueError as error:
            raise BadLine(number, tick, str(error)) from error
        named = found.get("tick", found.get("applied", tick))
        tick = named if type(named) is int else tick
        yield number, found


def input_event(data: Mapping[str, Any]) -> InputEvent:
    """A device event line."""
    return InputEvent(
        seq=hostile.integer(data, "seq", 0, _WIDE - 1),
        t_ns=hostile.integer(data, "t_ns", 0, _WIDE - 1),
        src=hostile.text(data, "src", 32),
        tick_seen=hostile.integer(data, "seen", -1, MAX_TICKS),
        tick_applied=hostile.integer(data, "applied", -1, MAX_TICKS),
        kind=hostile.text(data, "kind", 32),
        code=hostile.text(data, "code", 64),
        value=hostile.number(data, "v"),
        unit=hostile.text(data, "unit", 32, ""),
        synthetic=data.get("synthetic") is True,
    )


def controls_change(data: Mapping[str, Any]) -> tuple[int, Controls]:
    """A controls line: the tick whose step first consumed them, and what they are."""
    tick = hostile.integer(data, "tick", 0, MAX_TICKS)
    listed = data.get("c")
    if not isinstance(listed, list) or len(listed) != 8 or any(type(v) is not int for v in listed):
        raise ValueError("c must be eight integers")
    controls = Controls(*listed)
    if not controls.is_valid():
        raise ValueError("controls out of range")
    return tick, controls


class InputChain:
    """All that inputs.jsonl says. `changes` ascend by tick; `last` is the ending tick or -1."""

    def __init__(self, data: bytes) -> None:
        self.events: list[InputEvent] = []
        self.changes: list[tuple[int, Controls]] = []
        self.last = -1
        for number, line in objects(data):
            try:
                self._take(number, line)
            except (ValueError, TypeError) as error:
                tick = self.changes[-1][0] if self.changes else 0
                raise BadLine(number, tick, str(error)) from error

    def _take(self, number: int, line: Mapping[str, Any]) -> None:
        if line.get("seq") != number:
            raise ValueError("its number does not follow the line before")
        if self.last >= 0:
            raise ValueError("a line after the last one")
        kind = line.get("k")
        if kind == "i":
            self.events.append(input_event(line))
        elif kind == "c":
            tick, controls = controls_change(line)
            if self.changes and tick <= self.changes[-1][0]:
                raise ValueError("controls go back in time")
            self.changes.append((tick, controls))
        elif kind == "e":
            self.last = hostile.integer(line, "tick", 0, MAX_TICKS)
        else:
            raise ValueError("of an unknown kind")

    def expand(self, steps: int) -> tuple[Controls, ...]:
        """Controls that each step t -> t + 1 consumed, t from 0 to `steps` - 1."""
        out: list[Controls] = []
        now = IDLE
        for tick, controls in self.changes:
            if tick >= steps:
                break
            out.extend([now] * (tick - len(out)))
            now = controls
        out.extend([now] * (steps - len(out)))
        return tuple(out)
