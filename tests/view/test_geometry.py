"""Meshes, streets and pictures without a renderer."""

import io
from itertools import pairwise
from math import cos, isclose, pi, radians, sin

import numpy as np
import pytest
from PIL import Image

from game.view import mouths, streets
from game.view.bodies import MAKERS as VEHICLES
from game.view.camera import eye
from game.view.mesh import box, join, loft
from game.view.people import MAKERS as PEOPLE
from game.view.picture import png, visible
from game.world.controls import Camera, Controls
from game.world.entity import BODIES
from tests.view.boxes import box_city, state_at


def volume(mesh: tuple[np.ndarray, np.ndarray]) -> float:
    """Signed volume: positive where every face looks outwards."""
    a, b, c = (mesh[0]["place"][mesh[1].reshape(-1, 3)[:, k]].astype(float) for k in range(3))
    return float((a * np.cross(b, c)).sum() / 6)


def test_a_box_has_its_volume_and_looks_outwards() -> None:
    assert isclose(volume(box((0, 0, 0), (2, 3, 4), (1, 2, 3, 4))), 24.0, rel_tol=1e-6)


def test_a_loft_along_x_looks_outwards() -> None:
    ring = [(-1, 0), (1, 0), (1, 2), (-1, 2)]
    rings = np.array([[(x, y, z) for y, z in ring] for x in (0.0, 5.0)])
    assert isclose(volume(loft(rings, (0, 0, 0, 0))), 20.0, rel_tol=1e-6)


@pytest.mark.parametrize("name", list(BODIES))
def test_every_body_fills_its_box_and_stands_on_the_ground(name: str) -> None:
    shape = BODIES[name]
    maker = VEHICLES.get(name) or PEOPLE[name]
    vertices, _ = join(maker(shape))
    low, high = vertices["place"].min(0), vertices["place"].max(0)
    assert abs(low[2]) < 0.05
    assert shape.height * 0.85 < high[2] < shape.height + 0.3
    if name in VEHICLES:
        assert shape.length * 0.9 < high[0] - low[0] < shape.length + 0.35
        assert shape.width * 0.85 < high[1] - low[1] < shape.width + 0.4


def test_mouths_keep_clear_of_the_street_that_crosses() -> None:
    parts = mouths.halves(box_city())
    at_cross = [p for p in parts if p.junction == 1]
    assert len(at_cross) == 4
    for part in at_cross:
        other = 10.0 if part.street.width == 14.0 else 14.0
        assert other / 2 <= part.cut <= other / 2 + 1.0
        x, y = part.points[0]
        assert isclose(abs(x) + abs(y), part.cut, abs_tol=1e-6)


def test_halves_cover_a_street_once() -> None:
    line = ((0.0, 0.0), (30.0, 40.0), (30.0, 100.0))
    a, b = mouths.between(line, 5.0, 70.0), mouths.between(line, 70.0, 105.0)
    assert a[-1] == b[0] == (30.0, 60.0)
    assert a[0] == (3.0, 4.0)
    assert len(a) == 3


def test_a_ribbon_is_as_wide_as_asked_and_left_is_positive() -> None:
    parts = mouths.halves(box_city())
    line = streets.lines(parts)
    reach = np.full(len(parts), 7.0)
    made = streets.ribbons(
        line, reach, np.ones(len(parts)), streets.ROAD, np.zeros((len(parts), 4), np.uint8)
    )
    left, right = made["place"][:, 0, :2], made["place"][:, 1, :2]
    assert np.allclose(np.linalg.norm(left - right, axis=1), 14.0, atol=1e-4)
    assert (made["span"][:, 0, 1] == 7.0).all()
    forward = line.points[1] - line.points[0]
    outwards = left[0] - line.points[0]
    assert forward[0] * outwards[1] - forward[1] * outwards[0] > 0


def test_the_hull_of_a_square_with_its_centre_is_the_square() -> None:
    points = [(0.0, 0.0), (1.0, 0.0), (1.0, 1.0), (0.0, 1.0), (0.5, 0.5)]
    found = streets.hull(points)
    assert sorted(found) == sorted(points[:4])
    assert all(
        (b[0] - a[0]) * (c[1] - a[1]) - (b[1] - a[1]) * (c[0] - a[0]) > 0
        for (a, b), (_, c) in pairwise(pairwise(found))
    )


def test_paving_lies_under_every_point_far_beyond_the_bounds() -> None:
    city = box_city()
    covered = set()
    for corner in streets.corners_of(city.bounds):
        vertices, _ = streets.paving(corner)
        low = vertices["place"].min(0)
        covered.add((round(float(low[0])), round(float(low[1]))))
    steps = range(-700, 700, 200)
    assert all((x // 200 * 200, y // 200 * 200) in covered for x in steps for y in steps)


def test_the_chase_camera_stands_behind_and_the_hood_camera_on_the_car() -> None:
    heading = radians(30)
    chase = eye(state_at(10.0, 20.0, heading))
    assert isclose(chase.x, 10.0 - 6.6 * cos(heading))
    assert isclose(chase.y, 20.0 - 6.6 * sin(heading))
    assert chase.yaw == heading
    hood = eye(state_at(10.0, 20.0, heading, controls=Controls(camera=Camera.HOOD, look_yaw=900)))
    assert isclose(hood.yaw, heading + pi / 2)
    assert abs(hood.x - 10.0) < 1.0


def test_png_reads_back_elsewhere() -> None:
    picture = np.arange(4 * 5 * 3, dtype=np.uint8).reshape(4, 5, 3)
    assert np.array_equal(np.array(Image.open(io.BytesIO(png(picture)))), picture)


def test_classes_are_shown_in_their_colours() -> None:
    shown = visible("class", np.array([[0, 10]], np.uint8))
    assert shown.tolist() == [[[128, 64, 128], [70, 130, 180]]]
