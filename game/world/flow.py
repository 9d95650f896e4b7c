"""Vehicles of the living city: they follow, keep to lights, give way, change lanes, stop at kerbs.

All decide at once, ten times a second, each from the state before; in between they move evenly.
Car-following is the Intelligent Driver Model (Treiber, Hennecke, Helbing 2000). Owns manners.
"""

from game.world import chance
from game.world.ambient import Drive
from game.world.around import REACH, SETTLED, Around
from game.world.crossing import lane_end
from game.world.entity import BODIES, EntityState
from game.world.kerbside import kerb_stop, next_stop, wanted_side
from game.world.lanes import LaneGraph
from game.world.manners import (
    CLOSEST,
    DRIVE_TICKS,
    HARDEST,
    MANNERS,
    SIDE_RATE,
    SPAN,
    Rider,
    Thing,
    follow,
)
from game.world.overtaking import plan
from game.world.trig import wrap
from game.world.way import Way

ROUND = 2.5
"""What one keeps more from things that stand in the road than from other traffic [m]."""


class Flow:
    """The decisions of every vehicle at one time."""

    def __init__(
        self, seed: int, tick: int, graph: LaneGraph, riders: list[Rider], things: list[Thing]
    ) -> None:
        self.riders = riders
        self.around = Around(seed, tick, graph, riders, things)

    def decide(self) -> list[Drive | None]:
        """What everyone does until the next decision; None for who has left the map."""
        return [
            None if rider.gone else rider.drive if rider.body.struck >= 0 else self._one(rider)
            for rider in self.riders
        ]

    def _one(self, r: Rider) -> Drive | None:
        if r.way.after < 0:
            if r.count == 0:  # has just come
                r.count, stop = 1, next_stop(self.around, r, r.way)
                r.stop = stop if stop > r.s + 25.0 else -1.0
            plan(self.around, r)
        wanted = r.way.limit * r.pace
        top = r.manner.top
        wanted = wanted if wanted < top else top
        push = follow(r.manner, r.speed, wanted, REACH, r.speed)
        gap, speed = self.around.ahead(r)
        if gap < REACH:
            push = min(push, follow(r.manner, r.speed, wanted, gap, speed))
        if r.way.after < 0:
            push = min(push, lane_end(self.around, r, wanted), kerb_stop(self.around, r, wanted))
        gap, speed = self.around.meets(r)
        if gap < REACH:  # room to steer round it
            if speed < 0.5 and -SETTLED < r.d < SETTLED:
                gap = gap - ROUND if gap > ROUND + CLOSEST else CLOSEST
            elif speed < 0.5:
                gap += 1.0
            push = min(push, follow(r.manner, r.speed, wanted, gap, speed))
        push = push if push > -HARDEST else -HARDEST
        return self._move(r, push)

    def _move(self, r: Rider, push: float) -> Drive | None:
        """Where it is at the next decision."""
        before = r.speed
        speed = before + push * SPAN
        if speed < 0.0:
            speed = 0.0
        s = r.s + 0.5 * (before + speed) * SPAN
        r.aim = aim = wanted_side(self.around, r)
        d = r.d
        pace = 0.5 * (before + speed)
        steep = 0.35 if pace > 2.5 else 0.7
        rate = SIDE_RATE if pace * steep > SIDE_RATE else pace * steep
        most = rate * SPAN
        way = r.way
        if aim != d and rate > 0.0 and not self.around.beside(r, aim):
            d = aim if -most <= aim - d <= most else d + (most if aim > d else -most)
        slope = (d - r.d) / (s - r.s) if s > r.s else 0.0
        if s >= way.length:
            if way.after < 0 and r.curve < 0:
                return None
            if way.after < 0 and not r.granted:  # cannot be, but never through a red light
                s, speed = way.length - 0.01, 0.0
            else:
                s -= way.length
                r.way = way = self.around.graph.way(way.after if way.after >= 0 else r.curve)
                self._arrive(r)
        r.s, r.d, r.speed = s, d, speed
        r.stuck = r.stuck + 1 if speed < 0.1 and r.hold == 0 else 0
        return self._drive(r, way, slope)

    def _arrive(self, r: Rider) -> None:
        """On a new way: a goal that is reached gives way to the next, taxis think of stopping."""
        r.count += 1
        r.granted = 0
        way = r.way
        if way.after >= 0:
            r.curve = -1
            return
        goals = self.around.graph.goals
        if way.junction == r.goal or self.around.graph.toward(r.goal)[way.leg] >= 1.0e9:
            r.goal = chance.choice(self.around.seed, r.body.started, r.id, f"goal.{r.count}", goals)
        r.curve = self.around.graph.plan(way.id, r.goal if r.manner.turns else -1)[0]
        r.stop = next_stop(self.around, r, way)

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
