"""Labels and colours of the real city come from the same geometry, to the pixel, in 20 views."""

from collections.abc import Iterator

import numpy as np
import pytest

from game.atlas.load import load
from game.session.format import CaptureProfile
from game.view import materials
from game.view.gallery import PLACES, stand
from game.view.labels import FIRST_FURNITURE, Train, building_instance, entity_instance
from game.view.renderer import SceneRenderer
from game.world.city import City

pytestmark = [pytest.mark.render, pytest.mark.heavy]
SIDE = 240
TIMES = ((13.0, "clear"), (22.0, "rain"))
_SAID = "o_colour = colour;"
_TAGGED = "o_colour = vec4(tag.rgb, 1.);"


@pytest.fixture(scope="module")
def midtown() -> City:
    return load()


@pytest.fixture
def tagged(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """While it lasts, new scenes paint everything in the bytes of its instance."""
    read = materials._read

    def told(name: str) -> str:
        text = read(name)
        assert name != "outputs.glsl" or text.count(_SAID) == 1
        return text.replace(_SAID, _TAGGED)

    monkeypatch.setattr(materials, "_read", told)
    materials.program.cache_clear()
    yield
    materials.program.cache_clear()


Planes = dict[str, np.ndarray]


def views(city: City, profile: CaptureProfile, flat: bool = False) -> list[tuple[Planes, Planes]]:
    """Of each place the colours drawn alone, and drawn with labels; flat: without any shadow."""
    renderer = SceneRenderer(city, profile)
    try:
        found = []
        if flat:
            for overlay in renderer._scene.root.findAllMatches("**/shadows"):
                overlay.hide()
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


@pytest.mark.usefixtures("tagged")
def test_what_the_colour_plane_shows_is_what_the_labels_name(midtown: City) -> None:
    """Painted in their numbers and drawn alone, colours are the instances at every pixel."""
    for alone, both in views(midtown, CaptureProfile(hour=13.0), flat=True):
        wide = alone["colour"].astype(np.uint32)
        shown = wide[..., 0] | wide[..., 1] << 8 | wide[..., 2] << 16
        assert len(np.unique(shown)) > 10
        assert np.array_equal(shown, both["instance"])


@pytest.mark.parametrize(("hour", "weather"), TIMES)
def test_colours_are_the_same_with_labels_and_every_label_is_a_real_one(
    midtown: City, hour: float, weather: str
) -> None:
    known = [0, *(building_instance(f.id) for f in midtown.footprints)]
    known += [entity_instance(i) for i in range(100)]
    for alone, both in views(midtown, CaptureProfile(hour=hour, weather=weather)):
        assert np.array_equal(alone["colour"], both["colour"])
        kinds, ids = both["class"], both["instance"]
        assert set(np.unique(kinds)) <= {int(kind) for kind in Train}
        # an edge that was smoothed would be a mixture of two numbers, and that of nothing
        assert np.isin(ids[ids < FIRST_FURNITURE], known).all()
        assert (ids[kinds == Train.BUILDING] >= building_instance(0)).all()
        assert (ids[np.isin(kinds, (Train.SKY, Train.ROAD, Train.SIDEWALK))] == 0).all()
