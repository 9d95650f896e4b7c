"""Plane geometry of footprints: edges, areas, and whether a point lies inside.

Owns formulae only, in metres; nothing here knows a city or a tick.
"""

from collections.abc import Iterator
from math import sqrt

Point = tuple[float, float]
Ring = tuple[Point, ...]
Edge = tuple[float, float, float, float, float, float]
"""ax, ay, then the vector to the other end ex, ey, its squared length, and the other end's y."""


def edges_of(rings: tuple[Ring, ...]) -> tuple[Edge, ...]:
    """Every edge of every ring, in order, without those of no length."""
    out: list[Edge] = []
    for ring in rings:
        ax, ay = ring[-1]
        for bx, by in ring:
            ex, ey = bx - ax, by - ay
            if ex != 0.0 or ey != 0.0:
                out.append((ax, ay, ex, ey, ex * ex + ey * ey, by))
            ax, ay = bx, by
    return tuple(out)


def segment_distance2(x: float, y: float, edge: Edge) -> float:
    """Squared distance from a point to an edge [m^2]."""
    ax, ay, ex, ey, ll, _ = edge
    px, py = x - ax, y - ay
    along = px * ex + py * ey
    if along <= 0.0:
        return px * px + py * py
    if along >= ll:
        qx, qy = px - ex, py - ey
        return qx * qx + qy * qy
    across = px * ey - py * ex
    return across * across / ll


def inside(x: float, y: float, edges: tuple[Edge, ...]) -> bool:
    """Even-odd rule over all rings at once: a courtyard is outside."""
    odd = False
    for ax, ay, ex, ey, _, by in edges:
        if (ay > y) != (by > y) and x < ax + ex * (y - ay) / ey:
            odd = not odd
    return odd


def distance(ax: float, ay: float, bx: float, by: float) -> float:
    """Between two points [m]."""
    dx, dy = bx - ax, by - ay
    return sqrt(dx * dx + dy * dy)


def pairwise(points: Ring) -> Iterator[tuple[Point, Point]]:
    """Each point of a line with the next one."""
    return zip(points, points[1:], strict=False)  # noqa: RUF007 (itertools is not for the world)


def area(ring: Ring) -> float:
    """Of one ring [m^2], positive where it runs anticlockwise."""
    total = 0.0
    x0, y0 = ring[0]  # about a corner, so that far-off coordinates lose no digits
    ax, ay = ring[-1]
    for bx, by in ring:
        total += (ax - x0) * (by - y0) - (bx - x0) * (ay - y0)
        ax, ay = bx, by
    return total / 2.0
