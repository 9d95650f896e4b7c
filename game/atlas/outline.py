"""Building rows in degrees into clean footprints in whole centimetres.

Owns what counts as a building and as a sound ring: drops what is not Manhattan's or has no area,
mends rings that cross themselves, splits multipolygons. Needs shapely (extra `city`).
"""

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
import shapely
from shapely.geometry import Polygon, shape
from shapely.geometry.base import BaseGeometry
from shapely.geometry.polygon import orient

from game.atlas.project import Projection
from game.atlas.sources import FOOT, BuildingRow
from game.atlas.tally import Tally

TOLERANCE = 0.12  # of the simplification [m]
SMALLEST = 4.0  # area below which an outline is a flaw of the source [m2]
LOWEST = 8.0 * FOOT  # a roof below this is no storey [m]
MARGIN = 100.0  # buildings this far outside the area are still seen from it [m]


@dataclass(frozen=True, slots=True)
class Building:
    """A footprint before it gets its number. polygon in metres, on whole centimetres."""

    row: BuildingRow
    polygon: Polygon
    height: float
    top: float


def to_metres(geometry: BaseGeometry, projection: Projection) -> BaseGeometry:
    """A geometry in degrees on the plane of the projection."""
    origin = np.array([projection.longitude, projection.latitude])
    scale = np.array(projection.scale)
    return shapely.transform(geometry, lambda points: (points - origin) * scale)


def polygons_of(geometry: BaseGeometry) -> list[Polygon]:
    """The polygons in a geometry; lines and points left by a repair are dropped."""
    if isinstance(geometry, Polygon):
        return [] if geometry.is_empty else [geometry]
    parts = getattr(geometry, "geoms", ())
    return [polygon for part in parts for polygon in polygons_of(part)]


def snapped(polygon: Polygon) -> list[Polygon]:
    """The polygon simplified and put on whole centimetres, still valid; may fall into parts."""
    simple = polygon.simplify(TOLERANCE, preserve_topology=True)
    whole = shapely.transform(simple, lambda points: np.round(points * 100.0) / 100.0)
    if not whole.is_valid:
        whole = shapely.set_precision(shapely.make_valid(whole), 0.01)
    return [orient(part, 1.0) for part in polygons_of(whole)]


def clean(
    rows: Iterable[BuildingRow], area: Polygon, projection: Projection, tally: Tally
) -> list[Building]:
    """The buildings of the area and its margin, mended, largest first within a row."""
    near = area.buffer(MARGIN)
    shapely.prepare(near)
    found: list[Building] = []
    for row in rows:
        geometry = to_metres(shape(row.geometry), projection)
        if not near.intersects(geometry.centroid):
            continue
        if row.bin[:1] != "1":
            tally.dropped("building", "of another borough (BIN does not start with 1)")
            continue
        found.extend(_parts(row, geometry, tally))
    return found


def _parts(row: BuildingRow, geometry: BaseGeometry, tally: Tally) -> list[Building]:
    if not geometry.is_valid:
        tally.mended("building", "outline crossed itself")
        geometry = shapely.make_valid(geometry)
    parts = [part for whole in polygons_of(geometry) for part in snapped(whole)]
    sound = [part for part in parts if part.area >= SMALLEST]
    if len(sound) < len(parts):
        tally.dropped("part", f"smaller than {SMALLEST:.0f} square metres", len(parts) - len(sound))
    if not sound:
        tally.dropped("building", "no outline with an area")
    if len(sound) > 1:
        tally.mended("building", "of several outlines, split")
    height = row.height
    if height < LOWEST:
        height = max(height, row.top)
        tally.mended("building", "roof below 8 ft, highest point of the model taken")
    if height < LOWEST:
        tally.dropped("building", "lower than 8 ft: a kerb, a wall or a flaw")
        return []
    top = row.top if row.top > height + 0.5 else 0.0
    return [Building(row, part, height, top) for part in sound]
