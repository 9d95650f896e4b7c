"""What those of the living city keep in mind from one tick to the next, and its exact bytes.

Their poses stand among the actors of the state; here stands what they are about to do. Plain data.
"""

import struct
from dataclasses import dataclass
from typing import NamedTuple

FIRST_DRIVER = 10_000
"""Ids of the living city's vehicles start here, those of its people at FIRST_WALKER."""
FIRST_WALKER = 20_000
LAST_ID = 30_000
"""No id of the living city reaches this."""
LEVELS = ("none", "light", "full")


class Drive(NamedTuple):
    """A vehicle's mind. It decides ten times a second; in between it moves by dx .. dv a tick.

    way, s, d: where it will be at the next decision: lane or curve, metres along, metres to the
    left. speed: then. curve: the way through the next junction, -1 undecided; granted: it may
    enter. goal: junction it is bound for. ways: driven so far. stop: where along its lane it
    will stop at the kerb, -1 nowhere. hold: decisions it still stands there. pace: its share of a
    speed limit. stuck: decisions that it has stood behind something.
    """

    way: int
    s: float
    d: float
    speed: float
    curve: int
    granted: int
    goal: int
    ways: int
    stop: float
    hold: int
    pace: float
    stuck: int
    dx: float = 0.0
    dy: float = 0.0
    dh: float = 0.0
    dv: float = 0.0


class Walk(NamedTuple):
    """A walker's mind, five decisions a second. mode: see `game.world.people`.

    node: the end of the sidewalk that it walks along, or of the crosswalk; via: the node it makes
    for; gx, gy: the very spot there [m]. pace [m/s]. goal: node that its errand leads to. spots:
    walked to so far. wait: decisions it has stood waiting.
    """

    mode: int
    node: int
    via: int
    gx: float
    gy: float
    pace: float
    goal: int
    spots: int
    wait: int
    dx: float = 0.0
    dy: float = 0.0
    dh: float = 0.0
    dv: float = 0.0


@dataclass(frozen=True, slots=True)
class Living:
    """The living city around the ego. level: 1 light, 2 full. drives and walks stand in the order
    of the actors whose ids start at FIRST_DRIVER and FIRST_WALKER."""

    level: int
    drives: tuple[Drive, ...] = ()
    walks: tuple[Walk, ...] = ()


_HEADER = struct.Struct("<BHH")
_DRIVE = struct.Struct("<i3diBiIdHdH4d")
_WALK = struct.Struct("<B2i3diIH4d")


def pack_living(living: Living) -> bytes:
    """The bytes behind a state's own, some hundred for each of its people and vehicles."""
    parts = [_HEADER.pack(living.level, len(living.drives), len(living.walks))]
    parts += [_DRIVE.pack(*drive) for drive in living.drives]
    parts += [_WALK.pack(*walk) for walk in living.walks]
    return b"".join(parts)


def unpack_living(data: bytes, at: int, drivers: int, walkers: int) -> Living:
    """Inverse of `pack_living`, from `at` to the end. Raises ValueError where it is none.

    drivers, walkers: how many actors of either kind the state has.
    """
    if len(data) < at + _HEADER.size:
        raise ValueError(f"a living city takes {_HEADER.size} bytes and more, got {len(data) - at}")
    level, drives, walks = _HEADER.unpack_from(data, at)
    first = at + _HEADER.size
    middle = first + drives * _DRIVE.size
    end = middle + walks * _WALK.size
    if level not in (1, 2) or len(data) != end:
        raise ValueError(f"a living city of {drives} and {walks} takes {end} bytes")
    if (drives, walks) != (drivers, walkers):
        raise ValueError(f"{drivers} and {walkers} actors, {drives} and {walks} minds")
    return Living(
        level,
        tuple([Drive(*_DRIVE.unpack_from(data, k)) for k in range(first, middle, _DRIVE.size)]),
        tuple([Walk(*_WALK.unpack_from(data, k)) for k in range(middle, end, _WALK.size)]),
    )
