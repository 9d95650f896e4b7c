"""A road finds the streets beside it and the lights on it by squares: as by looking at all."""

from itertools import pairwise

import pytest

from game.world.city import City
from scenarios import road
from scenarios.cases import case
from scenarios.free import free_at
from scenarios.roam import roaming

_START = "West 42nd Street & 7th Avenue"


@pytest.fixture(scope="module")
def stations(city: City) -> tuple[list[float], list[float]]:
    """Of a drive through half of the pack."""
    route = roaming(case(free_at(city, _START, "none").name, city, 5), city).route
    x, y = road._stations(route)
    assert len(x) > 1000
    return x, y


def test_a_light_is_where_the_nearest_of_all_stations_is(
    city: City, stations: tuple[list[float], list[float]]
) -> None:
    x, y = stations
    cells: dict[tuple[int, int], list[int]] = {}
    for i in range(len(x)):
        square = int(x[i] // road.CROSS_M), int(y[i] // road.CROSS_M)
        cells.setdefault(square, []).append(i)
    found = 0
    for junction in city.junctions:
        away = [(a - junction.x) ** 2 + (b - junction.y) ** 2 for a, b in zip(x, y, strict=True)]
        nearest = away.index(min(away)) if min(away) < road.CROSS_M**2 else None
        assert road._closest(cells, x, y, junction.x, junction.y) == nearest
        found += nearest is not None
    assert found > 10


def test_the_room_beside_a_station_is_that_of_all_streets(
    city: City, stations: tuple[list[float], list[float]]
) -> None:
    x, y = stations
    heading = road._headings(x, y)
    streets = road._streets_near(city.streets, x, y)
    cells = road._segments(streets)
    every = [piece for street in streets for piece in _pieces(street.points, street)]
    found = 0
    for i in range(0, len(x), 9):
        square = int(x[i] // road.CELL_M), int(y[i] // road.CELL_M)
        beside = cells.get(square, [])
        assert len(beside) < len(every) / 5
        room = road._room(beside, x[i], y[i], heading[i])
        assert room == road._room(every, x[i], y[i], heading[i])
        found += room is not None
    assert found > 50


def _pieces(points: tuple[tuple[float, float], ...], street: object) -> list[tuple[object, ...]]:
    ends = pairwise(points)
    return [(ax, ay, bx, by, street) for (ax, ay), (bx, by) in ends]
