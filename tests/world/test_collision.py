"""The union rule, courtyards, corners, and the clearance that only saves time."""

import json
import math
from pathlib import Path
from random import Random

import pytest

from game.atlas.load import load as load_city
from game.world import collision
from game.world.city import City
from game.world.collision import PAD, SAMPLES, Obstacles, obstacles_of, overlap
from game.world.entity import BODIES, CORNER
from game.world.geometry import area, edges_of, inside
from game.world.golden import town

from .street import box, city_of, hole

BLOCK = city_of((box(0.0, 0.0, 10.0, 10.0),))
COURT = city_of((box(0.0, 0.0, 30.0, 30.0), hole(10.0, 10.0, 20.0, 20.0)))
SHARED = Path(__file__).parents[2].parent / "shared" / "city" / "buildings_midtown.geojson"


def test_a_corner_between_two_samples_is_a_hit() -> None:
    # a right angle whose tip points half-way between the samples at 0 and 45 degrees
    tip = math.pi / 8.0
    legs = [(10.0 * math.cos(tip + turn), 10.0 * math.sin(tip + turn)) for turn in (-0.785, 0.785)]
    x, y = -0.55 * math.cos(tip), -0.55 * math.sin(tip)
    corner = (((0.0, 0.0), *legs),)
    nine = [(x, y)] + [(x + c, y + s) for c, s in SAMPLES]
    assert not any(inside(*point, edges_of(corner)) for point in nine)  # what nine points say
    assert Obstacles(city_of(corner)).hit(x, y, 1.0) == 100
    assert Obstacles(city_of(corner)).hit_union(x, y, 1.0) == (100, -1)


def test_a_disc_touches_at_exactly_its_radius() -> None:
    obstacles = Obstacles(BLOCK)
    assert obstacles.hit(-1.5, 5.0, 1.5) == 100
    assert obstacles.hit(-1.5000001, 5.0, 1.5) == -1


@pytest.mark.parametrize(("x", "y"), [(10.6, 10.8), (-0.6, 10.8), (-0.6, -0.8), (10.6, -0.8)])
def test_a_disc_touches_a_corner_at_exactly_its_radius(x: float, y: float) -> None:
    assert Obstacles(BLOCK).hit(x, y, 1.000001) == 100
    assert Obstacles(BLOCK).hit(x, y, 0.999999) == -1


def test_a_disc_deep_inside_a_building_is_a_hit() -> None:
    assert Obstacles(BLOCK).hit(5.0, 5.0, 0.1) == 100


def test_the_side_of_a_contact_is_that_of_the_sample_inside() -> None:
    obstacles = Obstacles(BLOCK)
    assert obstacles.hit_union(5.0, 5.0, 1.0) == (100, 0)
    assert obstacles.hit_union(-0.5, 5.0, 1.0) == (100, 1)  # touches with its east
    assert obstacles.hit_union(5.0, -0.9, 1.0) == (100, 3)  # with its north


def test_a_courtyard_is_free_and_its_walls_are_not() -> None:
    obstacles = Obstacles(COURT)
    assert obstacles.hit(15.0, 15.0, 4.9) == -1
    assert obstacles.hit(15.0, 15.0, 5.1) == 100
    assert obstacles.clearance(15.0, 15.0) == pytest.approx(5.0)


def test_clearance_is_the_distance_to_the_wall_and_zero_inside() -> None:
    obstacles = Obstacles(BLOCK)
    assert obstacles.clearance(13.0, 14.0) == pytest.approx(5.0)
    assert obstacles.clearance(5.0, 5.0) == 0.0
    assert obstacles.clearance(500.0, 500.0) == PAD


def test_a_disc_wider_than_the_grid_knows_misses_nothing() -> None:
    assert Obstacles(BLOCK).hit(5.0, 10.0 + 4.0 * PAD, 4.0 * PAD + 0.1) == 100
    assert Obstacles(BLOCK).hit(5.0, 10.0 + 4.0 * PAD, 4.0 * PAD - 0.1) == -1


def test_the_first_footprint_of_the_city_answers_for_two() -> None:
    both = city_of((box(0.0, 0.0, 10.0, 10.0),), (box(11.0, 0.0, 20.0, 10.0),))
    assert Obstacles(both).hit(10.5, 5.0, 1.0) == 100
    assert Obstacles(both).hit(10.5, 5.0, 0.4) == -1


def test_a_footprint_that_is_a_single_point_is_left_out() -> None:
    assert Obstacles(city_of((((1.0, 1.0),) * 3,))).hit(1.0, 1.0, 1.0) == -1


def test_an_empty_city_has_no_walls() -> None:
    assert Obstacles(city_of()).hit(0.0, 0.0, 3.0) == -1
    assert Obstacles(city_of()).clearance(0.0, 0.0) == PAD


def test_a_city_is_laid_out_once() -> None:
    assert obstacles_of(BLOCK) is obstacles_of(BLOCK)
    assert obstacles_of(BLOCK) is not obstacles_of(COURT)


def walks(city: City) -> list[tuple[int, str, float, float, float]]:
    """Eleven bodies wandering about, also through walls, half of the poses near one."""
    dice = Random(4)
    x0, y0, x1, y1 = city.bounds
    poses = []
    for entity, body in enumerate(("sedan", "bus", "pedestrian", "van", "bicycle") * 2):
        x, y, heading = dice.uniform(x0, x1), dice.uniform(y0, y1), dice.uniform(-3.0, 3.0)
        for _ in range(1500):
            run = dice.choice((0.0, 0.02, 0.25, 0.25, 1.5))
            heading += dice.uniform(-0.2, 0.2)
            x, y = x + run * math.cos(heading), y + run * math.sin(heading)
            poses.append((entity, body, x, y, heading))
    return poses


def test_a_remembered_clearance_changes_no_answer() -> None:
    city = town()
    fresh, remembering = Obstacles(city, remember=False), Obstacles(city)
    answers = {-1: 0}
    for entity, body, x, y, heading in walks(city):
        truth = fresh.row_hit(entity, BODIES[body], x, y, heading)
        assert remembering.row_hit(entity, BODIES[body], x, y, heading) == truth
        answers[truth] = answers.get(truth, 0) + 1
    assert answers[-1] > 1000
    assert len(answers) > 5


def test_a_remembered_clearance_saves_the_questions(monkeypatch: pytest.MonkeyPatch) -> None:
    obstacles = Obstacles(BLOCK)
    asked = []
    monkeypatch.setattr(collision.Obstacles, "clearance", lambda *a: asked.append(a) or 11.0)
    for k in range(100):
        assert obstacles.row_hit(0, BODIES["sedan"], -20.0 + 0.1 * k, 30.0, 0.0) == -1
    assert len(asked) == 2  # 11 m less the cover, twice over 10 m


def test_two_rows_of_discs_meet_bumper_to_bumper() -> None:
    sedan = BODIES["sedan"]
    radius = sedan.discs[0][1]
    along = sedan.discs[-1][0]
    depth = overlap(sedan, 0.0, 0.0, 0.0, sedan, 5.0, 0.0, math.pi)
    assert depth == pytest.approx(2.0 * (radius + along) - 5.0)


def outline(length: float, width: float) -> list[tuple[float, float]]:
    """Points of one quarter of a box with rounded corners."""
    corner = CORNER * width
    mx, my = length / 2.0 - corner, width / 2.0 - corner
    points = [(mx * k / 50.0, width / 2.0) for k in range(51)]
    points += [(length / 2.0, my * k / 10.0) for k in range(11)]
    turns = [k * math.pi / 40.0 for k in range(21)]
    return points + [(mx + corner * math.cos(t), my + corner * math.sin(t)) for t in turns]


@pytest.mark.parametrize("name", list(BODIES))
def test_discs_cover_the_outline_of_every_body_and_little_more(name: str) -> None:
    body = BODIES[name]
    for x, y in outline(body.length, body.width):
        assert any(math.hypot(x - a, y) <= r + 1e-9 for a, r in body.discs)
    for along, r in body.discs:
        assert r - body.width / 2.0 < 0.1 * body.width
        assert abs(along) + r - body.length / 2.0 < 0.1 * body.width
        assert abs(along) + r <= body.cover + 1e-12


def real_midtown() -> City:
    """The 374 footprints of the shared data about Times Square, in metres."""
    if not SHARED.is_file():
        pytest.skip(f"the shared city data is not there: {SHARED}")
    shapes = []
    for feature in json.loads(SHARED.read_text())["features"]:
        polygons = feature["geometry"]["coordinates"]
        if feature["geometry"]["type"] == "Polygon":
            polygons = [polygons]
        for rings in polygons:
            shapes.append(
                tuple(
                    tuple(((p[0] + 73.98) * 84390.0, (p[1] - 40.755) * 111040.0) for p in ring[:-1])
                    for ring in rings
                )
            )
    return city_of(*shapes)


def check_against_geos(city: City, queries: int, dice: Random) -> int:
    shapely = pytest.importorskip("shapely")
    shapes = [shapely.Polygon(f.rings[0], f.rings[1:]) for f in city.footprints]
    tree, obstacles = shapely.STRtree(shapes), Obstacles(city)
    corners = [p for f in city.footprints for ring in f.rings for p in ring]
    hits = 0
    for k in range(queries):
        x, y = dice.choice(corners)  # near facades, where it is difficult
        x, y = x + dice.gauss(0.0, 3.0), y + dice.gauss(0.0, 3.0)
        r = dice.choice((0.3, 1.0, 1.1, 1.5, 2.0))
        where = shapely.Point(x, y)
        nearest = shapes[tree.nearest(where)]
        distance = shapely.distance(where, nearest)
        if abs(distance - r) < 1e-9:
            continue
        hit = obstacles.hit(x, y, r)
        assert (hit >= 0) == (distance <= r), (x, y, r)
        assert obstacles.clearance(x, y) == pytest.approx(min(distance, PAD), abs=1e-9)
        if k % 20 == 0:  # the rule spelt out is a hundred times slower
            assert obstacles.hit_union(x, y, r)[0] == hit
        hits += hit >= 0
    return hits


def test_every_answer_on_real_footprints_is_that_of_geos() -> None:
    assert check_against_geos(real_midtown(), 20_000, Random(7)) > 5_000


@pytest.mark.slow
@pytest.mark.timeout(1200)  # on a busy machine it takes longer than others may
def test_a_hundred_thousand_answers_in_midtown_are_those_of_geos() -> None:
    assert check_against_geos(load_city(), 100_000, Random(9)) > 25_000


def test_every_answer_in_the_town_is_that_of_geos() -> None:
    assert check_against_geos(town(), 4_000, Random(8)) > 1_000


def test_area_counts_anticlockwise_as_positive() -> None:
    assert area(box(2.0, 1.0, 5.0, 3.0)) == 6.0
    assert area(hole(2.0, 1.0, 5.0, 3.0)) == -6.0
