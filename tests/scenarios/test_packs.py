"""The island's pack shows the same lights at the same crossings as Midtown's, so a drive agrees."""

import pytest

from game.atlas.load import bundled
from game.atlas.load import load as load_city
from game.world.city import City
from game.world.signals import light, place_of
from scenarios.driver import DRIVERS
from scenarios.load import library, load
from scenarios.road import survey
from scenarios.run import drive
from scenarios.spawn import stage


@pytest.fixture(scope="module")
def island() -> City:
    return load_city(bundled("manhattan"))


def test_every_route_meets_the_same_lights_on_both_packs(city: City, island: City) -> None:
    met = 0
    for name in library():
        lines = [survey(stage(load(name), c, 0).route, c).stops for c in (city, island)]
        ours = [(line.light, line.axis, round(line.s)) for line in lines[0]]
        assert ours == [(line.light, line.axis, round(line.s)) for line in lines[1]]
        met += len(ours)
    assert met >= 5


def test_neighbouring_crossings_do_not_change_together() -> None:
    names = [f"East {n}th Street & 5th Avenue" for n in range(44, 60)]
    seen = {tuple(light(place_of(name), 0, tick) for tick in range(0, 3600, 60)) for name in names}
    assert len(seen) > 12


@pytest.mark.heavy
@pytest.mark.parametrize("name", ["busy-intersection", "oncoming-traffic"])
def test_the_bot_drives_alike_on_both_packs(city: City, island: City, name: str) -> None:
    ends = []
    for c in (city, island):
        staged = stage(load(name), c, 0)
        outcome, state = drive(staged, c, DRIVERS["bot"](staged, c))
        assert outcome.success
        ends.append((state.tick, round(state.ego.x, 3), round(state.ego.y, 3)))
    assert ends[0] == ends[1]
