"""How close it came, in one moment: formulae over one or two entities. `measures` adds runs up.

Pure functions of states, exact like the world itself, since outcomes are compared bit for bit.
Lane-based measures read 'infinite' on a run that ends in a struck pedestrian; discs do not.

ttc     time to collision of discs in the plane: J. C. Hayward, Near-miss determination through use
        of a scale of danger, Highway Research Record 384, 1972, with discs instead of lanes
thw     time headway: gap over own speed
drac    deceleration rate to avoid a crash, dv^2 / (2 gap): D. F. Cooper and N. Ferguson, Traffic
        studies at T-junctions, Traffic Engineering and Control 17, 1976
clearance  smallest distance between two rows of discs
"""

from dataclasses import dataclass
from math import inf, sqrt

from game.world.entity import BODIES, EntityState
from game.world.state import WorldState
from game.world.trig import sincos

DRAC_GAP = 0.5
"""Smallest gap that a DRAC is taken over [m]."""

_CLEARLY = 1.000001
"""What is out of reach by so much stays so through all roundings."""

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
    best, ego = below, state.ego
    x, y, mine = ego.x, ego.y, BODIES[ego.body].cover
    own = ego.speed if ego.speed > 0.0 else -ego.speed
    for actor in state.actors:
        dx, dy = actor.x - x, actor.y - y
        other = actor.speed if actor.speed > 0.0 else -actor.speed
        reach = (mine + BODIES[actor.body].cover + (own + other) * best) * _CLEARLY
        if dx * dx + dy * dy > reach * reach:
            continue  # however they head, they cannot meet sooner than `best`
        best = ttc_pair(ego, actor, best)
    return best


def clearance(one: EntityState, two: EntityState, below: float = inf) -> float:
    """Smallest distance between two rows of discs [m], 0 where they touch; at most `below`."""
    dx, dy = two.x - one.x, two.y - one.y
    far = sqrt(dx * dx + dy * dy) - BODIES[one.body].cover - BODIES[two.body].cover
    if far >= below:
        return below
    best = below
    theirs = discs(two)
    for x, y, _, _, r in discs(one):
        for ox, oy, _, _, radius in theirs:
            gx, gy = ox - x, oy - y
            gap = sqrt(gx * gx + gy * gy) - r - radius
            if gap < best:
                best = gap if gap > 0.0 else 0.0
    return best


@dataclass(frozen=True, slots=True)
class Lead:
    """Whoever is ahead in one's own straight corridor.

    gap: from bumper to bumper [m]. own, other: speeds along one's heading [m/s].
    """

    id: int
    gap: float
    own: float
    other: float

    @property
    def thw(self) -> float:
        """Time headway [s]: gap over own speed; inf at a standstill."""
        return self.gap / self.own if self.own > 0.0 else inf

    @property
    def ttc(self) -> float:
        """Lane time to collision [s]: gap over closing speed; inf where it does not close."""
        closing = self.own - self.other
        return self.gap / closing if closing > 0.0 else inf

    @property
    def drac(self) -> float:
        """Deceleration that avoids the crash [m/s^2]: dv^2 / (2 gap); 0 where it does not close.

        A gap under DRAC_GAP counts as that, or every contact would end in infinity.
        """
        closing = self.own - self.other
        gap = self.gap if self.gap > DRAC_GAP else DRAC_GAP
        return closing * closing / (2.0 * gap) if closing > 0.0 else 0.0


def lead(state: WorldState) -> Lead | None:
    """Whoever is nearest ahead of the ego in a straight corridor as wide as both bodies."""
    ego = state.ego
    sine, cosine = sincos(ego.heading)
    mine = BODIES[ego.body]
    best: Lead | None = None
    for actor in state.actors:
        body = BODIES[actor.body]
        dx, dy = actor.x - ego.x, actor.y - ego.y
        along, aside = dx * cosine + dy * sine, dy * cosine - dx * sine
        s, c = sincos(actor.heading - ego.heading)
        s, turned = (s if s > 0.0 else -s), (c if c > 0.0 else -c)
        long = 0.5 * (body.length * turned + body.width * s)
        wide = 0.5 * (body.width * turned + body.length * s + mine.width)
        gap = along - long - 0.5 * mine.length
        if along <= 0.0 or not -wide < aside < wide or (best is not None and gap >= best.gap):
            continue
        best = Lead(actor.id, gap if gap > 0.0 else 0.0, ego.speed, actor.speed * c)
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
