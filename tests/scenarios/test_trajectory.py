"""Tracks against the true curve, evaluated densely by numpy."""

import math
from itertools import pairwise

import numpy as np
import pytest

from game.world.track import sample
from scenarios.trajectory import bezier_track, line_track

TURN = ((0.0, 0.0), (30.0, 0.0), (48.0, 6.0), (48.0, 40.0))
WEAVE = ((0.0, 0.0), (10.0, 0.0), (15.0, 3.5), (25.0, 3.5), (35.0, 3.5), (45.0, -2.0), (70.0, 0.0))
LONG = ((0.0, 0.0), (100.0, 0.0), (200.0, 5.0), (300.0, 5.0))


def dense(points: tuple[tuple[float, float], ...], n: int = 20_000) -> np.ndarray:
    """(arc length, x, y, heading) of the true curve, by de Casteljau's polynomial."""
    rows = []
    for first in range(0, len(points) - 1, 3):
        p = np.array(points[first : first + 4])
        t = np.linspace(0.0, 1.0, n)[:, None]
        u = 1.0 - t
        xy = u**3 * p[0] + 3 * u * u * t * p[1] + 3 * u * t * t * p[2] + t**3 * p[3]
        d = u * u * (p[1] - p[0]) + 2 * u * t * (p[2] - p[1]) + t * t * (p[3] - p[2])
        rows.append(np.column_stack([xy, np.arctan2(d[:, 1], d[:, 0])]))
    table = np.concatenate(rows)
    run = np.hypot(np.diff(table[:, 0]), np.diff(table[:, 1]))
    return np.column_stack([np.concatenate([[0.0], np.cumsum(run)]), table])


@pytest.mark.parametrize("points", [TURN, WEAVE, LONG])
def test_a_track_is_the_curve_by_arc_length(points: tuple[tuple[float, float], ...]) -> None:
    track, true = bezier_track(points), dense(points)
    assert track.s[-1] == pytest.approx(true[-1, 0], abs=0.005)
    for s in np.linspace(0.0, track.s[-1], 700):
        x, y, heading = sample(track, float(s))
        tx, ty, th = (np.interp(s, true[:, 0], true[:, k]) for k in (1, 2, 3))
        assert math.hypot(x - tx, y - ty) < 0.005
        assert abs(math.remainder(heading - th, math.tau)) < math.radians(0.25)


def test_equal_steps_along_a_track_are_equal_ways() -> None:
    track = bezier_track(TURN)
    places = [sample(track, 0.2 * k) for k in range(int(track.s[-1] / 0.2))]
    steps = [math.hypot(b[0] - a[0], b[1] - a[1]) for a, b in pairwise(places)]
    assert min(steps) > 0.1985
    assert max(steps) < 0.2001


def test_headings_go_round_without_a_jump() -> None:
    loop = (
        (0.0, 0.0),
        (20.0, 0.0),
        (20.0, 20.0),
        (0.0, 20.0),
        (-20.0, 20.0),
        (-20.0, 0.0),
        (0.0, 0.0),
    )
    track = bezier_track(loop)
    turns = [b - a for a, b in pairwise(track.heading)]
    assert max(abs(turn) for turn in turns) < 0.2
    assert track.heading[-1] - track.heading[0] == pytest.approx(math.tau, abs=1e-9)


def test_a_handle_on_its_anchor_still_points_along_the_curve() -> None:
    track = bezier_track(((0.0, 0.0), (0.0, 0.0), (10.0, 10.0), (10.0, 10.0)))
    assert track.heading[0] == pytest.approx(math.pi / 4)
    assert track.heading[-1] == pytest.approx(math.pi / 4)
    assert all(b > a for a, b in pairwise(track.s))


def test_a_line_has_its_length_and_heading() -> None:
    track = line_track((1.0, 2.0), (4.0, 6.0))
    assert track.s == (0.0, 5.0)
    assert track.heading[0] == pytest.approx(math.atan2(4.0, 3.0), abs=1e-15)
