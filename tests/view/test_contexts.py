"""Several renderers in one process: none is drawn through the lens of another."""

from collections.abc import Iterator

import numpy as np
import pytest

from game.view import device
from game.view.renderer import SceneRenderer
from tests.view.boxes import PROFILE, box_city, state_at

pytestmark = pytest.mark.render


@pytest.fixture(params=["one context", "two contexts"])
def another(request: pytest.FixtureRequest, renderer: SceneRenderer) -> Iterator[SceneRenderer]:
    """A second renderer beside the session's, in the same graphics context or in its own."""
    shared = list(device._hidden)
    if request.param == "two contexts":
        device._hidden.clear()
    made = SceneRenderer(box_city(), PROFILE)
    device._hidden.extend(shared if request.param == "two contexts" else [])
    assert (made._device is renderer._device) == (request.param == "one context")
    yield made
    made.close()


def test_a_renderer_keeps_its_own_lens_whatever_others_draw(
    renderer: SceneRenderer, another: SceneRenderer
) -> None:
    first = renderer.render(state_at(-60.0), ["colour", "depth"], 240, 240)
    renderer.render(state_at(-60.0, heading=0.4), ["colour"], 240, 240)
    another.render(state_at(-60.0, heading=0.4), ["colour"], 200, 120)
    again = renderer.render(state_at(-60.0), ["colour", "depth"], 240, 240)
    assert np.array_equal(first["colour"], again["colour"])
    assert np.array_equal(first["depth"], again["depth"])
    assert np.array_equal(
        first["depth"], another.render(state_at(-60.0), ["depth"], 240, 240)["depth"]
    )


def test_the_shared_context_stays_open_until_its_last_user_goes(renderer: SceneRenderer) -> None:
    before = renderer.render(state_at(-60.0), ["colour"], 240, 240)["colour"]
    users = len(device._hidden)
    for _ in range(3):
        short = SceneRenderer(box_city(), PROFILE)
        short.render(state_at(-50.0), ["colour"], 100, 80)
        short.close()
        short.close()
    assert len(device._hidden) == users
    after = renderer.render(state_at(-60.0), ["colour"], 240, 240)["colour"]
    assert np.array_equal(before, after)
