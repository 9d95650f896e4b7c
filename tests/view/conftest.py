"""One renderer and one off-screen window of the city of boxes, for the whole session of tests."""

from collections.abc import Iterator

import pytest

from game.view.renderer import SceneRenderer
from game.view.window import Window
from game.world.city import City
from tests.view.boxes import PROFILE, box_city


@pytest.fixture(scope="session")
def city() -> City:
    return box_city()


@pytest.fixture(scope="session")
def renderer(city: City) -> Iterator[SceneRenderer]:
    made = SceneRenderer(city, PROFILE)
    yield made
    made.close()


@pytest.fixture(scope="session")
def window(city: City) -> Iterator[Window]:
    made = Window(city, PROFILE, mode="offscreen")
    yield made
    made.close()
