"""The source files as they come: found, read, and each row's text turned into typed figures.

Knows the names and the flaws of the files (lists printed as text, feet, million BINs). Coordinates
stay in degrees. Refuses nothing but files that are missing or do not read.
"""

import ast
import gzip
import hashlib
import json
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from game.errors import SourceError

BUILDINGS = "buildings_manhattan.geojson.gz"
STREETS = "streets_osm_manhattan.geojson.gz"
NODES = "street_nodes_osm_manhattan.geojson.gz"
SHORELINE = "shoreline_manhattan.geojson.gz"
PARKS = "parks_manhattan.geojson"
ALL = (BUILDINGS, STREETS, NODES, SHORELINE, PARKS)

FOOT = 0.3048  # [m]
MPH = 0.44704  # [m/s]
# Without a posted limit: New York City's 25 mph, more on limited-access roads (NYC DOT).
SPEED_MPH = {"motorway": 40.0, "trunk": 35.0, "living_street": 10.0}
CITY_SPEED_MPH = 25.0


@dataclass(frozen=True, slots=True)
class BuildingRow:
    """One row of the City's model. geometry: GeoJSON in degrees; heights in metres."""

    key: str  # SOURCE_ID: BIN is not unique
    bin: str
    name: str
    height: float
    ground: float
    top: float
    year: int
    geometry: dict[str, Any]

    @property
    def placeholder(self) -> bool:
        """Whether the BIN stands for no building of its own (bridges, kiosks, canopies)."""
        return self.bin.endswith("000000")


@dataclass(frozen=True, slots=True)
class RoadRow:
    """One edge of OpenStreetMap's network, in its direction of travel. lanes 0: not tagged."""

    start: int  # node ids
    end: int
    name: str
    kind: str
    oneway: bool
    lanes: int
    speed: float  # [m/s]
    bridge: bool
    tunnel: bool  # under ground, building passages not counted
    points: tuple[tuple[float, float], ...]


@dataclass(frozen=True, slots=True)
class Sources:
    """Everything a pack is made of. `digests`: hex SHA-256 of each file read."""

    buildings: tuple[BuildingRow, ...]
    roads: tuple[RoadRow, ...]
    signals: frozenset[int]  # nodes with traffic lights
    shoreline: tuple[dict[str, Any], ...]  # GeoJSON geometries
    parks: tuple[dict[str, Any], ...]
    digests: dict[str, str]


def read_sources(folder: Path) -> Sources:
    """Read and parse every source file in `folder`. Raises SourceError."""
    tables: dict[str, list[dict[str, Any]]] = {}
    digests: dict[str, str] = {}
    for name in ALL:
        tables[name], digests[name] = _features(folder / name)
    try:
        return Sources(
            buildings=tuple(_building(row) for row in tables[BUILDINGS]),
            roads=tuple(_road(row) for row in tables[STREETS]),
            signals=frozenset(
                row["properties"]["osmid"]
                for row in tables[NODES]
                if row["properties"].get("highway") == "traffic_signals"
            ),
            shoreline=tuple(row["geometry"] for row in tables[SHORELINE]),
            parks=tuple(row["geometry"] for row in tables[PARKS]),
            digests=digests,
        )
    except (KeyError, TypeError, ValueError) as error:
        raise SourceError(folder, f"a row is not what it should be ({error!r})") from error


def _features(path: Path) -> tuple[list[dict[str, Any]], str]:
    try:
        data = path.read_bytes()
        text = gzip.decompress(data) if path.suffix == ".gz" else data
        features = json.loads(text)["features"]
    except FileNotFoundError as error:
        raise SourceError(path, "is missing") from error
    except (OSError, EOFError, ValueError, KeyError, TypeError) as error:
        raise SourceError(path, f"does not read ({error})") from error
    if not features:
        raise SourceError(path, "holds no features")
    return list(features), hashlib.sha256(data).hexdigest()


def _building(row: dict[str, Any]) -> BuildingRow:
    own = row["properties"]
    return BuildingRow(
        key=str(own["SOURCE_ID"]),
        bin=str(own["BIN"]),
        name=str(own.get("NAME") or ""),
        height=float(own.get("HEIGHTROOF") or 0.0) * FOOT,
        ground=float(own.get("GROUNDELEV") or 0.0) * FOOT,
        top=float(own.get("MODEL_TOP_FT") or 0.0) * FOOT,
        year=int(own.get("CNSTRCT_YR") or 0),
        geometry=row["geometry"],
    )


def _road(row: dict[str, Any]) -> RoadRow:
    own = row["properties"]
    kind = listed(own["highway"])[0]
    tunnel = listed(own.get("tunnel"))
    return RoadRow(
        start=int(own["from"]),
        end=int(own["to"]),
        name=(listed(own.get("name")) or [""])[0],
        kind=kind,
        oneway=bool(own["oneway"]),
        lanes=min((int(text) for text in listed(own.get("lanes")) if text.isdigit()), default=0),
        speed=speed_of(listed(own.get("maxspeed")), kind),
        bridge=bool(listed(own.get("bridge"))),
        tunnel="yes" in tunnel,
        points=tuple((float(x), float(y)) for x, y in row["geometry"]["coordinates"]),
    )


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


def speed_of(limits: list[str], kind: str) -> float:
    """The lowest limit posted, or the default of the road's class [m/s]."""
    found: list[float] = []
    for limit in limits:
        match = re.fullmatch(r"\s*([\d.]+)\s*(mph|km/h)?\s*", limit)
        if match:
            # A bare number means km/h by the map's convention, but no limit in New York is one:
            # the unit was forgotten.
            found.append(float(match[1]) * (1.0 / 3.6 if match[2] == "km/h" else MPH))
    return min(found) if found else SPEED_MPH.get(kind, CITY_SPEED_MPH) * MPH
