"""People of the living city: they walk their errands, wait for the light, cross, sometimes dash.

All decide at once, five times a second, each from the state before; in between they walk straight
on. Owns their manners.
"""

from math import sqrt

from game.world import chance
from game.world.ambient import Walk
from game.world.city import Point
from game.world.collision import Obstacles
from game.world.entity import BODIES, EntityState
from game.world.pavement import NODES, Pavement
from game.world.signals import AMBER_TICKS, CYCLE_TICKS, HALF_TICKS, offset
from game.world.trig import atan2, sincos, wrap
from game.world.version import DT

WALK_TICKS = 12
"""They decide once in so many ticks."""
SPAN = WALK_TICKS * DT

WALK, WAIT, CROSS, STEP_OUT, LOOK, DASH = range(6)
"""Along a sidewalk; at the kerb for the light; over the crosswalk; to a place from where to run
across; looking there; running across."""
ON_ROAD = (CROSS, DASH)

IMPATIENT = 0.10
"""Share of those at a red light who go when the road is clear."""
JAYWALKERS = 0.2
"""Share of the sidewalks walked along on which one crosses the street half way."""
LONG_ENOUGH = 45.0
"""No shorter sidewalk tempts to it [m]."""
PATIENCE = 60
"""Decisions after which a jaywalker gives up, or one at a corner without lights thinks anew."""
HURRY = 1.25
"""How much faster one crosses than one walks."""
PERSONAL = 0.55
"""Nobody walks nearer past another, if it can be helped [m]."""
SEEN = 1.8
"""How far ahead one minds others [m]."""
CELL = 2.5
BODY = BODIES["pedestrian"].discs[0][1]
HUMAN_ROOM = 0.35

Car = tuple[float, float, float, float, float, float, float]
"""x, y, cosine and sine of the heading, speed, half of the length, half of the width."""


class Crowd:
    """Everyone on foot at one decision, and the vehicles that they look out for.

    The first `strangers` of `cars` may come onto a sidewalk: the ego and the scripted ones.
    """

    def __init__(
        self,
        seed: int,
        tick: int,
        pavement: Pavement,
        obstacles: Obstacles,
        bodies: list[EntityState],
        minds: list[Walk],
        cars: list[Car],
        strangers: int,
    ) -> None:
        self.seed, self.tick = seed, tick
        self.pavement, self.obstacles = pavement, obstacles
        self.bodies, self.minds, self.cars = bodies, minds, cars
        self._strangers = cars[:strangers]
        self._cells: dict[tuple[int, int], list[EntityState]] = {}
        for body in bodies:
            key = (int(body.x // CELL), int(body.y // CELL))
            self._cells.setdefault(key, []).append(body)

    def decide(self) -> list[Walk]:
        """What everyone does until the next decision."""
        out = []
        for body, mind in zip(self.bodies, self.minds, strict=True):
            out.append(mind if body.struck >= 0 else self._one(body, mind))
        return out

    def _one(self, body: EntityState, mind: Walk) -> Walk:
        mode = mind.mode
        if mode in (WAIT, LOOK):
            return self._waits(body, mind)
        if mind.spots == 0 and mode == WALK:  # has just come
            before = mind.via + (1 if mind.node % NODES == 0 else -1)
            mind = self._tempted(body, mind._replace(spots=1), mind.node, mind.via, before)
            mode = mind.mode
        dx, dy = mind.gx - body.x, mind.gy - body.y
        left = sqrt(dx * dx + dy * dy)
        if left < 0.35 or (left < 1.6 and mode == WALK and self._queue(body, dx, dy, left)):
            mind = self._arrive(body, mind)
            if mind.mode in (WAIT, LOOK):
                return _stand(body, mind, body.heading)
            dx, dy = mind.gx - body.x, mind.gy - body.y
            left = sqrt(dx * dx + dy * dy)
            if left < 0.05:
                return _stand(body, mind, body.heading)
        return self._walk(body, mind, dx / left, dy / left, left)

    def _arrive(self, body: EntityState, mind: Walk) -> Walk:
        """At the spot it made for: where next?"""
        if mind.mode == STEP_OUT:
            return mind._replace(mode=LOOK, wait=0)
        if mind.mode == DASH:
            return self._toward(body, mind, WALK, mind.node, mind.via)
        if mind.via != mind.node:
            via = mind.via + (1 if mind.node > mind.via else -1)
            return self._toward(body, mind, WALK, mind.node, via)
        pavement = self.pavement
        goal = pavement.point(mind.goal)
        dx, dy = goal[0] - body.x, goal[1] - body.y
        if dx * dx + dy * dy < 900.0 or mind.goal // NODES == mind.node // NODES:
            mind = mind._replace(goal=errand(self.seed, body, mind, pavement))
            goal = pavement.point(mind.goal)
        came = pavement.far(mind.node) if mind.mode == WALK else -1
        node, over = pavement.next_node(mind.node, came, goal)
        if over:
            return mind._replace(mode=WAIT, via=mind.node, node=node, wait=0, spots=mind.spots + 1)
        via = node
        if node // NODES == mind.node // NODES:
            via = mind.node + (1 if node > mind.node else -1)
            mind = self._tempted(body, mind, node, via, mind.node)
            if mind.mode == STEP_OUT:
                return mind
        return self._toward(body, mind, WALK, node, via)

    def _toward(self, body: EntityState, mind: Walk, mode: int, node: int, via: int) -> Walk:
        count = mind.spots + 1
        x, y = spot(self.seed, body, count, self.pavement, via)
        return mind._replace(mode=mode, node=node, via=via, gx=x, gy=y, spots=count, wait=0)

    def _tempted(self, body: EntityState, mind: Walk, node: int, via: int, before: int) -> Walk:
        """Perhaps it means to cross the street half way along, between two nodes."""
        pavement = self.pavement
        key = node // NODES
        side = pavement.side(key)
        long = side.along[-1] - side.along[0]
        if long < LONG_ENOUGH or not pavement.side(key ^ 1).usable:
            return mind
        draw = chance.uniform(self.seed, body.started, body.id, f"jaywalk.{mind.spots}")
        if draw >= JAYWALKERS:
            return mind
        along = side.along[0] + long * (0.25 + 0.5 * draw / JAYWALKERS)
        x, y, k = pavement.at(key, along)
        if not min(via, before) % NODES <= k < max(via, before) % NODES:
            return mind  # round a bend; not from here
        return mind._replace(
            mode=STEP_OUT, node=node, via=via, gx=x, gy=y, spots=mind.spots + 1, wait=0
        )

    def _waits(self, body: EntityState, mind: Walk) -> Walk:
        """At the kerb: goes when it may, or when it dares."""
        pavement = self.pavement
        mind = mind._replace(wait=mind.wait + 1)
        if mind.mode == LOOK:
            return self._looks(body, mind)
        crossing = pavement.crossing(mind.via)
        ax, ay = pavement.point(mind.via)
        bx, by = pavement.point(mind.node)
        need = crossing.length / (mind.pace * HURRY)
        goes = False
        if crossing.axis < 0:
            goes = self.road_clear(ax, ay, bx, by, need)
        elif may_walk(crossing.light, crossing.axis, self.tick, int(need / DT)):
            # people start one by one, half a second apart
            goes = mind.wait >= 1 + body.id % 5 and self.road_clear(ax, ay, bx, by, 1.2)
        elif mind.wait % 10 == 5:
            draw = chance.uniform(self.seed, body.started, body.id, f"red.{mind.spots}")
            goes = draw < IMPATIENT and self.road_clear(ax, ay, bx, by, need + 1.0)
        if goes:
            mind = self._toward(body, mind, CROSS, mind.node, mind.node)
            return self._one(body, mind)
        if mind.wait > 4 * PATIENCE and crossing.axis < 0:
            return self._toward(body, mind, WALK, pavement.far(mind.via), mind.via)
        return _stand(body, mind, atan2(by - ay, bx - ax))

    def _looks(self, body: EntityState, mind: Walk) -> Walk:
        pavement = self.pavement
        key = mind.node // NODES
        side = pavement.side(key)
        long = side.along[-1] - side.along[0]
        draw = chance.uniform(self.seed, body.started, body.id, f"jaywalk.{mind.spots - 1}")
        along = side.along[0] + long * (0.25 + 0.5 * draw / JAYWALKERS)
        x, y, k = pavement.at(key ^ 1, along)
        need = (pavement.width(mind.node) + 4.0) / (mind.pace * HURRY)
        if mind.wait > 3 and self.road_clear(body.x, body.y, x, y, need + 1.0):
            node = pavement.opposite(mind.node)
            first = (key ^ 1) * NODES
            via = first + (k + 1 if node > first + k else k)
            mind = mind._replace(mode=DASH, node=node, via=via, gx=x, gy=y, wait=0)
            return self._one(body, mind)
        if mind.wait > PATIENCE:
            return self._toward(body, mind, WALK, mind.node, mind.via)
        return _stand(body, mind, atan2(y - body.y, x - body.x))

    def road_clear(self, ax: float, ay: float, bx: float, by: float, need: float) -> bool:
        """Whether no vehicle comes over the line from a to b within `need` seconds."""
        mx, my = (ax + bx) / 2.0, (ay + by) / 2.0
        dx, dy = bx - ax, by - ay
        half = sqrt(dx * dx + dy * dy) / 2.0
        for x, y, c, s, speed, long, _ in self.cars:
            ox, oy = mx - x, my - y
            if speed < 0.3 or ox > 60.0 or ox < -60.0 or oy > 60.0 or oy < -60.0:
                continue
            along = ox * c + oy * s
            if along < -2.0 or along > speed * need + long + 2.0:
                continue
            aside = oy * c - ox * s
            if -half < aside < half:
                return False
        return True

    def _walk(self, body: EntityState, mind: Walk, ux: float, uy: float, left: float) -> Walk:
        """One decision's way towards its spot, past others and never into a wall or a car."""
        on_road = mind.mode in ON_ROAD
        pace = mind.pace * HURRY if on_road else mind.pace
        if pace * SPAN > left:
            pace = left / SPAN
        ux, uy, pace = self._past(body, ux, uy, pace)
        run = pace * SPAN
        x, y = body.x + ux * run, body.y + uy * run
        cars = self.cars if on_road else self._strangers
        if pace > 0.0 and _blocked(cars, body.x, body.y, x, y):
            turn = 1.0 if (mind.wait // 8 + body.id) % 2 else -1.0
            ux, uy = ux * 0.5 - turn * uy * 0.866, uy * 0.5 + turn * ux * 0.866
            x, y = body.x + ux * run, body.y + uy * run
            if mind.wait < 5 or _blocked(cars, body.x, body.y, x, y):
                mind = mind._replace(wait=mind.wait + 1 if mind.wait < 60000 else 0)
                return _stand(body, mind, body.heading)
            mind = mind._replace(wait=mind.wait + 1)
        wall = pace > 0.0 and not on_road and self.obstacles.hit(x, y, HUMAN_ROOM) >= 0
        if pace <= 0.0 or (wall and self.obstacles.hit(body.x, body.y, HUMAN_ROOM) < 0):
            return _stand(body, mind, body.heading)
        return mind._replace(
            dx=(x - body.x) / WALK_TICKS,
            dy=(y - body.y) / WALK_TICKS,
            dh=wrap(atan2(uy, ux) - body.heading) / WALK_TICKS,
            dv=(pace - body.speed) / WALK_TICKS,
        )

    def _past(
        self, body: EntityState, ux: float, uy: float, pace: float
    ) -> tuple[float, float, float]:
        """Direction and pace that keep it out of others' way."""
        aside = 0.0
        column, row = int(body.x // CELL), int(body.y // CELL)
        for i in (column - 1, column, column + 1):
            for j in (row - 1, row, row + 1):
                for other in self._cells.get((i, j), ()):
                    rx, ry = other.x - body.x, other.y - body.y
                    ahead = rx * ux + ry * uy
                    if ahead <= 0.0 or ahead > SEEN or other.id == body.id:
                        continue
                    left = ry * ux - rx * uy
                    if left > PERSONAL or left < -PERSONAL:
                        continue
                    s, c = sincos(other.heading)
                    same = (c * ux + s * uy) * other.speed
                    if same > 0.3 * pace:
                        if ahead < 0.9 and same < pace:
                            pace = same
                    else:  # to the right, unless it stands further to the right
                        aside += 1.0 if left < -0.1 else -1.0
                    if ahead < 0.5 and -0.4 < left < 0.4 and other.id < body.id:
                        pace = 0.0
        if aside == 0.0:
            return ux, uy, pace
        turn = 0.5 if aside > 0.0 else -0.5
        return ux * 0.866 - turn * uy, uy * 0.866 + turn * ux, pace

    def _queue(self, body: EntityState, dx: float, dy: float, left: float) -> bool:
        """Whether somebody stands on the spot that it makes for."""
        x, y = body.x + dx, body.y + dy
        column, row = int(x // CELL), int(y // CELL)
        for i in (column - 1, column, column + 1):
            for j in (row - 1, row, row + 1):
                for other in self._cells.get((i, j), ()):
                    rx, ry = other.x - x, other.y - y
                    if other.id != body.id and other.speed == 0.0 and rx * rx + ry * ry < 0.3:
                        return left > 0.0
        return False


def _stand(body: EntityState, mind: Walk, heading: float) -> Walk:
    """Stands until the next decision, turning towards `heading`."""
    turn = wrap(heading - body.heading) / WALK_TICKS
    if mind.dx == 0.0 and mind.dy == 0.0 and mind.dv == 0.0 and mind.dh == turn:
        return mind
    return mind._replace(dx=0.0, dy=0.0, dh=turn, dv=-body.speed / WALK_TICKS)


def _blocked(cars: list[Car], ax: float, ay: float, x: float, y: float) -> bool:
    """Whether a vehicle stands, or is about to be, where it would step."""
    for cx, cy, c, s, speed, long, wide in cars:
        ox, oy = x - cx, y - cy
        if ox > 20.0 or ox < -20.0 or oy > 20.0 or oy < -20.0:
            continue
        along, aside = ox * c + oy * s, oy * c - ox * s
        ahead = long + 0.5 + (speed * 0.9 if speed > 0.0 else 0.0)
        if -long - 0.4 < along < ahead and -wide - 0.45 < aside < wide + 0.45:
            # out of its way is always allowed
            was = (ay - cy) * c - (ax - cx) * s
            if aside * aside > was * was and was * aside >= 0.0:
                continue
            return True
    return False


def may_walk(place: int, axis: int, tick: int, need: int) -> bool:
    """Whether one who needs so many ticks may step in front of traffic along `axis` at a place.

    The other axis must have green, and the crossing end before this one's green begins.
    """
    phase = (tick + offset(place) + (1 - axis) * HALF_TICKS) % CYCLE_TICKS
    return phase + need <= HALF_TICKS + AMBER_TICKS // 3


def spot(seed: int, body: EntityState, count: int, pavement: Pavement, node: int) -> Point:
    """Where exactly somebody walks to at a node: everyone a little apart."""
    x, y = pavement.point(node)
    nx, ny = pavement.normal(node)
    aside = pavement.side(node // NODES).aside
    draw = chance.uniform(seed, body.started, body.id, f"spot.{count}")
    across = (2.0 * draw - 1.0) * aside
    bits = draw * 64.0
    along = (2.0 * (bits - int(bits)) - 1.0) * 0.9
    return x + across * nx + along * ny, y + across * ny - along * nx


def errand(seed: int, body: EntityState, mind: Walk, pavement: Pavement) -> int:
    """A node some blocks away to walk to next; the present one where there is none."""
    for k in range(6):
        purpose = f"errand.{mind.spots}.{k}"
        x = body.x + chance.uniform(seed, body.started, body.id, purpose + ".x", -400.0, 400.0)
        y = body.y + chance.uniform(seed, body.started, body.id, purpose + ".y", -400.0, 400.0)
        places = pavement.places(x, y)
        if places:
            return places[0][0] * 2 * NODES
    return mind.goal
