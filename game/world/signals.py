"""Traffic lights as a pure function of place, axis and tick. Owns the cycle; keeps no state.

A crossing's phase hangs on its name, so that every pack of the city shows the same lights there;
the carriageways of one avenue change together.
"""

from enum import IntEnum
from hashlib import sha256

from game.world.trig import cos
from game.world.version import TICK_HZ

GREEN_TICKS = 25 * TICK_HZ
AMBER_TICKS = 3 * TICK_HZ
CLEARANCE_TICKS = 2 * TICK_HZ
"""Both axes red, so that the last car leaves before the first one enters."""
HALF_TICKS = GREEN_TICKS + AMBER_TICKS + CLEARANCE_TICKS
CYCLE_TICKS = 2 * HALF_TICKS

PLAN = 148383943
"""Edition of the signal plan: an odd multiplier. The scenarios are written for this edition."""
AVENUE_HEADING = 1.0647
"""Direction of Manhattan's avenues: 29 degrees east of north [rad]."""


class Light(IntEnum):
    """What a driver sees."""

    GREEN = 0
    AMBER = 1
    RED = 2


def place_of(name: str) -> int:
    """The number of a crossing's lights in `light`: a hash of its name, whatever the pack."""
    return int.from_bytes(sha256(name.encode()).digest()[:4], "little")


def offset(place: int) -> int:
    """Ticks by which the cycle of a place is ahead, as the signal plan spreads them."""
    return ((place * PLAN) & 0xFFFFFFFF) % CYCLE_TICKS


def light(place: int, axis: int, tick: int) -> Light:
    """The light at `place_of` a junction's name for traffic along `axis_of` its heading.

    axis: 0 avenues, 1 cross streets; another one raises ValueError.
    """
    if axis not in (0, 1):
        raise ValueError(f"a junction has the axes 0 and 1, not {axis}")
    phase = (tick + offset(place) + axis * HALF_TICKS) % CYCLE_TICKS
    if phase < GREEN_TICKS:
        return Light.GREEN
    if phase < GREEN_TICKS + AMBER_TICKS:
        return Light.AMBER
    return Light.RED


def axis_of(heading: float) -> int:
    """The axis that traffic of this heading [rad] belongs to: the nearer one of the grid."""
    return 0 if cos(2.0 * (heading - AVENUE_HEADING)) >= 0.0 else 1
