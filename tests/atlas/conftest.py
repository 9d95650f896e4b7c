"""The bundled city, loaded once, and a made-up one small enough to check by hand."""

import gzip
import json
from pathlib import Path
from typing import Any

import pytest

from game.atlas.load import load
from game.world.city import City

REAL = Path(__file__).resolve().parents[3] / "shared" / "city"
WEST, SOUTH = -73.9855, 40.7580  # the origin of every area
EAST_M, NORTH_M = 84442.16, 111049.23  # metres a degree there


@pytest.fixture(scope="session")
def midtown() -> City:
    return load()


def degrees(points: list[tuple[float, float]]) -> list[list[float]]:
    return [[WEST + x / EAST_M, SOUTH + y / NORTH_M] for x, y in points]


def house(
    key: str, points: list[tuple[float, float]], *, bin_: str = "1000001", feet: float = 100.0
) -> dict[str, Any]:
    return {
        "type": "Feature",
        "properties": {"BIN": bin_, "SOURCE_ID": key, "NAME": None, "HEIGHTROOF": feet,
                       "GROUNDELEV": 10.0, "CNSTRCT_YR": 1931, "MODEL_TOP_FT": feet},
        "geometry": {"type": "MultiPolygon", "coordinates": [[degrees([*points, points[0]])]]},
    }  # fmt: skip


def box(x0: float, y0: float, x1: float, y1: float) -> list[tuple[float, float]]:
    return [(x0, y0), (x1, y0), (x1, y1), (x0, y1)]


def road(
    start: int, end: int, points: list[tuple[float, float]], name: str, **tags: Any
) -> dict[str, Any]:
    own = {"u": min(start, end), "v": max(start, end), "from": start, "to": end, "name": name,
           "highway": "secondary", "oneway": True, "lanes": "2", **tags}  # fmt: skip
    line = {"type": "LineString", "coordinates": degrees(points)}
    return {"type": "Feature", "properties": own, "geometry": line}


def write(folder: Path, houses: list[dict[str, Any]], roads: list[dict[str, Any]]) -> Path:
    """A folder of sources: the houses and roads given, all land, no parks but one."""
    folder.mkdir(parents=True, exist_ok=True)
    land = {"type": "Polygon", "coordinates": [degrees([*box(-9e3, -9e3, 9e3, 9e3), (-9e3, -9e3)])]}
    park = {"type": "Polygon", "coordinates": [degrees([*box(60, 60, 90, 90), (60, 60)])]}
    node = {"type": "Feature", "properties": {"osmid": 5, "highway": "traffic_signals"}}
    tables = {
        "buildings_manhattan.geojson.gz": houses,
        "streets_osm_manhattan.geojson.gz": roads,
        "street_nodes_osm_manhattan.geojson.gz": [node],
        "shoreline_manhattan.geojson.gz": [{"properties": {}, "geometry": land}],
        "parks_manhattan.geojson": [{"properties": {}, "geometry": park}],
    }
    for name, features in tables.items():
        data = json.dumps({"type": "FeatureCollection", "features": features}).encode()
        (folder / name).write_bytes(gzip.compress(data) if name.endswith(".gz") else data)
    return folder


def crossroads() -> list[dict[str, Any]]:
    """West 1st Street (both ways, east-west) meets 1st Avenue (one-way, north) at node 5."""
    return [
        road(1, 5, [(-200, 0), (0, 0)], "West 1st Street", oneway=False, highway="residential"),
        road(5, 2, [(0, 0), (200, 0)], "West 1st Street", oneway=False, highway="residential"),
        road(3, 5, [(0, -200), (0, 0)], "1st Avenue"),
        road(5, 4, [(0, 0), (0, 200)], "1st Avenue", maxspeed="['40 mph', '30 mph']"),
    ]
