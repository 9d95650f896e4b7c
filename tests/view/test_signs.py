"""Street-name signs: right names, where they can be read, in the picture and in the labels."""

import numpy as np
import pytest

from game.atlas.load import load
from game.atlas.streets import find_junction
from game.view import mouths, signs
from game.view.camera import Eye
from game.view.labels import FIRST_FURNITURE, Train
from game.view.renderer import SceneRenderer
from game.view.room import Room
from game.view.signals import approaches
from tests.view.boxes import box_city, state_at


@pytest.mark.parametrize(
    ("name", "sign"),
    [
        ("West 42nd Street", "W 42 St"),
        ("7th Avenue", "7 Av"),
        ("Avenue of the Americas", "Av of the Americas"),
        ("Park Avenue South", "Park Av S"),
        ("Broadway", "Broadway"),
        ("FDR Drive", "FDR Dr"),
    ],
)
def test_names_are_written_as_the_city_writes_them(name: str, sign: str) -> None:
    assert signs.short(name) == sign


def test_each_arm_names_the_street_that_crosses() -> None:
    city = load()
    junction = find_junction(city, "W 46 St & 9 Av")
    meeting = [half for half in mouths.halves(city) if half.junction == junction.id]
    assert set(signs.names(junction, meeting)) == {"West 46th Street", "9th Avenue"}
    arms = approaches(junction, meeting)
    room = Room(city)
    made = signs.boards(junction, meeting, room.roads, lambda: room.walls)
    assert len(made) == len(arms) == 2
    for (half, *_), mesh in zip(arms, made, strict=True):
        other = "9 Av" if half.street.name != "9th Avenue" else "W 46 St"
        letters = len(other.replace(" ", ""))
        assert len(mesh[0]) == 24 + 4 * letters


def test_a_line_of_text_is_as_wide_as_its_letters() -> None:
    (one, width), (two, double) = signs.text("7 Av"), signs.text("7 Av7 Av")
    assert double == pytest.approx(2 * width)
    assert one[0]["place"][:, 1].min() >= -width - 0.05
    assert len(two[0]) == 2 * len(one[0])
    assert 0.0 <= one[0]["span"].min() < one[0]["span"].max() <= 1.0


@pytest.mark.render
def test_a_sign_shows_white_letters_on_green_and_is_labelled_a_sign(
    renderer: SceneRenderer,
) -> None:
    parts = [half for half in mouths.halves(box_city()) if half.junction == 1]
    junction = box_city().junctions[1]
    half, at, (ux, uy), _ = approaches(junction, parts)[0]
    eye = Eye(at[0] - ux * 7 - uy, at[1] - uy * 7 + ux, 4.85, float(np.arctan2(uy, ux)), 0.0)
    found = renderer.render_from(eye, state_at(80.0), ["colour", "class", "instance"], 480, 480)
    sign = found["class"] == Train.TRAFFIC_SIGN
    assert sign.sum() > 1500
    assert (found["instance"][sign] >= FIRST_FURNITURE).all()
    red, green, _ = found["colour"][sign].astype(int).T
    assert (green > red + 25).mean() > 0.4
    assert ((red > 150) & (green > 150)).mean() > 0.05
    assert half.street.name == "First"
