"""What happens to the ego where its way leads into a wall or another road user.

Owns contacts: when one begins, how long it lasts, what it does to the speed. A pose that would lie
in something solid is refused, so the ego never enters it and can always back away.
"""

from math import sqrt
from typing import NamedTuple

from game.world.collision import Obstacles, overlap
from game.world.entity import BODIES, EGO_ID, SOLID_MASS, EntityState
from game.world.motion import Pose
from game.world.state import Contact
from game.world.trig import sincos

SEPARATION = 1.0
"""A contact lasts until the bodies are this far apart: a crash is counted once [m]."""
REBOUND = 0.1
"""Share of the speed with which a wall sends the car back."""
REBOUND_FROM = 3.0
"""Slower than this a wall only stops it [m/s]."""


class Meeting(NamedTuple):
    """The ego after all contacts of one tick, those that last, and whom it struck."""

    ego: EntityState
    contacts: tuple[Contact, ...]
    begun: int
    struck: tuple[int, ...]


def resolve(
    obstacles: Obstacles,
    ego: EntityState,
    pose: Pose,
    actors: list[EntityState],
    contacts: tuple[Contact, ...],
    tick: int,
) -> Meeting:
    """Move the ego from where it was to `pose`, as far as the world lets it."""
    body = BODIES[ego.body]
    x, y, heading, speed, steer = pose
    arriving = speed
    wall = obstacles.row_hit(EGO_ID, body, x, y, heading)
    if wall >= 0:
        pace = speed if speed >= 0.0 else -speed
        speed = -REBOUND * speed if pace > REBOUND_FROM else 0.0
        x, y, heading = ego.x, ego.y, ego.heading
    touched: list[EntityState] = []
    for actor in actors:
        other = BODIES[actor.body]
        dx, dy = actor.x - x, actor.y - y
        reach = body.cover + other.cover
        if dx * dx + dy * dy > reach * reach:
            continue
        depth = overlap(body, x, y, heading, other, actor.x, actor.y, actor.heading)
        if depth < 0.0:
            continue
        touched.append(actor)
        if other.mass < SOLID_MASS or (x == ego.x and y == ego.y and heading == ego.heading):
            continue
        was = overlap(body, ego.x, ego.y, ego.heading, other, actor.x, actor.y, actor.heading)
        if depth > was:
            x, y, heading, speed = ego.x, ego.y, ego.heading, 0.0
    begun: list[Contact] = []
    struck: list[int] = []
    if wall < 0 and not contacts and not touched:  # nearly every tick
        return Meeting(EntityState(EGO_ID, ego.body, x, y, heading, speed, steer), (), 0, ())
    after = EntityState(EGO_ID, ego.body, x, y, heading, arriving, steer)
    lasting = [c for c in contacts if _lasts(c, obstacles, after, actors, touched, wall)]
    if wall >= 0 and not any(c.other < 0 for c in lasting):
        begun.append(Contact(-1 - wall, tick, arriving if arriving >= 0.0 else -arriving))
    for actor in touched:
        if any(c.other == actor.id for c in lasting):
            continue
        begun.append(Contact(actor.id, tick, closing_speed(after, actor)))
        struck.append(actor.id)
        speed = _slowed(speed, body.mass, heading, actor)
    every = sorted([*lasting, *begun], key=lambda contact: contact.other)
    return Meeting(
        EntityState(EGO_ID, ego.body, x, y, heading, speed, steer),
        tuple(every),
        len(begun),
        tuple(struck),
    )


def _lasts(
    contact: Contact,
    obstacles: Obstacles,
    ego: EntityState,
    actors: list[EntityState],
    touched: list[EntityState],
    wall: int,
) -> bool:
    """True until the two are SEPARATION apart. Along a row of houses it stays one contact."""
    body = BODIES[ego.body]
    if contact.other < 0:
        return wall >= 0 or obstacles.row_near(body, ego.x, ego.y, ego.heading, SEPARATION)
    for actor in touched:
        if actor.id == contact.other:
            return True
    for actor in actors:
        if actor.id == contact.other:
            other = BODIES[actor.body]
            gap = -overlap(body, ego.x, ego.y, ego.heading, other, actor.x, actor.y, actor.heading)
            return gap < SEPARATION
    return False


def closing_speed(a: EntityState, b: EntityState) -> float:
    """Length of the difference of two velocities [m/s]."""
    sa, ca = sincos(a.heading)
    sb, cb = sincos(b.heading)
    vx, vy = a.speed * ca - b.speed * cb, a.speed * sa - b.speed * sb
    return sqrt(vx * vx + vy * vy)


def _slowed(speed: float, mass: float, heading: float, actor: EntityState) -> float:
    """Speed after a blow in which the two stick together; never faster, never turned round."""
    other = BODIES[actor.body]
    sa, ca = sincos(heading)
    sb, cb = sincos(actor.heading)
    along = actor.speed * (ca * cb + sa * sb)
    common = (mass * speed + other.mass * along) / (mass + other.mass)
    if speed > 0.0:
        return 0.0 if common < 0.0 else common if common < speed else speed
    return 0.0 if common > 0.0 else common if common > speed else speed
