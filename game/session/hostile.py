"""Reads JSON from files that nobody vouches for: bounded size and depth, finite numbers only.

Owns the limits. Every refusal is a ValueError that says what was wrong.
"""

import json
import math
from collections.abc import Mapping
from pathlib import Path
from typing import Any

MAX_DOCUMENT = 1 << 20
MAX_LINE = 1 << 16
MAX_DEPTH = 16
MAX_INTEGER = 1 << 63


def read_bounded(path: Path, limit: int) -> bytes:
    """The whole of a regular file of at most `limit` bytes. Raises ValueError, OSError."""
    if path.is_symlink() or not path.is_file():
        raise ValueError(f"{path.name} is missing or no plain file")
    with path.open("rb") as stream:
        data = stream.read(limit + 1)
    if len(data) > limit:
        raise ValueError(f"{path.name} is longer than {limit} bytes")
    return data


def parse(data: bytes) -> dict[str, Any]:
    """One JSON object. Refuses deep nesting, NaN, infinities, huge integers, double keys."""
    brackets = data.count(b"[") + data.count(b"{")
    if brackets > MAX_DEPTH and _nesting(data) > MAX_DEPTH:
        raise ValueError("nested too deeply")
    value = json.loads(
        data, parse_constant=_refuse, parse_float=_finite, parse_int=_bounded,
        object_pairs_hook=_unique,
    )  # fmt: skip
    if not isinstance(value, dict):
        raise ValueError("not an object")
    return value


def _nesting(data: bytes) -> int:
    deepest = depth = 0
    quoted = escaped = False
    for byte in data:
        if quoted:
            quoted = escaped or byte != 0x22
            escaped = not escaped and byte == 0x5C
        elif byte == 0x22:
            quoted = True
        elif byte in b"[{":
            depth += 1
            deepest = max(deepest, depth)
        elif byte in b"]}":
            depth -= 1
    return deepest


def integer(fields: Mapping[str, Any], key: str, low: int, high: int) -> int:
    """An integer field within its range."""
    value = fields.get(key)
    if type(value) is not int or not low <= value <= high:
        raise ValueError(f"{key} must be an integer from {low} to {high}")
    return value


def text(fields: Mapping[str, Any], key: str, limit: int = 256, default: str | None = None) -> str:
    """A text field of bounded length."""
    value = fields.get(key, default)
    if not isinstance(value, str) or len(value) > limit:
        raise ValueError(f"{key} must be a text of at most {limit} characters")
    return value


def number(fields: Mapping[str, Any], key: str) -> float:
    """A finite number field."""
    value = fields.get(key)
    if type(value) not in (int, float) or not math.isfinite(float(value)):  # type: ignore[arg-type]
        raise ValueError(f"{key} must be a finite number")
    return float(value)  # type: ignore[arg-type]


def _refuse(name: str) -> float:
    raise ValueError(f"{name} is not allowed")


def _finite(digits: str) -> float:
    value = float(digits)
    if not math.isfinite(value):
        raise ValueError("a number is too large")
    return value


def _bounded(digits: str) -> int:
    if len(digits) > 20 or not -MAX_INTEGER <= int(digits) < MAX_INTEGER * 2:
        raise ValueError("an integer is too large")
    return int(digits)


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise ValueError("a key occurs twice")
    return found
