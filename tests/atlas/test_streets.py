"""Places are found as New Yorkers name them, and ways lead where they say."""

import random
from itertools import pairwise

import pytest

from game.atlas.naming import junction_name, key_of
from game.atlas.route import path, route
from game.atlas.streets import StreetIndex, address, find_junction, lane_near, street_near
from game.errors import NoRoute, UnknownPlace
from game.world.city import City


@pytest.mark.parametrize(
    ("asked", "name"),
    [
        ("West 42nd Street & 7th Avenue", "West 42nd Street & 7th Avenue"),
        ("7 av and w 42 st", "West 42nd Street & 7th Avenue"),
        ("W. 34th St. & 8th Ave.", "West 34th Street & 8th Avenue"),
        ("5th Avenue & East 42nd", "42nd Street & 5th Avenue"),
        ("42 St & Fifth Ave", "42nd Street & 5th Avenue"),
        ("Avenue of the Americas @ W 50", "West 50th Street & 6th Avenue"),
        ("Park Ave at E 50", "East 50th Street & Park Avenue"),
        ("Lex & E 59", "East 59th Street & Lexington Avenue"),
        ("West 42nd Street & 12th Avenue", "West 42nd Street & 12th Avenue"),
    ],
)
def test_a_junction_is_found_by_its_streets(midtown: City, asked: str, name: str) -> None:
    found = find_junction(midtown, asked)
    assert found.name == name
    assert found.signal


def test_an_unknown_junction_names_its_neighbours(midtown: City) -> None:
    with pytest.raises(UnknownPlace, match="West 49th Street & 7th Avenue") as caught:
        find_junction(midtown, "W 99 St & 7 Av")
    assert caught.value.exit_code == 2


def test_a_divided_avenue_has_one_junction_a_street(midtown: City) -> None:
    names = [one.name for one in midtown.junctions]
    for street in (49, 50, 52, 54):
        ending = "nd" if street == 52 else "th"
        assert names.count(f"East {street}{ending} Street & Park Avenue") == 1


def test_names_of_junctions_put_streets_first_and_join_the_sides_of_town() -> None:
    assert junction_name(["7th Avenue", "West 42nd Street"]) == "West 42nd Street & 7th Avenue"
    assert junction_name(["East 42nd Street", "5th Avenue", "West 42nd Street", ""]) == (
        "42nd Street & 5th Avenue"
    )
    assert key_of("W. 42nd St") == key_of("West 42nd Street") == "west 42 street"


def test_an_address_names_the_street_and_the_next_avenue(midtown: City) -> None:
    a = find_junction(midtown, "W 44 St & 7 Av")
    b = find_junction(midtown, "W 44 St & 8 Av")
    x, y = a.x + 0.3 * (b.x - a.x), a.y + 0.3 * (b.y - a.y)
    assert address(midtown, x, y) == "West 44th Street near 7th Avenue"
    assert address(midtown, a.x, a.y) == "West 44th Street & 7th Avenue"


def test_a_point_on_a_lane_finds_that_lane(midtown: City) -> None:
    for lane in midtown.lanes[::97]:
        street = midtown.streets[lane.street]
        if "link" in street.kind or "FDR" in street.name:
            continue  # ramps and viaducts lie over each other
        (ax, ay), (bx, by) = lane.points[:2]
        found, s, offset = lane_near(midtown, (ax + bx) / 2, (ay + by) / 2)
        half = (((bx - ax) ** 2 + (by - ay) ** 2) ** 0.5) / 2
        assert found.id == lane.id
        assert s == pytest.approx(half)
        assert offset == pytest.approx(0.0, abs=1e-6)


def test_the_offset_is_positive_to_the_left(midtown: City) -> None:
    lane = find_lane(midtown, "West 42nd Street")
    (ax, ay), (bx, by) = lane.points[:2]
    long = ((bx - ax) ** 2 + (by - ay) ** 2) ** 0.5
    x = (ax + bx) / 2 - (by - ay) / long
    y = (ay + by) / 2 + (bx - ax) / long
    found, _, offset = lane_near(midtown, x, y)
    assert found.id == lane.id
    assert offset == pytest.approx(1.0)


def find_lane(city: City, name: str):  # type: ignore[no-untyped-def]
    return next(lane for lane in city.lanes if city.streets[lane.street].name == name)


def test_a_heading_chooses_the_lane_that_leads_that_way(midtown: City) -> None:
    street = next(
        one for one in midtown.streets if one.name == "West 42nd Street" and one.start != one.end
    )
    (ax, ay), (bx, by) = street.points[:2]
    x, y = (ax + bx) / 2, (ay + by) / 2
    east, west = lane_near(midtown, x, y, -0.5)[0], lane_near(midtown, x, y, 2.6)[0]
    assert east.street == west.street == street.id
    assert east.start == west.end


def test_the_index_answers_as_the_whole_city_does(midtown: City) -> None:
    index = StreetIndex(midtown)
    draw = random.Random(7)
    x0, y0, x1, y1 = midtown.bounds
    for _ in range(60):
        x, y = draw.uniform(x0, x1), draw.uniform(y0, y1)
        heading = draw.choice([None, draw.uniform(-3.0, 3.0)])
        assert index.street_near(x, y) == street_near(midtown, x, y)
        assert index.lane_near(x, y, heading) == lane_near(midtown, x, y, heading)


def test_a_route_is_connected_obeys_one_way_streets_and_keeps_clear(midtown: City) -> None:
    shapely = pytest.importorskip("shapely")
    start = find_junction(midtown, "W 42 St & 7 Av")
    goal = find_junction(midtown, "W 57 St & 6 Av")
    lanes = route(midtown, start, goal)
    assert lanes[0].start == start.id
    assert lanes[-1].end == goal.id
    assert all(a.end == b.start for a, b in pairwise(lanes))
    assert {midtown.streets[lane.street].name for lane in lanes} >= {"6th Avenue"}
    line = shapely.LineString(path(lanes))
    tree = shapely.STRtree([shapely.Polygon(one.rings[0]) for one in midtown.footprints])
    assert len(tree.query(line, predicate="dwithin", distance=1.0)) == 0
    straight = ((start.x - goal.x) ** 2 + (start.y - goal.y) ** 2) ** 0.5
    assert straight - 60.0 < line.length < 2.5 * straight


@pytest.mark.parametrize(
    ("start", "goal", "street", "leftmost"),
    [
        ("W 42 St & 7 Av", "W 50 St & 6 Av", "West 42nd Street", True),  # left into 6th Avenue
        ("W 50 St & 7 Av", "W 42 St & 9 Av", "7th Avenue", False),  # right into a side street
    ],
)
def test_a_route_turns_from_the_lane_on_that_side(
    midtown: City, start: str, goal: str, street: str, leftmost: bool
) -> None:
    lanes = route(midtown, find_junction(midtown, start), find_junction(midtown, goal))
    own = [lane for lane in lanes if midtown.streets[lane.street].name == street]
    beside = [one.index for one in midtown.lanes
              if (one.street, one.start) == (own[-1].street, own[-1].start)]  # fmt: skip
    assert len(beside) > 1
    assert own[-1].index == (max(beside) if leftmost else 0)


def test_no_way_against_the_only_street(midtown: City) -> None:
    dead = next(one for one in midtown.junctions if len(one.streets) == 1
                and midtown.streets[one.streets[0]].oneway
                and midtown.streets[one.streets[0]].end == one.id)  # fmt: skip
    with pytest.raises(NoRoute, match="no lanes lead from"):
        route(midtown, dead, find_junction(midtown, "W 42 St & 7 Av"))
