"""Lanes for bicycles: painted where the map knows of one and there is room, and kept free."""

from dataclasses import replace

import numpy as np
import pytest

from game.view import mouths, parked, streets
from game.view.camera import Eye
from game.view.furniture import Kind
from game.view.labels import Train
from game.view.renderer import SceneRenderer
from game.view.room import Room
from game.world.city import City
from tests.view.boxes import PROFILE, box_city, state_at


def bike_city(bike: int, oneway: bool = True, width: float = 16.0) -> City:
    """The street of the boxes with two lanes of 3 m in its middle; bike: as the City tells it."""
    plain = box_city()
    first = replace(plain.streets[0], bike=bike, oneway=oneway, lanes=2, width=width)
    lanes = tuple(replace(lane, width=3.0) for lane in plain.lanes)
    return replace(plain, streets=(first, *plain.streets[1:]), lanes=lanes)


def green(city: City) -> tuple[np.ndarray, np.ndarray]:
    """Where the road looks green, and the classes, from the middle of the street ahead."""
    renderer = SceneRenderer(city, PROFILE)
    view = Eye(-80.0, 0.0, 6.0, 0.0, -0.4)
    found = renderer.render_from(view, state_at(80.0, 60.0), ["colour", "class"], 240, 240)
    renderer.close()
    rgb = np.asarray(found["colour"], int)
    road = found["class"] == Train.ROAD
    return (rgb[..., 1] > rgb[..., 0] + 12) & (rgb[..., 1] > rgb[..., 2] + 8) & road, found["class"]


@pytest.mark.render
def test_a_one_way_street_has_it_on_the_left_and_the_labels_stay() -> None:
    without, kinds = green(bike_city(0))
    shown, same = green(bike_city(1))
    assert not without.any()
    assert shown[:, :120].sum() > 300
    assert shown[:, 120:].sum() == 0
    cars = (kinds == Train.CAR) | (same == Train.CAR)  # fewer park where there is a lane
    assert np.array_equal(kinds[~cars], same[~cars])


@pytest.mark.render
def test_a_street_of_both_ways_has_one_on_each_side() -> None:
    shown, _ = green(bike_city(2, oneway=False))
    left, right = shown[:, :120].sum(), shown[:, 120:].sum()
    assert left > 300
    assert right > 300


def test_none_is_painted_where_there_is_no_room() -> None:
    narrow = bike_city(1, width=8.0).streets[0]
    assert not streets.has_room_for_bikes(narrow, 3.0)
    assert streets.has_room_for_bikes(bike_city(1).streets[0], 3.0)


def test_nobody_parks_in_it() -> None:
    def sides(bike: int) -> np.ndarray:
        city = bike_city(bike, width=12.0)  # 3 m beside the lanes: a car, or bicycles
        parts = mouths.halves(city)
        widths = {lane.street: lane.width for lane in city.lanes}
        cars = parked.places(parts, streets.lines(parts), widths, Room(city))
        own = (cars.kind == Kind.CAR) & (np.abs(cars.place[:, 1]) < 6.0) & (cars.place[:, 0] < -10)
        return np.sign(cars.place[own, 1])

    assert set(sides(0)) == {-1.0, 1.0}
    assert set(sides(1)) == {-1.0}
