"""The scripted parts: when they set off, how far they are, what they brake for.

Owns triggers and progress along tracks. Every part looks at the tick before, so their order does
not matter. Progress below zero counts the ticks left of a trigger's delay.
"""

from math import sqrt

from game.world.collision import Obstacles
from game.world.entity import BODIES, EntityState, Kind
from game.world.state import Part, Trigger, WorldState
from game.world.track import sample
from game.world.trig import atan2, sincos, wrap
from game.world.version import DT

HARD_BRAKE = 8.0
"""How a part that yields brakes at most [m/s^2]."""
COMFORT_BRAKE = 4.0
"""How early it plans to [m/s^2]."""
PICK_UP = 3.0
"""How it gains speed again [m/s^2]."""
KEEP = 1.5
"""Gap that it leaves to what it stops for [m]."""
CREEP = 2.0
"""How fast it takes its turn where two block each other [m/s]."""
FORESEEN = 1.0
"""Whoever crosses and goes first is seen where it will be up to here [s]: the ego, people on foot
and parts of a lower id."""
FARTHEST = 100.0
"""Nobody's body and foreseen way together are longer than this [m]."""
ELBOW = 0.2
"""Room that it wants on each side [m]."""

SWERVE_S = 1.6
"""So far ahead in time a part that swerves looks for what is in its way [s]."""
SWERVE_MOST = 2.2
"""How far it leaves its track at most [m]."""
SWERVE_SHARE = 0.3
"""Sideways speed as a share of its speed."""

Disc = tuple[float, float, float, int]
"""x, y, radius [m], and whose it is."""
Progress = tuple[tuple[int, float], ...]


def advance(
    state: WorldState, obstacles: Obstacles
) -> tuple[list[EntityState], list[tuple[int, float]]]:
    """All parts that have set off, one tick later: (actors present, progress), both by id."""
    actors: list[EntityState] = []
    progress: list[tuple[int, float]] = []
    present, went = state.actors, state.progress
    a = p = 0
    for part in state.cast:
        key = part.id
        actor = None
        if a < len(present) and present[a].id == key:
            actor = present[a]
            a += 1
        if p < len(went) and went[p][0] == key:
            s = went[p][1]
            p += 1
            if actor is not None and actor.started >= 0 and actor.struck < 0:
                moved, s = _drive(part, actor, s, state, obstacles)
                if moved is not None:
                    actors.append(moved)
            elif actor is not None:
                actors.append(actor)
            progress.append((key, s))
        elif actor is not None:
            actors.append(actor)  # waits in sight
    return actors, progress


def _drive(
    part: Part, actor: EntityState, s: float, state: WorldState, obstacles: Obstacles
) -> tuple[EntityState | None, float]:
    """The part one tick further along its track, None where it has left, and its arc length."""
    track = part.track
    end = track.s[-1]
    if s >= end and actor.speed == 0.0 and (part.ending != "vanish" or end == 0.0):
        return actor, s
    if part.reacts == "stop" and actor.speed == 0.0 and s > 0.0:
        return actor, s  # it has had enough
    speed = speed_at(part.profile, state.tick + 1 - actor.started)
    if part.yields or part.reacts == "stop":
        speed = _yielding(part, actor, s, speed, state)
    if s >= end:
        if part.ending == "vanish" and end > 0.0:
            return None, s
        speed = 0.0
    if speed == 0.0:
        if actor.speed == 0.0:
            return actor, s
        x, y, heading = actor.x, actor.y, actor.heading
    else:
        further = s + speed * DT
        if further > end:
            further = end
        x, y, heading = sample(track, further)
        if part.reacts == "swerve":
            x, y, heading = _aside(part, actor, s, (x, y, heading), speed, state)
        body = BODIES[part.body]
        if obstacles.row_hit(part.id, body, x, y, heading) >= 0 and not obstacles.row_near(
            body, actor.x, actor.y, actor.heading, 0.0
        ):
            # a wall stands in its way; what comes out of a house may go on
            x, y, heading, speed = actor.x, actor.y, actor.heading, 0.0
        else:
            s = further
    moved = EntityState(part.id, part.body, x, y, heading, speed, 0.0, actor.started, actor.struck)
    return moved, s


def speed_at(profile: tuple[tuple[int, float], ...], ticks: int) -> float:
    """Speed of a profile so many ticks after its start [m/s]: linear, held at both ends."""
    if not profile:
        return 0.0
    if ticks >= profile[-1][0]:
        return profile[-1][1]
    before, v = profile[0]
    if ticks <= before:
        return v
    for at, w in profile:
        if ticks <= at:
            return v + (w - v) * (ticks - before) / (at - before) if at > before else w
        before, v = at, w
    return v


def _yielding(part: Part, actor: EntityState, s: float, wanted: float, state: WorldState) -> float:
    """Speed that keeps it from what is ahead: as wanted where the way is free [m/s]."""
    pace = actor.speed
    reach = pace * pace / (2.0 * COMFORT_BRAKE) + KEEP + 1.0 + wanted * DT
    discs = _discs_near(actor, reach, state)
    free, blocker = room_ahead(part, s, reach, discs)
    if pace <= CREEP and free < KEEP and _goes_first(actor, blocker, state):
        free, _ = room_ahead(part, s, reach, [disc for disc in discs if disc[3] != blocker])
    if free < reach:
        room = free - KEEP
        safe = sqrt(2.0 * COMFORT_BRAKE * room) if room > 0.0 else 0.0
        if safe < wanted:
            wanted = safe
    if wanted < pace:
        least = pace - HARD_BRAKE * DT
        return wanted if wanted > least else least if least > 0.0 else 0.0
    most = pace + PICK_UP * DT
    return wanted if wanted < most else most


def _aside(
    part: Part,
    actor: EntityState,
    s: float,
    pose: tuple[float, float, float],
    speed: float,
    state: WorldState,
) -> tuple[float, float, float]:
    """The pose on the track moved aside by as much as what is in the way asks for.

    How far it is off its track now is read from where it is: no state of its own is needed.
    """
    x0, y0, along = sample(part.track, s)
    sine, cosine = sincos(along)
    off = (actor.y - y0) * cosine - (actor.x - x0) * sine
    body = BODIES[part.body]
    reach = 0.5 * body.length + SWERVE_S * speed + KEEP
    radius = 0.5 * body.width + ELBOW
    low = high = 0.0
    for dx, dy, r, _ in _discs_near(actor, reach, state):
        ahead = (dx - x0) * cosine + (dy - y0) * sine
        left = (dy - y0) * cosine - (dx - x0) * sine
        if -0.5 * body.length - r < ahead < reach and -r - radius < left < r + radius:
            low = min(low, left - r - radius)
            high = max(high, left + r + radius)
    wanted = high if high < -low else low  # the shorter way round; 0 where the track is free
    wanted = max(-SWERVE_MOST, min(SWERVE_MOST, wanted))
    most = SWERVE_SHARE * speed * DT
    change = max(-most, min(most, wanted - off))
    x, y, heading = pose
    sine, cosine = sincos(heading)
    off += change
    turn = atan2(change, speed * DT)
    return x - off * sine, y + off * cosine, wrap(heading + turn)


def room_ahead(part: Part, s: float, reach: float, discs: list[Disc]) -> tuple[float, int]:
    """Free way ahead of the nose along the track, up to `reach` [m], and the id of who ends it."""
    if not discs:
        return reach, -1
    body = BODIES[part.body]
    radius = 0.5 * body.width + ELBOW
    at = start = s + 0.5 * body.length - radius
    end = part.track.s[-1]
    while at - start < reach:
        # march along the track by as much as is certainly free around this place
        x, y, _ = sample(part.track, at)
        clear, nearest = reach, -1
        for dx, dy, r, key in discs:
            gx, gy = dx - x, dy - y
            gap = sqrt(gx * gx + gy * gy) - r - radius
            if gap < clear:
                clear, nearest = gap, key
        if clear <= 0.0:
            return at - start, nearest
        if at >= end:
            return reach, -1
        at += clear if clear > 0.25 else 0.25
    return reach, -1


def _goes_first(actor: EntityState, blocker: int, state: WorldState) -> bool:
    """True where two that yield stand in each other's way for good, and this one's id is lower."""
    if blocker <= actor.id:
        return False
    for part in state.cast:
        if part.id == blocker:
            break
    else:
        return False
    for other in state.actors:
        if other.id == blocker:
            break
    else:
        return False
    if not part.yields or other.speed != 0.0 or other.started < 0 or other.struck >= 0:
        return False
    along = 0.0
    for key, s in state.progress:
        if key == blocker:
            along = s
    return room_ahead(part, along, KEEP, _discs_of(actor))[0] < KEEP


def _discs_near(actor: EntityState, reach: float, state: WorldState) -> list[Disc]:
    """Every disc of others that the actor might meet on its next `reach` metres."""
    found: list[Disc] = []
    own = BODIES[actor.body].length + reach
    wide = own + FARTHEST
    for other in (state.ego, *state.actors):
        dx, dy = other.x - actor.x, other.y - actor.y
        if not (-wide < dx < wide and -wide < dy < wide) or other.id == actor.id:
            continue
        body = BODIES[other.body]
        far = own + body.cover + (other.speed if other.speed > 0.0 else 0.0) * FORESEEN
        if dx * dx + dy * dy > far * far:
            continue
        discs = _discs_of(other)
        found += discs
        first = other.id < actor.id or body.kind is Kind.PEDESTRIAN
        if first and other.speed > 0.5 and _crosses(actor, other):
            s, c = sincos(other.heading)
            run = other.speed * FORESEEN
            for share in (0.5, 1.0):
                ax, ay = run * share * c, run * share * s
                found += [(x + ax, y + ay, r, key) for x, y, r, key in discs]
    return found


def _crosses(a: EntityState, b: EntityState) -> bool:
    """True where two headings differ by 30 to 150 degrees."""
    turn = sincos(a.heading - b.heading)[0]
    return turn > 0.5 or turn < -0.5


def _discs_of(entity: EntityState) -> list[Disc]:
    s, c = sincos(entity.heading)
    x, y, key = entity.x, entity.y, entity.id
    return [(x + along * c, y + along * s, r, key) for along, r in BODIES[entity.body].discs]


def fire(
    cast: tuple[Part, ...],
    tick: int,
    ego: EntityState,
    actors: list[EntityState],
    progress: list[tuple[int, float]],
    visited: tuple[int, ...],
) -> tuple[tuple[EntityState, ...], Progress, tuple[int, ...]]:
    """Let parts set off whose trigger holds at this tick: (actors, progress, visited) thereafter.

    A part that follows another set off in this same tick follows at once, in whatever order.
    """
    if len(progress) == len(cast):
        for entry in progress:
            if entry[1] < 0.0:
                break
        else:  # all are on their way: nearly every tick
            return tuple(actors), tuple(progress), visited
    gone: dict[int, float] = {}
    due: dict[int, bool] = {}
    for key, s in progress:
        if s < 0.0:
            s += 1.0
            if s == 0.0:
                due[key] = True
        gone[key] = s
    visited = _visits(cast, ego, actors, visited)
    hurt = tuple([entity.id for entity in actors if entity.struck >= 0])
    changed = True
    while changed:
        changed = False
        for part in cast:
            if (
                part.id in gone
                or part.id in hurt
                or not _holds(part.trigger, part.id, tick, gone, visited)
            ):
                continue
            gone[part.id] = -float(part.trigger.delay) if part.trigger.delay else 0.0
            due[part.id] = part.trigger.delay == 0
            changed = True
    off = [part for part in cast if due.get(part.id, False) and part.id not in hurt]
    if off:
        actors = [entity for entity in actors if not due.get(entity.id, False)]
        actors += [appear(part, tick) for part in off]
        actors.sort(key=lambda entity: entity.id)
    return tuple(actors), tuple(sorted(gone.items())), visited


def appear(part: Part, started: int) -> EntityState:
    """A part at the start of its track; `started` is -1 where it only waits in sight."""
    x, y, heading = sample(part.track, 0.0)
    speed = speed_at(part.profile, 0) if started >= 0 and part.track.s[-1] > 0.0 else 0.0
    return EntityState(part.id, part.body, x, y, heading, speed, 0.0, started)


def _holds(
    trigger: Trigger, key: int, tick: int, gone: dict[int, float], visited: tuple[int, ...]
) -> bool:
    return (
        tick >= trigger.at_tick
        and (trigger.after < 0 or gone.get(trigger.after, -1.0) >= 0.0)
        and (trigger.near is None or key in visited)
    )


def _visits(
    cast: tuple[Part, ...],
    ego: EntityState,
    actors: list[EntityState],
    visited: tuple[int, ...],
) -> tuple[int, ...]:
    """Ids of the parts whose `near` circle the ego has been inside, sorted."""
    fresh = []
    for part in cast:
        near = part.trigger.near
        if near is None or part.id in visited:
            continue
        x, y = near[0], near[1]
        if part.trigger.beside >= 0:
            there = [other for other in actors if other.id == part.trigger.beside]
            if not there:
                continue
            x, y = there[0].x, there[0].y
        dx, dy = ego.x - x, ego.y - y
        if dx * dx + dy * dy <= near[2] * near[2]:
            fresh.append(part.id)
    return tuple(sorted((*visited, *fresh))) if fresh else visited
