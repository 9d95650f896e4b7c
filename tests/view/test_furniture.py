"""Where furniture stands in Midtown, judged by shapely: off lanes, roadways and buildings."""

from collections.abc import Iterator

import numpy as np
import pytest
import shapely
from shapely.geometry import LineString, Polygon

from game.atlas.load import load
from game.view import fittings, furniture, kerbs, mouths, parked, scenery, streets
from game.view.furniture import Kind, Pieces
from game.view.mesh import box, join, thrifty
from game.view.mouths import Half
from game.view.room import Room
from game.world.city import City
from game.world.entity import BODIES
from tests.view.boxes import box_city

CARS = 10_000


@pytest.fixture(scope="module")
def city() -> City:
    return load()


@pytest.fixture(scope="module")
def parts(city: City) -> list[Half]:
    return mouths.halves(city)


@pytest.fixture(scope="module")
def room(city: City) -> Room:
    return Room(city)


@pytest.fixture(scope="module")
def pieces(city: City, parts: list[Half], room: Room) -> Pieces:
    return scenery.lay_out(city, parts, room)


@pytest.fixture(scope="module")
def walls(city: City) -> Iterator[shapely.STRtree]:
    rings = [shapely.make_valid(Polygon(f.rings[0], f.rings[1:])) for f in city.footprints]
    return shapely.STRtree(rings)


def rectangles(pieces: Pieces) -> list[Polygon]:
    cars = pieces.only(pieces.kind == Kind.CAR)
    found = []
    for x, y, heading, variant in zip(*cars.place.T, cars.heading, cars.variant, strict=True):
        body = BODIES[parked.BODY[variant]]
        c, s = np.cos(heading), np.sin(heading)
        corner = [(a * body.length / 2, b * body.width / 2)
                  for a, b in ((-1, -1), (1, -1), (1, 1), (-1, 1))]  # fmt: skip
        found.append(Polygon([(x + a * c - b * s, y + a * s + b * c) for a, b in corner]))
    return found


def overlaps(tree: shapely.STRtree, shapes: list[Polygon]) -> int:
    return len(tree.query(shapes, predicate="intersects")[0])


def test_no_parked_car_touches_a_lane_or_a_building(
    city: City, pieces: Pieces, walls: shapely.STRtree
) -> None:
    cars = rectangles(pieces)
    assert len(cars) > CARS
    lanes = [LineString(lane.points).buffer(lane.width / 2) for lane in city.lanes]
    assert overlaps(shapely.STRtree(lanes), cars) == 0
    assert overlaps(walls, cars) == 0


def test_no_parked_car_touches_another(pieces: Pieces) -> None:
    cars = rectangles(pieces)
    first, second = shapely.STRtree(cars).query(cars, predicate="intersects")
    assert (first == second).all()


def test_no_pole_tree_or_hydrant_stands_on_a_roadway_or_in_a_building(
    city: City, pieces: Pieces, walls: shapely.STRtree
) -> None:
    standing = pieces.only(pieces.kind != Kind.CAR)
    points = shapely.points(standing.place).tolist()
    for kind, least in ((Kind.TREE, 3000), (Kind.LAMP, 3000), (Kind.HYDRANT, 1000)):
        assert (standing.kind == kind).sum() > least
    roads = [LineString(s.points).buffer(s.width / 2) for s in city.streets]
    lanes = [LineString(lane.points).buffer(lane.width / 2) for lane in city.lanes]
    tree = shapely.STRtree(points)
    for shapes in (roads, lanes, list(walls.geometries)):
        assert overlaps(tree, shapes) == 0


def test_cars_face_the_way_that_their_street_goes(city: City, pieces: Pieces) -> None:
    cars = pieces.only(pieces.kind == Kind.CAR)
    oneway = [s for s in city.streets if s.oneway and s.kind == "residential"]
    tree = shapely.STRtree([LineString(s.points) for s in oneway])
    some = shapely.points(cars.place[:400])
    index, away = tree.query_nearest(some, return_distance=True, all_matches=False)
    checked = 0
    for car, street, far in zip(index[0], index[1], away, strict=True):
        (ax, ay), (bx, by) = oneway[street].points[0], oneway[street].points[-1]
        if far > oneway[street].width / 2 or len(oneway[street].points) > 2:
            continue
        along = np.cos(cars.heading[car]) * (bx - ax) + np.sin(cars.heading[car]) * (by - ay)
        assert along > 0
        checked += 1
    assert checked > 20


def test_trees_grow_in_the_parks_and_not_in_their_buildings(
    city: City, room: Room, walls: shapely.STRtree
) -> None:
    trees = furniture.wood(city, room)
    parks = shapely.STRtree([Polygon(ring).buffer(0.01) for ring in city.parks])
    points = shapely.points(trees.place).tolist()
    inside = parks.query(points, predicate="intersects")[0]
    assert len(np.unique(inside)) == len(points) > 500
    assert overlaps(walls, points) == 0


def test_a_layout_follows_from_the_city_alone(city: City, parts: list[Half], room: Room) -> None:
    again = scenery.lay_out(city, mouths.halves(city), Room(city))
    first = scenery.lay_out(city, parts, room)
    assert np.array_equal(first.place, again.place)
    assert np.array_equal(first.kind, again.kind)
    draws = furniture.draw(7, np.arange(20_000))
    assert abs(draws.mean() - 0.5) < 0.01
    assert abs(np.histogram(draws, 10, (0, 1))[0] - 2000).max() < 200


def test_no_kerb_crosses_a_roadway(city: City, parts: list[Half], room: Room) -> None:
    vertices, _ = kerbs.kerbs(parts, streets.lines(parts), room)
    faces = vertices["place"].reshape(-1, 8, 3)[:, :4].astype(float)
    assert ((faces[..., 2] > 0).sum(1) == 2).all()
    tops = faces[faces[..., 2] > 0].reshape(-1, 2, 3)
    assert np.allclose(tops[..., 2], kerbs.HEIGHT)
    edges = shapely.linestrings(tops[:, :, :2])
    roads = [LineString(s.points).buffer(s.width / 2 - 0.3) for s in city.streets]
    hit, road = shapely.STRtree(roads).query(edges, predicate="intersects")
    length = sum(shapely.intersection(edges[h], roads[r]).length for h, r in
                 zip(hit[:2000], road[:2000], strict=True))  # fmt: skip
    assert length < 0.001 * shapely.length(edges).sum()


def test_walls_know_inside_from_outside() -> None:
    room = Room(box_city())
    points = np.array([(-40.0, 30.0), (-40.0, 19.0), (70.0, 0.0), (59.5, 0.0), (0.0, 0.0)])
    assert room.walls.inside(points).tolist() == [True, False, True, False, False]
    assert room.walls.near(points, 1.2).tolist() == [False, True, False, True, False]
    assert room.roads.touched(points, 0.0).tolist() == [False, False, False, False, True]


@pytest.mark.parametrize("kind", [Kind.TREE, Kind.LAMP, Kind.CAR])
def test_what_is_seen_from_afar_lies_inside_what_is_seen_near(kind: Kind) -> None:
    for variant in range(4 if kind == Kind.TREE else len(parked.BODY) if kind == Kind.CAR else 1):
        for coarse in (False, True):
            far = fittings.far(kind, variant, coarse)
            assert far is not None
            low, high = far[0]["place"].min(0), far[0]["place"].max(0)
            if kind == Kind.CAR:
                body = BODIES[parked.BODY[variant]]
                assert high[0] - low[0] < body.length
                assert high[1] - low[1] < body.width
                assert high[2] < body.height
            else:
                near = fittings.near(kind, variant)
                assert near is not None
                assert (low >= near[0]["place"].min(0) - 0.02).all()
                assert (high <= near[0]["place"].max(0) + 0.02).all()


def test_a_thrifty_mesh_has_the_same_triangles_each_of_its_own_look() -> None:
    mesh = join(
        [
            box((0, 0, 0), (2, 3, 4), (9, 8, 7, 6), kind=3),
            box((2, 0, 0), (3, 3, 4), (1, 2, 3, 4), kind=5, joint=2),
        ]
    )

    def triangles(vertices: np.ndarray, indices: np.ndarray) -> set[tuple[object, ...]]:
        found = set()
        for corner in vertices[indices].reshape(-1, 3):
            places = [tuple(p) for p in corner["place"].tolist()]
            turn = places.index(min(places))  # the same triangle whichever corner comes first
            last = corner[2]
            look = tuple(last[name].tobytes() for name in ("facing", "paint", "label"))
            found.add((*places[turn:], *places[:turn], *look))
        return found

    small = thrifty(mesh)
    assert triangles(*small) == triangles(*mesh)
    assert len(small[0]) < len(mesh[0]) / 2
