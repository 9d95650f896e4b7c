"""Everything a pack is made of, from the files of a folder, whichever of the schemas they have.

Owns which file plays which part: by name, then told from its columns. Refuses a folder without
buildings or streets, and files that do not read; what else is missing is said, not hidden.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from math import cos, radians
from pathlib import Path
from typing import Any

from game.atlas.centreline import is_centreline
from game.atlas.centreline import roads as city_roads
from game.atlas.footprints import building
from game.atlas.osm import edge, is_network, ways
from game.atlas.rows import BuildingRow, RoadRow
from game.atlas.table import Feature, read_table
from game.atlas.tally import Tally
from game.errors import SourceError
from game.world.city import Point

# The parts and the names their files have, the first that is there is read.
PARTS = {
    "buildings": ("buildings_manhattan*", "*5zhs-2jue*", "*building*footprint*", "buildings*"),
    "streets": ("streets_osm_manhattan*", "streets_osm*", "*inkn-q76z*", "*cent*line*", "streets*"),
    "nodes": ("street_nodes_osm_manhattan*", "street_nodes*"),
    "shoreline": ("shoreline*", "*gthc-hcne*", "*borough*boundar*"),
    "parks": ("parks*", "*enfh-gkve*"),
}  # fmt: skip
SUFFIXES = (".geojson", ".geojson.gz", ".json", ".json.gz", ".csv", ".csv.gz")
NEAR_SIGNAL = 15.0  # a street's node this close to traffic lights has them [m]
OSM_TERMS = "ODbL 1.0; (c) OpenStreetMap contributors"
CITY_TERMS = "NYC Open Data Terms of Use; City of New York, OTI / DCP / NYC Parks"


@dataclass(frozen=True, slots=True)
class Sources:
    """Everything a pack is made of. `digests`: hex SHA-256 of each file read."""

    buildings: tuple[BuildingRow, ...]
    roads: tuple[RoadRow, ...]
    signals: frozenset[int]  # nodes with traffic lights
    shoreline: tuple[dict[str, Any], ...]  # GeoJSON geometries
    parks: tuple[dict[str, Any], ...]
    digests: dict[str, str]
    street_terms: str = OSM_TERMS
    shifted_ground: bool = False  # shoreline and parks come from today's API


def find_files(folder: Path) -> dict[str, Path]:
    """The file of each part in `folder`; parts without a file are left out. Raises SourceError."""
    if not folder.is_dir():
        raise SourceError(folder, "is no folder")
    names = sorted(
        path for path in folder.iterdir() if path.name.lower().endswith(SUFFIXES) and path.is_file()
    )
    found: dict[str, Path] = {}
    for part, patterns in PARTS.items():
        taken = set(found.values())
        matches = (path for pattern in patterns for path in names
                   if path not in taken and _fits(path, pattern))  # fmt: skip
        chosen = next(matches, None)
        if chosen is not None:
            found[part] = chosen
    return found


def _fits(path: Path, pattern: str) -> bool:
    return Path(path.name.lower()).match(pattern)


def read_sources(
    folder: Path, files: Mapping[str, Path] | None = None, tally: Tally | None = None
) -> Sources:
    """Read the files in `folder`, those in `files` by part instead. Raises SourceError."""
    chosen = {**find_files(folder), **(files or {})}
    for part in ("buildings", "streets"):
        if part not in chosen:
            raise SourceError(folder / f"{PARTS[part][0].rstrip('*')}.geojson.gz", "is missing")
    tables: dict[str, list[Feature]] = {}
    digests: dict[str, str] = {}
    for part, path in chosen.items():
        tables[part], digests[path.name] = read_table(path)
    return assemble(tables, digests, folder, tally or Tally())


def assemble(
    tables: Mapping[str, list[Feature]],
    digests: dict[str, str],
    folder: Path,
    tally: Tally,
    shifted_ground: bool = False,
) -> Sources:
    """Sources from the features of each part. Raises SourceError, naming `folder`."""
    for part in ("shoreline", "parks"):
        if part not in tables:
            tally.dropped(part, "the source has none", 1)
    try:
        roads, signals, terms = _streets(tables["streets"], tables.get("nodes", ()), tally)
        return Sources(
            buildings=tuple(building(row) for row in tables["buildings"]),
            roads=tuple(roads),
            signals=signals,
            shoreline=tuple(row["geometry"] for row in tables.get("shoreline", ())),
            parks=tuple(row["geometry"] for row in tables.get("parks", ()) if row["geometry"]),
            digests=digests,
            street_terms=terms,
            shifted_ground=shifted_ground,
        )
    except (KeyError, TypeError, ValueError, IndexError, AttributeError) as error:
        raise SourceError(folder, f"a row is not what it should be ({error!r})") from error


def _streets(
    features: list[Feature], nodes: Iterable[Feature], tally: Tally
) -> tuple[list[RoadRow], frozenset[int], str]:
    lit = [row for row in nodes if "traffic_signals" in str(row["properties"].get("highway"))]
    if is_centreline(features[0]["properties"]):
        roads = city_roads(features, tally)
        # Lights placed by the map make the streets a database derived from it.
        terms = OSM_TERMS + "; " + CITY_TERMS if lit else CITY_TERMS
        return roads, _near(roads, lit), terms
    if not is_network(features):
        roads = ways(features, tally)
        return roads, _near(roads, lit), OSM_TERMS
    ids = frozenset(row["properties"]["osmid"] for row in lit
                    if row["properties"]["highway"] == "traffic_signals")  # fmt: skip
    return [edge(row) for row in features], ids, OSM_TERMS


def _near(roads: Iterable[RoadRow], lit: Iterable[Feature]) -> frozenset[int]:
    """The nodes of the roads within NEAR_SIGNAL of traffic lights."""
    cells: dict[tuple[int, int], list[Point]] = {}
    for row in lit:
        x, y = _metres(row["geometry"]["coordinates"])
        cells.setdefault((int(x // 50.0), int(y // 50.0)), []).append((x, y))
    found: set[int] = set()
    for road in roads:
        for node, place in ((road.start, road.points[0]), (road.end, road.points[-1])):
            x, y = _metres(place)
            column, row_ = int(x // 50.0), int(y // 50.0)
            near = (point for i in (-1, 0, 1) for j in (-1, 0, 1)
                    for point in cells.get((column + i, row_ + j), ()))  # fmt: skip
            if any((a - x) ** 2 + (b - y) ** 2 <= NEAR_SIGNAL**2 for a, b in near):
                found.add(node)
    return frozenset(found)


def _metres(place: Any) -> Point:
    """Metres good enough to tell neighbours."""
    return float(place[0]) * 111320.0 * cos(radians(40.75)), float(place[1]) * 111320.0
