"""Where streets end and junctions begin: each street in two halves, cut back to its mouths.

Pure geometry of the city's own centre lines; draws nothing.
"""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from math import hypot

from game.world.city import City, Point, Street

_LONGEST = 22.0  # no mouth lies farther from its junction, however sharp the corner [m]
_SHORT = 14.0  # what is left between two mouths below this carries no markings [m]


@dataclass(frozen=True, slots=True)
class Half:
    """Half a street, from a junction's mouth to its middle.

    points: from the mouth inwards; reverse: whether that is against the street's direction.
    cut: from the junction to the mouth [m].
    """

    street: Street
    junction: int
    points: tuple[Point, ...]
    reverse: bool
    cut: float
    short: bool

    @property
    def inwards(self) -> Point:
        """Unit vector from the mouth along the street."""
        return _unit(self.points[0], self.points[1])


def _unit(a: Point, b: Point) -> Point:
    dx, dy = b[0] - a[0], b[1] - a[1]
    size = hypot(dx, dy) or 1.0
    return dx / size, dy / size


def _lengths(points: Sequence[Point]) -> list[float]:
    found = [0.0]
    for (ax, ay), (bx, by) in pairwise(points):
        found.append(found[-1] + hypot(bx - ax, by - ay))
    return found


def between(points: Sequence[Point], start: float, end: float) -> tuple[Point, ...]:
    """The piece of a polyline between two arc lengths [m]."""
    s = _lengths(points)
    inner = [p for p, at in zip(points, s, strict=True) if start + 1e-3 < at < end - 1e-3]
    return (_at(points, s, start), *inner, _at(points, s, end))


def _at(points: Sequence[Point], s: Sequence[float], where: float) -> Point:
    for i in range(len(points) - 1):
        if where <= s[i + 1] or i == len(points) - 2:
            k = (where - s[i]) / max(s[i + 1] - s[i], 1e-9)
            (ax, ay), (bx, by) = points[i], points[i + 1]
            return ax + (bx - ax) * k, ay + (by - ay) * k
    return points[0]


def _cuts(city: City) -> dict[tuple[int, int], float]:
    """(street id, end 0 or 1) -> how far from the junction its mouth must lie [m]."""
    arms: dict[int, list[tuple[int, int, float, float, float]]] = defaultdict(list)
    for street in city.streets:
        p = street.points
        for end, junction, (x, y) in (
            (0, street.start, _unit(p[0], p[1])),
            (1, street.end, _unit(p[-1], p[-2])),
        ):
            arms[junction].append((street.id, end, x, y, street.width / 2))
    cuts: dict[tuple[int, int], float] = {}
    for meeting in arms.values():
        for street_id, end, ux, uy, half in meeting:
            cut = 0.0
            for other_id, other_end, vx, vy, other_half in meeting:
                if (other_id, other_end) == (street_id, end):
                    continue
                cosine, sine = ux * vx + uy * vy, abs(ux * vy - uy * vx)
                if sine > 0.35:
                    cut = max(cut, min((other_half + half * cosine) / sine, _LONGEST))
            cuts[street_id, end] = cut + 0.8 if len(meeting) > 2 and cut > 0.0 else cut
    return cuts


def halves(city: City) -> list[Half]:
    """Every street in two halves, cut back to where its junctions begin."""
    cuts = _cuts(city)
    found: list[Half] = []
    for street in city.streets:
        total = _lengths(street.points)[-1]
        if total < 0.5:
            continue
        first, last = cuts[street.id, 0], cuts[street.id, 1]
        squeeze = min(1.0, 0.8 * total / (first + last)) if first + last > 0 else 1.0
        first, last = first * squeeze, last * squeeze
        short = total - first - last < _SHORT
        middle = (first + total - last) / 2
        ahead = between(street.points, first, middle)
        back = between(street.points, middle, total - last)[::-1]
        found.append(Half(street, street.start, ahead, False, first, short))
        found.append(Half(street, street.end, back, True, last, short))
    return found
