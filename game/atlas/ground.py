"""Water and parks as rings without holes. Needs shapely (extra `city`)."""

from collections.abc import Iterable, Sequence
from typing import Any

import shapely
from shapely.geometry import Polygon, box, shape
from shapely.geometry.base import BaseGeometry
from shapely.ops import unary_union

from game.atlas.outline import polygons_of, snapped, to_metres, to_plane
from game.atlas.project import Projection
from game.atlas.roadway import Roadway
from game.atlas.rows import DATUM_SHIFT, BuildingRow
from game.atlas.shapes import polygons
from game.atlas.tally import Tally

FAR = 1000.0  # water is drawn this far beyond the area [m]
LEAST = 60.0  # smaller pieces are not drawn [m2]
BANK = 160.0  # what lies between far buildings within twice this of each other is land [m]
BEACH = 15.0  # land in front of the first buildings [m]
LEAST_BANK = 5000.0  # a smaller piece of far bank is a pier [m2]
PAVED = 3.0  # pavement between kerb and park [m]


def water(
    shoreline: Sequence[dict[str, Any]],
    area: Polygon,
    projection: Projection,
    tally: Tally,
    bank: BaseGeometry | None = None,
) -> list[Polygon]:
    """What is not land, up to FAR beyond the area; `bank` is land that the shoreline leaves out."""
    if not shoreline:
        return []
    x0, y0, x1, y1 = area.bounds
    frame = box(x0 - FAR, y0 - FAR, x1 + FAR, y1 + FAR)
    land = unary_union([shapely.make_valid(to_metres(shape(one), projection)) for one in shoreline])
    if bank is not None:
        # Marble Hill's only border on land is no shore.
        land = unary_union([land, bank])
    # Beyond the rivers lie other boroughs and New Jersey, of which the borough's outline says
    # nothing: only water within FAR of the area is shown, and it may hide a far bank.
    return _rings(frame.intersection(area.buffer(FAR)).difference(land), "water", tally)


def of_today(plane: Projection) -> Projection:
    """The plane whose origin lies where today's API has it."""
    east, north = plane.scale
    return Projection(
        plane.latitude - DATUM_SHIFT[1] / north, plane.longitude - DATUM_SHIFT[0] / east
    )


def far_bank(
    rows: Iterable[BuildingRow], borough: str, projection: Projection
) -> BaseGeometry | None:
    """Land where buildings of other boroughs stand: all that is known of the far banks."""
    others = [row.geometry for row in rows if row.bin[:1] not in ("", borough)]
    if not others:
        return None
    there, _ = polygons(others)
    plane = shapely.convex_hull(to_plane(there, projection))
    land = unary_union(shapely.buffer(plane, BANK)).buffer(BEACH - BANK).simplify(2.0)
    whole = [Polygon(one.exterior) for one in polygons_of(land) if one.area > LEAST_BANK]
    return unary_union(whole) if whole else None


def parks(
    rows: Iterable[dict[str, Any]],
    area: Polygon,
    ways: Iterable[Roadway],
    projection: Projection,
    tally: Tally,
) -> list[Polygon]:
    """The parks of the area, without the streets that their thinned outlines overlap."""
    streets = unary_union([way.line.buffer(way.width / 2.0 + PAVED) for way in ways])
    near = area.buffer(100.0)
    green = [
        shapely.make_valid(to_metres(shape(row), projection)).intersection(near) for row in rows
    ]
    union = unary_union([one for one in green if not one.is_empty])
    return _rings(union.difference(streets), "park", tally)


def _rings(geometry: BaseGeometry, what: str, tally: Tally) -> list[Polygon]:
    found: list[Polygon] = []
    waiting = polygons_of(geometry)
    while waiting:
        polygon = waiting.pop()
        if polygon.area < LEAST:
            tally.dropped(what, f"smaller than {LEAST:.0f} square metres")
        elif polygon.interiors:
            x0, y0, x1, y1 = polygon.bounds
            x = polygon.interiors[0].centroid.x
            waiting += polygons_of(polygon.intersection(box(x0, y0, x, y1)))
            waiting += polygons_of(polygon.intersection(box(x, y0, x1, y1)))
        else:
            found += [part for part in snapped(polygon) if not part.interiors]
    return sorted(found, key=lambda one: (-one.area, one.bounds))
