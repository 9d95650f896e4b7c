"""GeoJSON polygons into shapely's in one go, and what is no ring left out.

A geometry at a time costs a second for each ten thousand; all at once a tenth of that. Needs
shapely (extra `city`).
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from math import isfinite
from typing import Any

import numpy as np
import shapely


@dataclass(slots=True)
class _Flat:
    """Coordinates of all rings in a row, and whose they are."""

    points: list[Any] = field(default_factory=list)
    ring_of_point: list[int] = field(default_factory=list)
    polygon_of_ring: list[int] = field(default_factory=list)
    owner_of_polygon: list[int] = field(default_factory=list)
    broken: list[int] = field(default_factory=list)  # rings lost, one entry each: the owner

    def add(self, owner: int, rings: Sequence[Any]) -> None:
        """One polygon; a hole that is no ring is lost alone, an outer ring loses the polygon."""
        for place, ring in enumerate(rings):
            if not _is_ring(ring):
                self.broken.append(owner)
                if place == 0:
                    return
                continue
            if place == 0:
                self.owner_of_polygon.append(owner)
            self.polygon_of_ring.append(len(self.owner_of_polygon) - 1)
            # A third figure would be a height, which outlines have elsewhere.
            flat = ring if len(ring[0]) == 2 else [point[:2] for point in ring]
            self.points += flat
            self.ring_of_point += [len(self.polygon_of_ring) - 1] * len(flat)


def _is_ring(ring: Any) -> bool:
    """At least three different corners, all of them numbers."""
    if not isinstance(ring, list | tuple) or len(ring) < 3:
        return False
    corners = {(point[0], point[1]) for point in ring}
    return len(corners) >= 3 and all(
        isinstance(x, int | float) and isinstance(y, int | float) and isfinite(x) and isfinite(y)
        for x, y in corners
    )


def polygons(geometries: Sequence[dict[str, Any]]) -> tuple[np.ndarray[Any, Any], list[int]]:
    """One (multi-)polygon in degrees for each geometry, empty where none of its rings is one.

    The list has the place of a geometry once for each ring of it that was left out. Raises
    ValueError for geometries that are no polygons.
    """
    flat = _Flat()
    for owner, geometry in enumerate(geometries):
        kind, parts = geometry["type"], geometry["coordinates"]
        if kind not in ("Polygon", "MultiPolygon"):
            raise ValueError(f"a building that is a {kind}")
        for rings in [parts] if kind == "Polygon" else parts:
            flat.add(owner, rings)
    found: np.ndarray[Any, Any] = np.full(len(geometries), shapely.MultiPolygon(), dtype=object)
    if flat.points:
        rings = shapely.linearrings(
            np.asarray(flat.points, dtype=np.float64),
            indices=np.asarray(flat.ring_of_point, dtype=np.intp),
        )
        whole = shapely.polygons(rings, indices=np.asarray(flat.polygon_of_ring, dtype=np.intp))
        owners = np.asarray(flat.owner_of_polygon, dtype=np.intp)
        shapely.multipolygons(whole, indices=owners, out=found)
    return found, flat.broken
