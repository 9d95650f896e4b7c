"""The state of the whole world in one tick, the script that its parts follow, and its digest.

A state is a value: `step` takes one and returns the next. Its `cast` never changes in a session.
"""

from dataclasses import dataclass

from game.world.ambient import Living
from game.world.controls import IDLE, Controls
from game.world.entity import EntityState, Kind

ZERO_DIGEST = bytes(32)
REACTIONS = ("", "swerve", "stop")
"""What `Part.reacts` may say. Append only: a digest holds the place in this table."""


@dataclass(frozen=True, slots=True)
class Track:
    """A path sampled by arc length: `s` [m] grows from 0, with x, y, heading at each sample."""

    s: tuple[float, ...]
    x: tuple[float, ...]
    y: tuple[float, ...]
    heading: tuple[float, ...]


@dataclass(frozen=True, slots=True)
class Trigger:
    """When a part sets off: all of the given conditions hold, `delay` ticks ago.

    at_tick: not before this tick. near: (x, y, radius [m]) the ego has been inside; with `beside`,
    the id of a part, the circle goes with that part while it is there, and x, y mean nothing.
    after: id of a part that has set off.
    """

    at_tick: int = 0
    near: tuple[float, float, float] | None = None
    after: int = -1
    delay: int = 0
    beside: int = -1


@dataclass(frozen=True, slots=True)
class Part:
    """One scripted entity. It appears when `trigger` fires (or waits in sight, if `waits`).

    Along `track` its speed follows `profile`: (ticks since it set off, speed [m/s]), linear
    between knots and held after the last. ending: 'stay' at the end of the track or 'vanish'.
    yields: brakes for what stands in its way instead of driving through it. reacts: '' for no
    more than that, 'swerve': moves aside for it, 'stop': brakes for it and stays where it stopped.
    """

    id: int
    name: str
    kind: Kind
    body: str
    track: Track
    profile: tuple[tuple[int, float], ...]
    trigger: Trigger = Trigger()
    waits: bool = False
    ending: str = "vanish"
    yields: bool = False
    wave: int = 0
    reacts: str = ""


@dataclass(frozen=True, slots=True)
class Contact:
    """Ego touches something now. other: entity id (> 0), or -1 - footprint id for a building.

    since: tick of first touch; one contact lasts until they separate. speed: relative [m/s] then.
    """

    other: int
    since: int
    speed: float


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """Digest of everything up to and including `tick`; `inputs` chains the controls alone."""

    tick: int
    digest: bytes
    inputs: bytes


@dataclass(frozen=True, slots=True)
class WorldState:
    """Everything that changes. actors: present ones only, sorted by id.

    controls: those consumed by the step that led here. collisions: contacts begun so far.
    digest, inputs: as in the last checkpoint and as of this tick. progress: of every part whose
    trigger has fired; below zero it counts the ticks left of the trigger's delay.
    living: the minds of the city's own traffic and people, None where a session has none.
    """

    tick: int
    seed: int
    ego: EntityState
    actors: tuple[EntityState, ...] = ()
    controls: Controls = IDLE
    contacts: tuple[Contact, ...] = ()
    collisions: int = 0
    digest: bytes = ZERO_DIGEST
    inputs: bytes = ZERO_DIGEST
    progress: tuple[tuple[int, float], ...] = ()  # part id -> arc length along its track [m]
    visited: tuple[int, ...] = ()  # ids of parts whose `near` condition has been met
    cast: tuple[Part, ...] = ()
    living: Living | None = None
