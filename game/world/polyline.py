"""Open lines through points: how long, a piece of one, one beside another."""

from game.world.city import Point
from game.world.geometry import distance, pairwise


def length(points: tuple[Point, ...]) -> float:
    """Of all its pieces [m]."""
    total = 0.0
    for (ax, ay), (bx, by) in pairwise(points):
        total += distance(ax, ay, bx, by)
    return total


def piece(
    points: tuple[Point, ...], first: float, last: float
) -> tuple[tuple[Point, ...], tuple[float, ...]]:
    """The points of a line between two arc lengths, and the arc length of each [m]."""
    found: list[Point] = []
    along: list[float] = []
    done = 0.0
    for (ax, ay), (bx, by) in pairwise(points):
        run = distance(ax, ay, bx, by)
        if run <= 0.0:
            continue
        if not found and done + run >= first:
            f = (first - done) / run
            found.append((ax + f * (bx - ax), ay + f * (by - ay)))
            along.append(first)
        if done + run >= last:
            f = (last - done) / run
            found.append((ax + f * (bx - ax), ay + f * (by - ay)))
            along.append(last)
            break
        if found:
            found.append((bx, by))
            along.append(done + run)
        done += run
    if len(found) == 1:
        found.append(points[-1])
        along.append(last)
    return tuple(found), tuple(along)


def beside(points: tuple[Point, ...], left: float) -> tuple[Point, ...]:
    """The line `left` metres to the left of another, mitred at its corners."""
    normals: list[Point] = []
    for (ax, ay), (bx, by) in pairwise(points):
        run = distance(ax, ay, bx, by)
        normals.append(((ay - by) / run, (bx - ax) / run) if run > 0.0 else (0.0, 0.0))
    moved: list[Point] = []
    for k, (x, y) in enumerate(points):
        nx, ny = normals[k - 1 if k > 0 else 0]
        mx, my = normals[k if k < len(normals) else k - 1]
        scale = 1.0 + nx * mx + ny * my
        scale = left / (scale if scale > 0.5 else 0.5)
        moved.append((x + (nx + mx) * scale, y + (ny + my) * scale))
    return tuple(moved)
