"""The living city around the ego: who is there, who comes and goes out of sight, one tick on.

Owns how many there are and where they appear. Deterministic: every draw is keyed by the session's
seed, the tick and the place in line.
"""

from collections.abc import Callable

from game.world.ambient import FIRST_DRIVER, FIRST_WALKER, LEVELS, Drive, Living, Walk
from game.world.chance import choice, integer, uniform
from game.world.city import City
from game.world.collision import Obstacles, obstacles_of
from game.world.entity import BODIES, EntityState
from game.world.flow import Flow, rider_of
from game.world.lanes import LaneGraph, lanes_of
from game.world.manners import DRIVE_TICKS, MANNERS, MIX, Thing
from game.world.pavement import NODES, Pavement, pavement_of
from game.world.people import ON_ROAD, WALK_TICKS, Car, Crowd, spot
from game.world.people import WALK as WALKING
from game.world.state import WorldState
from game.world.trig import PI, atan2, sincos

WANTED = ((0, 0), (26, 42), (72, 118))
"""Vehicles and people within NEAR of the ego at each level."""
NEAR = 200.0
"""Within this the numbers are kept [m]."""
OUT = 170.0
"""Beyond this anybody may appear, nearer only behind buildings [m]."""
EDGE = 225.0
"""Nobody appears farther away [m]."""
GONE = 245.0
"""Whoever is farther away has left [m]."""
HIDDEN_FROM = 60.0
"""Not even behind buildings does anybody appear nearer [m]."""
AT_START = 16.0
"""How near the ego and the scripted parts the first ones may stand [m]."""
ATTEMPTS = 3
"""Places tried for a newcomer at each decision."""
AT_FIRST = 4000
"""Places tried in all to fill the city at the start."""
LOST = 450
"""Decisions after which a vehicle that has stood all the time is taken away, out of sight."""
WALK_PHASE = 3
"""People decide at other ticks than vehicles."""

Adds = tuple[list[tuple[EntityState, Drive]], list[tuple[EntityState, Walk]]]


def sees(obstacles: Obstacles, ax: float, ay: float, bx: float, by: float) -> bool:
    """Whether no building stands between two points, to within a few metres."""
    dx, dy = bx - ax, by - ay
    far = dx if dx > 0.0 else -dx
    high = dy if dy > 0.0 else -dy
    steps = int((far if far > high else high) / 5.0) + 1
    for k in range(1, steps):
        f = k / steps
        if obstacles.hit(ax + f * dx, ay + f * dy, 0.5) >= 0:
            return False
    return True


class _Town:
    """One tick's population while it changes."""

    def __init__(self, city: City, state: WorldState, living: Living) -> None:
        self.graph: LaneGraph = lanes_of(city)
        self.pavement: Pavement = pavement_of(city)
        self.obstacles: Obstacles = obstacles_of(city)
        self.state, self.living = state, living
        self.x, self.y = state.ego.x, state.ego.y
        self.scripted: list[EntityState] = []
        self.cars: list[EntityState] = []
        self.walkers: list[EntityState] = []
        for actor in state.actors:
            if actor.id >= FIRST_WALKER:
                self.walkers.append(actor)
            elif actor.id >= FIRST_DRIVER:
                self.cars.append(actor)
            else:
                self.scripted.append(actor)
        self.drives, self.walks = list(living.drives), list(living.walks)

    # who is there -----------------------------------------------------------------------------

    def leave(self) -> None:
        """Take away vehicles that are too far, and those stuck for good where nobody looks."""
        stay = []
        for at, body in enumerate(self.cars):
            away2 = self._away2(body)
            lost = self.drives[at].stuck > LOST and away2 > HIDDEN_FROM * HIDDEN_FROM
            if lost:
                lost = not sees(self.obstacles, self.x, self.y, body.x, body.y)
            if not lost and away2 < GONE * GONE:
                stay.append(at)
        if len(stay) < len(self.cars):
            self.cars = [self.cars[at] for at in stay]
            self.drives = [self.drives[at] for at in stay]

    def leave_on_foot(self) -> None:
        """Take away people who are too far."""
        stay = [at for at, body in enumerate(self.walkers) if self._away2(body) < GONE * GONE]
        if len(stay) < len(self.walkers):
            self.walkers = [self.walkers[at] for at in stay]
            self.walks = [self.walks[at] for at in stay]

    def _away2(self, body: EntityState) -> float:
        """Squared distance from the ego [m^2]."""
        dx, dy = body.x - self.x, body.y - self.y
        return dx * dx + dy * dy

    def missing(self, bodies: list[EntityState], wanted: int) -> int:
        """How many more there ought to be within NEAR."""
        there = 0
        for body in bodies:
            dx, dy = body.x - self.x, body.y - self.y
            if dx * dx + dy * dy < NEAR * NEAR:
                there += 1
        return wanted - there

    def _may_appear(self, x: float, y: float, first: bool) -> bool:
        dx, dy = x - self.x, y - self.y
        d2 = dx * dx + dy * dy
        if d2 > EDGE * EDGE:
            return False
        if first:
            return d2 > AT_START * AT_START
        if d2 > OUT * OUT:
            return True
        return d2 > HIDDEN_FROM * HIDDEN_FROM and not sees(self.obstacles, self.x, self.y, x, y)

    def _free(self, x: float, y: float, heading: float, half: float, room: float) -> bool:
        """Whether nobody is within `room` before and behind the place, a lane to each side."""
        s, c = sincos(heading)
        for bodies in (self.cars, self.scripted, self.walkers):
            for other in bodies:
                dx, dy = other.x - x, other.y - y
                if dx > 40.0 or dx < -40.0 or dy > 40.0 or dy < -40.0:
                    continue
                body = BODIES[other.body]
                along, aside = dx * c + dy * s, dy * c - dx * s
                reach = half + body.length / 2.0 + room
                if -reach < along < reach and -3.0 < aside < 3.0:
                    return False
        for part in self.state.cast:  # who is yet to come must find its place free
            dx, dy = part.track.x[0] - x, part.track.y[0] - y
            if dx * dx + dy * dy < AT_START * AT_START:
                return False
        return True

    def _spot(self, entity: int, purpose: str, attempt: int) -> tuple[float, float]:
        seed, tick = self.state.seed, self.state.tick
        x = uniform(seed, tick, entity, f"{purpose}.x.{attempt}", -EDGE, EDGE)
        y = uniform(seed, tick, entity, f"{purpose}.y.{attempt}", -EDGE, EDGE)
        return self.x + x, self.y + y

    # newcomers --------------------------------------------------------------------------------

    def add_car(self, attempt: int, first: bool) -> bool:
        """Try one place for one more vehicle."""
        seed, tick = self.state.seed, self.state.tick
        key = _free_id([body.id for body in self.cars], FIRST_DRIVER)
        places = self.graph.places(*self._spot(key, "car", attempt))
        if not places:
            return False
        lane, s = places[integer(seed, tick, key, f"lane.{attempt}", 0, len(places) - 1)]
        way = self.graph.lanes[lane]
        name = choice(seed, tick, key, f"body.{attempt}", MIX)
        manner, body = MANNERS[name], BODIES[name]
        if manner.keeps_right and (way.index != 0 or way.limit > 14.0):
            return False
        half = body.length / 2.0
        if (half > 3.0 and way.width < 3.0) or s < half or s > way.length - half - 1.5:
            return False
        curve = self.graph.plan(lane, -1)[0]
        if curve < 0:
            return False
        d = (way.kerb or 0.5 - way.width / 2.0) if manner.keeps_right else 0.0
        x, y, heading = way.pose(s, d)
        if not self._may_appear(x, y, first) or not self._free(x, y, heading, half, 4.0):
            return False
        pace = uniform(seed, tick, key, f"pace.{attempt}", 0.85, 1.08)
        speed = 0.5 * way.limit * pace
        speed = speed if speed < 0.8 * manner.top else 0.8 * manner.top
        room = way.length - s - half
        speed = speed if speed < room * 0.25 else room * 0.25
        goal = choice(seed, tick, key, f"goal.{attempt}", self.graph.goals)
        at = [each.id < key for each in self.cars].count(True)
        self.cars.insert(at, EntityState(key, name, x, y, heading, speed, 0.0, tick))
        drive = Drive(lane, s, d, speed, -1, 0, goal, 0, -1.0, 0, pace, 0)
        self.drives.insert(at, drive)
        return True

    def add_walker(self, attempt: int, first: bool) -> bool:
        """Try one place for one more person."""
        seed, tick = self.state.seed, self.state.tick
        key = _free_id([body.id for body in self.walkers], FIRST_WALKER)
        places = self.pavement.places(*self._spot(key, "walker", attempt))
        if not places:
            return False
        pick = integer(seed, tick, key, f"street.{attempt}", 0, 4 * len(places) - 1)
        street, along = places[pick // 4]
        number = street * 2 + pick % 2
        side = self.pavement.side(number)
        if not side.usable or side.island or not side.along[0] < along < side.along[-1]:
            return False
        x, y, k = self.pavement.at(number, along)
        if not self._may_appear(x, y, first):
            return False
        onward = pick % 4 < 2
        node = number * NODES + (len(side.points) - 1 if onward else 0)
        via = number * NODES + (k + 1 if onward else k)
        aside = uniform(seed, tick, key, f"aside.{attempt}", -side.aside, side.aside)
        nx, ny = self.pavement.normal(number * NODES + k)
        x, y = x + aside * nx, y + aside * ny
        heading = atan2(-nx, ny) if onward else atan2(nx, -ny)
        if not self._clear(x, y):
            return False
        pace = uniform(seed, tick, key, f"pace.{attempt}", 1.05, 1.65)
        body = EntityState(key, "pedestrian", x, y, heading, pace, 0.0, tick)
        gx, gy = spot(seed, body, 0, self.pavement, via)
        at = [each.id < key for each in self.walkers].count(True)
        self.walkers.insert(at, body)
        goal = number * NODES  # its own street: it thinks of an errand at the next corner
        self.walks.insert(at, Walk(WALKING, node, via, gx, gy, pace, goal, 0, 0))
        return True

    def _clear(self, x: float, y: float) -> bool:
        for bodies in (self.walkers, self.scripted):
            for other in bodies:
                dx, dy = other.x - x, other.y - y
                room = BODIES[other.body].cover + 0.6
                if dx * dx + dy * dy < room * room:
                    return False
        return self.obstacles.hit(x, y, 0.35) < 0

    def fill(
        self, add: Callable[[int, bool], bool], missing: int, attempts: int, first: bool
    ) -> None:
        """Try places until so many have come, or the attempts are used up."""
        for attempt in range(attempts):
            if missing <= 0:
                return
            if add(attempt, first):
                missing -= 1

    # decisions --------------------------------------------------------------------------------

    def drive(self) -> None:
        """All vehicles decide; those that have left the map go."""
        riders = [
            rider_of(body, mind, self.graph)
            for body, mind in zip(self.cars, self.drives, strict=True)
        ]
        flow = Flow(self.state.seed, self.state.tick, self.graph, riders, self._things())
        minds = flow.decide()
        stay = [at for at, mind in enumerate(minds) if mind is not None]
        self.cars = [self.cars[at] for at in stay]
        self.drives = [mind for mind in minds if mind is not None]

    def walk(self) -> None:
        """All people decide."""
        cars: list[Car] = []
        strangers = 0
        for entity in (self.state.ego, *self.scripted, *self.cars):
            body = BODIES[entity.body]
            if body.mass > 85.0 and entity.body != "worker":
                s, c = sincos(entity.heading)
                strangers += entity.id < FIRST_DRIVER
                cars.append(
                    (entity.x, entity.y, c, s, entity.speed, body.length / 2.0, body.width / 2.0)
                )
        crowd = Crowd(
            self.state.seed, self.state.tick, self.pavement, self.obstacles,
            self.walkers, self.walks, cars, strangers,
        )  # fmt: skip
        self.walks = crowd.decide()

    def _things(self) -> list[Thing]:
        """The ego, the scripted parts, and everybody who is on the roadway on foot."""
        found: list[Thing] = []
        for entity in (self.state.ego, *self.scripted):
            s, c = sincos(entity.heading)
            vx, vy = entity.speed * c, entity.speed * s
            for along, r in BODIES[entity.body].discs:
                found.append((entity.x + along * c, entity.y + along * s, r, vx, vy))
        for body, mind in zip(self.walkers, self.walks, strict=True):
            if mind.mode in ON_ROAD:
                s, c = sincos(body.heading)
                found.append((body.x, body.y, 0.35, body.speed * c, body.speed * s))
        return found


def _free_id(taken: list[int], first: int) -> int:
    """The lowest id from `first` on that none of `taken`, which are sorted, has."""
    for at, key in enumerate(taken):
        if key != first + at:
            return first + at
    return first + len(taken)


def settle(city: City, state: WorldState) -> tuple[tuple[EntityState, ...], Living]:
    """The living city of tick 0: (actors, scripted ones first; minds).

    Raises ValueError for a state without a level.
    """
    if state.living is None:
        raise ValueError(f"the city lives at no level; it must be one of {[*LEVELS[1:]]}")
    number = state.living.level
    town = _Town(city, state, Living(number))
    cars, people = WANTED[number]
    for attempt in range(AT_FIRST):
        if town.missing(town.cars, cars) <= 0:
            break
        town.add_car(attempt, True)
    for attempt in range(AT_FIRST):
        if town.missing(town.walkers, people) <= 0:
            break
        town.add_walker(attempt, True)
    living = Living(number, tuple(town.drives), tuple(town.walks))
    return (*town.scripted, *town.cars, *town.walkers), living


def advance_living(city: City, state: WorldState) -> tuple[list[EntityState], Living | None]:
    """The living city one tick later, from the state before: (its actors by id, minds)."""
    living = state.living
    if living is None:
        return [], None
    cars_due = state.tick % DRIVE_TICKS == 0
    walks_due = state.tick % WALK_TICKS == WALK_PHASE
    if not cars_due and not walks_due:
        first = len(state.actors) - len(living.drives) - len(living.walks)
        minds: tuple[Drive | Walk, ...] = (*living.drives, *living.walks)
        return _moved(state.actors[first:], minds), living
    town = _Town(city, state, living)
    cars, people = WANTED[living.level]
    if cars_due:
        town.leave()
        town.fill(town.add_car, town.missing(town.cars, cars), ATTEMPTS, False)
        town.drive()
    if walks_due:
        town.leave_on_foot()
        town.fill(town.add_walker, town.missing(town.walkers, people), 2 * ATTEMPTS, False)
        town.walk()
    moved = _moved((*town.cars, *town.walkers), (*town.drives, *town.walks))
    return moved, Living(living.level, tuple(town.drives), tuple(town.walks))


def _moved(bodies: tuple[EntityState, ...], minds: tuple[Drive | Walk, ...]) -> list[EntityState]:
    """Everybody one tick further along the straight line to where they will be."""
    out = []
    for body, mind in zip(bodies, minds, strict=True):
        dx, dy, dh, dv = mind.dx, mind.dy, mind.dh, mind.dv
        key, kind, x, y, heading, speed, _, started, struck = body
        if struck >= 0 or (dx == 0.0 and dy == 0.0 and dh == 0.0 and dv == 0.0):
            out.append(body)
            continue
        heading += dh
        if not -PI < heading <= PI:
            heading += -2.0 * PI if heading > 0.0 else 2.0 * PI
        speed += dv
        if -1.0e-9 < speed < 1.0e-9:
            speed = 0.0
        out.append(
            EntityState._make((key, kind, x + dx, y + dy, heading, speed, 0.0, started, struck))
        )
    return out
