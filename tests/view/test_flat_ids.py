"""Labels never differ from the colour geometry: the same scene drawn with ids as flat colours."""

from collections.abc import Iterator
from dataclasses import replace
from math import cos, sin

import numpy as np
import pytest

from game.atlas.load import load
from game.view import materials
from game.view.renderer import SceneRenderer
from game.world.city import City
from game.world.entity import EntityState
from game.world.state import WorldState
from tests.view.boxes import PROFILE

pytestmark = pytest.mark.render

VIEWS, SIZE = 20, 240
BODIES = ("taxi", "bus", "pedestrian", "bicycle", "van", "cone", "worker", "suv")


@pytest.fixture(scope="module")
def city() -> City:
    return load()


def state(city: City, number: int) -> WorldState:
    """A car in some lane of the city, with a few others before it."""
    lanes = [lane for lane in city.lanes if lane.width > 3.0]
    lane = lanes[number * 157 % len(lanes)]
    (ax, ay), (bx, by) = lane.points[:2]
    heading = float(np.arctan2(by - ay, bx - ax)) + 0.3 * (number % 3 - 1)
    ux, uy = cos(heading), sin(heading)
    ego = EntityState(0, "sedan", ax, ay, heading, 0.0)
    others = tuple(
        EntityState(i + 1, body, ax + ux * (8 + 5 * i) - uy * (i % 3 * 3 - 3),
                    ay + uy * (8 + 5 * i) + ux * (i % 3 * 3 - 3), heading + i, 1.0)
        for i, body in enumerate(BODIES)
    )  # fmt: skip
    return WorldState(tick=number * 400, seed=1, ego=ego, actors=others)


@pytest.fixture(scope="module")
def flat(city: City) -> Iterator[SceneRenderer]:
    """A renderer whose every shader writes class and instance as its colour, and no shadows."""
    read = materials._read

    def ids_for_colours(name: str) -> str:
        text = read(name)
        if name == "outputs.glsl":
            assert text.count("o_colour = colour;") == 1
            text = text.replace(
                "o_colour = colour;", "o_colour = vec4(tag.rgb + colour.rgb * 1e-9, tag.a);"
            )
            text = "#define LABELS 1\n" + text  # else there is no tag
        if name == "shade.frag":
            text = text.replace("void main() {", "void main() { discard;")
        return text

    materials.program.cache_clear()
    patch = pytest.MonkeyPatch()
    patch.setattr(materials, "_read", ids_for_colours)
    made = SceneRenderer(city, PROFILE)
    patch.undo()
    materials.program.cache_clear()
    yield made
    made.close()


@pytest.fixture(scope="module")
def plain(city: City) -> Iterator[SceneRenderer]:
    made = SceneRenderer(city, PROFILE)
    yield made
    made.close()


def test_every_pixel_of_twenty_views_has_the_label_of_what_is_drawn_there(
    city: City, flat: SceneRenderer, plain: SceneRenderer
) -> None:
    things: set[int] = set()
    for number in range(VIEWS):
        now = state(city, number)
        found = plain.render(now, ["class", "instance"], SIZE, SIZE)
        flat.render(now, ["colour"], SIZE, SIZE)
        bgra = flat._target(SIZE, SIZE, False)._view("colour").astype(np.uint32)
        drawn = bgra[..., 2] | bgra[..., 1] << 8 | bgra[..., 0] << 16
        assert np.array_equal(drawn, found["instance"]), f"view {number}"
        assert np.array_equal(bgra[..., 3].astype(np.uint8), found["class"]), f"view {number}"
        things |= set(np.unique(found["class"]).tolist())
    assert len(things) >= 12


def test_the_comparison_sees_a_thing_that_stands_elsewhere(
    city: City, flat: SceneRenderer, plain: SceneRenderer
) -> None:
    now = state(city, 1)
    moved = replace(now, actors=tuple(a._replace(x=a.x + 0.3) for a in now.actors))
    found = plain.render(moved, ["instance"], SIZE, SIZE)["instance"]
    flat.render(now, ["colour"], SIZE, SIZE)
    bgra = flat._target(SIZE, SIZE, False)._view("colour").astype(np.uint32)
    assert not np.array_equal(bgra[..., 2] | bgra[..., 1] << 8 | bgra[..., 0] << 16, found)
