"""A seed names its case; a file's metres land on the real street."""

import math

import pytest

from game.atlas.streets import street_near
from game.world.city import City
from game.world.signals import Light, light
from game.world.state import Part
from game.world.version import TICK_HZ
from scenarios.errors import PlaceUnknown, StageImpossible
from scenarios.load import parse
from scenarios.model import Scenario
from scenarios.place import anchor_frame
from scenarios.road import survey
from scenarios.spawn import stage
from scenarios.terms import Anchor
from tests.scenarios.example import GOOD

PLACE = "West 34th Street & 7th Avenue"


def small(old: str, new: str) -> Scenario:
    assert old in GOOD
    return parse(GOOD.replace(old, new).encode())[0]


def part(scenario: Scenario, city: City, name: str, seed: int = 0) -> Part:
    return next(p for p in stage(scenario, city, seed).state.cast if p.name == name)


def test_the_same_seed_is_the_same_case(city: City, busy: Scenario) -> None:
    assert stage(busy, city, 5) == stage(busy, city, 5)


def test_seeds_draw_within_the_ranges_and_differ(city: City, oncoming: Scenario) -> None:
    speeds = {dict(stage(oncoming, city, seed).drawn)["wrong-way.speed.1"] for seed in range(20)}
    assert len(speeds) == 20
    assert 11.0 <= min(speeds) < 12.0 < 13.0 < max(speeds) <= 14.0


def test_fixed_numbers_draw_nothing(city: City) -> None:
    drawn = stage(small("{min: 5, max: 7}", "6"), city, 3).drawn
    assert drawn == ()


@pytest.mark.parametrize(
    ("facing", "degrees"), [("east", -29.0), ("north", 61.0), ("west", 151.0), ("south", -119.0)]
)
def test_facing_follows_the_grid(city: City, facing: str, degrees: float) -> None:
    frame = anchor_frame(Anchor.model_validate({"at": PLACE, "facing": facing}), city, "x")
    assert math.degrees(frame.heading) == pytest.approx(degrees, abs=1.5)


def test_towards_and_facing_agree(city: City) -> None:
    towards = Anchor(at=PLACE, towards="West 34th Street & 6th Avenue")
    one = anchor_frame(towards, city, "x")
    two = anchor_frame(Anchor(at=PLACE, facing="east", along="West 34th Street"), city, "x")
    assert one.heading == pytest.approx(two.heading, abs=0.02)


def test_local_and_city_metres_are_inverse(city: City) -> None:
    frame = anchor_frame(Anchor(at=PLACE, facing="east"), city, "x")
    assert frame.local(frame.point((12.5, -3.25))) == pytest.approx((12.5, -3.25), abs=1e-9)


def test_an_unknown_place_says_what_is_like_it(city: City) -> None:
    scenario = small(PLACE, "West 34th Street & 77th Avenue")
    with pytest.raises(PlaceUnknown, match="34th Street"):
        stage(scenario, city, 0)


def test_a_street_that_leads_nowhere_near_is_refused(city: City) -> None:
    scenario = small("facing: east", "facing: east, along: 7th Avenue")
    with pytest.raises(PlaceUnknown, match="no street leads east along 7th Avenue"):
        stage(scenario, city, 0)


def test_an_ego_inside_a_house_is_refused(city: City) -> None:
    with pytest.raises(StageImpossible, match="inside a building"):
        stage(
            small("[[-60, -1.65], [60, -1.65]]\n  speed", "[[-40, 50], [60, 50]]\n  speed"), city, 0
        )


def test_a_wave_shares_its_trigger_and_offsets_add(city: City) -> None:
    text = GOOD.replace(
        "success:",
        "waves:\n"
        "  - id: second\n"
        "    trigger: {at_s: 2, after: lead, delay_s: 1}\n"
        "    actors:\n"
        "      - {id: a, kind: pedestrian, line: [[0, 9], [0, -9]], speed: 1}\n"
        "      - {id: b, kind: bicycle, line: [[5, 9], [5, -9]], speed: 4, offset_s: 0.5}\n"
        "success:",
    )
    scenario = parse(text.encode())[0]
    a, b = part(scenario, city, "a"), part(scenario, city, "b")
    assert (a.wave, b.wave) == (1, 1)
    assert (a.trigger.at_tick, a.trigger.after, a.trigger.delay) == (2 * TICK_HZ, 1, TICK_HZ)
    assert b.trigger.delay == TICK_HZ + TICK_HZ // 2
    assert (a.body, b.body) == ("pedestrian", "bicycle")


def test_what_stands_is_turned_against_the_frame(city: City) -> None:
    scenario = small(
        "    line: [[-30, -1.65], [60, -1.65]]\n    speed: {min: 5, max: 7}",
        "    stands: {at: [10, -5], turn: 90}",
    )
    staged = stage(scenario, city, 0)
    standing = staged.state.cast[0]
    assert standing.track.heading[0] == pytest.approx(staged.frame.heading + math.pi / 2)
    assert staged.frame.local((standing.track.x[0], standing.track.y[0])) == pytest.approx((10, -5))


@pytest.mark.parametrize("name", ["oncoming", "busy"])
def test_the_library_drives_on_the_streets_it_names(
    name: str, city: City, request: pytest.FixtureRequest
) -> None:
    scenario: Scenario = request.getfixturevalue(name)
    staged = stage(scenario, city, 0)
    street = street_near(city, *staged.route[0])
    assert street is not None
    assert street.name == "West 34th Street"
    assert not street.oneway
    road = survey(staged.route, city)
    assert min(road.left) > 9.0  # the whole other side, to the left
    assert min(road.right) > 6.0


def test_the_light_at_the_busy_intersection_turns_green_when_the_file_says(
    city: City, busy: Scenario
) -> None:
    stop = survey(stage(busy, city, 0).route, city).stops[0]
    lights = [light(stop.light, stop.axis, tick) for tick in range(30 * TICK_HZ)]
    assert lights[0] == Light.RED
    assert 12 * TICK_HZ < lights.index(Light.GREEN) < 16 * TICK_HZ
    assert Light.AMBER not in lights
