"""Traffic lights as a pure function of junction, axis and tick. Owns the cycle; keeps no state."""

from enum import IntEnum

from game.world.trig import cos
from game.world.version import TICK_HZ

GREEN_TICKS = 25 * TICK_HZ
AMBER_TICKS = 3 * TICK_HZ
CLEARANCE_TICKS = 2 * TICK_HZ
"""Both axes red, so that the last car leaves before the first one enters."""
HALF_TICKS = GREEN_TICKS + AMBER_TICKS + CLEARANCE_TICKS
CYCLE_TICKS = 2 * HALF_TICKS

AVENUE_HEADING = 1.0647
"""Direction of Manhattan's avenues: 29 degrees east of north [rad]."""


class Light(IntEnum):
    """What a driver sees."""

    GREEN = 0
    AMBER = 1
    RED = 2


def offset(junction_id: int) -> int:
    """Ticks by which a junction's cycle is ahead: Knuth's multiplicative hash of its id."""
    return ((junction_id * 2654435761) & 0xFFFFFFFF) % CYCLE_TICKS


def light(junction_id: int, axis: int, tick: int) -> Light:
    """The light for traffic along `axis` (0 avenues, 1 cross streets; see `axis_of`)."""
    if axis not in (0, 1):
        raise ValueError(f"a junction has the axes 0 and 1, not {axis}")
    phase = (tick + offset(junction_id) + axis * HALF_TICKS) % CYCLE_TICKS
    if phase < GREEN_TICKS:
        return Light.GREEN
    if phase < GREEN_TICKS + AMBER_TICKS:
        return Light.AMBER
    return Light.RED


def axis_of(heading: float) -> int:
    """The axis that traffic of this heading [rad] belongs to: the nearer one of the grid."""
    return 0 if cos(2.0 * (heading - AVENUE_HEADING)) >= 0.0 else 1
