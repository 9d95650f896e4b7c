"""Prompts follow the city: its words, when they change, and what the player typed."""

import dataclasses
import itertools

import pytest

from game.atlas.load import load as load_city
from game.play.human import bound
from game.play.prompt import (
    REST_TICKS,
    SETTLE_TICKS,
    Follower,
    Scene,
    compose,
    next_style,
    scene,
    style_named,
    styles,
    typed_style,
)
from game.session.format import WEATHERS, CaptureProfile
from game.settings import PlaySettings
from game.view.keys import Deed
from game.world.city import City
from game.world.state import WorldState
from scenarios.load import library
from scenarios.load import load as load_scenario
from scenarios.spawn import stage

A = Scene("West 42nd Street", "Times Square", "billboards", "midday light", "clear sky", "calm")
B = dataclasses.replace(A, street="7th Avenue")


@pytest.fixture(scope="module")
def city() -> City:
    return load_city()


@pytest.fixture(scope="module")
def start(city: City) -> WorldState:
    return stage(load_scenario("busy-intersection"), city, 1).state


def at(state: WorldState, x: float, y: float) -> WorldState:
    return dataclasses.replace(state, ego=state.ego._replace(x=x, y=y))


def test_the_district_is_that_of_the_place(city: City, start: WorldState) -> None:
    here = scene(city, at(start, 0.0, 0.0), CaptureProfile(), "busy-intersection", "x")
    north = scene(city, at(start, 500.0, 790.0), CaptureProfile(), "busy-intersection", "x")
    east = scene(city, at(start, 1550.0, -450.0), CaptureProfile(), "busy-intersection", "x")
    assert here.district == "Times Square"
    assert north.district == "57th Street"
    assert east.district == "Turtle Bay"


def test_every_weather_hour_and_scenario_has_words(city: City, start: WorldState) -> None:
    seen = set()
    for weather in WEATHERS:
        for hour in (0.0, 4.9, 6.0, 13.0, 23.9):
            look = CaptureProfile(hour=hour, weather=weather)
            found = scene(city, start, look, "busy-intersection", "x")
            assert found.time
            assert found.weather
            seen.add((found.time, found.weather))
    assert len(seen) == len(WEATHERS) * 3
    for name in library():
        assert scene(city, start, CaptureProfile(), name, "?").mood != "?"


def test_a_style_that_sets_the_weather_silences_the_citys() -> None:
    rain = compose(A, style_named("rain"))
    assert "clear sky" not in rain
    assert "midday light" in rain
    assert "clear sky" in compose(A, style_named("day"))


def test_a_street_is_told_once_it_lasts_and_not_at_every_crossing() -> None:
    follow, day = Follower(), style_named("day")
    assert follow.due(A, day, 0) == compose(A, day)
    assert [follow.due(where, day, 300 + i) for i, where in enumerate((B, A, B, A))] == [None] * 4
    told = [t for t in range(310, 310 + 600, 30) if follow.due(B, day, t)]
    assert told == [310 + SETTLE_TICKS]


def test_two_prompts_of_the_city_are_apart() -> None:
    follow, day = Follower(), style_named("day")
    follow.due(A, day, 0)
    told = [t for t in range(0, 1200, 10) if follow.due(B if t // 200 % 2 else A, day, t)]
    assert len(told) >= 3
    assert min(b - a for a, b in itertools.pairwise(told)) >= REST_TICKS - 10


def test_a_style_is_told_at_once() -> None:
    follow = Follower()
    follow.due(A, style_named("day"), 0)
    assert follow.due(A, style_named("noir"), 1) == compose(A, style_named("noir"))


def test_what_was_typed_joins_the_styles_on_the_key() -> None:
    own = typed_style("  a  paper   model  ")
    assert own.text == "a paper model"
    assert "a paper model" in compose(A, own)
    assert next_style(styles()[-1], 1, (own,)) == own
    assert next_style(own, 1, (own,)) == styles()[0]


def test_keys_can_be_bound_anew_and_nonsense_is_named() -> None:
    keys = bound(PlaySettings(keys="f=peek, q=none, f1=toggle-styled"))
    assert keys["f"] is Deed.PEEK
    assert "q" not in keys
    assert keys["f1"] is Deed.STYLED
    assert keys["v"] is Deed.STYLED
    with pytest.raises(Exception, match="peek"):
        bound(PlaySettings(keys="f=fly"))
