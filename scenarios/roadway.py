"""Where the roadway is: strips of asphalt around the streets' centre lines, by cells of a grid.

Exact, since whether a car left the road decides outcomes. Knows no entity and no tick.
"""

from itertools import pairwise
from math import sqrt

from game.world.city import City, Point

CELL = 40.0
"""Size of a cell [m]."""
_Strip = tuple[float, float, float, float, float, float]
"""ax, ay, then the vector to the other end ex, ey, its squared length, half the width [m]."""


class Roadway:
    """The asphalt of the streets whose centre lines come within `reach` [m] of some points.

    A strip is as wide as its street, kerb to kerb, with round ends, so that crossings are whole.
    """

    def __init__(self, city: City, points: tuple[Point, ...], reach: float) -> None:
        xs, ys = [p[0] for p in points], [p[1] for p in points]
        box = (min(xs) - reach, min(ys) - reach, max(xs) + reach, max(ys) + reach)
        self._cells: dict[tuple[int, int], list[_Strip]] = {}
        for street in city.streets:
            half = 0.5 * street.width
            for (ax, ay), (bx, by) in pairwise(street.points):
                self._lay((ax, ay), (bx, by), half, box)

    def _lay(self, a: Point, b: Point, half: float, box: tuple[float, float, float, float]) -> None:
        left, right = min(a[0], b[0]) - half, max(a[0], b[0]) + half
        low, high = min(a[1], b[1]) - half, max(a[1], b[1]) + half
        if right < box[0] or left > box[2] or high < box[1] or low > box[3]:
            return
        ex, ey = b[0] - a[0], b[1] - a[1]
        strip = (a[0], a[1], ex, ey, ex * ex + ey * ey, half)
        for i in range(int(left // CELL), int(right // CELL) + 1):
            for j in range(int(low // CELL), int(high // CELL) + 1):
                self._cells.setdefault((i, j), []).append(strip)

    def beyond(self, x: float, y: float) -> float:
        """How far (x, y) is from the nearest asphalt [m], 0 on it; `CELL` where none is near."""
        best = CELL
        for ax, ay, ex, ey, squared, half in self._cells.get((int(x // CELL), int(y // CELL)), ()):
            px, py = x - ax, y - ay
            t = (px * ex + py * ey) / squared if squared > 0.0 else 0.0
            t = 0.0 if t < 0.0 else 1.0 if t > 1.0 else t
            dx, dy = px - t * ex, py - t * ey
            away = sqrt(dx * dx + dy * dy) - half
            if away <= 0.0:
                return 0.0
            if away < best:
                best = away
        return best
