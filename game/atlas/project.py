"""Degrees to metres and back, on a plane that touches the ellipsoid at the pack's origin.

Local equirectangular projection: x = (lon - lon0) * N cos(lat0), y = (lat - lat0) * M, with the
radii of curvature of WGS 84 at the origin (M along the meridian, N along the prime vertical;
Snyder, Map Projections: A Working Manual, 1987, eq. 4-18 and 4-20). The scale is true at the origin
and off by less than 0.03 % within 3 km of it. x east, y north, metres. Not for world state.
"""

from dataclasses import dataclass
from math import cos, pi, sin, sqrt

WGS84_A = 6378137.0  # equatorial radius [m]
WGS84_E2 = 0.00669437999014  # first eccentricity squared


@dataclass(frozen=True, slots=True)
class Projection:
    """The plane that touches the Earth at `latitude`, `longitude` [degree, WGS 84]."""

    latitude: float
    longitude: float

    @property
    def scale(self) -> tuple[float, float]:
        """Metres per degree, east and north."""
        phi = self.latitude * pi / 180.0
        w2 = 1.0 - WGS84_E2 * sin(phi) * sin(phi)
        prime = WGS84_A / sqrt(w2)
        meridian = WGS84_A * (1.0 - WGS84_E2) / (w2 * sqrt(w2))
        return prime * cos(phi) * pi / 180.0, meridian * pi / 180.0

    def metres(self, longitude: float, latitude: float) -> tuple[float, float]:
        """x east, y north of the origin [m]."""
        east, north = self.scale
        return (longitude - self.longitude) * east, (latitude - self.latitude) * north

    def degrees(self, x: float, y: float) -> tuple[float, float]:
        """Longitude and latitude [degree] of a place x east, y north [m] of the origin."""
        east, north = self.scale
        return self.longitude + x / east, self.latitude + y / north
