"""Asking for labels changes no colour, and no label is a mixture of two, in 20 real views."""

import numpy as np
import pytest

from game.atlas.load import load
from game.session.format import CaptureProfile
from game.view.gallery import PLACES, stand
from game.view.labels import FIRST_FURNITURE, Train, building_instance, entity_instance
from game.view.renderer import SceneRenderer
from game.world.city import City

pytestmark = [pytest.mark.render, pytest.mark.heavy]
SIDE = 240
TIMES = ((13.0, "clear"), (22.0, "rain"))


@pytest.fixture(scope="module")
def midtown() -> City:
    return load()


Planes = dict[str, np.ndarray]


def views(city: City, profile: CaptureProfile) -> list[tuple[Planes, Planes]]:
    """Of each place the colours drawn alone, and drawn with labels."""
    renderer = SceneRenderer(city, profile)
    try:
        found = []
        for place in PLACES:
            state, view = stand(city, place)
            drawn = [
                renderer.render_from(view, state, names, SIDE, SIDE, ego=not place.height)
                for names in (["colour"], ["colour", "class", "instance"])
            ]
            alone, both = ({k: np.asarray(v) for k, v in planes.items()} for planes in drawn)
            found.append((alone, both))
        return found
    finally:
        renderer.close()


@pytest.mark.parametrize(("hour", "weather"), TIMES)
def test_colours_are_the_same_with_labels_and_every_label_is_a_real_one(
    midtown: City, hour: float, weather: str
) -> None:
    known = [0, *(building_instance(f.id) for f in midtown.footprints)]
    known += [entity_instance(i) for i in range(200)]
    for alone, both in views(midtown, CaptureProfile(hour=hour, weather=weather)):
        assert np.array_equal(alone["colour"], both["colour"])
        kinds, ids = both["class"], both["instance"]
        assert set(np.unique(kinds)) <= {int(kind) for kind in Train}
        # an edge that was smoothed would be a mixture of two numbers, and that of nothing
        assert np.isin(ids[ids < FIRST_FURNITURE], known).all()
        assert (ids[kinds == Train.BUILDING] >= building_instance(0)).all()
        assert (ids[np.isin(kinds, (Train.SKY, Train.ROAD, Train.SIDEWALK))] == 0).all()
