"""Which pieces of the city can be compiled: name, origin, outline in degrees. Pure data."""

from dataclasses import dataclass

from game.atlas.project import Projection
from game.world.city import Point


@dataclass(frozen=True, slots=True)
class Area:
    """A piece of the city. `corners`: longitude, latitude [degree], anticlockwise, not closed."""

    name: str
    title: str
    latitude: float  # of the origin [degree]
    longitude: float
    corners: tuple[Point, ...]
    borough: str = "1"  # first digit of its buildings' BINs; empty: all boroughs
    far_bank: bool = False  # is land drawn where buildings of other boroughs stand?

    @property
    def projection(self) -> Projection:
        """The plane in which the area is compiled."""
        return Projection(self.latitude, self.longitude)

    def outline(self) -> tuple[Point, ...]:
        """The corners in metres from the origin."""
        return tuple(self.projection.metres(*corner) for corner in self.corners)

    @property
    def box(self) -> tuple[float, float, float, float]:
        """West, south, east, north [degree]."""
        across = [corner[0] for corner in self.corners]
        along = [corner[1] for corner in self.corners]
        return min(across), min(along), max(across), max(along)


def boxed(
    name: str, title: str, west: float, south: float, east: float, north: float, borough: str = ""
) -> Area:
    """The area between two meridians and two parallels [degree].

    Near Manhattan its origin is the one of the other packs, so that places have the same figures.
    """
    latitude, longitude = (south + north) / 2.0, (west + east) / 2.0
    if abs(latitude - ORIGIN[0]) < NEAR and abs(longitude - ORIGIN[1]) < NEAR:
        latitude, longitude = ORIGIN
    corners = ((west, south), (east, south), (east, north), (west, north))
    return Area(name, title, latitude, longitude, corners, borough)


SERVER = "https://data.cityofnewyork.us"  # of the City's open data
ORIGIN = (40.7580, -73.9855)  # latitude, longitude of Times Square [degree]
NEAR = 0.15  # [degree]


# Manhattan's grid is turned 29 degrees, so Midtown is a band along it and not a box of degrees: up
# to 45 m beyond the centre lines of 30th and 60th Street, into both rivers and short of Roosevelt
# Island.
MIDTOWN = Area(
    "midtown",
    "Midtown Manhattan, river to river, 30th to 60th Street",
    40.7580,
    -73.9855,
    (
        (-74.009489, 40.755209),
        (-73.971148, 40.739048),
        (-73.956319, 40.759364),
        (-73.995188, 40.774801),
    ),
)
TIMES_SQUARE = Area(
    "times-square",
    "Times Square, a small area for tests and experiments",
    40.7580,
    -73.9855,
    ((-73.9905, 40.7545), (-73.9820, 40.7545), (-73.9820, 40.7605), (-73.9905, 40.7605)),
)
MANHATTAN = Area(
    "manhattan",
    "The whole borough",
    40.7580,
    -73.9855,
    ((-74.025, 40.695), (-73.900, 40.695), (-73.900, 40.885), (-74.025, 40.885)),
    far_bank=True,
)
BOROUGHS = (
    boxed("bronx", "The Bronx", -73.936, 40.783, -73.746, 40.917, "2"),
    boxed("brooklyn", "Brooklyn", -74.044, 40.565, -73.832, 40.740, "3"),
    boxed("queens", "Queens", -73.964, 40.540, -73.699, 40.802, "4"),
    boxed("staten-island", "Staten Island", -74.257, 40.476, -74.033, 40.653, "5"),
)
AREAS = {area.name: area for area in (MIDTOWN, TIMES_SQUARE, MANHATTAN, *BOROUGHS)}
