"""The bundled city is Midtown, whole, and the same wherever it is loaded."""

import subprocess
import sys
from pathlib import Path

import pytest

from game.atlas.streets import find_junction
from game.world.city import City, Point

FOOT = 0.3048


def signed_area(ring: tuple[Point, ...]) -> float:
    ends = zip(ring, (*ring[1:], ring[0]), strict=True)
    return sum(ax * by - bx * ay for (ax, ay), (bx, by) in ends) / 2.0


def test_the_empire_state_building_has_its_official_height(midtown: City) -> None:
    (tower,) = [one for one in midtown.footprints if one.name == "Empire State Building"]
    assert tower.height == pytest.approx(1238.8 * FOOT, abs=0.01)
    assert tower.top == pytest.approx(1455.6 * FOOT, abs=0.1)
    assert tower.year == 1931


def test_places_are_as_far_apart_as_on_the_ground(midtown: City) -> None:
    # Twenty blocks make a mile along an avenue: 34th to 54th Street on 7th Avenue.
    a = find_junction(midtown, "W 34 St & 7 Av")
    b = find_junction(midtown, "W 54 St & 7 Av")
    assert ((a.x - b.x) ** 2 + (a.y - b.y) ** 2) ** 0.5 == pytest.approx(1609, rel=0.02)


def test_outer_rings_turn_left_and_holes_right(midtown: City) -> None:
    for one in midtown.footprints:
        assert signed_area(one.rings[0]) >= 4.0 - 0.5
        assert all(signed_area(hole) < 0.0 for hole in one.rings[1:])
        assert all(ring[0] != ring[-1] and len(ring) >= 3 for ring in one.rings)
        assert one.height >= 8.0 * FOOT - 0.01


def test_ids_are_places_in_the_tuples(midtown: City) -> None:
    for table in (midtown.footprints, midtown.streets, midtown.lanes, midtown.junctions):
        assert [one.id for one in table] == list(range(len(table)))
    for street in midtown.streets:
        assert street.id in midtown.junctions[street.start].streets
        assert street.id in midtown.junctions[street.end].streets
    for lane in midtown.lanes:
        street = midtown.streets[lane.street]
        assert (lane.start, lane.end) in {(street.start, street.end), (street.end, street.start)}
        assert not street.oneway or lane.start == street.start


def test_the_grid_is_there_from_river_to_river(midtown: City) -> None:
    names = {street.name for street in midtown.streets}
    for number in range(30, 61):
        ending = {1: "st", 2: "nd", 3: "rd"}.get(number % 10, "th")
        assert f"West {number}{ending} Street" in names
        assert f"East {number}{ending} Street" in names
    for avenue in ("1st", "2nd", "3rd", "5th", "6th", "7th", "8th", "9th", "10th", "11th", "12th"):
        assert f"{avenue} Avenue" in names
    assert {"Broadway", "Park Avenue", "Madison Avenue", "FDR Drive"} <= names


def test_avenues_lead_the_way_they_lead(midtown: City) -> None:
    # 7th Avenue runs downtown, 6th uptown; 42nd Street both ways.
    for name, uptown in (("7th Avenue", False), ("6th Avenue", True), ("3rd Avenue", True)):
        own = [one for one in midtown.streets if one.name == name and one.start != one.end]
        south = [one for one in own if one.points[-1][1] < one.points[0][1]]
        assert all(one.oneway for one in own if one.points[0][1] < 900.0)
        assert len(south) <= 0.2 * len(own) if uptown else len(south) >= 0.8 * len(own)
    assert not any(one.oneway for one in midtown.streets if one.name == "West 42nd Street")


def test_speed_limits_are_new_yorks(midtown: City) -> None:
    speeds = {round(street.speed_limit / 0.44704) for street in midtown.streets}
    assert 25 in speeds
    assert speeds <= {5, 10, 15, 20, 25, 30, 35, 40, 45, 50}
    (broadway, *_) = [one for one in midtown.streets if one.name == "7th Avenue"]
    assert broadway.speed_limit == pytest.approx(11.176)


def test_every_lane_and_roadway_keeps_clear_of_the_walls(midtown: City) -> None:
    shapely = pytest.importorskip("shapely")
    polygons = [shapely.Polygon(one.rings[0], one.rings[1:]) for one in midtown.footprints]
    tree = shapely.STRtree(polygons)
    lanes = [shapely.LineString(lane.points) for lane in midtown.lanes]
    assert tree.query(lanes, predicate="dwithin", distance=1.2).shape[1] == 0
    roadways = [
        shapely.LineString(one.points).buffer(one.width / 2.0, cap_style="flat")
        for one in midtown.streets
        if one.start != one.end
    ]
    pairs = tree.query(roadways, predicate="intersects").T
    assert all(roadways[a].intersection(polygons[b]).area < 0.05 for a, b in pairs)


def test_lanes_lie_to_the_right_of_oncoming_ones(midtown: City) -> None:
    checked = 0
    for lane in midtown.lanes:
        street = midtown.streets[lane.street]
        if street.oneway or lane.index or street.lanes != 2:
            continue
        ahead = lane.start == street.start
        (ax, ay), (bx, by) = street.points[:2] if ahead else street.points[:-3:-1]
        x, y = lane.points[0]
        assert (bx - ax) * (y - ay) - (by - ay) * (x - ax) < 0.0
        checked += 1
    assert checked > 20


def test_loading_gives_the_same_city_under_every_hash_seed() -> None:
    code = (
        "import hashlib; from game.atlas.load import load; "
        "print(hashlib.sha256(repr(load()).encode()).hexdigest())"
    )
    root = Path(__file__).resolve().parents[2]
    seen = {
        subprocess.run(
            [sys.executable, "-c", code],
            env={"PYTHONHASHSEED": seed, "PYTHONPATH": str(root)},
            cwd=root,
            capture_output=True,
            text=True,
            check=True,
        ).stdout
        for seed in ("0", "1", "77")
    }
    assert len(seen) == 1


def test_loading_needs_neither_numpy_nor_shapely() -> None:
    code = (
        "import sys; from game.atlas.load import load; load(); "
        "print([name for name in ('numpy', 'shapely') if name in sys.modules])"
    )
    root = Path(__file__).resolve().parents[2]
    out = subprocess.run(
        [sys.executable, "-c", code], cwd=root, capture_output=True, text=True, check=True
    )
    assert out.stdout.strip() == "[]"
