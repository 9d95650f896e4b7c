"""A rehearsal draws every program of a scene, and no pixel."""

import re
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from game.view import materials, rehearsal
from game.view.camera import eye
from game.view.capture import Target
from game.view.device import open_hidden
from game.view.scene import Scene
from tests.view.boxes import PROFILE, box_city, state_at

SIDE = 96


@pytest.mark.render
@pytest.mark.parametrize("light", [(13.0, "clear"), (22.0, "rain")])
def test_a_picture_is_the_same_with_and_without(light: tuple[float, str]) -> None:
    profile = replace(PROFILE, hour=light[0], weather=light[1])
    device = open_hidden()
    scene = Scene(box_city(), profile, device.number)
    state = state_at(-30.0)
    view = eye(state)
    scene.pose(state, view)
    target = Target(device, scene, profile, SIDE, SIDE, labels=False)
    target.draw(view)
    plain = target.bgra()
    assert scene.root.findAllMatches("**/rehearsal").getNumPaths() == 0
    target.rehearse()
    with scene.rehearsal.drawn():
        shown = scene.root.findAllMatches("**/rehearsal").getNumPaths()
        named = scene.root.findAllMatches(f"**/={materials.TAG}").getNumPaths()
    target.draw(view)
    rehearsed = target.bgra()
    target.draw(view)
    after = target.bgra()
    target.close()
    scene.close()
    device.close()
    assert shown >= named > 9
    assert plain.std() > 10
    assert np.array_equal(rehearsed, plain)
    assert np.array_equal(after, plain)


def test_arrays_are_as_long_as_the_shaders_declare_them() -> None:
    text = "".join(path.read_text() for path in Path(materials.__file__).parent.glob("shaders/*"))
    told = {name: int(rows) for name, rows in re.findall(r"uniform vec4 (\w+)\[(\d+)\]", text)}
    assert told == rehearsal._ARRAYS
