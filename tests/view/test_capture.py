"""Pixels of a capture: right way up, right colours, a function of the state alone."""

import numpy as np
import pytest
from panda3d.core import CardMaker, NodePath

from game.view.camera import Eye
from game.view.capture import Target
from game.view.device import open_hidden
from game.view.renderer import SceneRenderer
from game.view.window import Window
from game.world.controls import Camera, Controls
from game.world.entity import EntityState
from tests.view.boxes import PROFILE, state_at

pytestmark = pytest.mark.render


class Corners:
    """Stands in for a scene: four flat squares before the camera, one in each corner."""

    def __init__(self) -> None:
        self.root = NodePath("corners")
        for x, z, colour in (
            (-1, 1, (1, 0, 0, 1)),
            (1, 1, (0, 1, 0, 1)),
            (-1, -1, (0, 0, 1, 1)),
            (1, -1, (1, 1, 1, 1)),
        ):
            card = CardMaker("c")
            card.setFrame(x - 0.5, x + 0.5, z - 0.5, z + 0.5)
            path = self.root.attachNewNode(card.generate())
            path.setColor(*colour)
            path.setPos(0, 2, 0)


def test_rows_run_from_the_top_and_bytes_are_blue_green_red() -> None:
    device = open_hidden()
    target = Target(device, Corners(), PROFILE, 64, 64, labels=False)  # type: ignore[arg-type]
    target.draw(Eye(0, 0, 0, np.pi / 2, 0))
    picture = target.bgra()
    target.close()
    device.close()
    assert picture[12, 12].tolist() == [0, 0, 255, 255]
    assert picture[12, 51].tolist() == [0, 255, 0, 255]
    assert picture[51, 12].tolist() == [255, 0, 0, 255]
    assert picture[51, 51].tolist() == [255, 255, 255, 255]
    assert picture.flags.c_contiguous


def test_a_state_gives_the_same_bytes_whatever_was_drawn_between(window: Window) -> None:
    crowd = tuple(EntityState(i, "taxi", -60.0 + 3 * i, 2.0, 0.0, 4.0) for i in range(1, 9))
    state = state_at(-70.0, tick=30)
    first = window.capture(state)
    for x in (-50.0, -20.0, 30.0):
        window.capture(state_at(x, tick=500, heading=x, actors=crowd))
    assert np.array_equal(first, window.capture(state))


def test_a_capture_is_a_copy_that_later_captures_leave_alone(window: Window) -> None:
    first = window.capture(state_at(-70.0))
    kept = first.copy()
    assert not np.array_equal(window.capture(state_at(-30.0)), kept)
    assert np.array_equal(first, kept)


def test_the_renderer_draws_the_captured_picture_to_the_pixel(
    window: Window, renderer: SceneRenderer
) -> None:
    walker = EntityState(3, "pedestrian", -40.0, -8.0, 1.0, 1.4)
    state = state_at(-60.0, tick=77, actors=(walker,), progress=((3, 2.2),))
    captured = window.capture(state)[..., 2::-1]
    alone = renderer.render(state, ["colour"], 480, 480)["colour"]
    labelled = renderer.render(state, ["colour", "class", "depth"], 480, 480)["colour"]
    assert np.array_equal(captured, alone)
    assert np.array_equal(captured, labelled)


def test_look_and_camera_change_the_picture_and_nothing_else_remembers_them(
    window: Window,
) -> None:
    plain = window.capture(state_at(-60.0))
    for controls in (
        Controls(look_yaw=300),
        Controls(look_pitch=100),
        Controls(camera=Camera.HOOD),
    ):
        assert not np.array_equal(window.capture(state_at(-60.0, controls=controls)), plain)
    assert np.array_equal(window.capture(state_at(-60.0)), plain)
