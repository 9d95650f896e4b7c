"""Where a scripted part is after so many metres along its track."""

from bisect import bisect_right

from game.world.state import Track
from game.world.trig import PI, atan2, hypotenuse, wrap


def sample(track: Track, s: float) -> tuple[float, float, float]:
    """(x, y, heading) at arc length `s` [m], held at both ends. Headings turn the shorter way."""
    stations = track.s
    last = len(stations) - 1
    if s <= stations[0]:
        return track.x[0], track.y[0], wrap(track.heading[0])
    if s >= stations[last]:
        return track.x[last], track.y[last], wrap(track.heading[last])
    i = bisect_right(stations, s) - 1
    start = stations[i]
    f = (s - start) / (stations[i + 1] - start)
    x, y, heading = track.x[i], track.y[i], track.heading[i]
    turn = track.heading[i + 1] - heading
    if turn > PI or turn < -PI:
        turn = wrap(turn)
    heading += turn * f
    if not -PI < heading <= PI:
        heading = wrap(heading)
    return x + (track.x[i + 1] - x) * f, y + (track.y[i + 1] - y) * f, heading


def length(track: Track) -> float:
    """Whole length [m]; 0 for a thing that stands."""
    return track.s[-1]


def straight(x0: float, y0: float, x1: float, y1: float) -> Track:
    """The track from one point to another, or a single place where they are the same."""
    run = hypotenuse(x1 - x0, y1 - y0)
    if run == 0.0:
        return Track((0.0,), (x0,), (y0,), (0.0,))
    heading = atan2(y1 - y0, x1 - x0)
    return Track((0.0, run), (x0, x1), (y0, y1), (heading, heading))


def through(points: tuple[tuple[float, float], ...]) -> Track:
    """A track along a polyline of at least two distinct points, corners as they are."""
    s = [0.0]
    x, y = [points[0][0]], [points[0][1]]
    heading: list[float] = []
    for bx, by in points[1:]:
        run = hypotenuse(bx - x[-1], by - y[-1])
        if run == 0.0:
            continue
        heading.append(atan2(by - y[-1], bx - x[-1]))
        s.append(s[-1] + run)
        x.append(bx)
        y.append(by)
    if not heading:
        raise ValueError("a track needs two distinct points")
    heading.append(heading[-1])
    return Track(tuple(s), tuple(x), tuple(y), tuple(heading))
