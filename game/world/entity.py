"""Kinds of road user, their bodies, and the state of one entity in one tick.

A body is an oriented box for the eye and a row of discs for collisions; both stand in one table.
"""

from dataclasses import dataclass
from enum import IntEnum
from math import sqrt
from typing import NamedTuple


class Kind(IntEnum):
    """What an entity is, in the scenario vocabulary."""

    VEHICLE = 1
    PEDESTRIAN = 2
    BICYCLE = 3
    OBSTACLE = 4
    EMERGENCY_WORKER = 5


@dataclass(frozen=True, slots=True)
class Body:
    """Shape of one kind of thing: `length` x `width` x `height` [m], centre at the pose.

    discs: (offset along the heading [m], radius [m]) that together cover the outline.
    mass [kg] decides who stops whom. cover: radius about the pose that holds every disc [m].
    """

    name: str
    kind: Kind
    length: float
    width: float
    height: float
    discs: tuple[tuple[float, float], ...]
    wheelbase: float = 0.0
    mass: float = 1500.0
    cover: float = 0.0


CORNER = 0.27
"""Radius of a body's corners as a share of its width: nothing on the road is a perfect box."""
_REACH = sqrt(0.5) * (1.0 - 2.0 * CORNER) + CORNER
_PITCH = 2.0 * sqrt(_REACH * _REACH - 0.25)


def _row(length: float, width: float) -> tuple[tuple[float, float], ...]:
    """Equal discs along the axis, as few as cover the outline with its rounded corners.

    The outermost ones lie half a width from the ends. Every disc reaches 0.095 of the width
    beyond the outline, which is the price of covering the corners.
    """
    radius = _REACH * width
    span = length - width
    count = 1
    while (count - 1) * _PITCH * width < span:
        count += 1
    if count == 1:
        return ((0.0, radius),)
    return tuple([(span * (i / (count - 1) - 0.5), radius) for i in range(count)])


# name, kind, length, width, height [m], wheelbase [m], mass [kg]. Append only: a recording
# stores a body by its place in this table.
_TABLE: tuple[tuple[str, Kind, float, float, float, float, float], ...] = (
    ("sedan", Kind.VEHICLE, 4.7, 1.85, 1.45, 2.8, 1500.0),
    ("taxi", Kind.VEHICLE, 4.9, 1.9, 1.6, 2.9, 1700.0),
    ("suv", Kind.VEHICLE, 4.8, 1.95, 1.75, 2.9, 2000.0),
    ("pickup", Kind.VEHICLE, 5.6, 2.0, 1.85, 3.5, 2200.0),
    ("van", Kind.VEHICLE, 5.6, 2.05, 2.5, 3.4, 2300.0),
    ("bus", Kind.VEHICLE, 12.0, 2.55, 3.1, 6.1, 13000.0),
    ("lorry", Kind.VEHICLE, 8.2, 2.5, 3.4, 4.6, 9000.0),
    ("ambulance", Kind.VEHICLE, 6.4, 2.3, 2.8, 3.9, 4500.0),
    ("police", Kind.VEHICLE, 5.0, 1.95, 1.6, 3.0, 1900.0),
    ("fire_engine", Kind.VEHICLE, 9.5, 2.5, 3.2, 5.2, 15000.0),
    ("motorcycle", Kind.VEHICLE, 2.2, 0.8, 1.5, 1.4, 280.0),
    ("bicycle", Kind.BICYCLE, 1.8, 0.6, 1.75, 1.05, 90.0),
    ("cargo_bike", Kind.BICYCLE, 2.5, 0.9, 1.75, 1.7, 160.0),
    ("pedestrian", Kind.PEDESTRIAN, 0.5, 0.5, 1.75, 0.0, 75.0),
    ("child", Kind.PEDESTRIAN, 0.4, 0.4, 1.25, 0.0, 32.0),
    ("worker", Kind.EMERGENCY_WORKER, 0.55, 0.55, 1.8, 0.0, 85.0),
    ("cone", Kind.OBSTACLE, 0.4, 0.4, 0.75, 0.0, 3.0),
    ("debris", Kind.OBSTACLE, 1.2, 0.8, 0.4, 0.0, 25.0),
    ("crate", Kind.OBSTACLE, 1.0, 1.0, 0.9, 0.0, 60.0),
    ("tyre", Kind.OBSTACLE, 0.65, 0.65, 0.22, 0.0, 10.0),
    ("barrier", Kind.OBSTACLE, 2.0, 0.6, 0.9, 0.0, 900.0),
    ("barrel", Kind.OBSTACLE, 0.6, 0.6, 1.0, 0.0, 15.0),
)


def _body(row: tuple[str, Kind, float, float, float, float, float]) -> Body:
    name, kind, length, width, height, wheelbase, mass = row
    discs = _row(length, width)
    cover = discs[-1][0] + discs[-1][1]
    return Body(name, kind, length, width, height, discs, wheelbase, mass, cover)


BODIES: dict[str, Body] = {row[0]: _body(row) for row in _TABLE}
"""Every body by name, in the order in which recordings count them."""
BODY_NAMES: tuple[str, ...] = tuple(BODIES)
BODY_INDEX: dict[str, int] = {name: index for index, name in enumerate(BODY_NAMES)}

SOLID_MASS = 200.0
"""From this mass on a thing stops the ego; what is lighter is run over and slows it [kg]."""

EGO_ID = 0


class EntityState(NamedTuple):
    """One entity in one tick: a tuple, since a crowd makes hundreds of them in each.

    `x`, `y` [m], `heading` [rad], `speed` [m/s] along the heading. id 0 is the ego; steer is the
    front-wheel angle [rad]; started is the tick at which a scripted part set off (-1: it waits) or
    one of the living city appeared; struck that of its first contact with the ego (-1: none).
    """

    id: int
    body: str
    x: float
    y: float
    heading: float
    speed: float
    steer: float = 0.0
    started: int = -1
    struck: int = -1
