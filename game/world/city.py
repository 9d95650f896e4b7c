"""The static city as the world knows it: outlines, streets, lanes, junctions. Pure data.

x east, y north, z up, in metres from the pack's origin; angles counter-clockwise from east.
"""

from dataclasses import dataclass, field

Point = tuple[float, float]


@dataclass(frozen=True, slots=True)
class Footprint:
    """One building. rings: the outer one anticlockwise, then holes clockwise, none closed."""

    id: int
    rings: tuple[tuple[Point, ...], ...]
    height: float  # roof above ground [m]
    ground: float = 0.0  # ground elevation [m]
    top: float = 0.0  # highest point of spires above ground [m], 0 where it is the roof
    year: int = 0  # of construction, 0 where unknown
    name: str = ""


@dataclass(frozen=True, slots=True)
class Street:
    """One directed or two-way stretch of roadway between two junctions.

    points: centre line of the roadway. lanes: number in all directions. width: kerb to kerb [m].
    """

    id: int
    name: str
    kind: str  # OpenStreetMap highway class
    points: tuple[Point, ...]
    start: int  # junction ids
    end: int
    oneway: bool
    lanes: int
    width: float
    speed_limit: float  # [m/s]
    parking: int = 0  # rows of parked cars along the kerbs: 0, 1 or 2
    bike: int = 0  # for bicycles: 0 nothing known, 1 a painted lane, 2 a path of its own

    @property
    def backward(self) -> int:
        """Lanes against the direction of the points."""
        return 0 if self.oneway else self.lanes // 2

    @property
    def forward(self) -> int:
        """Lanes in the direction of the points."""
        return self.lanes - self.backward


@dataclass(frozen=True, slots=True)
class Lane:
    """The line that a vehicle follows, in its direction of travel."""

    id: int
    street: int
    index: int  # 0 is the rightmost
    points: tuple[Point, ...]
    width: float
    start: int  # junction ids in the direction of travel
    end: int


@dataclass(frozen=True, slots=True)
class Junction:
    """Where streets meet. name: 'West 42nd Street & 7th Avenue', from the streets that meet."""

    id: int
    x: float
    y: float
    signal: bool
    name: str
    streets: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class City:
    """A compiled piece of the city. `digest` is the hex SHA-256 of the pack it was read from."""

    name: str
    digest: str
    latitude: float  # of the origin [degree]
    longitude: float
    bounds: tuple[float, float, float, float]  # x0, y0, x1, y1 [m]
    footprints: tuple[Footprint, ...]
    streets: tuple[Street, ...]
    lanes: tuple[Lane, ...]
    junctions: tuple[Junction, ...]
    water: tuple[tuple[Point, ...], ...] = field(default=())
    parks: tuple[tuple[Point, ...], ...] = field(default=())
