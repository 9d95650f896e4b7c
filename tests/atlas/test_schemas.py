"""Rows of every schema mean the same: figures as text, feet, codes, holes, and where they lie."""

import csv
import gzip
import json
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("shapely", reason="compiling a city needs the extra: city")

from game.atlas.area import TIMES_SQUARE, boxed
from game.atlas.centreline import roads as city_roads
from game.atlas.compile import compile_pack
from game.atlas.footprints import building
from game.atlas.load import load, read_header
from game.atlas.naming import junction_name, spelled
from game.atlas.osm import ways
from game.atlas.rows import RoadRow
from game.atlas.streets import find_junction
from game.atlas.table import read_table
from game.atlas.tally import Tally
from game.errors import SourceError
from game.world.city import City

from .conftest import REAL, box, crossroads, degrees, house, write

FOOT = 0.3048
Points = list[tuple[float, float]]
REASONS = dict[tuple[str, str], int]


def today(key: str, points: Points, **own: Any) -> dict[str, Any]:
    """A footprint as 5zhs-2jue has it: every figure is a text."""
    properties = {"name": None, "bin": "1000001", "construction_year": "1931",
                  "ground_elevation": "10", "feature_code": "2100", "height_roof": "100.5",
                  "doitt_id": key, **own}  # fmt: skip
    geometry = {"type": "MultiPolygon", "coordinates": [[degrees([*points, points[0]])]]}
    return {"type": "Feature", "properties": properties, "geometry": geometry}


def line(points: Points, label: str, trafdir: str = "TW", **own: Any) -> dict[str, Any]:
    """A centre line as inkn-q76z has it."""
    properties = {"rw_type": "1", "status": "2", "boroughcode": "1", "trafdir": trafdir,
                  "full_street_name": label, "posted_speed": "25", "streetwidth": "32",
                  "number_travel_lanes": "2", "number_park_lanes": "1", "bike_lane": None,
                  "from_level_code": "13", "to_level_code": "13", **own}  # fmt: skip
    geometry = {"type": "MultiLineString", "coordinates": [degrees(points)]}
    return {"type": "Feature", "properties": properties, "geometry": geometry}


def grid() -> list[dict[str, Any]]:
    """East 43rd Street, two ways, meets 5th Avenue, one-way south, as the City draws them."""
    wide = {"streetwidth": "55", "number_travel_lanes": "3", "bike_lane": "2"}
    return [
        line([(-200, 0), (0, 0)], "E  43 ST"),
        line([(0, 0), (200, 0)], "E  43 ST"),
        line([(0, 0), (0, 200)], "5 AVE", "TF", **wide),
        line([(0, -200), (0, 0)], "5 AVE", "TF", **wide),
    ]


def put(path: Path, features: list[dict[str, Any]]) -> None:
    data = json.dumps({"type": "FeatureCollection", "features": features}).encode()
    path.write_bytes(gzip.compress(data) if path.suffix == ".gz" else data)


def made(
    tmp_path: Path, houses: list[dict[str, Any]], streets: list[dict[str, Any]]
) -> tuple[City, REASONS]:
    """The pack of files in today's schema, and what was mended or dropped."""
    source = tmp_path / "source"
    source.mkdir(parents=True)
    put(source / "footprints_5zhs-2jue.geojson.gz", houses)
    put(source / "centerline_inkn-q76z.geojson", streets)
    done = compile_pack(source, TIMES_SQUARE, tmp_path / "pack")
    told = {(what, why): n for verb, what, why, n in done.tally.rows() if verb != "kept"}
    return load(done.folder), told


FAR = today("far", box(100, 100, 130, 130), bin="1000009")


def test_todays_texts_become_figures() -> None:
    row = building(today("7", box(0, 0, 9, 9), height_roof="1,238.5", name="Tower"))
    assert row.height == pytest.approx(1238.5 * FOOT)
    assert row.ground == pytest.approx(10 * FOOT)
    assert (row.key, row.bin, row.name, row.year) == ("7", "1000001", "Tower", 1931)


@pytest.mark.parametrize("case", [str.upper, str.lower])
def test_the_legacy_names_are_read_in_any_case(case: Any) -> None:
    own = {"BIN": 1013043, "HEIGHTROOF": 33.5, "GROUNDELEV": 12, "CNSTRCT_YR": 1899.0,
           "FEAT_CODE": 5110, "DOITT_ID": 42, "NAME": ""}  # fmt: skip
    properties = {case(key): value for key, value in own.items()}
    row = building({"properties": properties, "geometry": house("a", box(0, 0, 9, 9))["geometry"]})
    assert (row.bin, row.key, row.year, row.skip) == ("1013043", "42", 1899, "")
    assert row.height == pytest.approx(33.5 * FOOT)
    assert not row.today


@pytest.mark.parametrize("code", ["1000", "1001", "1003", "1005", "1006", "2110"])
def test_what_is_no_building_is_left_out_by_its_code(tmp_path: Path, code: str) -> None:
    houses = [FAR, today("x", box(-130, 100, -100, 130), feature_code=code, bin="1000002")]
    city, told = made(tmp_path, houses, grid())
    assert len(city.footprints) == 1
    assert sum(n for (what, why), n in told.items() if what == "building" and code in why) == 1


def test_a_building_site_counts_once_it_has_a_height() -> None:
    place = box(0, 0, 9, 9)
    assert building(today("x", place, feature_code="5100", height_roof=None)).skip
    assert not building(today("x", place, feature_code="5100", height_roof="40")).skip


@pytest.mark.parametrize("height", ["1000002", "1087654.0", None, "0", "-12", "n/a"])
def test_a_height_that_is_a_bin_or_none_becomes_the_neighbours(
    tmp_path: Path, height: str | None
) -> None:
    near = [today(str(at), box(100 + 40 * at, 100, 130 + 40 * at, 130), bin=f"100001{at}",
                  height_roof=str(50 + 10 * at)) for at in range(3)]  # fmt: skip
    odd = today("odd", box(140, 60, 170, 90), bin="1000002", height_roof=height)
    city, told = made(tmp_path, [*near, odd], grid())
    heights = sorted(round(one.height / FOOT) for one in city.footprints)
    assert heights == [50, 60, 60, 70]
    assert sum(n for (_, why), n in told.items() if "usual one nearby" in why) == 1


def test_places_of_todays_api_are_brought_to_the_datum_of_the_maps(tmp_path: Path) -> None:
    city, told = made(tmp_path, [FAR], grid())
    x0, y0 = min(city.footprints[0].rings[0])
    assert (x0, y0) == pytest.approx((100.12, 99.08), abs=0.015)
    centre = find_junction(city, "E 43 St & 5 Av")
    assert (centre.x, centre.y) == pytest.approx((0.12, -0.92), abs=0.015)
    assert told["building", "today's datum brought to that of the maps"] == 1


@pytest.mark.skipif(not REAL.is_dir(), reason="the City's samples are not beside this checkout")
def test_real_rows_of_todays_api_lie_on_lions_nodes_once_shifted() -> None:
    from game.atlas.project import Projection
    from game.atlas.rows import DATUM_SHIFT

    plane = Projection(40.758, -73.9855)
    nodes, _ = read_table(REAL / "lion_nodes_manhattan.geojson.gz")
    places = [plane.metres(*row["geometry"]["coordinates"]) for row in nodes]
    rows, _ = read_table(REAL / "sample_api_centerline_inkn-q76z.geojson")
    found = city_roads(rows, Tally())
    assert len(found) == 4
    for row in found:
        assert row.today
        for end in (row.points[0], row.points[-1]):
            x, y = plane.metres(*end)
            x, y = x + DATUM_SHIFT[0], y + DATUM_SHIFT[1]
            assert min((a - x) ** 2 + (b - y) ** 2 for a, b in places) < 0.05**2


@pytest.mark.skipif(not REAL.is_dir(), reason="the City's samples are not beside this checkout")
def test_the_citys_own_samples_are_read_whole() -> None:
    rows, _ = read_table(REAL / "sample_building_footprints_legacy.csv")
    found = [building(row) for row in rows]
    assert len(found) == 250
    assert sum(row.bin.startswith("1") for row in found) == 14
    assert all(2.0 < row.height < 120.0 for row in found)
    rows, _ = read_table(REAL / "sample_api_footprints_5zhs-2jue.geojson")
    new = {row.bin: row for row in map(building, rows)}
    assert new["1017592"].height == pytest.approx(251 * FOOT)
    assert all(row.today for row in new.values())


def test_rings_that_are_none_are_left_out_and_holes_stay(tmp_path: Path) -> None:
    holed = today("holed", box(100, 100, 140, 140), bin="1000003")
    hole = degrees([(110, 110), (110, 130), (130, 130), (130, 110), (110, 110)])
    flat = degrees([(120, 105), (125, 105), (120, 105)])
    holed["geometry"]["coordinates"][0] += [hole, flat]
    twin = today("two", box(-140, 100, -120, 120), bin="1000004")
    twin["geometry"]["coordinates"].append([degrees([*box(-180, 100, -160, 120), (-180, 100)])])
    point = today("point", [(60, -60), (60, -60), (60, -60)], bin="1000005")
    bow = today("bow", [(60, 60), (80, 80), (80, 60), (60, 80)], bin="1000006")
    city, told = made(tmp_path, [holed, twin, point, bow], grid())
    assert len(city.footprints) == 1 + 2 + 2
    assert sorted(len(one.rings) for one in city.footprints) == [1, 1, 1, 1, 2]
    assert told["ring", "fewer than three corners, or a corner that is no number"] == 2
    assert told["building", "no outline with an area"] == 1
    assert told["building", "of several outlines, split"] == 2
    assert told["building", "outline crossed itself"] == 1


def test_one_bin_may_have_two_buildings_but_no_outline_counts_twice(tmp_path: Path) -> None:
    two = [today("a", box(100, 100, 130, 130)), today("b", box(140, 100, 170, 130))]
    again = today("a", box(100, 100, 130, 130))
    redrawn = today("c", box(100.5, 100, 130, 130), height_roof="99")
    city, told = made(tmp_path, [*two, again, redrawn], grid())
    assert len(city.footprints) == 2
    assert told["building", "the same row twice"] == 1
    assert told["building", "the outline of its BIN given once more"] == 1


def test_centre_lines_become_streets_with_the_figures_of_the_city(tmp_path: Path) -> None:
    city, _ = made(tmp_path, [FAR], grid())
    centre = find_junction(city, "E 43 St & 5 Av")
    assert centre.name == "East 43rd Street & 5th Avenue"
    assert centre.signal  # an avenue of the grid meets a street
    avenue = next(one for one in city.streets if one.name == "5th Avenue")
    street = next(one for one in city.streets if one.name == "East 43rd Street")
    assert avenue.width == pytest.approx(55 * FOOT, abs=0.01)
    assert (avenue.oneway, avenue.lanes, avenue.forward, avenue.backward) == (True, 3, 3, 0)
    assert avenue.points[0][1] > avenue.points[-1][1]  # against the line as it was drawn
    assert (avenue.bike, avenue.parking) == (1, 1)
    assert (street.oneway, street.lanes, street.forward, street.backward) == (False, 2, 1, 1)
    assert (street.bike, street.parking) == (0, 1)
    assert "ODbL" not in json.dumps(read_header(tmp_path / "pack")["licences"])
    assert "ODbL" not in (tmp_path / "pack" / "NOTICE").read_text()


def test_what_cars_cannot_use_is_no_street() -> None:
    tally = Tally()
    way: Points = [(0, 0), (9, 9)]
    no = [line(way, "PATH", rw_type="6"), line(way, "MALL", "NV"),
          line(way, "PAPER ST", status="3"), line([(5, 5), (5, 5)], "DOT ST")]  # fmt: skip
    assert len(city_roads([*no, *grid()], tally)) == 4
    assert sorted(n for verb, _, _, n in tally.rows() if verb == "dropped") == [1, 1, 1, 1]


def test_streets_at_different_levels_do_not_meet() -> None:
    over = line([(0, -200), (0, 0)], "HIGH LINE", from_level_code="13", to_level_code="14")
    found = city_roads([*grid()[:2], over], Tally())
    assert found[0].end == found[1].start
    assert found[2].end not in (found[0].end, found[0].start)
    assert [row.bridge for row in found] == [False, False, False]
    (tunnel,) = city_roads([line([(0, 0), (9, 0)], "TUBE", rw_type="4")], Tally())
    assert tunnel.tunnel


@pytest.mark.parametrize(
    ("label", "name"),
    [
        ("E  43 ST", "East 43rd Street"), ("W 112 ST", "West 112th Street"),
        ("5 AVE", "5th Avenue"), ("AVENUE A", "Avenue A"),
        ("ST NICHOLAS AVE", "Saint Nicholas Avenue"),
        ("PARK AVE S", "Park Avenue South"), ("FDR DR", "FDR Drive"), ("BROADWAY", "Broadway"),
        ("AVE OF THE AMERICAS", "Avenue Of The Americas"), ("W END AVE", "West End Avenue"),
    ],
)  # fmt: skip
def test_labels_are_spelled_out(label: str, name: str) -> None:
    assert spelled(label) == name


def test_the_two_sides_of_a_street_are_one_name_in_a_junction() -> None:
    assert (
        junction_name(map(spelled, ("E 43 ST", "W 43 ST", "5 AVE"))) == "43rd Street & 5th Avenue"
    )


def test_plain_ways_are_cut_where_they_meet() -> None:
    def way(points: Points, **tags: Any) -> dict[str, Any]:
        return {"properties": {"highway": "residential", **tags},
                "geometry": {"type": "LineString", "coordinates": degrees(points)}}  # fmt: skip

    tally = Tally()
    found = ways([
        way([(-200, 0), (0, 0), (200, 0)], name="West 1st Street", cycleway="lane"),
        way([(0, 200), (0, 0), (0, -200)], name="1st Avenue", oneway="-1", lanes="2"),
        way([(0, 9), (9, 9)], highway="footway"),
    ], tally)  # fmt: skip
    assert len(found) == 4
    middle = found[0].end
    assert [row.start for row in found].count(middle) == 2
    avenue = [row for row in found if row.name == "1st Avenue"]
    assert all(row.oneway and row.points[0][1] < row.points[-1][1] for row in avenue)
    assert [row.bike for row in found] == [1, 1, -1, -1]
    assert tally.rows() == [("dropped", "road", "no road for cars (footway)", 1)]


def test_a_csv_of_footprints_gives_the_same_pack_as_geojson(tmp_path: Path) -> None:
    from shapely.geometry import shape

    houses = [house("a", box(100, 100, 130, 130)), house("b", box(-130, 100, -100, 130))]
    digests = []
    for kind in ("geojson", "csv"):
        source = write(tmp_path / kind, houses, crossroads())
        if kind == "csv":
            (source / "buildings_manhattan.geojson.gz").unlink()
            with (source / "building_footprints.csv").open("w", newline="") as file:
                names = ["the_geom", *houses[0]["properties"]]
                table = csv.DictWriter(file, names)
                table.writeheader()
                for row in houses:
                    wkt = shape(row["geometry"]).wkt
                    table.writerow({"the_geom": wkt, **row["properties"]})
        compile_pack(source, TIMES_SQUARE, tmp_path / f"{kind}-pack")
        digests.append(load(tmp_path / f"{kind}-pack").footprints)
    assert digests[0] == digests[1]
    assert digests[0]


@pytest.mark.parametrize(
    "text",
    [
        'the_geom,BIN\n"POLYGON ((0 0, 1 0",1', 'the_geom,BIN\n"POLYGON', "BIN\n1",
        "the_geom,BIN\n1",
    ],
)  # fmt: skip
def test_a_csv_that_is_cut_short_is_refused(tmp_path: Path, text: str) -> None:
    path = tmp_path / "buildings.csv"
    path.write_text(text)
    with pytest.raises(SourceError, match="does not read"):
        read_table(path)


def test_a_source_that_lost_most_of_its_rows_replaces_nothing(tmp_path: Path) -> None:
    many = [house(str(at), box(20 * at, 100, 20 * at + 15, 120), bin_=f"10001{at:02}")
            for at in range(8)]  # fmt: skip
    out = tmp_path / "pack"
    good = compile_pack(write(tmp_path / "s", many, crossroads()), TIMES_SQUARE, out).digest
    few = write(tmp_path / "s", many[:3], crossroads())
    with pytest.raises(SourceError, match="only 3 buildings where the present pack has 8"):
        compile_pack(few, TIMES_SQUARE, out)
    assert load(out).digest == good
    assert compile_pack(few, TIMES_SQUARE, out, shrink=True).digest == load(out).digest != good


def test_streets_of_openstreetmap_carry_their_licence(tmp_path: Path) -> None:
    source = write(tmp_path / "s", [house("a", box(100, 100, 130, 130))], crossroads())
    compile_pack(source, TIMES_SQUARE, tmp_path / "pack")
    assert "ODbL" in read_header(tmp_path / "pack")["licences"]["streets.bin"]
    assert "openstreetmap.org/copyright" in (tmp_path / "pack" / "NOTICE").read_text()


def test_a_box_near_manhattan_has_the_origin_of_the_other_packs() -> None:
    area = boxed("box", "", -73.99, 40.75, -73.98, 40.76)
    assert (area.latitude, area.longitude) == (TIMES_SQUARE.latitude, TIMES_SQUARE.longitude)
    far = boxed("far", "", -74.25, 40.48, -74.05, 40.65)
    assert far.latitude == pytest.approx(40.565)


def test_a_rows_road_says_nothing_it_does_not_know() -> None:
    row = RoadRow(1, 2, "", "residential", True, 0, 11.0, False, False, ((0.0, 0.0), (1.0, 1.0)))
    assert (row.parking, row.bike, row.width) == (-1, -1, 0.0)
