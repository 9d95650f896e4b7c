"""Which way and how fast for the next seconds: candidates rolled out against the forecast.

Owns the order of preference: keep the line and the speed, ease, brake, move aside, both. The first
candidate that stays clear wins; where none does, the one that stays clear longest. Exact.
"""

from dataclasses import dataclass
from math import sqrt

from game.world.entity import BODIES, EntityState
from game.world.trig import sincos
from scenarios.forecast import STEP_S, STEPS, Row, Sight
from scenarios.road import GRID_M, Road

OFFSET_M = 0.6
"""Spacing of the lines beside the route that are considered [m]."""
MOST_RIGHT = 8
MOST_LEFT = 6
KERB_M = 0.25
"""Room kept to the kerb [m]."""
EASE = 2.0
BRAKE = 4.0
FULL = 7.5
"""Decelerations [m/s^2]."""
_MODES = ((0.0, 0.0), (EASE, 0.8), (BRAKE, 1.8), (FULL, 3.0))
BLOCKED = 3.0
"""What it costs to steer for a line on which something stands."""
WRONG_SIDE = 1.6
"""What it costs to use the other direction's side."""
LOOK_M = 60.0
"""How far ahead it minds what stands on a line [m]."""
REACTION_S = 0.3
LEAD_BRAKE = 7.0
OWN_BRAKE = 6.0
"""What whoever drives ahead may do, and what one would do then [m/s^2]."""
LEAD_GAP = 2.0
"""Room kept behind whoever drives ahead, even at rest [m]."""
STOP_BRAKE = 2.2
"""How it slows down towards a stop line [m/s^2]."""


@dataclass(frozen=True, slots=True)
class Style:
    """How somebody drives. share: of the speed limit; pull: acceleration [m/s^2]."""

    share: float
    pull: float


STYLES: dict[str, Style] = {"calm": Style(0.95, 1.8), "brisk": Style(1.15, 2.8)}


@dataclass(frozen=True, slots=True)
class Me:
    """The ego on its route: arc length, offset to the left [m], speed [m/s]; its row of discs."""

    s: float
    d: float
    speed: float
    discs: tuple[tuple[float, float], ...]
    half_width: float
    nose: float
    cover: float


@dataclass(frozen=True, slots=True)
class Choice:
    """offset: line beside the route to steer for [m]. brake: deceleration asked for, 0 to go."""

    offset: float
    brake: float


@dataclass(frozen=True, slots=True)
class Bounds:
    """top: speed to keep to [m/s]; stop: arc length where the nose must halt, none if negative."""

    top: float
    pull: float
    stop: float


def pace_at(road: Road, bounds: Bounds, s: float, nose: float) -> float:
    """Highest sensible speed at arc length s [m/s], `nose` metres behind the bumper."""
    pace = road.curve[road.station(s)]
    if bounds.top < pace:
        pace = bounds.top
    if bounds.stop >= 0.0:
        room = bounds.stop - s - nose
        allowed = sqrt(2.0 * STOP_BRAKE * room) if room > 0.0 else 0.0
        if allowed < pace:
            pace = allowed
    return pace


def reach(speed: float) -> float:
    """How far ahead one looks to steer [m]."""
    return 3.5 + 0.55 * speed


def lead_pace(road: Road, me: Me, actors: tuple[EntityState, ...], offset: float) -> float:
    """Speed from which one can still stop behind whoever drives ahead on one's line [m/s].

    Gipps' rule: with reaction time t and both braking, v <= -b t + sqrt(b^2 t^2 + 2 b gap +
    u^2 b / b') for a leader at speed u (P. G. Gipps, Transportation Research B 15, 1981).
    """
    low, high = (me.d, offset) if me.d < offset else (offset, me.d)
    pace = 100.0
    for actor in actors:
        body = BODIES[actor.body]
        s, d = road.project(actor.x, actor.y, me.s, LOOK_M)
        gap = s - 0.5 * body.length - me.s - me.nose - LEAD_GAP
        if s <= me.s or s > me.s + LOOK_M or body.wheelbase == 0.0:
            continue
        i = road.station(s)
        sine, cosine = sincos(actor.heading)
        along = cosine * road.cosine[i] + sine * road.sine[i]
        if along < 0.5:
            continue
        aside = actor.speed * (sine * road.cosine[i] - cosine * road.sine[i])
        wide = me.half_width + 0.5 * body.width + 0.3
        soon = d + aside  # where it will be in a second
        left, right = (d, soon) if d > soon else (soon, d)
        if right - wide > high or left + wide < low:
            continue
        speed = actor.speed * along
        room = gap if gap > 0.0 else 0.0
        reaction = OWN_BRAKE * REACTION_S
        squared = reaction * reaction + 2.0 * OWN_BRAKE * room
        allowed = sqrt(squared + speed * speed * OWN_BRAKE / LEAD_BRAKE) - reaction
        if allowed < pace:
            pace = allowed
    return pace


def choose(road: Road, me: Me, bounds: Bounds, sight: Sight, last: float) -> Choice:
    """The best candidate. `last` is the offset chosen before, which it costs to leave."""
    rows = _minded(road, me, sight)
    best = Choice(last, FULL)
    best_clear = (-1, -1)
    for offset, brake in _candidates(road, me, last, _standing(road, me, sight.standing)):
        clear = _roll(road, me, bounds, rows, offset, brake)
        if clear[1] > STEPS:
            return Choice(offset, brake)
        if clear > best_clear:
            best, best_clear = Choice(offset, brake), clear
    return best


def _minded(road: Road, me: Me, sight: Sight) -> tuple[Row, ...]:
    """Forecasts of all but those who follow in one's own line: keeping clear is up to them."""
    i = road.station(me.s)
    rows: list[Row] = []
    for row, actor in zip(sight.rows, sight.actors, strict=True):
        dx, dy = actor.x - road.x[i], actor.y - road.y[i]
        body = BODIES[actor.body]
        behind = dx * road.cosine[i] + dy * road.sine[i] + 0.5 * body.length < -me.nose
        d = dy * road.cosine[i] - dx * road.sine[i] - me.d
        wide = me.half_width + 0.5 * body.width
        if not (behind and -wide < d < wide and actor.speed > 0.0):
            rows.append(row)
    return tuple(rows)


def _standing(
    road: Road, me: Me, standing: tuple[EntityState, ...]
) -> tuple[tuple[float, float], ...]:
    """(from, to) of the offsets that things which stand ahead leave no room for [m]."""
    taken: list[tuple[float, float]] = []
    for actor in standing:
        sine, cosine = sincos(actor.heading)
        for along, radius in BODIES[actor.body].discs:
            x, y = actor.x + along * cosine, actor.y + along * sine
            s, d = road.project(x, y, me.s, LOOK_M)
            if me.s < s < me.s + LOOK_M:
                wide = radius + me.discs[0][1] + 0.1
                taken.append((d - wide, d + wide))
    return tuple(taken)


def _candidates(
    road: Road, me: Me, last: float, taken: tuple[tuple[float, float], ...]
) -> list[tuple[float, float]]:
    """(offset, brake), cheapest first."""
    low, high = _limits(road, me)
    own = road.own[road.station(me.s)] - me.half_width + 0.3
    ranked: list[tuple[float, int, float, float]] = []
    lines = [k * OFFSET_M for k in range(-MOST_RIGHT, MOST_LEFT + 1)]
    lines = [offset for offset in lines if offset == 0.0 or low <= offset <= high]
    lines.append(max(low, -MOST_RIGHT * OFFSET_M))  # along the kerb
    for k, offset in enumerate(lines):
        away = offset if offset > 0.0 else -offset
        change = offset - last if offset > last else last - offset
        aside = (0.75 if offset > 0.0 else 0.45) * away + 0.35 * change
        if any(left < offset < right for left, right in taken):
            aside += BLOCKED
        if offset > own:
            aside += WRONG_SIDE
        ranked.extend((aside + cost, k, offset, brake) for brake, cost in _MODES)
    ranked.sort()
    return [(offset, brake) for _, _, offset, brake in ranked]


def _limits(road: Road, me: Me) -> tuple[float, float]:
    """Offsets that keep the car between the kerbs for the next stretch."""
    first = road.station(me.s)
    last = road.station(me.s + 4.0 + 2.0 * me.speed)
    keep = me.half_width + KERB_M
    right = min(road.right[first : last + 1])
    left = min(road.left[first : last + 1])
    return keep - right, left - keep


def _roll(
    road: Road, me: Me, bounds: Bounds, rows: tuple[Row, ...], offset: float, brake: float
) -> tuple[int, int]:
    """(first step with contact, first step without the wanted room), STEPS + 1 for never."""
    s, d, speed = me.s, me.d, me.speed
    nose = me.nose
    never = STEPS + 1
    close = never
    for k in range(1, never):
        if brake > 0.0:
            speed -= brake * STEP_S
        else:
            pace = pace_at(road, bounds, s, nose)
            speed = _towards(speed, pace, bounds.pull)
        if speed < 0.0:
            speed = 0.0
        run = speed * STEP_S
        s += run
        share = 0.85 * run / reach(speed)
        across = (offset - d) * (share if share < 1.0 else 1.0)
        d += across
        touch = _touch(road, me, rows, (s, d, across / run if run > 0.5 else 0.0), k)
        if touch == 2:
            return k, min(close, k)
        if touch == 1 and close > k:
            close = k
    return never, close


def _towards(speed: float, pace: float, pull: float) -> float:
    if pace > speed:
        return min(pace, speed + pull * STEP_S)
    return max(pace, speed - BRAKE * STEP_S)


def _touch(
    road: Road, me: Me, rows: tuple[Row, ...], at: tuple[float, float, float], k: int
) -> int:
    """0 clear, 1 closer than wanted, 2 contact, at step k of the forecast.

    at: arc length, offset [m], and how much of the way goes to the left.
    """
    s, d, slope = at
    i = road.station(s)
    cosine, sine = road.cosine[i], road.sine[i]
    along = s - i * GRID_M
    x = road.x[i] + along * cosine - d * sine
    y = road.y[i] + along * sine + d * cosine
    if slope != 0.0:
        long = sqrt(1.0 + slope * slope)
        sine, cosine = (sine + slope * cosine) / long, (cosine - slope * sine) / long
    worst = 0
    for row in rows:
        ox, oy, cover, placed, margin = row[k]
        dx, dy = ox - x, oy - y
        far = cover + me.cover
        if dx * dx + dy * dy >= far * far:
            continue
        for px, py, radius in placed:
            for offset, mine in me.discs:
                gx, gy = px - x - offset * cosine, py - y - offset * sine
                gap2 = gx * gx + gy * gy
                wanted = radius + mine
                if gap2 < wanted * wanted:
                    if gap2 < (wanted - margin) * (wanted - margin):
                        return 2
                    worst = 1
    return worst
