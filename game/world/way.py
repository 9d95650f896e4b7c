"""One way that vehicles follow: a lane, or a curve through a junction, sampled by its length."""

from collections.abc import Sequence
from dataclasses import dataclass
from math import sqrt

from game.world.city import Point
from game.world.geometry import distance
from game.world.trig import atan2, wrap

CURVE_STEPS = 8
SHARP = 0.5
"""Sine of the angle from which on it is a turn."""
BACK = -0.5
"""Cosine below which it would be a U-turn, which nobody makes."""


@dataclass(frozen=True, slots=True)
class Way:
    """One lane, or one curve from a lane to another. Samples by arc length `s` [m].

    x, y: at each sample; cos, sin, heading: of the piece that follows. limit: [m/s]. turn: -1
    right, 0, 1 left. junction: at its end for a lane, the one that a curve crosses; axis: of its
    signal, -1 for none. leg: number of the street and direction; index: from the right; before and
    after: the lanes that a curve joins. kerb: offset of the strip at the kerb, 0 for none [m].
    light: `place_of` its signal.
    """

    id: int
    s: tuple[float, ...]
    x: tuple[float, ...]
    y: tuple[float, ...]
    cos: tuple[float, ...]
    sin: tuple[float, ...]
    heading: tuple[float, ...]
    length: float
    limit: float
    turn: int
    junction: int
    axis: int
    leg: int
    index: int
    width: float
    before: int = -1
    after: int = -1
    kerb: float = 0.0
    light: int = -1

    def pose(self, s: float, d: float) -> tuple[float, float, float]:
        """(x, y, heading) at arc length `s`, `d` to the left [m]; headings blend at bends."""
        stations = self.s
        last = len(stations) - 2
        i = 0
        while i < last and s >= stations[i + 1]:
            i += 1
        c, n = self.cos[i], self.sin[i]
        along = s - stations[i]
        heading = self.heading[i]
        if self.after >= 0 and last >= 0:  # a curve turns evenly
            f = along / (stations[i + 1] - stations[i])
            before = self.heading[i - 1] if i > 0 else heading
            beyond = self.heading[i + 1] if i < last else heading
            heading = wrap(
                heading
                + 0.5 * (1.0 - f) * wrap(before - heading)
                + 0.5 * f * wrap(beyond - heading)
                if f <= 1.0
                else heading
            )
        return self.x[i] + along * c - d * n, self.y[i] + along * n + d * c, heading


def laid(points: Sequence[Point]) -> tuple[tuple[float, ...], ...]:
    """s, x, y, cos, sin, heading of a polyline without pieces of no length."""
    s, x, y = [0.0], [points[0][0]], [points[0][1]]
    cosines: list[float] = []
    sines: list[float] = []
    headings: list[float] = []
    for px, py in points[1:]:
        dx, dy = px - x[-1], py - y[-1]
        run = sqrt(dx * dx + dy * dy)
        if run < 1.0e-6:
            continue
        s.append(s[-1] + run)
        x.append(px)
        y.append(py)
        cosines.append(dx / run)
        sines.append(dy / run)
        headings.append(atan2(dy, dx))
    return tuple(s), tuple(x), tuple(y), tuple(cosines), tuple(sines), tuple(headings)


def arc(lane: Way, after: Way) -> list[Point]:
    """A quadratic Bezier from the end of one lane to the start of the next."""
    ax, ay, ux, uy = lane.x[-1], lane.y[-1], lane.cos[-1], lane.sin[-1]
    bx, by, vx, vy = after.x[0], after.y[0], after.cos[0], after.sin[0]
    cross = ux * vy - uy * vx
    mx, my = (ax + bx) / 2.0, (ay + by) / 2.0
    if cross > 0.1 or cross < -0.1:
        t = ((bx - ax) * vy - (by - ay) * vx) / cross
        if 0.0 < t < 2.0 * distance(ax, ay, bx, by):
            mx, my = ax + ux * t, ay + uy * t
    found = []
    for k in range(CURVE_STEPS + 1):
        t = k / CURVE_STEPS
        a, m, b = (1.0 - t) * (1.0 - t), 2.0 * t * (1.0 - t), t * t
        found.append((a * ax + m * mx + b * bx, a * ay + m * my + b * by))
    return found


def turn_of(a: Way, b: Way) -> int | None:
    """-1 right, 0 straight on, 1 left, None back where one came from."""
    cosine = a.cos[-1] * b.cos[0] + a.sin[-1] * b.sin[0]
    sine = a.cos[-1] * b.sin[0] - a.sin[-1] * b.cos[0]
    if cosine < BACK and -SHARP * 1.4 < sine < SHARP * 1.4:
        return None
    if cosine > 0.0 and -SHARP < sine < SHARP:
        return 0
    return 1 if sine > 0.0 else -1
