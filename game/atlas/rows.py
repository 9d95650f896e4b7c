"""What a row of any source becomes: one building, one stretch of road. Pure data and its figures.

Coordinates stay in degrees; heights and widths are metres. Owns how text becomes a number: the
City's files print numbers as strings, in feet, with commas, or not at all.
"""

import ast
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from math import isfinite
from typing import Any

from game.world.city import Point

FOOT = 0.3048  # [m]
MPH = 0.44704  # [m/s]
# Today's API (footprints and centre lines alike, measured against LION's nodes) gives places 0.12 m
# west and 0.92 m north of where the model, LION, the shoreline and OpenStreetMap have them. Adding
# this puts them back: east, north [m].
DATUM_SHIFT = (0.12, -0.92)


@dataclass(frozen=True, slots=True)
class BuildingRow:
    """One building. geometry: GeoJSON in degrees; heights in metres, below 0 where unknown."""

    key: str  # SOURCE_ID, DOITT_ID: BIN is not unique
    bin: str
    name: str
    height: float
    ground: float
    top: float
    year: int
    geometry: dict[str, Any]
    skip: str = ""  # why it is no building, from its feature code
    flaw: str = ""  # what was wrong with its figures
    today: bool = False  # whether the place needs DATUM_SHIFT

    @property
    def placeholder(self) -> bool:
        """Whether the BIN stands for no building of its own (bridges, kiosks, canopies)."""
        return self.bin.endswith("000000")


@dataclass(frozen=True, slots=True)
class RoadRow:
    """One stretch of road, in its direction of travel; 0 lanes or width: the source is silent."""

    start: int  # node ids
    end: int
    name: str
    kind: str  # OpenStreetMap highway class
    oneway: bool
    lanes: int
    speed: float  # [m/s]
    bridge: bool
    tunnel: bool  # under ground, building passages not counted
    points: tuple[Point, ...]
    width: float = 0.0  # kerb to kerb [m]
    parking: int = -1  # rows of parked cars, -1 unknown
    bike: int = -1  # 0 none, 1 a lane, 2 a path of its own, -1 unknown
    borough: str = ""  # first digit of the City's codes
    today: bool = False  # whether the place needs DATUM_SHIFT


def lowered(properties: Mapping[str, Any]) -> dict[str, Any]:
    """The properties with lower-case names: exports differ in case and in nothing else."""
    return {_lower(key): value for key, value in properties.items()}


@lru_cache(maxsize=1024)  # the same few dozen names, half a million times
def _lower(name: str) -> str:
    return name.lower()


def first(own: Mapping[str, Any], *names: str) -> Any:
    """The first of the named properties that says anything; None where none does."""
    for name in names:
        value = own.get(name)
        if value is not None and value != "":
            return value
    return None


def number(value: object) -> float | None:
    """A figure from a number or its text ('1,238.5'); None where it is none."""
    if isinstance(value, bool) or value is None:
        return None
    if isinstance(value, int | float):
        found = float(value)
    else:
        try:
            found = float(str(value).replace(",", ""))
        except ValueError:
            return None
    return found if isfinite(found) else None


def whole(value: object) -> int | None:
    """As `number`, cut to an integer."""
    found = number(value)
    return None if found is None else int(found)


def code(value: object) -> str:
    """A code that may come as 1013043, '1013043' or '1013043.0'."""
    text = "" if value is None else str(value).strip()
    return text[:-2] if text.endswith(".0") else text


def listed(value: object) -> list[str]:
    """A tag as a list: None, one text, or a list printed as text ("['1', '2']")."""
    if value is None or value == "":
        return []
    if isinstance(value, list):
        return [str(item) for item in value]
    text = str(value)
    if text.startswith("["):
        return [str(item) for item in ast.literal_eval(text)]
    return [text]
