"""The script of one part as timed poses, and as few of them as say the same. Export only.

Owns how closely a timed polyline follows the script. Knows nothing of yielding or collisions.
"""

from collections.abc import Sequence
from math import fabs, hypot, pi, remainder, tau

from game.world.state import Part
from game.world.track import sample
from game.world.traffic import speed_at
from game.world.version import DT

Timed = tuple[int, float, float, float]
"""Ticks since it set off, x, y [m], heading [rad, continuous]."""

NEAR_M = 0.01
"""Between two kept poses, none that was left out is farther off than this at its tick [m]."""
NEAR_TURN = pi / 360.0
"""Nor turned by more than this [rad]."""
LONGEST = 120
"""Ticks between two kept poses, at most."""


def ride(part: Part, ticks: int) -> list[Timed]:
    """Where its script takes a part in each of so many ticks, up to the end of its track.

    As `game.world.traffic` moves it where nothing stands in its way.
    """
    s, end = 0.0, part.track.s[-1]
    poses: list[Timed] = [(0, *sample(part.track, 0.0))]
    for tick in range(1, ticks + 1):
        if s >= end:
            break
        s = min(s + speed_at(part.profile, tick) * DT, end)
        x, y, heading = sample(part.track, s)
        poses.append((tick, x, y, _near(heading, poses[-1][3])))
    return poses


def _near(heading: float, last: float) -> float:
    return last + remainder(heading - last, tau)


def thin(poses: Sequence[Timed]) -> list[Timed]:
    """The first, the last and as many as it takes, linear in time between them."""
    kept = [poses[0]]
    anchor, last = 0, len(poses) - 1
    while anchor < last:
        good = anchor + 1
        for end in range(anchor + 2, min(last, anchor + LONGEST) + 1):
            if not _fits(poses, anchor, end):
                break
            good = end
        anchor = good
        kept.append(poses[anchor])
    return kept


def _fits(poses: Sequence[Timed], first: int, last: int) -> bool:
    t0, x0, y0, h0 = poses[first]
    t1, x1, y1, h1 = poses[last]
    for t, x, y, h in poses[first + 1 : last]:
        f = (t - t0) / (t1 - t0)
        if hypot(x0 + (x1 - x0) * f - x, y0 + (y1 - y0) * f - y) > NEAR_M:
            return False
        if fabs(h0 + (h1 - h0) * f - h) > NEAR_TURN:
            return False
    return True
