"""YAML text into plain values, each with the line it stands on. Owns the refusals of odd YAML.

Refuses what a scenario never needs and an attacker might: anchors and aliases, tags, doubled keys,
several documents, great depth, great size. Never builds an object.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import yaml

from scenarios.errors import ScenarioUnreadable

MAX_BYTES = 256 * 1024
MAX_DEPTH = 24
MAX_NODES = 20_000

Value = dict[str, "Value"] | list["Value"] | str | int | float | bool | None
Location = tuple[str | int, ...]


@dataclass(frozen=True, slots=True)
class Source:
    """What a file says: its value, and the line of every key and item in it."""

    file: str
    value: Value
    lines: dict[Location, int]

    def locate(self, location: Location) -> tuple[int, Location]:
        """(line, location) of the deepest part of `location` that the file really has."""
        for depth in range(len(location), 0, -1):
            line = self.lines.get(location[:depth])
            if line is not None:
                return line, location[:depth]
        return self.lines.get((), 1), ()


def read(data: bytes, file: str, ours: bool = False) -> Source:
    """The one document in `data`. Raises ScenarioUnreadable with the line where it goes wrong.

    ours: it came with the program, so the C library may read it, where there is one: eight times
    as fast, but it words mistakes otherwise and takes odd files that the other refuses.
    """
    if len(data) > MAX_BYTES:
        raise ScenarioUnreadable(
            file, 0, f"{len(data)} bytes; a scenario takes at most {MAX_BYTES} bytes"
        )
    try:
        text = data.decode("utf-8")
    except UnicodeDecodeError as wrong:
        line = data.count(b"\n", 0, wrong.start) + 1
        raise ScenarioUnreadable(file, line, "not UTF-8 text; save it as UTF-8") from wrong
    try:
        reader: Any = yaml.CSafeLoader if ours and yaml.__with_libyaml__ else yaml.SafeLoader
        _scan(text, file, reader)
        node = yaml.compose(text, Loader=reader)
    except yaml.YAMLError as wrong:
        raise _unreadable(wrong, file) from wrong
    if node is None:
        raise ScenarioUnreadable(file, 1, "the file is empty; start from: scenario show --help")
    lines: dict[Location, int] = {}
    return Source(file, _value(node, (), lines, file), lines)


def _unreadable(wrong: yaml.YAMLError, file: str) -> ScenarioUnreadable:
    mark = getattr(wrong, "problem_mark", None) or getattr(wrong, "context_mark", None)
    said = getattr(wrong, "problem", None) or str(wrong).splitlines()[0]
    return ScenarioUnreadable(file, mark.line + 1 if mark else 0, f"not YAML: {said}")


def _scan(text: str, file: str, reader: Any) -> None:
    """Refuse by the events alone, before anything is built that could be deep or large."""
    depth = 0
    for nodes, event in enumerate(yaml.parse(text, Loader=reader)):
        line = event.start_mark.line + 1 if event.start_mark is not None else 0
        if isinstance(event, yaml.CollectionStartEvent):
            depth += 1
        elif isinstance(event, yaml.CollectionEndEvent):
            depth -= 1
        if depth > MAX_DEPTH:
            raise ScenarioUnreadable(file, line, f"nested deeper than {MAX_DEPTH} levels")
        if nodes > MAX_NODES:
            raise ScenarioUnreadable(file, line, f"more than {MAX_NODES} values")
        if isinstance(event, yaml.AliasEvent) or getattr(event, "anchor", None):
            raise ScenarioUnreadable(file, line, "anchors and aliases (& and *) are not allowed")
        tag = getattr(event, "tag", None)
        if tag not in (None, "!"):
            raise ScenarioUnreadable(file, line, f"the tag {tag} is not allowed")


def _value(node: yaml.Node, at: Location, lines: dict[Location, int], file: str) -> Value:
    lines.setdefault(at, node.start_mark.line + 1)
    if isinstance(node, yaml.MappingNode):
        return dict(_entries(node, at, lines, file))
    if isinstance(node, yaml.SequenceNode):
        return [_value(item, (*at, i), lines, file) for i, item in enumerate(node.value)]
    return _scalar(node, file)


def _entries(
    node: yaml.MappingNode, at: Location, lines: dict[Location, int], file: str
) -> Iterator[tuple[str, Value]]:
    seen: dict[str, int] = {}
    for key_node, value_node in node.value:
        line = key_node.start_mark.line + 1
        if not isinstance(key_node, yaml.ScalarNode):
            raise ScenarioUnreadable(file, line, "a key must be a plain word")
        key = str(key_node.value)
        if key in seen:
            raise ScenarioUnreadable(
                file, line, f"key '{key}' stands twice, first on line {seen[key]}"
            )
        seen[key] = line
        lines[(*at, key)] = line
        yield key, _value(value_node, (*at, key), lines, file)


_PLAIN = {
    "tag:yaml.org,2002:str",
    "tag:yaml.org,2002:int",
    "tag:yaml.org,2002:float",
    "tag:yaml.org,2002:bool",
    "tag:yaml.org,2002:null",
}


_SCIENTIFIC = re.compile(r"[-+]?[0-9]+(\.[0-9]*)?[eE][-+]?[0-9]{1,3}")


def _scalar(node: yaml.Node, file: str) -> Value:
    line = node.start_mark.line + 1
    if node.tag not in _PLAIN:
        kind = node.tag.rsplit(":", 1)[-1]
        raise ScenarioUnreadable(file, line, f"'{node.value}' reads as a {kind}; put it in quotes")
    if not getattr(node, "style", None) and _SCIENTIFIC.fullmatch(str(node.value)):
        return float(node.value)  # YAML 1.1 would read 1e3 as text
    try:
        built: Value = yaml.constructor.SafeConstructor().construct_object(node)
    except (ValueError, OverflowError, LookupError, yaml.YAMLError) as wrong:
        shown = str(node.value)[:40]
        raise ScenarioUnreadable(file, line, f"'{shown}' cannot be read as a value") from wrong
    return built
