"""What the vehicles of the living city are among at one decision: who is on which way, and where.

Answers who is ahead, beside and in the way. Decides nothing.
"""

from game.world.lanes import LaneGraph
from game.world.manners import MARGIN, Rider, Thing
from game.world.way import Way

REACH = 60.0
"""Nobody looks further ahead [m]."""
SETTLED = 0.6
"""Who is this close to the middle of the lane is in it [m]."""

Entry = tuple[float, float, float, float, float, int]
"""s, d, speed, half length, half width, id: one vehicle on one way."""


class Around:
    """Every vehicle at one decision, by way; and all else that is on the road.

    on: the vehicles of each way, from its start on. claims: who is in each junction or may enter,
    and the curve that they take. things: the ego, people and whatever else stands or moves there.
    """

    def __init__(
        self, seed: int, tick: int, graph: LaneGraph, riders: list[Rider], things: list[Thing]
    ) -> None:
        self.seed, self.tick, self.graph = seed, tick, graph
        self.things = things
        self.on: dict[int, list[Entry]] = {}
        self.claims: dict[int, list[tuple[int, Rider]]] = {}
        for rider in riders:
            self._enter(rider)
            if rider.way.after >= 0:
                self.claims.setdefault(rider.way.junction, []).append((rider.way.id, rider))
            elif rider.granted:
                self.claims.setdefault(rider.way.junction, []).append((rider.curve, rider))
        for entries in self.on.values():
            entries.sort()

    def _enter(self, rider: Rider) -> None:
        way, d = rider.way, rider.d
        entry = (rider.s, d, rider.speed, rider.half, rider.wide, rider.id)
        self.on.setdefault(way.id, []).append(entry)
        if way.after < 0 and not -SETTLED < d < SETTLED:
            other = way.index + (1 if d > 0.0 else -1)
            lanes = self.graph.legs[way.leg]
            if 0 <= other < len(lanes):
                beside = self.graph.lanes[lanes[other]]
                s = rider.s * beside.length / way.length
                shift = -way.width if d > 0.0 else way.width
                self.on.setdefault(beside.id, []).append((s, d + shift, *entry[2:]))

    def occupied(self, r: Rider, aside: float) -> bool:
        """Whether the ego or another thing is where it would be, `aside` to its left."""
        ahead = r.half + 5.0 + 1.5 * r.speed
        for x, y, radius, vx, vy in self.things:
            ox, oy = x - r.body.x, y - r.body.y
            along, left = ox * r.cos + oy * r.sin, oy * r.cos - ox * r.sin - aside
            clear = r.wide + radius + 0.5
            closing = vx * r.cos + vy * r.sin - r.speed
            behind = r.half + radius + 2.0 + (2.0 * closing if closing > 0.0 else 0.0)
            if -behind < along < ahead + radius and -clear < left < clear:
                return True
        return False

    def ahead(self, r: Rider) -> tuple[float, float]:
        """(gap, speed) to who is next on the way that it takes; REACH where nobody is."""
        way, room = r.way, REACH
        low = r.d if r.d < r.aim else r.aim
        high = r.d if r.d > r.aim else r.aim
        found = self.on_lane(r, way, r.s, low, high)
        if way.after < 0 and not -SETTLED < r.d < SETTLED:  # still half in the lane beside
            step = 1 if r.d > 0.0 else -1
            lanes = self.graph.legs[way.leg]
            if 0 <= way.index + step < len(lanes):
                beside = self.graph.lanes[lanes[way.index + step]]
                there = r.s * beside.length / way.length
                shift = step * way.width
                other = self.on_lane(r, beside, there, r.d - shift, r.d - shift)
                found = other if other[0] < found[0] else found
        if found[0] < room:
            return found
        beyond = way.length - r.s
        following = way.after if way.after >= 0 else r.curve
        while beyond < room and following >= 0:
            best = room
            pace = 0.0
            # who leaves the lane by another way may still stand in front
            fan = self.graph.exits(way.id) if way.after < 0 else (following,)
            for curve in fan:
                for s, d, speed, half, wide, _ in self.on.get(curve, ()):
                    clear = wide + r.wide + MARGIN
                    gap = beyond + s - half - r.half
                    if gap >= best or not low - clear < d < high + clear:
                        continue
                    if curve == following or s - half < 4.0:
                        best, pace = gap, speed
            if best < room:
                return best, pace
            way = self.graph.way(following)
            beyond += way.length
            following = way.after
        return room, 0.0

    def on_lane(
        self, r: Rider, way: Way, at: float, low: float, high: float
    ) -> tuple[float, float]:
        """(gap, speed) to the next one on this lane that overlaps low .. high across it."""
        for s, d, speed, half, wide, key in self.on.get(way.id, ()):
            if s < at or key == r.id or (s == at and key > r.id):
                continue
            clear = wide + r.wide + MARGIN
            if low - clear < d < high + clear:
                return s - at - half - r.half, speed
        return REACH, 0.0

    def meets(self, r: Rider) -> tuple[float, float]:
        """(gap, speed along) to the nearest thing that is or will be on its next metres."""
        best, pace = REACH, 0.0
        body = r.body
        reach = r.half + 4.0 + r.speed * 1.2 + r.speed * r.speed / 6.0
        c, n = r.cos, r.sin
        turning = r.way.after >= 0 or (r.granted and r.way.length - r.s < reach)
        for x, y, radius, vx, vy in self.things:
            ox, oy = x - body.x, y - body.y
            far = reach + radius + 6.0
            if ox > far or ox < -far or oy > far or oy < -far:
                continue
            if turning:
                beside = ox * c + oy * n < r.half - 0.2
                if beside and vx * vx + vy * vy < 0.04:
                    continue  # stands next to it and waits for it to be gone
                gap = self.on_curve(r, x, y, radius, vx, vy, reach)
                if gap < best:
                    best, pace = gap, 0.0
                continue
            along, aside = ox * c + oy * n, oy * c - ox * n
            if along < 0.0 or along > reach + radius:
                continue
            clear = r.wide + radius + 0.3
            gap = along - r.half - radius
            if -clear < aside < clear:
                if gap < best:
                    best, pace = gap, vx * c + vy * n
                continue
            moving, sliding = vx * c + vy * n, vy * c - vx * n
            if sliding < 0.2 and sliding > -0.2:
                continue
            for t in (0.4, 0.8, 1.2, 1.6):
                later = aside + sliding * t
                if -clear < later < clear:
                    gap = along + moving * t - r.half - radius
                    if gap > -1.0 and gap < best:
                        best, pace = gap, 0.0
                    break
        return best, pace if pace > 0.0 else 0.0

    def on_curve(
        self, r: Rider, x: float, y: float, radius: float, vx: float, vy: float, reach: float
    ) -> float:
        """Gap to a thing along the bend that it follows; REACH where it is not in the way [m]."""
        way, s = r.way, r.s + r.half
        clear = r.wide + radius + 0.3
        run = 0.0
        while run < reach:
            while s > way.length:
                following = way.after if way.after >= 0 else r.curve
                if following < 0:
                    return REACH
                s -= way.length
                way = self.graph.way(following)
            px, py, _ = way.pose(s, r.d)
            for t in (0.0, 0.7, 1.4):
                ox, oy = x + vx * t - px, y + vy * t - py
                if ox * ox + oy * oy < clear * clear:
                    return run - radius
            s += 1.5
            run += 1.5
        return REACH

    def beside(self, r: Rider, aim: float) -> bool:
        """Whether somebody is alongside on the side that it moves to."""
        for s, d, _, half, wide, key in self.on.get(r.way.id, ()):
            if key == r.id or not -half - r.half - 0.6 < s - r.s < half + r.half + 0.6:
                continue
            apart = d - r.d
            if (apart > 0.0) == (aim > r.d):
                apart = apart if apart > 0.0 else -apart
                if apart < wide + r.wide + MARGIN + 0.3:
                    return True
        return False
