"""The bundled island: every building of the borough, every street, and no lane through a wall."""

from itertools import pairwise
from pathlib import Path

import pytest

from game.atlas.load import bundled, bundled_names, load, read_header, resolved
from game.atlas.notice import notice
from game.atlas.route import path, route
from game.atlas.streets import find_junction
from game.errors import PackError
from game.world.city import City

FOOT = 0.3048


@pytest.fixture(scope="module")
def island() -> City:
    return load(Path("manhattan"))


def test_it_has_the_buildings_of_the_borough(island: City) -> None:
    # 45,707 rows of the model are the borough's: one is of two outlines, 26 are lower than 8 feet,
    # one has no area, 20 are footbridges over streets.
    assert len(island.footprints) == 45_707 + 1 - 26 - 1 - 20
    tallest = {one.name: one.height for one in island.footprints if one.height > 900 * FOOT}
    assert tallest["Empire State Building"] == pytest.approx(1238.8 * FOOT, abs=0.01)
    heights = sorted(one.height for one in island.footprints)
    assert heights[len(heights) // 2] == pytest.approx(60.6 * FOOT, abs=0.3)


def test_no_lane_is_inside_a_building_and_no_roadway_reaches_one(island: City) -> None:
    shapely = pytest.importorskip("shapely")
    polygons = [shapely.Polygon(one.rings[0], one.rings[1:]) for one in island.footprints]
    tree = shapely.STRtree(polygons)
    lanes = [shapely.LineString(lane.points) for lane in island.lanes]
    assert len(lanes) > 15_000
    assert tree.query(lanes, predicate="dwithin", distance=1.2).shape[1] == 0
    roadways = [
        shapely.LineString(one.points).buffer(one.width / 2.0, cap_style="flat")
        for one in island.streets
        if one.start != one.end
    ]
    pairs = tree.query(roadways, predicate="intersects").T
    assert all(roadways[a].intersection(polygons[b]).area < 0.05 for a, b in pairs)


@pytest.mark.parametrize(
    "name",
    [
        "Broadway & Chambers Street", "Bleecker Street & 6th Avenue", "Canal Street & Broadway",
        "E 14 St & 1 Av", "W 42 St & 7 Av", "E 86 St & Lex", "W 110 St & Amsterdam Avenue",
        "W 125 St & Saint Nicholas Avenue", "W 181 St & Broadway", "Dyckman Street & Broadway",
        "West 207th Street & 10th Avenue",
    ],
)  # fmt: skip
def test_places_from_the_battery_to_inwood_are_found(island: City, name: str) -> None:
    assert find_junction(island, name).streets


@pytest.mark.parametrize(
    ("start", "goal"),
    [
        ("Battery Place & State Street", "W 60 St & Broadway"),
        ("W 60 St & Broadway", "Dyckman Street & Broadway"),
        ("West 207th Street & 10th Avenue", "Battery Place & State Street"),
    ],
)
def test_one_can_drive_from_end_to_end_and_back(island: City, start: str, goal: str) -> None:
    a, b = find_junction(island, start), find_junction(island, goal)
    lanes = route(island, a, b)
    assert all(one.end == other.start for one, other in pairwise(lanes))
    line = path(lanes)
    long = sum(((x - u) ** 2 + (y - v) ** 2) ** 0.5 for (x, y), (u, v) in pairwise(line))
    straight = ((a.x - b.x) ** 2 + (a.y - b.y) ** 2) ** 0.5
    assert straight - 60.0 < long < 1.6 * straight


def test_nearly_every_junction_can_be_reached_from_every_other(island: City) -> None:
    ahead: list[list[int]] = [[] for _ in island.junctions]
    back: list[list[int]] = [[] for _ in island.junctions]
    for lane in island.lanes:
        ahead[lane.start].append(lane.end)
        back[lane.end].append(lane.start)
    heart = find_junction(island, "W 42 St & 7 Av").id
    both = _reached(ahead, heart) & _reached(back, heart)
    assert len(both) > 0.9 * len(island.junctions)


def _reached(ways: list[list[int]], start: int) -> set[int]:
    seen, waiting = {start}, [start]
    while waiting:
        for other in ways[waiting.pop()]:
            if other not in seen:
                seen.add(other)
                waiting.append(other)
    return seen


def test_midtown_is_the_same_in_the_island(island: City, midtown: City) -> None:
    x0, y0, x1, y1 = midtown.bounds
    whole = {one.rings for one in island.footprints}
    own = {one.rings for one in midtown.footprints}
    assert len(own & whole) > 0.995 * len(own)  # a few footbridges are told by another road
    for name in ("W 34 St & 8 Av", "E 57 St & Park Av", "W 50 St & 6 Av"):
        a, b = find_junction(island, name), find_junction(midtown, name)
        assert (a.x, a.y, a.signal) == (b.x, b.y, b.signal)
        assert x0 < a.x < x1
        assert y0 < a.y < y1


def test_rivers_lie_on_both_sides_and_central_park_in_the_middle(island: City) -> None:
    shapely = pytest.importorskip("shapely")
    water = shapely.unary_union([shapely.Polygon(ring) for ring in island.water])
    parks = shapely.unary_union([shapely.Polygon(ring) for ring in island.parks])
    park = find_junction(island, "W 72 St & Central Park West")
    assert parks.contains(shapely.Point(park.x + 150.0, park.y - 80.0))
    for x, y in ((-2500.0, 0.0), (1900.0, -1500.0), (4400.0, 6830.0)):
        assert water.distance(shapely.Point(x, y)) < 300.0
    lanes = [one for one in island.lanes if island.streets[one.street].kind == "residential"]
    wet = [one for one in lanes if water.contains(shapely.Point(one.points[0]))]
    assert len(wet) < 0.002 * len(lanes)


def test_signals_and_figures_of_streets_are_plausible(island: City) -> None:
    assert sum(one.signal for one in island.junctions) == pytest.approx(2814, rel=0.05)
    kerbs = [one for one in island.streets if one.kind == "residential" and one.start != one.end]
    assert 6.0 < sum(one.width for one in kerbs) / len(kerbs) < 12.0
    assert all(one.forward + one.backward == one.lanes >= 1 for one in island.streets)
    assert all((one.backward == 0) == one.oneway for one in island.streets)
    assert {one.parking for one in island.streets} == {0, 1, 2}
    assert not any(one.parking for one in island.streets if one.kind == "motorway")


def test_a_bare_name_is_a_bundled_pack(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert bundled_names() == ("manhattan", "midtown")
    assert resolved(None) == bundled("midtown")
    monkeypatch.chdir(tmp_path)
    assert resolved(Path("manhattan")) == bundled("manhattan")
    (tmp_path / "manhattan").mkdir()  # a folder of that name without a pack in it
    assert resolved(Path("manhattan")) == bundled("manhattan")
    (tmp_path / "manhattan" / "pack.json").write_text("{}")
    assert resolved(Path("manhattan")) == Path("manhattan")
    assert resolved(tmp_path / "manhattan") == tmp_path / "manhattan"
    with pytest.raises(PackError, match="there are: manhattan, midtown"):
        load(Path("manhatan"))


def test_the_packs_are_small() -> None:
    size = sum(path.stat().st_size for path in bundled("manhattan").iterdir())
    assert size <= 5_000_000


def test_every_bundled_pack_carries_its_terms() -> None:
    for name in bundled_names():
        header = read_header(bundled(name))
        text = (bundled(name) / "NOTICE").read_text(encoding="utf-8")
        assert text == notice(header["title"], header["licences"])
        assert "Open Database License" in text
