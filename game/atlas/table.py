"""A table of features from a file: GeoJSON or CSV with WKT, plain or gzip. Knows no schema.

Refuses, in one line, what is missing, cut short or empty. Needs shapely for WKT (extra `city`).
"""

import csv
import gzip
import hashlib
import io
import json
import zlib
from pathlib import Path
from typing import Any

from game.errors import SourceError

GEOMETRY = ("the_geom", "geom", "geometry", "wkt")  # columns of a CSV that hold WKT
Feature = dict[str, Any]


def read_table(path: Path) -> tuple[list[Feature], str]:
    """The features of a file and the SHA-256 of its bytes. Raises SourceError."""
    try:
        data = path.read_bytes()
        raw = gzip.decompress(data) if data[:2] == b"\x1f\x8b" else data
        features = _csv(raw) if _is_csv(path) else json.loads(raw)["features"]
        sound = isinstance(features, list) and all(isinstance(row, dict) for row in features)
    except FileNotFoundError as error:
        raise SourceError(path, "is missing") from error
    except (OSError, EOFError, ValueError, KeyError, TypeError, zlib.error, csv.Error) as error:
        raise SourceError(path, f"does not read ({error})") from error
    if not sound or not features:
        raise SourceError(path, "holds no features")
    return features, hashlib.sha256(data).hexdigest()


def _is_csv(path: Path) -> bool:
    return ".csv" in [suffix.lower() for suffix in path.suffixes]


def _csv(raw: bytes) -> list[Feature]:
    """Rows of a CSV as features; a row without a geometry keeps None there."""
    from shapely import from_wkt
    from shapely.errors import ShapelyError
    from shapely.geometry import mapping

    csv.field_size_limit(1 << 28)  # the outline of an island is one field
    rows = csv.DictReader(io.StringIO(raw.decode("utf-8-sig"), newline=""), strict=True)
    columns = {name.lower(): name for name in rows.fieldnames or ()}
    place = next((columns[name] for name in GEOMETRY if name in columns), None)
    if place is None:
        raise ValueError(f"no column of geometries; there are {', '.join(columns) or 'none'}")
    found: list[Feature] = []
    for row in rows:
        if None in row or None in row.values():
            raise ValueError(f"row {rows.line_num} has not as many fields as the header")
        text = row.pop(place)
        try:
            geometry = mapping(from_wkt(text)) if text else None
        except ShapelyError as error:
            raise ValueError(f"row {rows.line_num}: {error}") from error
        found.append({"type": "Feature", "properties": row, "geometry": geometry})
    return found
