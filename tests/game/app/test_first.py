"""What the first drive is, known before its seed: so that its street can be made meanwhile."""

from collections.abc import Sequence
from dataclasses import replace

import pytest

from game.play.app.cards import cards
from game.play.app.first import name, standing
from game.play.app.memory import Best, Memory
from game.settings import PlaySettings, Settings
from game.view import resident
from game.view.camera import eye
from game.view.device import open_hidden
from game.view.scene import Scene
from scenarios.cases import case
from scenarios.load import library, missions
from tests.game.app.stages import a_city

FREE = Settings(play=PlaySettings(free=True))
MENU = replace(Settings(), app=replace(Settings().app, begin="menu"))


def test_the_first_drive_is_what_is_asked_for_or_the_next_without_a_medal() -> None:
    known = cards()
    assert name(Settings(), Memory(), a_city()) == known[0].id
    won = Memory(best={known[0].id: Best(1.0, "gold", "", 1, "")})
    assert name(Settings(), won, a_city()) == known[1].id
    asked = Settings(play=PlaySettings(scenario="road-debris"))
    assert name(asked, won, a_city()) == "road-debris"
    assert name(FREE, won, a_city()).startswith("free-drive@")
    assert name(MENU, won, a_city()) == ""


def test_nobody_knows_where_a_drive_begins_that_cannot_be_driven() -> None:
    assert standing(Settings(play=PlaySettings(scenario="no-such")), Memory(), a_city()) is None
    assert standing(MENU, Memory(), a_city()) is None


@pytest.mark.parametrize("scenario", [*library(), missions()[0]])
def test_where_the_car_stands_does_not_depend_on_the_seed(scenario: str) -> None:
    states = [case(scenario, a_city(), seed).state.ego for seed in (1, 77)]
    places = {(ego.x, ego.y, ego.heading) for ego in states}
    assert len(places) == 1


@pytest.mark.render
def test_the_street_of_a_free_drive_is_there_before_its_first_picture(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    city = a_city()
    device = open_hidden()
    scene = Scene(city, Settings().graphics.profile, device.number)
    first = standing(FREE, Memory(), city)
    assert first is not None
    scene.pose(first, eye(first))
    made: list[int] = []
    stock = resident.Resident.make

    def counted(self: resident.Resident, rows: Sequence[int]) -> None:
        made.append(len(rows))
        stock(self, rows)

    monkeypatch.setattr(resident.Resident, "make", counted)
    state = case(name(FREE, Memory(), city), city, 99).state
    scene.pose(state, eye(state))
    assert sum(made) <= 1  # one ahead of need is made in every picture
    scene.close()
    device.close()
