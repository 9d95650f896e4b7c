"""Where across its lane a vehicle of the living city keeps, and its stops at the kerb."""

from game.world import chance
from game.world.around import Around
from game.world.manners import HARDEST, Rider, follow
from game.world.way import Way

STOP_SHARE = {"taxi": 0.35, "bus": 0.6}
"""On this share of the lanes they stop at the kerb, for 5 to 15 seconds."""


def kerb_stop(around: Around, r: Rider, wanted: float) -> float:
    """Taxis and buses pull over, stand a while and pull out again."""
    if r.hold > 0:
        r.hold -= 1
        if r.hold == 0:
            r.stop = -1.0
        return -HARDEST
    if r.stop < 0.0 or r.way.index != 0:
        return HARDEST
    room = r.stop - r.s
    if room < -3.0:
        r.stop = -1.0
        return HARDEST
    if room < 2.0 and r.speed < 0.3:
        draw = chance.integer(around.seed, r.body.started, r.id, f"hold.{r.count}", 50, 150)
        r.hold = draw
        return -HARDEST
    return follow(r.manner, r.speed, wanted, room + r.manner.keep, 0.0)


def wanted_side(around: Around, r: Rider) -> float:
    """How far from the middle of its way it wants to be, to the left [m]."""
    way = r.way
    if r.manner.keeps_right:
        if way.after >= 0:
            return -0.5 if way.turn else r.d
        if way.length - r.s < 15.0 and r.curve >= 0 and around.graph.way(r.curve).turn:
            return -0.5
        edge = 0.5 - way.width / 2.0
        if way.kerb == 0.0:
            return edge
        for s, d, speed, half, wide, key in around.on.get(way.id, ()):
            if key != r.id and -3.0 < s - r.s < 14.0 + half and speed < 1.5 and d < edge:
                return way.kerb + wide + r.wide + 0.5
        return way.kerb
    if r.hold > 0:
        return r.d
    if r.stop >= 0.0 and way.index == 0 and way.kerb != 0.0 and r.stop - r.s < 28.0:
        return way.kerb
    if way.kerb != 0.0 and r.d < -1.2:  # pulls out only where nobody comes
        for s, d, speed, half, _, key in around.on.get(way.id, ()):
            behind = r.s - s
            if key == r.id or d < -1.2 or behind < -r.half - half - 1.0:
                continue
            if behind < r.half + half + 2.0 + 2.5 * speed:
                return r.d
    return 0.0


def next_stop(around: Around, r: Rider, way: Way) -> float:
    share = STOP_SHARE.get(r.body.body, 0.0)
    first = around.graph.lanes[around.graph.legs[way.leg][0]]
    if share == 0.0 or first.kerb == 0.0 or way.length < 70.0 or way.index > 1:
        return -1.0
    draw = chance.uniform(around.seed, r.body.started, r.id, f"stop.{r.count}")
    if draw >= share:
        return -1.0
    return 40.0 + (way.length - 65.0) * draw / share
