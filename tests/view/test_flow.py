"""Optical flow against what the motion of the camera or of a car must give."""

from math import cos, degrees, radians, sin, tan

import numpy as np
import pytest

from game.session.protocols import Picture
from game.view.camera import Eye
from game.view.labels import Train, entity_instance
from game.view.renderer import SceneRenderer
from game.world.entity import EntityState
from tests.view.boxes import PROFILE, WALL_AHEAD, state_at

pytestmark = pytest.mark.render

SIZE = 240
FOCAL = SIZE / 2 / tan(radians(PROFILE.fov_degrees) / 2)
AWAY = state_at(80.0, y=60.0)


def flow(
    renderer: SceneRenderer, now: Eye, was: Eye, later: object = AWAY, earlier: object = AWAY
) -> dict[str, Picture]:
    wanted = ["flow", "depth", "instance", "class"]
    return dict(
        renderer.render_from(now, later, wanted, SIZE, SIZE, ego=False, before=(was, earlier))  # type: ignore[arg-type]
    )


def test_nothing_flows_while_nothing_moves(renderer: SceneRenderer) -> None:
    eye = Eye(-60.0, 0.0, 1.5, 0.1, 0.02)
    assert abs(flow(renderer, eye, eye)["flow"]).max() < 1e-3


@pytest.mark.parametrize("turn", [0.02, -0.05])
def test_a_turning_eye_shifts_the_far_and_the_near_alike(
    renderer: SceneRenderer, turn: float
) -> None:
    found = flow(renderer, Eye(-60.0, 0.0, 1.5, turn, 0.0), Eye(-60.0, 0.0, 1.5, 0.0, 0.0))
    assert (found["class"] == Train.SKY).any()
    column = np.arange(SIZE) + 0.5 - SIZE / 2
    angle = np.arctan(column / FOCAL)
    # a point at `angle` right of the axis stood `turn` farther left of it in the other frame
    expected = column - FOCAL * np.tan(angle - turn)
    middle = found["flow"][SIZE // 2 - 1 : SIZE // 2 + 1, :, 0]
    assert abs(middle - expected).max() < 0.01
    assert degrees(turn) * (middle[0, SIZE // 2]) > 0  # turning left moves the picture right


def test_going_ahead_makes_the_wall_swell_from_the_axis(renderer: SceneRenderer) -> None:
    step, z = 2.0, WALL_AHEAD - 42.0
    found = flow(renderer, Eye(42.0, 0.0, 1.5, 0.0, 0.0), Eye(42.0 - step, 0.0, 1.5, 0.0, 0.0))
    wall = found["class"] == Train.BUILDING
    assert wall.sum() > 5000
    rows, columns = np.nonzero(wall & (abs(found["depth"] - z) < 0.01))
    right, up = columns + 0.5 - SIZE / 2, SIZE / 2 - rows - 0.5
    share = step / (z + step)
    got = found["flow"][rows, columns]
    assert abs(got[:, 0] - right * share).max() < 0.01
    assert abs(got[:, 1] - up * share).max() < 0.01


def test_a_car_flows_by_its_own_way_and_the_road_under_it_does_not(
    renderer: SceneRenderer,
) -> None:
    eye = Eye(-90.0, 0.0, 1.5, 0.0, 0.0)
    before = EntityState(5, "bus", -70.0, 3.0, 0.0, 9.0)
    after = EntityState(5, "bus", -69.4, 2.6, 0.0, 9.0)
    later, earlier = (state_at(80.0, y=60.0, actors=(bus,)) for bus in (after, before))
    found = flow(renderer, eye, eye, later, earlier)
    bus = found["instance"] == entity_instance(5)
    assert bus.sum() > 300
    assert abs(found["flow"][(found["class"] == Train.ROAD)]).max() < 1e-3
    rows, columns = np.nonzero(bus)
    z = found["depth"][bus].astype(float)
    right = (columns + 0.5 - SIZE / 2) / FOCAL * z
    up = (SIZE / 2 - rows - 0.5) / FOCAL * z
    expected = np.stack(
        [
            (right / z - (right - 0.4) / (z - 0.6)) * FOCAL,  # it went 0.6 m ahead, 0.4 m right
            (up / z - up / (z - 0.6)) * FOCAL,
        ],
        -1,
    )
    assert abs(found["flow"][bus] - expected).max() < 0.02


def test_a_car_that_turns_about_its_middle_flows_both_ways(renderer: SceneRenderer) -> None:
    eye, swing = Eye(-90.0, 0.0, 3.5, 0.0, 0.0), 0.05
    poses = [EntityState(5, "bus", -75.0, 0.0, 1.5708 + k * swing, 0.0) for k in (0, 1)]
    earlier, later = (state_at(80.0, y=60.0, actors=(bus,)) for bus in poses)
    found = flow(renderer, eye, eye, later, earlier)
    bus = found["instance"] == entity_instance(5)
    _rows, columns = np.nonzero(bus)
    z = found["depth"][bus].astype(float)
    x, y = z - 15.0, -(columns + 0.5 - SIZE / 2) / FOCAL * z
    c, s = cos(-swing), sin(-swing)
    old = 15.0 + x * c - y * s, x * s + y * c
    expected = (-y / z + old[1] / old[0]) * FOCAL
    assert abs(found["flow"][bus][:, 0] - expected).max() < 0.02


def test_who_was_not_there_before_has_no_flow(renderer: SceneRenderer) -> None:
    eye = Eye(-90.0, 0.0, 1.5, 0.0, 0.0)
    later = state_at(80.0, y=60.0, actors=(EntityState(5, "bus", -70.0, 3.0, 0.0, 9.0),))
    found = flow(renderer, eye, eye, later)
    bus = found["instance"] == entity_instance(5)
    assert np.isnan(found["flow"][bus]).all()
    assert not np.isnan(found["flow"][~bus]).any()


def test_flow_without_the_frame_before_is_refused(renderer: SceneRenderer) -> None:
    with pytest.raises(ValueError, match="frame before"):
        renderer.render(AWAY, ["flow"], SIZE, SIZE)


def test_render_takes_both_eyes_from_the_states(renderer: SceneRenderer) -> None:
    states = [state_at(-60.0 + x) for x in (0.0, 0.5)]
    by_protocol = renderer.render(states[1], ["flow"], SIZE, SIZE, previous=states[0])["flow"]
    eyes = [renderer.eye(state) for state in states]
    by_hand = renderer.render_from(
        eyes[1], states[1], ["flow"], SIZE, SIZE, before=(eyes[0], states[0])
    )["flow"]
    assert by_protocol.shape == (SIZE, SIZE, 2)
    assert by_protocol.dtype == np.float32
    assert np.array_equal(by_protocol, by_hand)
    assert abs(by_protocol[-40, SIZE // 2, 1]) < abs(by_protocol[-1, 10, 1])
