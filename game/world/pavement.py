"""Where people walk: sidewalks along the kerbs, corners between streets, crosswalks over them.

Made from a City's streets and footprints, each street when first visited. Owns the node numbers.
What it keeps only saves time.
"""

from dataclasses import dataclass
from heapq import heappop, heappush
from math import sqrt

from game.world.city import City, Point, Street
from game.world.collision import Obstacles, obstacles_of
from game.world.geometry import distance, edges_of, pairwise, segment_distance2
from game.world.polyline import beside, length, piece
from game.world.signals import axis_of, place_of
from game.world.trig import atan2

NODES = 64
"""Node `k` of a street's side is numbered `(street * 2 + side) * NODES + k`; side 0 is right."""
REACHES = (2.0, 1.5, 1.1, 0.8)
"""How far from the kerb people walk: the first that the walls allow [m]."""
ROOM = 0.45
"""Nobody's centre comes nearer to a wall [m]."""
MOST_ASIDE = 1.3
"""How far people spread to both sides of the middle of a sidewalk [m]."""
KERB = 0.5
"""What they keep from the kerb [m]."""
CUT_MOST = 22.0
MARGIN = 0.8
ZEBRA = 2.1
"""The middle of a crosswalk lies so far behind the mouth of its street [m]."""
CORNER_MOST = 45.0
"""No corner is wider [m]."""
STEP = 4.0
LOOKED_AT = 14
"""How many nodes of a junction somebody thinks of."""
TURN_BACK = 250.0
WAITING = 14.0
"""What turning back and crossing a street cost, as metres of way [m]."""
CELL = 64.0
SPACING = 10.0
PLAIN = ("motorway", "motorway_link", "trunk", "trunk_link")
"""Kinds of street that nobody walks along."""


@dataclass(frozen=True, slots=True)
class Side:
    """One sidewalk: its nodes in the street's direction, and along: each one's place on the street.

    aside: room to both sides of the line [m]. usable: whether the walls leave it open; island:
    whether there is another roadway behind it, so that one stands there, but does not walk along.
    """

    points: tuple[Point, ...]
    along: tuple[float, ...]
    aside: float
    usable: bool
    island: bool = False


@dataclass(frozen=True, slots=True)
class Crossing:
    """The way over a street's end. light: `place_of` its signal; axis: of the traffic that it
    crosses, -1 without signals.
    """

    light: int
    axis: int
    length: float


class Pavement:
    """The sidewalks of a city. Nodes are numbers; `point` says where they are."""

    def __init__(self, city: City, obstacles: Obstacles) -> None:
        self._obstacles = obstacles
        self._streets = city.streets
        self._junctions = {junction.id: junction for junction in city.junctions}
        self._arms: dict[int, list[tuple[int, int]]] = {}
        for at, street in enumerate(city.streets):
            if street.id != at:
                raise ValueError(f"street {street.id} stands in place {at} of the city")
            if street.start == street.end or street.kind in PLAIN:
                continue
            self._arms.setdefault(street.start, []).append((at, 0))
            self._arms.setdefault(street.end, []).append((at, 1))
        self._cuts: dict[int, tuple[float, float]] = {}
        self._sides: dict[int, Side] = {}
        self._rings: dict[int, list[tuple[int, int]]] = {}
        self._corners: dict[int, int] = {}
        self._crossings: dict[int, Crossing] = {}
        self._cells: dict[tuple[int, int], list[tuple[int, float]]] = {}
        self._sample()

    def _sample(self) -> None:
        for street in self._streets:
            if street.start == street.end or street.kind in PLAIN:
                continue
            done = 0.0
            (ax, ay) = street.points[0]
            for bx, by in street.points[1:]:
                run = distance(ax, ay, bx, by)
                for k in range(int(run / SPACING)):
                    f = (k + 0.5) * SPACING / run
                    x, y = ax + f * (bx - ax), ay + f * (by - ay)
                    cell = self._cells.setdefault((int(x // CELL), int(y // CELL)), [])
                    cell.append((street.id, done + f * run))
                done += run
                ax, ay = bx, by

    def places(self, x: float, y: float) -> list[tuple[int, float]]:
        """(street, metres along it) of every sampled place in the cell that (x, y) lies in."""
        return self._cells.get((int(x // CELL), int(y // CELL)), [])

    def _cut(self, street: int) -> tuple[float, float]:
        """How far from both its junctions the crosswalks of a street lie [m]."""
        known = self._cuts.get(street)
        if known is None:
            own = self._streets[street]
            total = length(own.points)
            first = self._mouth(own, 0) + MARGIN + ZEBRA
            last = self._mouth(own, 1) + MARGIN + ZEBRA
            if first + last > 0.8 * total:
                scale = 0.8 * total / (first + last)
                first, last = first * scale, last * scale
            known = self._cuts[street] = (first, last)
        return known

    def _mouth(self, street: Street, end: int) -> float:
        """From the junction to where the street's roadway leaves those that it meets there."""
        ux, uy = _outward(street, end)
        half = street.width / 2.0
        cut = 0.0
        for other_id, other_end in self._arms.get(street.end if end else street.start, []):
            if other_id == street.id and other_end == end:
                continue
            other = self._streets[other_id]
            vx, vy = _outward(other, other_end)
            sine = ux * vy - uy * vx
            sine = sine if sine > 0.0 else -sine
            if sine > 0.35:
                needed = (other.width / 2.0 + half * (ux * vx + uy * vy)) / sine
                needed = needed if needed < CUT_MOST else CUT_MOST
                cut = needed if needed > cut else cut
        return cut

    def side(self, key: int) -> Side:
        """The sidewalk of number `street * 2 + side`."""
        known = self._sides.get(key)
        if known is None:
            known = self._sides[key] = self._build(self._streets[key // 2], key % 2)
        return known

    def _build(self, street: Street, side: int) -> Side:
        first, last = self._cut(street.id)
        line, along = piece(street.points, first, length(street.points) - last)
        best: Side | None = None
        for reach in REACHES:
            sign = 1.0 if side else -1.0
            points = beside(line, sign * (street.width / 2.0 + reach))
            room = self._room(points)
            aside = room - ROOM
            limit = reach - KERB
            limit = limit if limit < MOST_ASIDE else MOST_ASIDE
            aside = aside if aside < limit else limit
            usable = aside >= 0.0 and len(points) <= NODES
            island = self._island(street, points, sign)
            made = Side(points, along, aside if usable else 0.0, usable, island)
            if best is None or (usable and not best.usable) or made.aside > best.aside + 0.3:
                best = made
        if best is None:
            raise ValueError(f"street {street.id} has no sides")
        return best

    def _island(self, street: Street, points: tuple[Point, ...], sign: float) -> bool:
        """Whether another roadway runs right behind the middle of a sidewalk."""
        k = (len(points) - 1) // 2
        (ax, ay), (bx, by) = points[k], points[k + 1]
        run = distance(ax, ay, bx, by)
        if run <= 0.0:
            return False
        x = (ax + bx) / 2.0 - sign * 3.0 * (by - ay) / run
        y = (ay + by) / 2.0 + sign * 3.0 * (bx - ax) / run
        for i in (-1, 0, 1):
            for j in (-1, 0, 1):
                for other_id, _ in self.places(x + i * SPACING, y + j * SPACING):
                    other = self._streets[other_id]
                    if other_id == street.id:
                        continue
                    reach = other.width / 2.0
                    for edge in edges_of((other.points,))[1:]:
                        if segment_distance2(x, y, edge) < reach * reach:
                            return True
        return False

    def _room(self, points: tuple[Point, ...]) -> float:
        """Least distance of a line from any wall [m]."""
        least = 12.0
        for (ax, ay), (bx, by) in pairwise(points):
            steps = int(distance(ax, ay, bx, by) / STEP) + 1
            for k in range(steps + 1):
                f = k / steps
                room = self._obstacles.clearance(ax + f * (bx - ax), ay + f * (by - ay))
                least = room if room < least else least
                if least < ROOM:
                    return least
        return least

    def point(self, node: int) -> Point:
        """Where a node lies [m]."""
        return self.side(node // NODES).points[node % NODES]

    def is_end(self, node: int) -> bool:
        """True where a street ends, and one may cross it or turn the corner."""
        k = node % NODES
        return k == 0 or k == len(self.side(node // NODES).points) - 1

    def _ends(self, key: int, end: int) -> int:
        return key * NODES + (len(self.side(key).points) - 1 if end else 0)

    def normal(self, node: int) -> Point:
        """Unit vector to the left of the street's direction at a node."""
        points, k = self.side(node // NODES).points, node % NODES
        (ax, ay), (bx, by) = (points[k], points[k + 1]) if k == 0 else (points[k - 1], points[k])
        run = distance(ax, ay, bx, by)
        return ((ay - by) / run, (bx - ax) / run) if run > 0.0 else (0.0, 0.0)

    def at(self, key: int, along: float) -> tuple[float, float, int]:
        """(x, y, k) of a sidewalk beside a place on its street; k: its last node before it."""
        side = self.side(key)
        k, last = 0, len(side.points) - 2
        while k < last and along >= side.along[k + 1]:
            k += 1
        span = side.along[k + 1] - side.along[k]
        f = (along - side.along[k]) / span if span > 0.0 else 0.0
        f = 0.0 if f < 0.0 else 1.0 if f > 1.0 else f
        (ax, ay), (bx, by) = side.points[k], side.points[k + 1]
        return ax + f * (bx - ax), ay + f * (by - ay), k

    def next_node(self, node: int, came: int, goal: Point) -> tuple[int, bool]:
        """(node to go to from a sidewalk's end, whether over the street) on the way to `goal`.

        Looks round the whole junction: corners, crosswalks, and where each sidewalk leads. came:
        the end of the sidewalk that one comes from, where nobody turns back without need.
        """
        best, least = (self.far(node), False), 1.0e9
        queue: list[tuple[float, int, int, bool]] = [(0.0, node, -1, False)]
        seen: dict[int, bool] = {}
        gx, gy = goal
        while queue and len(seen) < LOOKED_AT:
            cost, at, first, over = heappop(queue)
            if at in seen:
                continue
            seen[at] = True
            beyond = self.far(at)
            (ax, ay), (bx, by) = self.point(at), self.point(beyond)
            whole = cost + distance(ax, ay, bx, by) + distance(bx, by, gx, gy)
            if beyond == came or self.side(at // NODES).island:
                whole += TURN_BACK
            if whole < least:
                least = whole
                best = (beyond, False) if first < 0 else (first, over)
            turn = self.corner(at)
            if turn >= 0:
                tx, ty = self.point(turn)
                step = cost + distance(ax, ay, tx, ty)
                heappush(queue, (step, turn, turn if first < 0 else first, over))
            across = self.opposite(at)
            if self.side(across // NODES).usable:
                step = cost + self.crossing(at).length + WAITING
                heappush(queue, (step, across, across if first < 0 else first, over or first < 0))
        return best

    def far(self, node: int) -> int:
        """The node at the other end of the same sidewalk, from one of its ends."""
        return self._ends(node // NODES, 1 if node % NODES == 0 else 0)

    def opposite(self, node: int) -> int:
        """The node over the street from this one."""
        key = node // NODES
        return (key ^ 1) * NODES + node % NODES

    def corner(self, node: int) -> int:
        """The node round the corner from a sidewalk's end, -1 where there is none."""
        known = self._corners.get(node)
        if known is None:
            known = self._corners[node] = self._turn(node)
        return known

    def _turn(self, node: int) -> int:
        key, k = divmod(node, NODES)
        street, side, end = self._streets[key // 2], key % 2, 1 if k > 0 else 0
        ring = self._ring(street.end if end else street.start)
        if len(ring) < 2:
            return -1
        at = ring.index((street.id, end))
        left = (side == 1) == (end == 0)  # of who looks away from the junction
        other_id, other_end = ring[(at + 1) % len(ring)] if left else ring[at - 1]
        # the next arm's side that faces this one
        other_side = 1 if (other_end == 0) != left else 0
        found = self._ends(other_id * 2 + other_side, other_end)
        (ax, ay), (bx, by) = self.point(node), self.point(found)
        gap = distance(ax, ay, bx, by)
        if gap > CORNER_MOST or not self.side(found // NODES).usable:
            return -1
        if gap > 0.5 and self._room(((ax, ay), (bx, by))) < ROOM:
            return -1
        return found

    def _ring(self, junction: int) -> list[tuple[int, int]]:
        """(street, end) of every arm of a junction, anticlockwise."""
        known = self._rings.get(junction)
        if known is None:
            place = self._junctions[junction]
            found = []
            for street_id, end in self._arms.get(junction, []):
                line = self._streets[street_id].points
                first, last = self._cut(street_id)
                total = length(line)
                x, y = piece(line, first, total - last)[0][-1 if end else 0]
                found.append((atan2(y - place.y, x - place.x), street_id, end))
            known = self._rings[junction] = [arm[1:] for arm in sorted(found)]
        return known

    def crossing(self, node: int) -> Crossing:
        """What one must know to cross the street from a node at its end."""
        known = self._crossings.get(node)
        if known is None:
            known = self._crossings[node] = self._over(node)
        return known

    def _over(self, node: int) -> Crossing:
        key, k = divmod(node, NODES)
        street, end = self._streets[key // 2], 1 if k > 0 else 0
        junction = self._junctions[street.end if end else street.start]
        (ax, ay), (bx, by) = self.point(node), self.point(self.opposite(node))
        ux, uy = _outward(street, end)
        axis = axis_of(atan2(uy, ux)) if junction.signal else -1
        return Crossing(place_of(junction.name), axis, distance(ax, ay, bx, by))

    def width(self, node: int) -> float:
        """Kerb to kerb of the street that a node belongs to [m]."""
        return self._streets[node // NODES // 2].width


def _outward(street: Street, end: int) -> Point:
    """Unit vector from a street's end along it."""
    (ax, ay), (bx, by) = street.points[:2] if end == 0 else street.points[:-3:-1]
    dx, dy = bx - ax, by - ay
    run = sqrt(dx * dx + dy * dy)
    return (dx / run, dy / run) if run > 0.0 else (1.0, 0.0)


_known: tuple[tuple[City, Pavement], ...] = ()


def pavement_of(city: City) -> Pavement:
    """The sidewalks of a city, made once: those of the last two cities are kept."""
    global _known
    for known, pavement in _known:
        if known is city:
            return pavement
    made = Pavement(city, obstacles_of(city))
    _known = ((city, made), *_known[:1])
    return made
