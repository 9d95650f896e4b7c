"""Which lane suits a vehicle of the living city, and when there is room to change into it."""

from game.world.around import SETTLED, Around
from game.world.manners import DRIVE_TICKS, Rider

TIRED = 40
"""Decisions behind something that stands, after which one looks for a way round."""


def plan(around: Around, r: Rider) -> None:
    """Which curve to leave by, and whether another lane suits better."""
    way, graph = r.way, around.graph
    bound = r.goal if r.manner.turns else -1
    curve, index = graph.plan(way.id, bound)
    if not r.granted:
        r.curve = curve
    if r.manner.keeps_right or r.stop >= 0.0:
        index = 0
    if r.granted or r.hold > 0:
        return
    if index != way.index:
        _change(around, r, 1 if index > way.index else -1, False)
    elif (around.tick // DRIVE_TICKS + r.id) % 8 == 0 and not r.manner.keeps_right:
        gap, speed = around.ahead(r)
        if r.stuck > TIRED:
            gap = min(gap, around.meets(r)[0])
        if gap < 8.0 + 2.0 * r.speed and (speed < 0.6 * way.limit or r.stuck > TIRED):
            for step in (1, -1):
                lanes = graph.legs[way.leg]
                if 0 <= way.index + step < len(lanes):
                    onto = graph.plan(lanes[way.index + step], bound)[1]
                    fits = onto == way.index + step or way.length - r.s > 80.0
                    if (fits or r.stuck > TIRED) and _change(around, r, step, True):
                        return


def _change(around: Around, r: Rider, step: int, faster: bool) -> bool:
    """Into the lane to the left (1) or right (-1) where there is room; True where it goes."""
    way = r.way
    left = way.length - r.s
    if r.s < 4.0 or left < 12.0 + 3.0 * r.speed or not -SETTLED < r.d < SETTLED:
        return False
    if r.speed < 1.0 and r.stuck < TIRED:
        return False
    target = around.graph.lanes[around.graph.legs[way.leg][way.index + step]]
    s = r.s * target.length / way.length
    entries = around.on.get(target.id, ())
    for at, d, speed, half, wide, key in entries:
        if key == r.id or d < -way.width / 2.0 - wide:  # itself; who stands at the kerb
            continue
        if at >= s:
            room = at - s - half - r.half
            closing = r.speed - speed
            if room < 2.0 + (1.5 * closing if closing > 0.0 else 0.0):
                return False
            if faster and room < 15.0:
                return False
        else:
            room = s - at - half - r.half
            closing = speed - r.speed
            if room < 2.5 + (2.0 * closing if closing > 0.0 else 0.0):
                return False
    if around.occupied(r, step * way.width - r.d):
        return False
    r.way, r.s, r.d = target, s, r.d - step * way.width
    r.curve = around.graph.plan(target.id, r.goal if r.manner.turns else -1)[0]
    around.on.setdefault(target.id, []).append((s, r.d, r.speed, r.half, r.wide, r.id))
    around.on[target.id].sort()
    return True
