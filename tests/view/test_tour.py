"""A drive through the real city: ground everywhere, and a hole would be noticed."""

from collections.abc import Iterator
from itertools import pairwise
from math import dist

import pytest

from game.atlas.load import load
from game.view.renderer import SceneRenderer
from game.world.city import City
from tests.bench.tour import holes, tour
from tests.view.boxes import PROFILE

pytestmark = [pytest.mark.render, pytest.mark.heavy]
SIDE = 160
WAY = ("W 34 St & 7 Av", "E 57 St & 2 Av")


@pytest.fixture(scope="module")
def midtown() -> City:
    return load()


@pytest.fixture(scope="module")
def drawing(midtown: City) -> Iterator[SceneRenderer]:
    made = SceneRenderer(midtown, PROFILE)
    yield made
    made.close()


def test_no_pixel_below_the_horizon_looks_through_the_ground(
    midtown: City, drawing: SceneRenderer
) -> None:
    for state in tour(midtown, 40, *WAY):
        found = drawing.render(state, ["class", "depth"], SIDE, SIDE)
        assert holes(found["class"], found["depth"], drawing.eye(state), PROFILE) == 0


def test_missing_ground_is_counted(midtown: City, drawing: SceneRenderer) -> None:
    state = next(tour(midtown, 2, *WAY))
    layers = drawing._scene._roads, drawing._scene._ground
    for layer in layers:
        layer.stash()
    try:
        found = drawing.render(state, ["class", "depth"], SIDE, SIDE)
    finally:
        for layer in layers:
            layer.unstash()
    assert holes(found["class"], found["depth"], drawing.eye(state), PROFILE) > SIDE * SIDE / 5


def test_the_tour_is_one_drive_at_one_speed(midtown: City) -> None:
    states = list(tour(midtown, 200, *WAY))
    steps = [dist((a.ego.x, a.ego.y), (b.ego.x, b.ego.y)) for a, b in pairwise(states)]
    assert max(steps) < 1.02 * sorted(steps)[100]  # corners are cut, never jumped
    assert all(a.tick < b.tick for a, b in pairwise(states))
    assert states[-1].tick == 600 * 60
