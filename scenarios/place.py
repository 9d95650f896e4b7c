"""A named crossing into a frame of metres: forward and left, as scenario files count them.

Bit-exact, since every path goes through it. Owns what 'facing east' means at a crossing.
"""

from dataclasses import dataclass
from math import sqrt

from game.atlas.streets import find_junction
from game.errors import GameError
from game.world import trig
from game.world.city import City, Junction, Point, Street
from scenarios.errors import PlaceUnknown
from scenarios.terms import Anchor

LOOK_M = 60.0
"""How far along a street its direction at a crossing is measured [m]."""
_COMPASS = {"east": (1.0, 0.0), "north": (0.0, 1.0), "west": (-1.0, 0.0), "south": (0.0, -1.0)}


@dataclass(frozen=True, slots=True)
class Frame:
    """Origin [m] and the unit vector that points forward; left is a quarter turn from it."""

    x: float
    y: float
    fx: float
    fy: float

    def point(self, local: Point) -> Point:
        """[forward, left] of this frame as (x, y) of the city [m]."""
        forward, left = local
        return (
            self.x + forward * self.fx - left * self.fy,
            self.y + forward * self.fy + left * self.fx,
        )

    def local(self, point: Point) -> Point:
        """(x, y) of the city as [forward, left] of this frame [m]."""
        dx, dy = point[0] - self.x, point[1] - self.y
        return dx * self.fx + dy * self.fy, dy * self.fx - dx * self.fy

    @property
    def heading(self) -> float:
        """Direction of forward [rad], anticlockwise from east."""
        return trig.atan2(self.fy, self.fx)


def anchor_frame(anchor: Anchor, city: City, scenario: str) -> Frame:
    """The frame of a scenario's place. Raises PlaceUnknown where the city has no such place."""
    junction = junction_at(anchor.at, city, scenario)
    if anchor.towards is not None:
        other = junction_at(anchor.towards, city, scenario)
        fx, fy = unit(other.x - junction.x, other.y - junction.y)
        if fx == 0.0 and fy == 0.0:
            raise PlaceUnknown(scenario, anchor.towards, city.name, "it is the crossing itself")
    else:
        fx, fy = _facing(anchor, junction, city, scenario)
    return Frame(junction.x, junction.y, fx, fy)


def junction_at(name: str, city: City, scenario: str) -> Junction:
    """The crossing of that name. Raises PlaceUnknown where the city has none."""
    try:
        return find_junction(city, name)
    except (GameError, LookupError, ValueError) as wrong:
        raise PlaceUnknown(scenario, name, city.name, str(wrong)) from wrong


def _facing(anchor: Anchor, junction: Junction, city: City, scenario: str) -> Point:
    streets = {street.id: street for street in city.streets}
    cx, cy = _COMPASS[str(anchor.facing)]
    best, best_cosine = (0.0, 0.0), 0.5
    for street_id in junction.streets:
        street = streets[street_id]
        if anchor.along is not None and street.name.casefold() != anchor.along.casefold():
            continue
        for points in _away(street, junction):
            ux, uy = _direction(points)
            cosine = ux * cx + uy * cy
            if cosine > best_cosine:
                best, best_cosine = (ux, uy), cosine
    if best == (0.0, 0.0):
        along = f" along {anchor.along}" if anchor.along is not None else ""
        raise PlaceUnknown(
            scenario, anchor.at, city.name, f"no street leads {anchor.facing}{along} from there"
        )
    return best


def _away(street: Street, junction: Junction) -> tuple[tuple[Point, ...], ...]:
    ways: tuple[tuple[Point, ...], ...] = ()
    if street.start == junction.id:
        ways += (street.points,)
    if street.end == junction.id:
        ways += (tuple(reversed(street.points)),)
    return ways


def _direction(points: tuple[Point, ...]) -> Point:
    """Unit vector from the first point to the first one at least LOOK_M away, or to the last."""
    x0, y0 = points[0]
    for x, y in points[1:]:
        dx, dy = x - x0, y - y0
        if dx * dx + dy * dy >= LOOK_M * LOOK_M:
            return unit(dx, dy)
    return unit(points[-1][0] - x0, points[-1][1] - y0)


def unit(dx: float, dy: float) -> Point:
    """The vector of length 1 in this direction, (0, 0) for none."""
    length = sqrt(dx * dx + dy * dy)
    return (dx / length, dy / length) if length > 0.0 else (0.0, 0.0)
