"""Bezier control points into tracks sampled by arc length. Bit-exact: + - * / and sqrt alone.

Owns the sampling distance. Accuracy: within 2 mm and 0.1 degree of the true curve on the paths
that a street allows (measured in the tests against a dense table).
"""

from math import sqrt

from game.world import trig
from game.world.state import Track

Point = tuple[float, float]
Quad = tuple[Point, Point, Point, Point]

SPACING = 0.75
"""Wanted distance between two samples [m]."""
MIN_STEPS = 16
MAX_STEPS = 400


def line_track(start: Point, end: Point) -> Track:
    """The straight way from start to end, two samples."""
    dx, dy = end[0] - start[0], end[1] - start[1]
    heading = trig.atan2(dy, dx)
    length = sqrt(dx * dx + dy * dy)
    return Track((0.0, length), (start[0], end[0]), (start[1], end[1]), (heading, heading))


def bezier_track(points: tuple[Point, ...]) -> Track:
    """A chain of cubic Beziers (3k+1 control points [m]) sampled by arc length.

    Headings are continuous: they never jump by a turn. A handle that lies on its anchor takes the
    direction of the next distinct control point.
    """
    xs: list[float] = []
    ys: list[float] = []
    headings: list[float] = []
    arc: list[float] = []
    for first in range(0, len(points) - 1, 3):
        quad = (points[first], points[first + 1], points[first + 2], points[first + 3])
        steps = _steps(quad)
        for i in range(0 if first == 0 else 1, steps + 1):
            x, y = bezier_point(quad, i / steps)
            tx, ty = bezier_tangent(quad, i / steps)
            heading = trig.atan2(ty, tx)
            if headings:
                heading = headings[-1] + trig.wrap(heading - headings[-1])
                dx, dy = x - xs[-1], y - ys[-1]
                arc.append(arc[-1] + sqrt(dx * dx + dy * dy))
            else:
                arc.append(0.0)
            xs.append(x)
            ys.append(y)
            headings.append(heading)
    return Track(tuple(arc), tuple(xs), tuple(ys), tuple(headings))


def bezier_point(quad: Quad, t: float) -> Point:
    """The point of one cubic at parameter t in 0..1, by Bernstein's form."""
    u = 1.0 - t
    a, b, c, d = u * u * u, 3.0 * u * u * t, 3.0 * u * t * t, t * t * t
    (x0, y0), (x1, y1), (x2, y2), (x3, y3) = quad
    return (a * x0 + b * x1 + c * x2 + d * x3, a * y0 + b * y1 + c * y2 + d * y3)


def bezier_tangent(quad: Quad, t: float) -> Point:
    """Direction of travel of one cubic at t (not of unit length, never zero)."""
    u = 1.0 - t
    a, b, c = u * u, 2.0 * u * t, t * t
    (x0, y0), (x1, y1), (x2, y2), (x3, y3) = quad
    tx = a * (x1 - x0) + b * (x2 - x1) + c * (x3 - x2)
    ty = a * (y1 - y0) + b * (y2 - y1) + c * (y3 - y2)
    if tx != 0.0 or ty != 0.0:
        return tx, ty
    if t < 0.5:
        return _first_distinct(quad[0], quad[1:], 1.0)
    return _first_distinct(quad[3], (quad[2], quad[1], quad[0]), -1.0)


def _first_distinct(anchor: Point, others: tuple[Point, ...], sign: float) -> Point:
    for x, y in others:
        if x != anchor[0] or y != anchor[1]:
            return sign * (x - anchor[0]), sign * (y - anchor[1])
    return 1.0, 0.0


def _steps(quad: Quad) -> int:
    """Enough samples for the spacing, by the length of the control polygon."""
    length = 0.0
    for (ax, ay), (bx, by) in ((quad[0], quad[1]), (quad[1], quad[2]), (quad[2], quad[3])):
        dx, dy = bx - ax, by - ay
        length += sqrt(dx * dx + dy * dy)
    return max(MIN_STEPS, min(MAX_STEPS, int(length / SPACING) + 1))
