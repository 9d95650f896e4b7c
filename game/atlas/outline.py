"""Building rows in degrees into clean footprints in whole centimetres.

Owns what counts as a building and as a sound ring: drops what is not Manhattan's or has no area,
mends rings that cross themselves, splits multipolygons. Needs shapely (extra `city`).
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import shapely
from shapely.geometry import Polygon
from shapely.geometry.base import BaseGeometry
from shapely.geometry.polygon import orient
from shapely.strtree import STRtree

from game.atlas.project import Projection
from game.atlas.rows import DATUM_SHIFT, FOOT, BuildingRow
from game.atlas.shapes import polygons
from game.atlas.tally import Tally

TOLERANCE = 0.12  # of the simplification [m]
SMALLEST = 4.0  # area below which an outline is a flaw of the source [m2]
LOWEST = 8.0 * FOOT  # a roof below this is no storey [m]
USUAL = 12.0  # height where a source knows none at all [m]
TWIN = 0.8  # outlines of one BIN that share this much are one
MARGIN = 100.0  # buildings this far outside the area are still seen from it [m]
Shapes = np.ndarray[Any, Any]


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


def to_plane(geometries: Shapes, projection: Projection) -> Shapes:
    """As `to_metres`, of many geometries at once."""
    origin = np.array([projection.longitude, projection.latitude])
    scale = np.array(projection.scale)
    found: Shapes = shapely.transform(geometries, lambda points: (points - origin) * scale)
    return found


def moved(geometries: Shapes, today: Shapes) -> Shapes:
    """The geometries in metres, those of today's API brought to the datum of the maps."""
    if not today.any():
        return geometries
    found = geometries.copy()
    found[today] = shapely.transform(found[today], lambda points: points + np.array(DATUM_SHIFT))
    return found


def polygons_of(geometry: BaseGeometry) -> list[Polygon]:
    """The polygons in a geometry; lines and points left by a repair are dropped."""
    if isinstance(geometry, Polygon):
        return [] if geometry.is_empty else [geometry]
    parts = getattr(geometry, "geoms", ())
    return [polygon for part in parts for polygon in polygons_of(part)]


def snapped(polygon: Polygon) -> list[Polygon]:
    """The polygon simplified and put on whole centimetres, still valid; may fall into parts."""
    return all_snapped([polygon])[0]


def all_snapped(whole: Sequence[Polygon]) -> list[list[Polygon]]:
    """As `snapped`, of many polygons at once."""
    if not whole:
        return []
    given: Shapes = np.empty(len(whole), dtype=object)
    given[:] = whole
    simple = shapely.simplify(given, TOLERANCE, preserve_topology=True)
    fine = shapely.transform(simple, lambda points: np.round(points * 100.0) / 100.0)
    for at in np.flatnonzero(~shapely.is_valid(fine)):
        fine[at] = shapely.set_precision(shapely.make_valid(fine[at]), 0.01)
    return [[orient(part, 1.0) for part in polygons_of(one)] for one in fine]


def clean(
    rows: Iterable[BuildingRow],
    area: Polygon,
    projection: Projection,
    tally: Tally,
    borough: str = "1",
) -> list[Building]:
    """The buildings of the area and its margin, mended, largest first within a row.

    Only those of `borough` (first digit of the BIN), of all where it is empty.
    """
    rows = list(rows)
    geometries, broken = polygons([row.geometry for row in rows])
    geometries = to_plane(geometries, projection)
    geometries = moved(geometries, np.array([row.today for row in rows], dtype=bool))
    near = area.buffer(MARGIN)
    shapely.prepare(near)
    inside = shapely.intersects(near, shapely.centroid(geometries)) | shapely.is_empty(geometries)
    chosen = _chosen(rows, geometries, inside, borough, tally)
    own = set(chosen)
    lost = sum(owner in own for owner in broken)
    tally.dropped("ring", "fewer than three corners, or a corner that is no number", lost)
    tally.mended(
        "building",
        "today's datum brought to that of the maps",
        sum(rows[at].today for at in chosen),
    )
    heights = _heights(rows, geometries, chosen, tally)
    return [
        one
        for at, parts in zip(chosen, _parts_of(geometries[chosen], tally), strict=True)
        for one in _standing(rows[at], heights[at], parts, tally)
    ]


def _chosen(
    rows: Sequence[BuildingRow], geometries: Shapes, inside: Shapes, borough: str, tally: Tally
) -> list[int]:
    """The places of the rows that are buildings of the area, each outline once."""
    found: list[int] = []
    seen: dict[tuple[str, bytes], None] = {}
    for at, row in enumerate(rows):
        if not inside[at]:
            continue
        if borough and row.bin[:1] != borough:
            tally.dropped("building", f"of another borough (BIN does not start with {borough})")
        elif row.skip:
            tally.dropped("building", row.skip)
        else:
            twin = (row.bin, shapely.to_wkb(geometries[at]))
            if twin in seen and not geometries[at].is_empty:
                tally.dropped("building", "the same row twice")
                continue
            seen[twin] = None
            found.append(at)
    return _one_each(rows, geometries, found, tally)


def _one_each(
    rows: Sequence[BuildingRow], geometries: Shapes, chosen: Sequence[int], tally: Tally
) -> list[int]:
    """Without the rows that give the outline of another row of their BIN once more.

    A BIN twice is no flaw by itself: parts of one building share it.
    """
    by_bin: dict[str, list[int]] = {}
    for at in chosen:
        if not rows[at].placeholder and rows[at].bin:
            by_bin.setdefault(rows[at].bin, []).append(at)
    twice: set[int] = set()
    for group in by_bin.values():
        sound = sorted(
            (at for at in group if len(group) > 1 and geometries[at].is_valid),
            key=lambda at: (-rows[at].height, rows[at].key, at),
        )
        for place, at in enumerate(sound):
            own = geometries[at]
            for other in sound[:place]:
                if other in twice or own.is_empty:
                    continue
                shared = own.intersection(geometries[other]).area
                if shared > TWIN * max(own.area, geometries[other].area):
                    twice.add(at)
                    break
    tally.dropped("building", "the outline of its BIN given once more", len(twice))
    return [at for at in chosen if at not in twice]


def _heights(
    rows: Sequence[BuildingRow], geometries: Shapes, chosen: Sequence[int], tally: Tally
) -> dict[int, float]:
    """The height of each chosen row; where it is unknown the median of the nearest that are."""
    heights = {at: rows[at].height for at in chosen}
    known = [at for at in chosen if heights[at] >= LOWEST and not geometries[at].is_empty]
    unknown = [at for at in chosen if heights[at] < 0.0 and not geometries[at].is_empty]
    tree = STRtree(shapely.centroid(geometries[known])) if known and unknown else None
    for at in unknown:
        if tree is None:
            heights[at] = USUAL
        else:
            place = geometries[at].centroid
            reach = [int(i) for i in tree.query(place, predicate="dwithin", distance=100.0)]
            reach = reach or [int(tree.nearest(place))]
            beside = sorted(heights[known[i]] for i in reach)
            heights[at] = beside[len(beside) // 2]
        tally.mended("building", f"{rows[at].flaw or 'no height'}: the usual one nearby taken")
    return heights


def _parts_of(geometries: Shapes, tally: Tally) -> list[list[Polygon]]:
    """The sound polygons of each geometry, simplified and on whole centimetres."""
    valid = shapely.is_valid(geometries)
    tally.mended("building", "outline crossed itself", int((~valid).sum()))
    geometries = geometries.copy()
    for bad in np.flatnonzero(~valid):
        geometries[bad] = shapely.make_valid(geometries[bad])
    wholes = [(at, one) for at, geometry in enumerate(geometries) for one in polygons_of(geometry)]
    found: list[list[Polygon]] = [[] for _ in geometries]
    for (at, _), parts in zip(wholes, all_snapped([one for _, one in wholes]), strict=True):
        found[at] += parts
    return found


def _standing(
    row: BuildingRow, height: float, parts: Sequence[Polygon], tally: Tally
) -> list[Building]:
    sound = [part for part in parts if part.area >= SMALLEST]
    if len(sound) < len(parts):
        tally.dropped("part", f"smaller than {SMALLEST:.0f} square metres", len(parts) - len(sound))
    if not sound:
        tally.dropped("building", "no outline with an area")
        return []
    if len(sound) > 1:
        tally.mended("building", "of several outlines, split")
    if height < LOWEST:
        height = max(height, row.top)
        if height < LOWEST:
            tally.dropped("building", "lower than 8 ft: a kerb, a wall or a flaw")
            return []
        tally.mended("building", "roof below 8 ft, highest point of the model taken")
    top = row.top if row.top > height + 0.5 else 0.0
    return [Building(row, part, height, top) for part in sound]
