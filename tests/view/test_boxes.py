"""2-D and 3-D boxes and how much is hidden, against known boxes at known places."""

from math import radians, tan

import numpy as np
import pytest

from game.view.boxes import Box, apart, corners, project
from game.view.camera import Eye
from game.view.flow import Lens
from game.view.renderer import SceneRenderer
from game.world.entity import BODIES, EntityState
from tests.view.boxes import PROFILE, state_at

SIZE = 240
FOCAL = SIZE / 2 / tan(radians(PROFILE.fov_degrees) / 2)
EYE = Eye(-90.0, 0.0, 1.5, 0.0, 0.0)
LENS = Lens(FOCAL, SIZE, SIZE)


def found(renderer: SceneRenderer, *actors: EntityState) -> dict[int, Box]:
    state = state_at(80.0, y=60.0, actors=actors)
    boxes = renderer.boxes_from(EYE, state, SIZE, SIZE, ego=False)
    return {box.entity: box for box in boxes if box.entity < 1000}


def test_a_bus_ahead_projects_where_the_pinhole_says() -> None:
    bus = EntityState(5, "bus", -60.0, 2.0, 0.0, 0.0)
    body = BODIES["bus"]
    near, far = 30.0 - body.length / 2, 30.0 + body.length / 2
    left, top, right, bottom = project(corners(bus), EYE, LENS, 0.3) or (0, 0, 0, 0)
    assert left == pytest.approx(SIZE / 2 - (2.0 + body.width / 2) / near * FOCAL)
    assert right == pytest.approx(SIZE / 2 - (2.0 - body.width / 2) / far * FOCAL)
    assert top == pytest.approx(SIZE / 2 - (body.height - 1.5) / near * FOCAL)
    assert bottom == pytest.approx(SIZE / 2 + 1.5 / near * FOCAL)


def test_what_lies_behind_has_no_rectangle_and_what_is_beside_is_cut() -> None:
    assert project(corners(EntityState(5, "bus", -120.0, 0.0, 0.0, 0.0)), EYE, LENS, 0.3) is None
    beside = project(corners(EntityState(5, "bus", -88.0, 3.0, 0.0, 0.0)), EYE, LENS, 0.3)
    assert beside is not None
    assert beside[0] < -SIZE


def test_groups_hold_nobody_who_could_hide_another() -> None:
    cars = [EntityState(i, "sedan", float(i), 0.0, 0.0, 0.0) for i in range(4)]
    rects = [(0.0, 0.0, 10.0, 10.0), (20.0, 0.0, 30.0, 10.0), (5.0, 5.0, 25.0, 9.0), (8, 8, 9, 9)]
    groups = apart(list(zip(cars, rects, strict=True)))
    assert [[car.id for car in group] for group in groups] == [[0, 1], [2], [3]]


@pytest.mark.render
def test_the_visible_box_fills_the_projected_one(renderer: SceneRenderer) -> None:
    box = found(renderer, EntityState(5, "bus", -60.0, 2.0, 0.3, 0.0))[5]
    assert box.seen is not None
    assert np.allclose(box.seen, box.outline, atol=4.0)  # rounded corners inside, mirrors outside
    assert box.occlusion == 0.0
    assert box.truncation == 0.0
    assert box.centre == (-60.0, 2.0, BODIES["bus"].height / 2)
    assert box.size[0] == BODIES["bus"].length


@pytest.mark.render
def test_a_bus_across_hides_the_half_that_it_covers(renderer: SceneRenderer) -> None:
    target = EntityState(5, "bus", -50.0, 0.0, 0.0, 0.0)  # its rear, 34 m away, spans y -1.3..1.3
    # a bus across the view 20 m away whose end lies on the ray through the middle of that rear
    wall = EntityState(6, "bus", -70.0, -6.0, radians(90), 0.0)
    boxes = found(renderer, target, wall)
    assert boxes[6].occlusion < 0.03  # a hydrant may stand before it
    assert boxes[5].occlusion == pytest.approx(0.5, abs=0.06)
    assert found(renderer, target)[5].occlusion == 0.0


@pytest.mark.render
def test_who_stands_behind_a_building_is_all_hidden(renderer: SceneRenderer) -> None:
    box = found(renderer, EntityState(5, "sedan", 90.0, 0.0, 0.0, 0.0))[5]
    assert box.pixels == 0
    assert box.seen is None
    assert box.occlusion == 1.0


@pytest.mark.render
def test_who_leaves_the_picture_is_truncated(renderer: SceneRenderer) -> None:
    box = found(renderer, EntityState(5, "bus", -78.0, 9.5, 0.0, 0.0))[5]
    assert box.outline[0] == 0.0
    assert 0.05 < box.truncation < 0.95
    assert found(renderer, EntityState(5, "bus", -110.0, 0.0, 0.0, 0.0)) == {}


@pytest.mark.render
def test_boxes_leave_the_next_picture_alone(renderer: SceneRenderer) -> None:
    state = state_at(-60.0, actors=(EntityState(5, "taxi", -45.0, 3.0, 0.0, 0.0),))
    before = renderer.render(state, ["colour", "class"], SIZE, SIZE)
    assert {box.entity for box in renderer.boxes(state) if box.entity < 1000} == {0, 5}
    after = renderer.render(state, ["colour", "class"], SIZE, SIZE)
    assert np.array_equal(before["colour"], after["colour"])
    assert np.array_equal(before["class"], after["class"])
