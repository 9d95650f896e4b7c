"""A driven way as few cubic Beziers, and its speeds as few knots: recordings into scenario files.

Works on files, not on state: plain arithmetic, rounded to the centimetre.
"""

import itertools
from collections.abc import Sequence
from math import cos, dist, hypot, sin

Point = tuple[float, float]
Pose = tuple[float, float, float, float]
"""x, y [m], heading [rad], speed [m/s], one for each tick."""

CLOSE_M = 0.12
"""A curve leaves what was driven by no more than this, where there are pieces enough [m]."""
PIECES = 18
"""At most so many Beziers in a row; a file takes 20."""
KNOTS = 40
"""At most so many corners of a speed profile; a file takes 50."""
STILL_M = 0.4
"""Who got no farther than this has stood [m]."""


def stands(poses: Sequence[Pose]) -> bool:
    """Whether it stayed where it was."""
    x, y = poses[0][:2]
    return max(hypot(pose[0] - x, pose[1] - y) for pose in poses) < STILL_M


def fitted(poses: Sequence[Pose], beyond: float) -> list[Point]:
    """3k+1 control points along what was driven and straight on for `beyond` metres."""
    way = _moved(poses)
    cuts = [0, len(way) - 1]
    while len(cuts) - 1 < PIECES:
        worst, at = CLOSE_M, -1
        for first, last in itertools.pairwise(cuts):
            off, where = _farthest(way, first, last)
            if off > worst:
                worst, at = off, where
        if at < 0:
            break
        cuts = sorted((*cuts, at))
    points: list[Point] = [way[0][:2]]
    for first, last in itertools.pairwise(cuts):
        points += _piece(way[first], way[last])
    if beyond > 0.0:
        x, y, heading, _ = way[-1]
        end = (x + beyond * cos(heading), y + beyond * sin(heading), heading, 0.0)
        points += _piece(way[-1], end)
    return points


def knots(poses: Sequence[Pose], hz: int) -> list[tuple[float, float]]:
    """(seconds, speed) corners of the speed as it was, read four times a second."""
    step = max(1, hz // 4, -(-len(poses) // KNOTS))
    places = [*range(0, len(poses) - 1, step), len(poses) - 1]
    return _thinned([(at / hz, max(0.0, poses[at][3])) for at in places])


def _thinned(found: list[tuple[float, float]]) -> list[tuple[float, float]]:
    """Without the corners that lie on the line between their neighbours."""
    kept = [found[0]]
    for one, after in itertools.pairwise(found):
        (t0, v0), (t1, v1) = kept[-1], after
        on_line = v0 + (v1 - v0) * (one[0] - t0) / (t1 - t0)
        if abs(on_line - one[1]) > 0.03 or one[0] - t0 > 3.0:
            kept.append(one)
    return [*kept, found[-1]] if len(found) > 1 else kept


def _moved(poses: Sequence[Pose]) -> list[Pose]:
    """The poses without those at which it stood; headings as it moved."""
    way = [poses[0]]
    for pose in poses[1:]:
        if hypot(pose[0] - way[-1][0], pose[1] - way[-1][1]) > 0.05:
            way.append(pose)
    return way if len(way) > 1 else [poses[0], poses[-1]]


def _piece(one: Pose, other: Pose) -> list[Point]:
    """Three more control points, from one pose to another along their headings."""
    third = dist(one[:2], other[:2]) / 3.0
    return [
        (one[0] + third * cos(one[2]), one[1] + third * sin(one[2])),
        (other[0] - third * cos(other[2]), other[1] - third * sin(other[2])),
        (other[0], other[1]),
    ]


def _farthest(way: Sequence[Pose], first: int, last: int) -> tuple[float, int]:
    """How far the driven way leaves its curve at most, and where to cut it."""
    if last - first < 2:
        return 0.0, -1
    quad = [way[first][:2], *_piece(way[first], way[last])]
    curve = [_at(quad, k / 24) for k in range(25)]
    best, at = 0.0, -1
    for i in range(first + 1, last):
        off = min(dist(way[i][:2], point) for point in curve)
        spacing = dist(way[first][:2], way[last][:2]) / 48.0
        off = max(0.0, off - spacing)
        if off > best:
            best, at = off, i
    return best, at


def _at(quad: Sequence[Point], t: float) -> Point:
    u = 1.0 - t
    a, b, c, d = u * u * u, 3.0 * u * u * t, 3.0 * u * t * t, t * t * t
    (x0, y0), (x1, y1), (x2, y2), (x3, y3) = quad
    return a * x0 + b * x1 + c * x2 + d * x3, a * y0 + b * y1 + c * y2 + d * y3
