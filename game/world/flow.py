"""Vehicles of the living city: they follow, keep to lights, give way, change lanes, stop at kerbs.

All decide at once, ten times a second, each from the state before; in between they move evenly.
Car-following is the Intelligent Driver Model (Treiber, Hennecke, Helbing 2000). Owns manners.
"""

from game.world import chance
from game.world.ambient import Drive
from game.world.entity import BODIES, EntityState
from game.world.lanes import LaneGraph, Way
from game.world.manners import (
    CLOSEST,
    DRIVE_TICKS,
    HARDEST,
    MANNERS,
    MARGIN,
    SIDE_RATE,
    SPAN,
    Rider,
    Thing,
    follow,
)
from game.world.signals import Light, light
from game.world.trig import wrap

REACH = 60.0
"""Nobody looks further ahead [m]."""
LINE = 1.2
"""Bumpers stop this far before a lane's end, behind the painted bar [m]."""
SETTLED = 0.6
"""Who is this close to the middle of the lane is in it [m]."""
CALM = 2.5
"""Braking for lights, bends and stops is planned at this rate [m/s^2]."""
STOP_SHARE = {"taxi": 0.35, "bus": 0.6}
"""On this share of the lanes they stop at the kerb, for 5 to 15 seconds."""
ROUND = 2.5
"""What one keeps more from things that stand in the road than from other traffic [m]."""
TIRED = 40
"""Decisions behind something that stands, after which one looks for a way round."""

Entry = tuple[float, float, float, float, float, int]
"""s, d, speed, half length, half width, id: one vehicle on one way."""


class Flow:
    """Every vehicle at one decision, by way; and all else that is on the road."""

    def __init__(
        self, seed: int, tick: int, graph: LaneGraph, riders: list[Rider], things: list[Thing]
    ) -> None:
        self.seed, self.tick, self.graph = seed, tick, graph
        self.riders, self.things = riders, things
        self._on: dict[int, list[Entry]] = {}
        self._claims: dict[int, list[tuple[int, Rider]]] = {}
        for rider in riders:
            self._enter(rider)
            if rider.way.after >= 0:
                self._claims.setdefault(rider.way.junction, []).append((rider.way.id, rider))
            elif rider.granted:
                self._claims.setdefault(rider.way.junction, []).append((rider.curve, rider))
        for entries in self._on.values():
            entries.sort()

    def _enter(self, rider: Rider) -> None:
        way, d = rider.way, rider.d
        entry = (rider.s, d, rider.speed, rider.half, rider.wide, rider.id)
        self._on.setdefault(way.id, []).append(entry)
        if way.after < 0 and not -SETTLED < d < SETTLED:
            other = way.index + (1 if d > 0.0 else -1)
            lanes = self.graph.legs[way.leg]
            if 0 <= other < len(lanes):
                beside = self.graph.lanes[lanes[other]]
                s = rider.s * beside.length / way.length
                shift = -way.width if d > 0.0 else way.width
                self._on.setdefault(beside.id, []).append((s, d + shift, *entry[2:]))

    def decide(self) -> list[Drive | None]:
        """What everyone does until the next decision; None for who has left the map."""
        return [
            None if rider.gone else rider.drive if rider.body.struck >= 0 else self._one(rider)
            for rider in self.riders
        ]

    def _one(self, r: Rider) -> Drive | None:
        if r.way.after < 0:
            if r.count == 0:  # has just come
                r.count, stop = 1, self._stop(r, r.way)
                r.stop = stop if stop > r.s + 25.0 else -1.0
            self._plan(r)
        wanted = r.way.limit * r.pace
        top = r.manner.top
        wanted = wanted if wanted < top else top
        push = follow(r.manner, r.speed, wanted, REACH, r.speed)
        gap, speed = self._ahead(r)
        if gap < REACH:
            push = min(push, follow(r.manner, r.speed, wanted, gap, speed))
        if r.way.after < 0:
            push = min(push, self._lane_end(r, wanted), self._kerb_stop(r, wanted))
        gap, speed = self._meets(r)
        if gap < REACH:  # room to steer round it
            if speed < 0.5 and -SETTLED < r.d < SETTLED:
                gap = gap - ROUND if gap > ROUND + CLOSEST else CLOSEST
            elif speed < 0.5:
                gap += 1.0
            push = min(push, follow(r.manner, r.speed, wanted, gap, speed))
        push = push if push > -HARDEST else -HARDEST
        return self._move(r, push)

    def _plan(self, r: Rider) -> None:
        """Which curve to leave by, and whether another lane suits better."""
        way, graph = r.way, self.graph
        bound = r.goal if r.manner.turns else -1
        curve, index = graph.plan(way.id, bound)
        if not r.granted:
            r.curve = curve
        if r.manner.keeps_right or r.stop >= 0.0:
            index = 0
        if r.granted or r.hold > 0:
            return
        if index != way.index:
            self._change(r, 1 if index > way.index else -1, False)
        elif (self.tick // DRIVE_TICKS + r.id) % 8 == 0 and not r.manner.keeps_right:
            gap, speed = self._ahead(r)
            if r.stuck > TIRED:
                gap = min(gap, self._meets(r)[0])
            if gap < 8.0 + 2.0 * r.speed and (speed < 0.6 * way.limit or r.stuck > TIRED):
                for step in (1, -1):
                    lanes = graph.legs[way.leg]
                    if 0 <= way.index + step < len(lanes):
                        onto = graph.plan(lanes[way.index + step], bound)[1]
                        fits = onto == way.index + step or way.length - r.s > 80.0
                        if (fits or r.stuck > TIRED) and self._change(r, step, True):
                            return

    def _change(self, r: Rider, step: int, faster: bool) -> bool:
        """Into the lane to the left (1) or right (-1) where there is room; True where it goes."""
        way = r.way
        left = way.length - r.s
        if r.s < 4.0 or left < 12.0 + 3.0 * r.speed or not -SETTLED < r.d < SETTLED:
            return False
        if r.speed < 1.0 and r.stuck < TIRED:
            return False
        target = self.graph.lanes[self.graph.legs[way.leg][way.index + step]]
        s = r.s * target.length / way.length
        entries = self._on.get(target.id, ())
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
        if self._occupied(r, step * way.width - r.d):
            return False
        r.way, r.s, r.d = target, s, r.d - step * way.width
        r.curve = self.graph.plan(target.id, r.goal if r.manner.turns else -1)[0]
        self._on.setdefault(target.id, []).append((s, r.d, r.speed, r.half, r.wide, r.id))
        self._on[target.id].sort()
        return True

    def _occupied(self, r: Rider, aside: float) -> bool:
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

    def _ahead(self, r: Rider) -> tuple[float, float]:
        """(gap, speed) to who is next on the way that it takes; REACH where nobody is."""
        way, room = r.way, REACH
        low = r.d if r.d < r.aim else r.aim
        high = r.d if r.d > r.aim else r.aim
        found = self._on_lane(r, way, r.s, low, high)
        if way.after < 0 and not -SETTLED < r.d < SETTLED:  # still half in the lane beside
            step = 1 if r.d > 0.0 else -1
            lanes = self.graph.legs[way.leg]
            if 0 <= way.index + step < len(lanes):
                beside = self.graph.lanes[lanes[way.index + step]]
                there = r.s * beside.length / way.length
                shift = step * way.width
                other = self._on_lane(r, beside, there, r.d - shift, r.d - shift)
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
                for s, d, speed, half, wide, _ in self._on.get(curve, ()):
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

    def _on_lane(
        self, r: Rider, way: Way, at: float, low: float, high: float
    ) -> tuple[float, float]:
        """(gap, speed) to the next one on this lane that overlaps low .. high across it."""
        for s, d, speed, half, wide, key in self._on.get(way.id, ()):
            if s < at or key == r.id or (s == at and key > r.id):
                continue
            clear = wide + r.wide + MARGIN
            if low - clear < d < high + clear:
                return s - at - half - r.half, speed
        return REACH, 0.0

    def _lane_end(self, r: Rider, wanted: float) -> float:
        """Acceleration that the line, its light and the bend behind it leave [m/s^2]."""
        way = r.way
        room = way.length - r.s - r.half - LINE
        far = 12.0 + r.speed * r.speed / (2.0 * CALM) + 1.5 * r.speed
        if r.curve < 0:
            return HARDEST  # leads out of the map
        if room > far:
            return HARDEST
        curve = self.graph.way(r.curve)
        push = HARDEST
        slow = curve.limit * (0.8 if r.half > 3.0 else 1.0)
        if r.speed > slow:
            needed = (r.speed * r.speed - slow * slow) / (2.0 * (room if room > 1.0 else 1.0))
            if needed > 1.2:
                push = -needed
        stopping = r.speed * r.speed / (2.0 * 4.0)
        shown = light(way.light, way.axis, self.tick) if way.axis >= 0 else Light.GREEN
        if r.granted:
            if shown is not Light.RED or room < stopping:
                return push
            if room < -1.5:
                return push  # over the line already
            r.granted = 0
            self._drop(r)
        goes = shown is Light.GREEN or (shown is Light.AMBER and room < stopping)
        if goes and room < 6.0 + (1.0 if curve.turn > 0 else 2.4) * r.speed:
            if self._may_enter(r, curve):
                r.granted = 1
                self._claims.setdefault(way.junction, []).append((curve.id, r))
                return push
        elif goes and room > 6.0:
            return push
        return min(push, follow(r.manner, r.speed, wanted, room + r.manner.keep - 0.2, 0.0))

    def _drop(self, r: Rider) -> None:
        claims = self._claims.get(r.way.junction, [])
        self._claims[r.way.junction] = [claim for claim in claims if claim[1] is not r]

    def _may_enter(self, r: Rider, curve: Way) -> bool:
        """Whether nobody crosses its curve, and there is room for it on the other side."""
        taken = 0.0
        for number, other in self._claims.get(curve.junction, ()):
            if other is r:
                continue
            if self.graph.cross(curve.id, number):
                return False
            same = self.graph.lanes[self.graph.way(number).before].leg == r.way.leg
            if same and number != curve.id and not -SETTLED < r.d - other.d < SETTLED:
                return False  # one of them is not in its lane, or turns across the other
            if number == curve.id:
                taken += 2.0 * other.half + 2.5
        for s, d, speed, half, wide, _ in self._on.get(curve.after, ()):
            clear = wide + r.wide + MARGIN
            if not r.d - clear < d < r.d + clear:
                continue
            if speed > 3.0 and s - half > 3.0:
                return True
            return s - half - taken > 2.0 * r.half + 2.0
        return True

    def _kerb_stop(self, r: Rider, wanted: float) -> float:
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
            draw = chance.integer(self.seed, r.body.started, r.id, f"hold.{r.count}", 50, 150)
            r.hold = draw
            return -HARDEST
        return follow(r.manner, r.speed, wanted, room + r.manner.keep, 0.0)

    def _aim(self, r: Rider) -> float:
        """How far from the middle of its way it wants to be, to the left [m]."""
        way = r.way
        if r.manner.keeps_right:
            if way.after >= 0:
                return -0.5 if way.turn else r.d
            if way.length - r.s < 15.0 and r.curve >= 0 and self.graph.way(r.curve).turn:
                return -0.5
            edge = 0.5 - way.width / 2.0
            if way.kerb == 0.0:
                return edge
            for s, d, speed, half, wide, key in self._on.get(way.id, ()):
                if key != r.id and -3.0 < s - r.s < 14.0 + half and speed < 1.5 and d < edge:
                    return way.kerb + wide + r.wide + 0.5
            return way.kerb
        if r.hold > 0:
            return r.d
        if r.stop >= 0.0 and way.index == 0 and way.kerb != 0.0 and r.stop - r.s < 28.0:
            return way.kerb
        if way.kerb != 0.0 and r.d < -1.2:  # pulls out only where nobody comes
            for s, d, speed, half, _, key in self._on.get(way.id, ()):
                behind = r.s - s
                if key == r.id or d < -1.2 or behind < -r.half - half - 1.0:
                    continue
                if behind < r.half + half + 2.0 + 2.5 * speed:
                    return r.d
        return 0.0

    def _meets(self, r: Rider) -> tuple[float, float]:
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
                gap = self._on_curve(r, x, y, radius, vx, vy, reach)
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

    def _on_curve(
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

    def _move(self, r: Rider, push: float) -> Drive | None:
        """Where it is at the next decision."""
        before = r.speed
        speed = before + push * SPAN
        if speed < 0.0:
            speed = 0.0
        s = r.s + 0.5 * (before + speed) * SPAN
        r.aim = aim = self._aim(r)
        d = r.d
        pace = 0.5 * (before + speed)
        steep = 0.35 if pace > 2.5 else 0.7
        rate = SIDE_RATE if pace * steep > SIDE_RATE else pace * steep
        most = rate * SPAN
        way = r.way
        if aim != d and rate > 0.0 and not self._beside(r, aim):
            d = aim if -most <= aim - d <= most else d + (most if aim > d else -most)
        slope = (d - r.d) / (s - r.s) if s > r.s else 0.0
        if s >= way.length:
            if way.after < 0 and r.curve < 0:
                return None
            if way.after < 0 and not r.granted:  # cannot be, but never through a red light
                s, speed = way.length - 0.01, 0.0
            else:
                s -= way.length
                r.way = way = self.graph.way(way.after if way.after >= 0 else r.curve)
                self._arrive(r)
        r.s, r.d, r.speed = s, d, speed
        r.stuck = r.stuck + 1 if speed < 0.1 and r.hold == 0 else 0
        return self._drive(r, way, slope)

    def _beside(self, r: Rider, aim: float) -> bool:
        """Whether somebody is alongside on the side that it moves to."""
        for s, d, _, half, wide, key in self._on.get(r.way.id, ()):
            if key == r.id or not -half - r.half - 0.6 < s - r.s < half + r.half + 0.6:
                continue
            apart = d - r.d
            if (apart > 0.0) == (aim > r.d):
                apart = apart if apart > 0.0 else -apart
                if apart < wide + r.wide + MARGIN + 0.3:
                    return True
        return False

    def _arrive(self, r: Rider) -> None:
        """On a new way: a goal that is reached gives way to the next, taxis think of stopping."""
        r.count += 1
        r.granted = 0
        way = r.way
        if way.after >= 0:
            r.curve = -1
            return
        goals = self.graph.goals
        if way.junction == r.goal or self.graph.toward(r.goal)[way.leg] >= 1.0e9:
            r.goal = chance.choice(self.seed, r.body.started, r.id, f"goal.{r.count}", goals)
        r.curve = self.graph.plan(way.id, r.goal if r.manner.turns else -1)[0]
        r.stop = self._stop(r, way)

    def _stop(self, r: Rider, way: Way) -> float:
        share = STOP_SHARE.get(r.body.body, 0.0)
        first = self.graph.lanes[self.graph.legs[way.leg][0]]
        if share == 0.0 or first.kerb == 0.0 or way.length < 70.0 or way.index > 1:
            return -1.0
        draw = chance.uniform(self.seed, r.body.started, r.id, f"stop.{r.count}")
        if draw >= share:
            return -1.0
        return 40.0 + (way.length - 65.0) * draw / share

    def _drive(self, r: Rider, way: Way, slope: float) -> Drive:
        body, old = r.body, r.drive
        if r.speed == 0.0 and body.speed == 0.0:
            dx = dy = dh = dv = 0.0
        else:
            x, y, heading = way.pose(r.s, r.d)
            lean = slope if -0.5 < slope < 0.5 else 0.5 if slope > 0.0 else -0.5
            dx, dy = (x - body.x) / DRIVE_TICKS, (y - body.y) / DRIVE_TICKS
            dh = wrap(heading + lean - body.heading) / DRIVE_TICKS
            dv = (r.speed - body.speed) / DRIVE_TICKS
        made = Drive(
            way.id, r.s, r.d, r.speed, r.curve, r.granted, r.goal, r.count, r.stop, r.hold,
            r.pace, r.stuck if r.stuck < 60000 else 60000, dx, dy, dh, dv,
        )  # fmt: skip
        return old if made == old else made


def rider_of(body: EntityState, drive: Drive, graph: LaneGraph) -> Rider:
    """The working copy of one vehicle for a decision."""
    return Rider(body, drive, graph.way(drive.way), MANNERS[body.body], BODIES[body.body])
