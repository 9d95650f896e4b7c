"""Kinds of road user, their bodies, and the state of one entity in one tick.

A body is an oriented box for the eye and a row of discs for collisions; both stand in one table.
"""

from dataclasses import dataclass
from enum import IntEnum
from math import sqrt


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
    """

    name: str
    kind: Kind
    length: float
    width: float
    height: float
    discs: tuple[tuple[float, float], ...]
    wheelbase: float = 0.0


def _row(length: float, width: float, count: int) -> tuple[tuple[float, float], ...]:
    """`count` equal discs along the length whose union covers a length x width box."""
    pitch = length / count
    # a disc must reach the corner of its own slice: half the pitch along, half the width across
    radius = sqrt((pitch / 2.0) * (pitch / 2.0) + (width / 2.0) * (width / 2.0))
    first = -length / 2.0 + pitch / 2.0
    return tuple((first + i * pitch, radius) for i in range(count))


EGO_ID = 0


@dataclass(frozen=True, slots=True)
class EntityState:
    """One entity in one tick. `x`, `y` [m], `heading` [rad], `speed` [m/s] along the heading.

    id 0 is the ego; steer is the front-wheel angle [rad]; started is the tick at which a scripted
    part set off (-1: still waiting); struck is the tick of its first contact with the ego (-1: none).
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
