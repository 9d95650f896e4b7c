"""How close it came: time to collision of discs in two dimensions.

Pure functions of states, exact like the world itself, since outcomes are compared bit for bit.
Lane-based measures read 'infinite' on a run that ends in a struck pedestrian; discs do not.
"""

from math import inf, sqrt

from game.world.entity import BODIES, EntityState
from game.world.state import WorldState
from game.world.trig import sincos

Moving = tuple[float, float, float, float, float]
"""x, y [m], vx, vy [m/s], radius [m]."""


def ttc_disc(one: Moving, two: Moving) -> float:
    """Time until two discs touch if both keep their velocities [s]; inf if they never do.

    The smaller root of (v.v)t^2 + 2(p.v)t + p.p - R^2 = 0 in the form without cancellation;
    0 where they overlap already.
    """
    px, py = two[0] - one[0], two[1] - one[1]
    vx, vy = two[2] - one[2], two[3] - one[3]
    reach = one[4] + two[4]
    gap = px * px + py * py - reach * reach
    if gap <= 0.0:
        return 0.0
    closing = px * vx + py * vy
    if closing >= 0.0:
        return inf
    root = closing * closing - (vx * vx + vy * vy) * gap
    if root < 0.0:
        return inf
    return gap / (sqrt(root) - closing)


def discs(entity: EntityState) -> tuple[Moving, ...]:
    """The entity's row of discs with its velocity."""
    sine, cosine = sincos(entity.heading)
    vx, vy = entity.speed * cosine, entity.speed * sine
    return tuple(
        (entity.x + along * cosine, entity.y + along * sine, vx, vy, radius)
        for along, radius in BODIES[entity.body].discs
    )


def ttc_pair(one: EntityState, two: EntityState, below: float = inf) -> float:
    """Smallest disc TTC of two entities [s], or `below` where it is not smaller than that."""
    if _cover_ttc(one, two) >= below:
        return below  # the covers touch no later than what they cover
    best = below
    for mine in discs(one):
        for theirs in discs(two):
            time = ttc_disc(mine, theirs)
            if time < best:
                best = time
    return best


def ttc(state: WorldState, below: float = inf) -> float:
    """Smallest disc TTC of the ego with anyone present [s], or `below` where none is smaller."""
    best = below
    for actor in state.actors:
        best = ttc_pair(state.ego, actor, best)
    return best


def _cover_ttc(one: EntityState, two: EntityState) -> float:
    return ttc_disc(_cover(one), _cover(two))


def _cover(entity: EntityState) -> Moving:
    sine, cosine = sincos(entity.heading)
    return (
        entity.x,
        entity.y,
        entity.speed * cosine,
        entity.speed * sine,
        BODIES[entity.body].cover,
    )
