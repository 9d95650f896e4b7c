"""Label planes against geometry worked out by hand."""

from math import radians, tan

import numpy as np
import pytest

from game.session.protocols import CHANNELS
from game.view.camera import Eye
from game.view.labels import (
    FIRST_FURNITURE,
    Train,
    building_instance,
    entity_instance,
    furniture_instance,
    instance_bytes,
)
from game.view.renderer import SceneRenderer
from game.world.entity import BODIES, EntityState
from game.world.signals import Light, axis_of, light, place_of
from tests.view.boxes import PROFILE, WALL_AHEAD, state_at

pytestmark = pytest.mark.render
ALL = list(CHANNELS)
SIZE = 480
FOCAL = SIZE / 2 / tan(radians(PROFILE.fov_degrees) / 2)


def at_wall(distance: float) -> Eye:
    """Level, straight at the wall that closes the street."""
    return Eye(WALL_AHEAD - distance, 0.0, 1.7, 0.0, 0.0)


def test_a_wall_ten_metres_away_measures_ten_metres(renderer: SceneRenderer) -> None:
    found = renderer.render_from(at_wall(10.0), state_at(-90.0), ["depth", "normal"], SIZE, SIZE)
    middle = found["depth"][200:280, 200:280]
    assert abs(middle - 10.0).max() < 0.01
    assert np.allclose(found["normal"][240, 240], (-1.0, 0.0, 0.0), atol=1e-6)


def test_a_box_covers_exactly_the_pixels_that_its_corners_enclose(
    renderer: SceneRenderer,
) -> None:
    eye = at_wall(50.0)
    found = renderer.render_from(eye, state_at(-90.0), ["instance", "class"], SIZE, SIZE)
    # pixel centres of the front wall: y in -20..20, z in 0..30, 50 m away
    across = -(np.arange(SIZE) + 0.5 - SIZE / 2) / FOCAL * 50.0
    up = -(np.arange(SIZE) + 0.5 - SIZE / 2) / FOCAL * 50.0 + eye.z
    wall = (np.abs(across) < 20.0)[None, :] & ((up > 0.0) & (up < 30.0))[:, None]
    drawn = found["instance"] == building_instance(7)
    poles = np.isin(found["class"], (Train.POLE, Train.TRAFFIC_LIGHT))
    poles |= found["instance"] >= FIRST_FURNITURE
    assert wall.sum() > 50_000
    assert (drawn != wall)[~poles].sum() == 0
    assert (found["class"][drawn] == Train.BUILDING).all()


def test_planes_agree_with_each_other_at_every_pixel(renderer: SceneRenderer) -> None:
    cars = tuple(EntityState(i, "bus", -60.0 + 14 * i, 3.0, 3.14159, 0.0) for i in (1, 2, 300))
    state = state_at(-75.0, actors=cars)
    found = renderer.render(state, ALL, SIZE, SIZE, previous=state)
    kinds, ids, depth = found["class"], found["instance"], found["depth"]
    assert set(np.unique(kinds)) <= {int(k) for k in Train}
    known = {building_instance(i) for i in (7, 300, 70000)} | {
        entity_instance(i) for i in (1, 2, 0)
    }
    furniture = ids >= FIRST_FURNITURE
    assert set(np.unique(ids[~furniture])) <= known | {0, entity_instance(300)}
    built = (ids >= building_instance(0)) & ~furniture
    assert ((kinds == Train.BUILDING) == built).all()
    things = (Train.CAR, Train.VEGETATION, Train.POLE, Train.TRAFFIC_SIGN, Train.IGNORE)
    assert set(np.unique(kinds[furniture])) <= set(things)
    assert ((kinds == Train.BUS) == np.isin(ids, [entity_instance(c.id) for c in cars])).all()
    assert ((kinds == Train.SKY) == (depth > PROFILE.far * 0.999)).all()
    norms = np.linalg.norm(found["normal"], axis=-1)
    assert (abs(norms[kinds != Train.SKY] - 1.0) < 0.02).all()


def test_shapes_and_types_are_those_of_the_protocol(renderer: SceneRenderer) -> None:
    found = renderer.render(state_at(-60.0), ALL, 96, 64, previous=state_at(-61.0))
    assert [(found[c].shape, found[c].dtype.name) for c in ALL] == [
        ((64, 96, 3), "uint8"),
        ((64, 96), "uint8"),
        ((64, 96), "uint32"),
        ((64, 96), "float32"),
        ((64, 96, 3), "float32"),
        ((64, 96, 2), "float32"),
    ]
    with pytest.raises(ValueError, match="no channel 'heat'"):
        renderer.render(state_at(-60.0), ["heat"], 96, 64)


@pytest.mark.parametrize("ahead", [12.0, 30.0])
def test_an_actor_is_drawn_where_the_state_says(renderer: SceneRenderer, ahead: float) -> None:
    car = EntityState(5, "sedan", -90.0 + ahead, 3.0, 0.0, 0.0)
    eye = Eye(-90.0, 0.0, 1.5, 0.0, 0.0)
    state = state_at(80.0, y=60.0, actors=(car,))
    ids = renderer.render_from(eye, state, ["instance"], SIZE, SIZE)["instance"]
    rows, columns = np.nonzero(ids == entity_instance(5))
    rear = ahead - 2.35
    left = SIZE / 2 - (3.0 + 0.925) / rear * FOCAL
    wheels = ahead - BODIES["sedan"].wheelbase / 2
    bottom = SIZE / 2 + 1.5 / wheels * FOCAL
    assert abs(columns.min() - left) < 0.12 / rear * FOCAL + 1.5  # mirrors stand out a little
    assert abs(rows.max() + 1 - bottom) < 1.5  # wheels touch the ground


@pytest.mark.parametrize("heading", [0.6, -0.6])
def test_an_actor_points_where_its_heading_says(renderer: SceneRenderer, heading: float) -> None:
    bus = EntityState(6, "bus", -60.0, 0.0, heading, 0.0)
    eye = Eye(-90.0, 0.0, 1.5, 0.0, 0.0)
    state = state_at(80.0, y=60.0, actors=(bus,))
    found = renderer.render_from(eye, state, ["instance", "depth"], SIZE, SIZE)
    mask = found["instance"] == entity_instance(6)
    columns, depth = np.nonzero(mask)[1], found["depth"][mask]
    leftwards = columns[depth > 32.0].mean() - columns[depth < 28.0].mean()
    assert leftwards * heading < -20.0  # a positive heading turns its far end to the left


@pytest.mark.parametrize(("footprint", "heading"), [(300, radians(90)), (70000, radians(-90))])
def test_each_building_carries_its_own_number(
    renderer: SceneRenderer, footprint: int, heading: float
) -> None:
    eye = Eye(-40.0, 0.0, 5.0, heading, 0.2)
    found = renderer.render_from(eye, state_at(80.0), ["instance", "class"], 64, 64)
    assert found["instance"][32, 32] == building_instance(footprint)
    assert found["class"][32, 32] == Train.BUILDING


def test_who_is_gone_is_not_drawn(renderer: SceneRenderer) -> None:
    car = EntityState(5, "taxi", -70.0, 3.0, 0.0, 0.0)
    with_car = renderer.render(state_at(-90.0, actors=(car,)), ["instance"], SIZE, SIZE)
    without = renderer.render(state_at(-90.0), ["instance"], SIZE, SIZE)
    assert entity_instance(5) in with_car["instance"]
    assert entity_instance(5) not in without["instance"]


def test_a_shadow_darkens_the_road_and_leaves_its_label(renderer: SceneRenderer) -> None:
    found = renderer.render(state_at(-60.0), ["class", "colour"], SIZE, SIZE)
    rows, columns = np.nonzero(found["class"] == Train.CAR)
    below, middle = rows.max() + 2, int(columns.mean())
    assert found["class"][below, middle] == Train.ROAD
    assert found["colour"][below, middle].sum() < found["colour"][470, 30].sum() * 0.8


@pytest.mark.parametrize("value", list(Light))
def test_signal_heads_show_the_light_of_the_tick(renderer: SceneRenderer, value: Light) -> None:
    axis = axis_of(0.0)
    tick = next(t for t in range(0, 5000, 20) if light(place_of("J1"), axis, t) == value)
    state = state_at(-30.0, tick=tick)
    found = renderer.render(state, ["class", "colour", "normal"], 960, 960)
    ours = found["normal"][..., 0] < -0.99  # faces who comes along the street, not who crosses it
    head = found["colour"][(found["class"] == Train.TRAFFIC_LIGHT) & ours].astype(int)
    red, green, blue = head.T
    lit = {
        Light.RED: (red > 200) & (green < 110),
        Light.AMBER: (red > 220) & (green > 150) & (blue < 100) & (green < 205),
        Light.GREEN: (green > 200) & (red < 140),
    }
    assert lit[value].sum() > 3
    other = Light.GREEN if value != Light.GREEN else Light.RED
    assert lit[other].sum() == 0


def test_legs_move_with_the_way_gone_and_not_with_time(renderer: SceneRenderer) -> None:
    def picture(tick: int, gone: float) -> bytes:
        walker = EntityState(4, "pedestrian", -50.0, -5.0, 1.57, 1.4)
        state = state_at(-58.0, tick=tick, actors=(walker,), progress=((4, gone),))
        eye = Eye(-54.0, -5.0, 1.2, 0.0, 0.0)
        return renderer.render_from(eye, state, ["class"], 120, 120)["class"].tobytes()

    assert picture(0, 0.3) == picture(3, 0.3)
    assert picture(0, 0.3) != picture(0, 0.65)


def test_instances_refuse_what_does_not_fit() -> None:
    assert instance_bytes(0x012345) == (0x45, 0x23, 0x01)
    with pytest.raises(ValueError, match="does not fit"):
        entity_instance(65535)
    with pytest.raises(ValueError, match="does not fit"):
        building_instance(0xFFFFFF)
    with pytest.raises(ValueError, match="does not fit"):
        furniture_instance(0x800000)


def test_no_two_kinds_of_thing_share_an_instance() -> None:
    assert entity_instance(65534 - 1) < building_instance(0)
    assert building_instance(0x7EFFFF) < furniture_instance(0)
    assert entity_instance(furniture_instance(12)) == furniture_instance(12)
