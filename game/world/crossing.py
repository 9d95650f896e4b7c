"""Vehicles of the living city at a lane's end: lights, bends, and who may enter a crossing."""

from game.world.around import SETTLED, Around
from game.world.manners import HARDEST, MARGIN, Rider, follow
from game.world.signals import Light, light
from game.world.way import Way

LINE = 1.2
"""Bumpers stop this far before a lane's end, behind the painted bar [m]."""
CALM = 2.5
"""Braking for lights, bends and stops is planned at this rate [m/s^2]."""


def lane_end(around: Around, r: Rider, wanted: float) -> float:
    """Acceleration that the line, its light and the bend behind it leave [m/s^2]."""
    way = r.way
    room = way.length - r.s - r.half - LINE
    far = 12.0 + r.speed * r.speed / (2.0 * CALM) + 1.5 * r.speed
    if r.curve < 0:
        return HARDEST  # leads out of the map
    if room > far:
        return HARDEST
    curve = around.graph.way(r.curve)
    push = HARDEST
    slow = curve.limit * (0.8 if r.half > 3.0 else 1.0)
    if r.speed > slow:
        needed = (r.speed * r.speed - slow * slow) / (2.0 * (room if room > 1.0 else 1.0))
        if needed > 1.2:
            push = -needed
    stopping = r.speed * r.speed / (2.0 * 4.0)
    shown = light(way.light, way.axis, around.tick) if way.axis >= 0 else Light.GREEN
    if r.granted:
        if shown is not Light.RED or room < stopping:
            return push
        if room < -1.5:
            return push  # over the line already
        r.granted = 0
        _drop(around, r)
    goes = shown is Light.GREEN or (shown is Light.AMBER and room < stopping)
    if goes and room < 6.0 + (1.0 if curve.turn > 0 else 2.4) * r.speed:
        if _may_enter(around, r, curve):
            r.granted = 1
            around.claims.setdefault(way.junction, []).append((curve.id, r))
            return push
    elif goes and room > 6.0:
        return push
    return min(push, follow(r.manner, r.speed, wanted, room + r.manner.keep - 0.2, 0.0))


def _drop(around: Around, r: Rider) -> None:
    claims = around.claims.get(r.way.junction, [])
    around.claims[r.way.junction] = [claim for claim in claims if claim[1] is not r]


def _may_enter(around: Around, r: Rider, curve: Way) -> bool:
    """Whether nobody crosses its curve, and there is room for it on the other side."""
    taken = 0.0
    for number, other in around.claims.get(curve.junction, ()):
        if other is r:
            continue
        if around.graph.cross(curve.id, number):
            return False
        same = around.graph.lanes[around.graph.way(number).before].leg == r.way.leg
        if same and number != curve.id and not -SETTLED < r.d - other.d < SETTLED:
            return False  # one of them is not in its lane, or turns across the other
        if number == curve.id:
            taken += 2.0 * other.half + 2.5
    for s, d, speed, half, wide, _ in around.on.get(curve.after, ()):
        clear = wide + r.wide + MARGIN
        if not r.d - clear < d < r.d + clear:
            continue
        if speed > 3.0 and s - half > 3.0:
            return True
        return s - half - taken > 2.0 * r.half + 2.0
    return True
