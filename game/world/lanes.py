"""The lane graph: every lane and every curve through a junction as a way that vehicles follow.

Pure data made from a City, curves and routes when first asked for. What it keeps only saves time.
"""

from heapq import heappop, heappush

from game.world.city import City, Lane
from game.world.signals import axis_of, place_of
from game.world.way import Way, arc, laid, turn_of

CURVES = 8
"""At most so many curves leave one lane; a curve's number is `lanes + lane * CURVES + ordinal`."""
TURN_COST = (35.0, 0.0, 60.0)
"""What a right turn, straight on and a left turn cost, as metres of way [m]."""
STRIP = 2.0
"""A strip at the kerb at least this wide takes who stops, and cyclists [m]."""
CELL = 64.0
SPACING = 8.0
"""Lanes are sampled this often for finding places to set off from [m]."""
NEAR_CURVES = 2.4
"""Curves that come this close cross each other [m]."""


class LaneGraph:
    """All ways of a city, which lead on from which, and the way from anywhere to a junction."""

    def __init__(self, city: City) -> None:
        self._city = city
        self._lights = {j.id: place_of(j.name) for j in city.junctions if j.signal}
        self.lanes: list[Way] = []
        self.legs: list[tuple[int, ...]] = []
        """Lanes of each leg, from the right."""
        self._streets = {street.id: street for street in city.streets}
        self._lay(city)
        self._leaving: dict[int, list[int]] = {}
        for number, lanes in enumerate(self.legs):
            self._leaving.setdefault(city.lanes[lanes[0]].start, []).append(number)
        self._onward: dict[int, tuple[tuple[int, int], ...]] = {}
        self._curves: dict[int, Way] = {}
        self._exits: dict[int, tuple[int, ...]] = {}
        self._tables: dict[int, list[float]] = {}
        self._conflicts: dict[tuple[int, int], bool] = {}
        self._plans: dict[tuple[int, int], tuple[int, int]] = {}
        self._cells: dict[tuple[int, int], list[tuple[int, float]]] = {}
        self._sample()
        # whither one goes: crossings with lights, spread evenly over their numbers
        lit = [junction.id for junction in city.junctions if junction.signal]
        step = len(lit) // 96 + 1
        self.goals: tuple[int, ...] = tuple(lit[::step]) or tuple(
            [junction.id for junction in city.junctions]
        )

    def _lay(self, city: City) -> None:
        numbers: dict[tuple[int, bool], int] = {}
        groups: list[list[Lane]] = []
        leg_of: list[int] = []
        for at, lane in enumerate(city.lanes):
            if lane.id != at:
                raise ValueError(f"lane {lane.id} stands in place {at} of the city")
            key = (lane.street, lane.start == self._streets[lane.street].start)
            if key not in numbers:
                numbers[key] = len(groups)
                groups.append([])
            leg_of.append(numbers[key])
            groups[numbers[key]].append(lane)
        for lanes in groups:
            lanes.sort(key=lambda lane: lane.index)
            self.legs.append(tuple([lane.id for lane in lanes]))
        for lane in city.lanes:
            street = self._streets[lane.street]
            s, x, y, cosines, sines, headings = laid(lane.points)
            lit = lane.end in self._lights and len(headings) > 0
            strip = (street.width - street.lanes * lane.width) / 2.0
            kerb = -(lane.width + strip) / 2.0 if strip >= STRIP and lane.index == 0 else 0.0
            self.lanes.append(
                Way(
                    lane.id, s, x, y, cosines, sines, headings, s[-1], street.speed_limit, 0,
                    lane.end, axis_of(headings[-1]) if lit else -1, leg_of[lane.id], lane.index,
                    lane.width, kerb=kerb, light=self._lights.get(lane.end, -1),
                )
            )  # fmt: skip

    def _sample(self) -> None:
        for way in self.lanes:
            if way.length < SPACING:
                continue
            for k in range(int(way.length / SPACING)):
                s = (k + 0.5) * SPACING
                x, y, _ = way.pose(s, 0.0)
                self._cells.setdefault((int(x // CELL), int(y // CELL)), []).append((way.id, s))

    def places(self, x: float, y: float) -> list[tuple[int, float]]:
        """(lane, s) of every sampled place in the cell that (x, y) lies in."""
        return self._cells.get((int(x // CELL), int(y // CELL)), [])

    def way(self, number: int) -> Way:
        """The lane or the curve of this number."""
        if number < len(self.lanes):
            return self.lanes[number]
        curve = self._curves.get(number)
        if curve is None:
            lane = (number - len(self.lanes)) // CURVES
            self.exits(lane)
            curve = self._curves[number]
        return curve

    def onward(self, leg: int) -> tuple[tuple[int, int], ...]:
        """(leg, turn) of everything that leads on from a leg, by number."""
        known = self._onward.get(leg)
        if known is None:
            end = self.lanes[self.legs[leg][0]]
            found = []
            for other in self._leaving.get(end.junction, []):
                first = self.lanes[self.legs[other][0]]
                if self._city.lanes[first.id].street == self._city.lanes[end.id].street:
                    continue
                turn = turn_of(end, first) if end.cos and first.cos else None
                if turn is not None:
                    found.append((other, turn))
            known = self._onward[leg] = tuple(found)
        return known

    def exits(self, lane: int) -> tuple[int, ...]:
        """Numbers of the curves that leave a lane: straight on from every lane, right from the
        rightmost, left from the leftmost; where nothing leads straight on each half turns."""
        known = self._exits.get(lane)
        if known is not None:
            return known
        way = self.lanes[lane]
        beside = self.legs[way.leg]
        onward = self.onward(way.leg)
        straight = False
        sides = [turn for _, turn in onward]
        for turn in sides:
            straight = straight or turn == 0
        both = 1 in sides and -1 in sides
        last = len(beside) - 1
        found: list[int] = []
        for leg, turn in onward:
            if straight:
                fits = turn == 0 or way.index == (0 if turn < 0 else last)
            elif both and last > 0:
                fits = (way.index <= (last - 1) // 2) == (turn < 0)
            else:
                fits = True
            if not fits or len(found) == CURVES:
                continue
            targets = self.legs[leg]
            most = len(targets) - 1
            if turn > 0:
                index = most - min(last - way.index, most)
            else:
                index = min(way.index, most)
            number = len(self.lanes) + lane * CURVES + len(found)
            self._curves[number] = self._curve(number, way, self.lanes[targets[index]], turn)
            found.append(number)
        known = self._exits[lane] = tuple(found)
        return known

    def _curve(self, number: int, lane: Way, after: Way, turn: int) -> Way:
        s, x, y, cosines, sines, headings = laid(arc(lane, after))
        if not cosines:  # the next lane begins where this one ends: a curve of no length
            cosines, sines, headings = lane.cos[-1:], lane.sin[-1:], lane.heading[-1:]
        limit = lane.limit if lane.limit < after.limit else after.limit
        slow = (4.2, limit, 5.5)[turn + 1]
        return Way(
            number, s, x, y, cosines, sines, headings, s[-1], slow if slow < limit else limit,
            turn, lane.junction, lane.axis, -1, lane.index, lane.width, lane.id, after.id,
            light=lane.light,
        )  # fmt: skip

    def cross(self, a: int, b: int) -> bool:
        """Whether two curves through a junction come into each other's way."""
        key = (a, b) if a < b else (b, a)
        known = self._conflicts.get(key)
        if known is None:
            known = self._conflicts[key] = self._near(self.way(a), self.way(b))
        return known

    def _near(self, a: Way, b: Way) -> bool:
        if a.before == b.before:
            return False
        if a.after == b.after:
            return True
        steps = 12
        theirs = [b.pose(b.length * k / steps, 0.0) for k in range(steps + 1)]
        for k in range(steps + 1):
            x, y, _ = a.pose(a.length * k / steps, 0.0)
            for px, py, _ in theirs:
                dx, dy = px - x, py - y
                if dx * dx + dy * dy < NEAR_CURVES * NEAR_CURVES:
                    return True
        return False

    def toward(self, goal: int) -> list[float]:
        """For every leg: metres from its end to the junction `goal`, turns counted in; or 1e9."""
        table = self._tables.get(goal)
        if table is None:
            table = self._tables[goal] = self._search(goal)
        return table

    def _search(self, goal: int) -> list[float]:
        """Dijkstra's search backwards from the goal."""
        into: list[list[tuple[int, float]]] = [[] for _ in self.legs]
        for leg in range(len(self.legs)):
            for other, turn in self.onward(leg):
                into[other].append((leg, TURN_COST[turn + 1]))
        table = [1.0e9] * len(self.legs)
        queue: list[tuple[float, int]] = []
        for leg, lanes in enumerate(self.legs):
            if self.lanes[lanes[0]].junction == goal:
                heappush(queue, (0.0, leg))
        while queue:
            cost, leg = heappop(queue)
            if cost >= table[leg]:
                continue
            table[leg] = cost
            own = self.lanes[self.legs[leg][0]].length
            for other, bend in into[leg]:
                if cost + own + bend < table[other]:
                    heappush(queue, (cost + own + bend, other))
        return table

    def plan(self, lane: int, goal: int) -> tuple[int, int]:
        """(curve to leave `lane` by, index of the lane that suits the way to `goal`).

        goal -1: straight on for as long as there is a straight on. The curve is -1 at the edge of
        the map; where the lane does not suit, it is the best of those that leave it.
        """
        known = self._plans.get((lane, goal))
        if known is None:
            known = self._plans[lane, goal] = self._choose(self.lanes[lane], goal)
        return known

    def _choose(self, way: Way, goal: int) -> tuple[int, int]:
        exits = self.exits(way.id)
        if not exits:
            return -1, way.index
        leg = self._straight(way.leg) if goal < 0 else self.best_leg(way.leg, goal)
        for curve in exits:
            if self.lanes[self.way(curve).after].leg == leg:
                return curve, way.index
        index, nearest = way.index, 99
        for lane in self.legs[way.leg]:
            for curve in self.exits(lane):
                away = self.lanes[lane].index - way.index
                away = away if away > 0 else -away
                if self.lanes[self.way(curve).after].leg == leg and away < nearest:
                    index, nearest = self.lanes[lane].index, away
        best, least = exits[0], 4.0e9
        for curve in exits:
            through = self.way(curve)
            cost: float = TURN_COST[through.turn + 1]
            if goal >= 0:
                cost += self.toward(goal)[self.lanes[through.after].leg]
                cost += self.lanes[through.after].length
            if cost < least:
                best, least = curve, cost
        return best, index

    def _straight(self, leg: int) -> int:
        onward = self.onward(leg)
        for other, turn in onward:
            if turn == 0:
                return other
        return onward[0][0] if onward else -1

    def best_leg(self, leg: int, goal: int) -> int:
        """The leg to go on to from the end of `leg`, -1 where nothing leads on."""
        table = self.toward(goal)
        best, least = -1, 3.0e9
        for other, turn in self.onward(leg):
            cost = table[other] + self.lanes[self.legs[other][0]].length + TURN_COST[turn + 1]
            if cost < least:
                best, least = other, cost
        return best


_known: tuple[tuple[City, LaneGraph], ...] = ()


def lanes_of(city: City) -> LaneGraph:
    """The lane graph of a city, made once: the last two cities are kept."""
    global _known
    for known, graph in _known:
        if known is city:
            return graph
    made = LaneGraph(city)
    _known = ((city, made), *_known[:1])
    return made
