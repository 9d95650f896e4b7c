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

    @property
    def projection(self) -> Projection:
        """The plane in which the area is compiled."""
        return Projection(self.latitude, self.longitude)

    def outline(self) -> tuple[Point, ...]:
        """The corners in metres from the origin."""
        return tuple(self.projection.metres(*corner) for corner in self.corners)


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
)
AREAS = {area.name: area for area in (MIDTOWN, TIMES_SQUARE, MANHATTAN)}
