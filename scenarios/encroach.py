"""Post-encroachment time: how long after one road user had left a place the other came there.

PET is the time between the end of encroachment of the first and the arrival of the second at the
conflict area (B. L. Allen, B. T. Shin and P. J. Cooper, Analysis of traffic conflicts and
collisions, Transportation Research Record 667, 1978). The conflict area is where both rows of
discs have been, in cells of `CELL`, and only paths that cross count: what follows in the same
direction has a headway, not a PET.
"""

from math import inf

from game.world.entity import EntityState
from game.world.trig import sincos
from game.world.version import DT
from scenarios.criticality import discs

CELL = 0.5
"""Size of a cell of the conflict area [m]."""
NEAR_M = 40.0
"""Who is farther from the ego than this leaves no trace [m]."""
CROSSING = 0.5
"""Sine of the angle from which on two paths cross: 30 degrees."""
LONGEST_S = 10.0
"""Longer ones are no conflict [s]."""

_Cell = tuple[int, int]
_Visit = tuple[int, int, float]
"""First tick, last tick, heading at the first."""


class Encroachment:
    """Who has been where, and when. Feed it states in order, every few ticks."""

    def __init__(self) -> None:
        self._ego: dict[_Cell, _Visit] = {}
        self._others: dict[int, dict[_Cell, _Visit]] = {}

    def observe(self, tick: int, ego: EntityState, actors: tuple[EntityState, ...]) -> None:
        """Take one moment into account."""
        _mark(self._ego, tick, ego)
        for actor in actors:
            dx, dy = actor.x - ego.x, actor.y - ego.y
            if actor.speed > 0.0 and dx * dx + dy * dy < NEAR_M * NEAR_M:
                _mark(self._others.setdefault(actor.id, {}), tick, actor)

    def pet(self, actor: int) -> float:
        """PET of the ego with an actor [s]; 0 where both were there at once, inf for none."""
        best = LONGEST_S / DT
        found = False
        for cell, (first, last, heading) in self._others.get(actor, {}).items():
            own = self._ego.get(cell)
            if own is None:
                continue
            turn = sincos(heading - own[2])[0]
            if -CROSSING < turn < CROSSING:
                continue
            gap = max(first - own[1], own[0] - last, 0)
            if gap < best:
                best, found = gap, True
        return best * DT if found else inf

    def smallest(self) -> tuple[float, int]:
        """(PET [s], actor) of the closest of all, (inf, -1) for none."""
        found = (inf, -1)
        for actor in sorted(self._others):
            pet = self.pet(actor)
            if pet < found[0]:
                found = (pet, actor)
        return found


def _mark(seen: dict[_Cell, _Visit], tick: int, entity: EntityState) -> None:
    for x, y, _, _, radius in discs(entity):
        left, right = int((x - radius) // CELL), int((x + radius) // CELL)
        low, high = int((y - radius) // CELL), int((y + radius) // CELL)
        for i in range(left, right + 1):
            cx = (i + 0.5) * CELL - x
            for j in range(low, high + 1):
                cy = (j + 0.5) * CELL - y
                if cx * cx + cy * cy > radius * radius:
                    continue
                before = seen.get((i, j))
                if before is None:
                    seen[(i, j)] = (tick, tick, entity.heading)
                else:
                    seen[(i, j)] = (before[0], tick, before[2])
