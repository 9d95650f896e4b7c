"""The compiler on figures small enough to check by hand, and on the real ones where they are."""

import shutil
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("shapely", reason="compiling a city needs the extra: city")

from game.atlas.area import AREAS, MIDTOWN, TIMES_SQUARE
from game.atlas.compile import Compiled, compile_pack
from game.atlas.load import bundled, load
from game.atlas.osm import speed_of
from game.atlas.project import Projection
from game.atlas.rows import listed
from game.atlas.streets import find_junction
from game.errors import SourceError
from game.world.city import City

from .conftest import REAL, box, crossroads, house, road, write

real = pytest.mark.skipif(
    not (REAL / "buildings_manhattan.geojson.gz").is_file(),
    reason="the City's source files are not beside this checkout",
)


def made(
    tmp_path: Path, houses: list[dict[str, Any]], roads: list[dict[str, Any]]
) -> tuple[City, dict[tuple[str, str], int]]:
    """The compiled city and what was mended or dropped, by (what, reason)."""
    source = write(tmp_path / "source", houses, roads)
    done = compile_pack(source, TIMES_SQUARE, tmp_path / "pack")
    told = {(what, why): n for verb, what, why, n in done.tally.rows() if verb != "kept"}
    return load(done.folder), told


FAR_HOUSE = house("far", box(100, 100, 130, 130))


def test_metres_and_degrees_are_inverse_and_true_to_scale() -> None:
    plane = Projection(40.7580, -73.9855)
    assert plane.degrees(*plane.metres(-73.97, 40.75)) == pytest.approx((-73.97, 40.75))
    # One minute of latitude is a nautical mile (1852 m) within a third of a percent.
    assert plane.metres(-73.9855, 40.7580 + 1 / 60)[1] == pytest.approx(1852.0, rel=0.004)


def test_a_crossroads_becomes_four_streets_and_one_lit_junction(tmp_path: Path) -> None:
    city, _ = made(tmp_path, [FAR_HOUSE], crossroads())
    assert len(city.streets) == 4
    centre = find_junction(city, "W 1 St & 1 Av")
    assert (centre.x, centre.y) == pytest.approx((0.0, 0.0), abs=0.02)
    assert centre.signal
    assert len(centre.streets) == 4
    # Two streets of one lane each way, two of two lanes one way.
    assert len(city.lanes) == 2 * 2 + 2 * 2
    fast = next(one for one in city.streets if one.speed_limit > 12.0)
    assert fast.speed_limit == pytest.approx(30 * 0.44704, abs=0.001)  # the lower of two


def test_lanes_stop_before_the_roadway_they_cross(tmp_path: Path) -> None:
    city, _ = made(tmp_path, [FAR_HOUSE], crossroads())
    avenue = next(one for one in city.streets if one.name == "1st Avenue")
    west = next(one for one in city.streets if one.points[0][0] == pytest.approx(-200.0, abs=0.02))
    east_bound = next(
        one for one in city.lanes if one.street == west.id and one.start == west.start
    )
    assert east_bound.points[-1][0] == pytest.approx(-avenue.width / 2.0 - 5.0, abs=0.05)
    assert east_bound.points[0][1] == pytest.approx(-3.3 / 2.0, abs=0.02)  # on the right


def test_walls_narrow_a_street_and_then_take_its_lanes(tmp_path: Path) -> None:
    walls = [house("n", box(-150, 4, -50, 20)), house("s", box(-150, -20, -50, -4))]
    wide = [road(1, 5, [(-200, 0), (200, 0)], "West 1st Street", lanes="4")]
    city, told = made(tmp_path, walls, wide)
    (street,) = city.streets
    assert street.lanes == 2  # 8 m between the walls, 1 m left on each side: two of 3.0 m
    assert street.width == pytest.approx(6.0, abs=0.05)
    assert told["road", "fewer lanes than the map says, no room"] == 1


def test_a_building_over_a_street_cuts_it_and_a_footbridge_does_not(tmp_path: Path) -> None:
    street = [road(1, 5, [(-410, 0), (290, 0)], "West 1st Street")]
    city, told = made(tmp_path, [house("hall", box(-90, -20, -30, 20))], street)
    assert len(city.streets) == 2
    assert told["road", "a building stands over it, that stretch cut out"] == 1
    bridge = house("bridge", box(-3, -20, 3, 20), bin_="1000000")
    city, told = made(tmp_path, [bridge, FAR_HOUSE], street)
    assert len(city.streets) == 1
    assert len(city.footprints) == 1


def test_a_divided_avenue_is_one_junction(tmp_path: Path) -> None:
    roads = [
        road(1, 5, [(-200, 0), (0, 0)], "West 1st Street"),
        road(5, 6, [(0, 0), (18, 0)], "West 1st Street"),
        road(6, 2, [(18, 0), (200, 0)], "West 1st Street"),
        road(5, 7, [(0, 0), (0, -200)], "Park Avenue"),
        road(8, 5, [(0, 200), (0, 0)], "Park Avenue"),
        road(9, 6, [(18, -200), (18, 0)], "Park Avenue"),
        road(6, 10, [(18, 0), (18, 200)], "Park Avenue"),
    ]
    city, _ = made(tmp_path, [FAR_HOUSE], roads)
    (middle,) = [one for one in city.junctions if "&" in one.name]
    assert (middle.x, middle.y) == pytest.approx((9.0, 0.0), abs=0.02)
    (inside,) = [one for one in city.streets if one.start == one.end == middle.id]
    assert not [lane for lane in city.lanes if lane.street == inside.id]


def test_ramps_tunnels_and_lesser_bridges_give_way(tmp_path: Path) -> None:
    roads = [
        *crossroads(),
        road(20, 21, [(-200, 90), (200, 90)], "", highway="motorway_link"),
        road(22, 23, [(-200, -90), (200, -90)], "Deep Tunnel", tunnel="yes"),
    ]
    city, told = made(tmp_path, [FAR_HOUSE], roads)
    assert {one.name for one in city.streets} == {"West 1st Street", "1st Avenue"}
    assert told["road", "ramp over or under another street"] == 1
    assert told["road", "tunnel"] == 1


def test_flaws_of_outlines_are_mended_or_dropped_with_a_reason(tmp_path: Path) -> None:
    houses = [
        FAR_HOUSE,
        house("bow", [(0, 0), (20, 20), (20, 0), (0, 20)]),
        house("line", [(50, 0), (60, 0), (70, 0)]),
        house("other borough", box(-100, 0, -80, 20), bin_="4000001"),
        house("kerb", box(-60, 0, -40, 20), feet=3.0),
    ]
    city, told = made(tmp_path, houses, [road(1, 5, [(-200, -90), (200, -90)], "West 1st Street")])
    assert len(city.footprints) == 1 + 2  # the bow tie is two triangles
    assert told["building", "outline crossed itself"] >= 1
    assert told["building", "of several outlines, split"] == 1
    assert told["building", "no outline with an area"] == 1
    assert told["building", "of another borough (BIN does not start with 1)"] == 1
    assert told["building", "lower than 8 ft: a kerb, a wall or a flaw"] == 1


def test_heights_in_feet_become_metres(tmp_path: Path) -> None:
    city, _ = made(tmp_path, [FAR_HOUSE], crossroads())
    assert city.footprints[0].height == pytest.approx(30.48)
    assert city.footprints[0].ground == pytest.approx(3.05)


def test_tags_printed_as_lists_are_lists() -> None:
    assert listed("['3', '2']") == ["3", "2"]
    assert listed(None) == []
    assert speed_of(["25 mph"], "residential") == pytest.approx(11.176)
    assert speed_of([], "motorway") == pytest.approx(40 * 0.44704)
    assert speed_of(["40 km/h"], "residential") == pytest.approx(40 / 3.6)


@pytest.mark.parametrize("damage", ["missing", "cut", "wrong"])
def test_a_broken_source_never_replaces_a_good_pack(tmp_path: Path, damage: str) -> None:
    source = write(tmp_path / "source", [FAR_HOUSE], crossroads())
    out = tmp_path / "pack"
    good = compile_pack(source, TIMES_SQUARE, out).digest
    victim = source / "streets_osm_manhattan.geojson.gz"
    if damage == "missing":
        victim.unlink()
    elif damage == "cut":
        victim.write_bytes(victim.read_bytes()[:100])
    else:
        write(source, [FAR_HOUSE], [{"type": "Feature", "properties": {}, "geometry": None}])
    with pytest.raises(SourceError, match="the old pack is untouched"):
        compile_pack(source, TIMES_SQUARE, out)
    assert load(out).digest == good
    assert sorted(path.name for path in tmp_path.iterdir()) == ["pack", "source"]


def test_the_same_sources_give_the_same_pack_in_any_order(tmp_path: Path) -> None:
    houses = [
        FAR_HOUSE,
        house("b", box(-130, 100, -100, 130)),
        house("c", box(100, -130, 130, -90)),
    ]
    a, _ = made(tmp_path / "a", houses, crossroads())
    b, _ = made(tmp_path / "b", houses[::-1], crossroads())
    assert a.footprints == b.footprints


@pytest.fixture(scope="module")
def times_square(tmp_path_factory: pytest.TempPathFactory) -> Compiled:
    return compile_pack(REAL, TIMES_SQUARE, tmp_path_factory.mktemp("real") / "pack")


@real
@pytest.mark.heavy
def test_the_real_times_square_compiles(times_square: Compiled) -> None:
    city = load(times_square.folder)
    assert 500 < len(city.footprints) < 800
    assert find_junction(city, "West 42nd Street & 7th Avenue").signal
    whole = load()
    here = find_junction(city, "W 45 St & 7 Av")
    there = find_junction(whole, "W 45 St & 7 Av")
    assert (here.x, here.y) == (there.x, there.y)


@real
@pytest.mark.heavy
def test_a_building_is_the_same_in_a_small_and_a_large_area(times_square: Compiled) -> None:
    x0, y0, x1, y1 = load(times_square.folder).bounds
    inside = {
        one.rings
        for one in load().footprints
        if all(x0 < x < x1 and y0 < y < y1 for x, y in one.rings[0])
    }
    assert inside
    assert inside <= {one.rings for one in load(times_square.folder).footprints}


@real
@pytest.mark.slow
def test_the_bundled_pack_is_what_the_compiler_makes(tmp_path: Path) -> None:
    done = compile_pack(REAL, MIDTOWN, tmp_path / "pack")
    assert done.digest == load().digest
    assert done.size <= 3_000_000
    shutil.rmtree(done.folder)


def test_every_bundled_pack_names_its_sources() -> None:
    import tomllib

    told = tomllib.loads((bundled().parent / "SOURCES.toml").read_text(encoding="utf-8"))
    packs = {path.name for path in bundled().parent.iterdir() if (path / "pack.json").is_file()}
    assert set(told["packs"]) == packs <= set(AREAS)
    assert "ODbL" in told["files"]["streets.bin"]["terms"]
    for name, row in told["files"].items():
        assert row["credit"], name
        assert row["terms_url"].startswith("https://"), name
