"""The look: light by hour and weather, facades that fit, roofs and towers, what is left undrawn."""

from dataclasses import replace
from itertools import pairwise

import numpy as np
import pytest

from game.session.format import WEATHERS, CaptureProfile
from game.session.protocols import CHANNELS
from game.view import buildings, houses, rooftops, skyline
from game.view.actors import Actors
from game.view.camera import Eye, eye, standing
from game.view.daylight import look
from game.view.frontage import Frontage
from game.view.labels import Train, building_instance
from game.view.mesh import join
from game.view.people import VARIANTS, walker
from game.view.renderer import SceneRenderer
from game.world.city import City, Footprint
from game.world.entity import BODIES, EntityState
from tests.view.boxes import box, box_city, state_at

PLAIN = [c for c in CHANNELS if c != "flow"]  # flow needs two states
LABELS = [c for c in PLAIN if c != "colour"]
NIGHT = CaptureProfile(hour=23.0)
RAIN = CaptureProfile(hour=23.0, weather="rain")
CROWD = tuple(
    EntityState(i, body, -70.0 + 9.0 * i, 3.0 * (i % 3) - 3.0, 0.3 * i, 3.0)
    for i, body in enumerate(("taxi", "fire_engine", "pedestrian", "bicycle", "bus"), 1)
)


def tower_city() -> City:
    """The city of boxes with houses of known ages and names along the street."""
    houses = (
        box(7, 60.0, -20.0, 80.0, 20.0, 30.0),
        replace(box(300, -60.0, 14.0, -20.0, 54.0, 20.0), year=1905),
        replace(box(301, -110.0, 14.0, -62.0, 60.0, 150.0), year=1930),
        replace(box(302, -60.0, -60.0, -20.0, -14.0, 378.0), name="Empire State Building",
                year=1931, top=443.0),
        replace(box(70000, -110.0, -60.0, -64.0, -14.0, 48.0), top=242.0, year=1963),
    )  # fmt: skip
    return replace(box_city(), footprints=houses)


def made(city: City) -> tuple[list[buildings.Cell], np.ndarray]:
    cells = buildings.cells(city.footprints, Frontage(city.streets))
    return cells, np.concatenate([c.walls[0] for c in cells] + [c.tops[0] for c in cells])


def test_light_follows_the_hour_and_the_weather() -> None:
    noon, night = look(CaptureProfile()), look(NIGHT)
    assert sum(night.fill) < sum(noon.fill) / 2
    assert sum(night.sun) == 0.0 < sum(noon.sun)
    assert noon.night == 0.0
    assert night.night == 1.0
    assert not {"NIGHT", "WET"} & set(noon.features)
    assert {"NIGHT", "WET"} < set(look(RAIN).features)
    assert look(CaptureProfile(weather="fog")).haze[2] > 10 * look(RAIN).haze[2] / 4
    for hour in np.linspace(0.0, 24.0, 97):
        for weather in WEATHERS:
            light = look(CaptureProfile(hour=float(hour), weather=weather))
            assert all(0.0 <= v <= 1.1 for v in (*light.fill, *light.low, *light.high, *light.sun))
            assert abs(sum(v * v for v in light.toward) - 1.0) < 1e-9


@pytest.mark.parametrize(("hour", "weather"), [(25.0, "clear"), (-1.0, "clear"), (9.0, "hail")])
def test_an_hour_or_weather_that_cannot_be_is_refused(hour: float, weather: str) -> None:
    with pytest.raises(ValueError, match=r"hour|weather"):
        look(CaptureProfile(hour=hour, weather=weather))


def test_bays_fit_every_wall_and_storeys_every_tier() -> None:
    cells, _ = made(tower_city())
    quads = np.concatenate([c.walls[0].reshape(-1, 4) for c in cells])
    bays = quads["span"][:, :, 0].max(1)
    width = np.linalg.norm(np.diff(quads["place"][:, :2, :2], axis=1)[:, 0], axis=1)
    assert np.array_equal(bays, np.rint(bays))
    style = quads["facing"][:, 0, 3] % buildings.STREET
    windowed = (style != buildings.BLANK) & (width > 8.0)
    typical = buildings.BAY[style[windowed]]
    assert (abs(width[windowed] / bays[windowed] / typical - 1.0) < 0.25).all()
    whole = [b for f, b in ((20.0, 300), (378.0, 302), (150.0, 301)) if f]
    for ident in whole:
        own = quads[quads["label"][:, 0, 0] == (building_instance(ident) & 255)]
        last = own["span"][:, 2, 1].max()
        assert abs(last - round(float(last))) < 1e-3  # the roof lies on a storey line


def test_shops_are_on_walls_that_face_a_street_and_nowhere_else() -> None:
    city = tower_city()
    cells = buildings.cells(city.footprints, Frontage(city.streets))
    shops = np.concatenate([c.shops[0].reshape(-1, 4) for c in cells])
    assert len(shops) > 3
    assert shops["place"][..., 2].max() <= np.float32(buildings.SHOP)
    front = Frontage(city.streets)
    middle = np.array([[-40.0, 14.0], [-40.0, 54.0], [-40.0, -14.0]])
    normal = np.array([[0.0, -1.0], [0.0, 1.0], [0.0, 1.0]])
    assert front.faces(middle, normal).tolist() == [True, False, True]


def test_an_old_tower_steps_back_and_a_famous_one_has_its_own_shape() -> None:
    city = tower_city()
    by_name = {f.id: f for f in city.footprints}
    steps = skyline.blocks(by_name[301], 0, 0)
    areas = [abs(skyline._area(b.rings[0])) for b in steps]
    assert len(steps) > 2
    assert areas == sorted(areas, reverse=True)
    assert steps[-1].top == 150.0
    assert all(low.top == high.base for low, high in pairwise(steps))
    assert len(skyline.blocks(by_name[302], 0, 0)) > 6
    mast = skyline.crown(by_name[302], np.zeros(4, np.uint8), np.zeros(3, np.uint8))
    assert mast is not None
    assert 443.0 <= mast[0]["place"][:, 2].max() <= 444.0
    podium = skyline.blocks(by_name[70000], 0, 0)
    assert [b.top for b in podium] == [48.0, 242.0]


def test_what_stands_on_a_roof_lies_within_its_outline_and_has_its_number() -> None:
    square = Footprint(5, (((0.0, 0.0), (30.0, 0.0), (30.0, 24.0), (0.0, 24.0)),), 40.0, year=1920)
    block = skyline.Block(0, square.rings, 0.0, 40.0)
    roof = buildings.roofs([block], buildings.looks([square]))
    kinds = 0
    for draw in range(1, 40):
        for quads, _ in rooftops.fittings(
            roof, np.array([1920]), np.array([40.0]), np.array([draw]), np.zeros((1, 3), np.uint8)
        ):
            kinds += len(quads)
            assert (quads["place"][..., :2] > 0.0).all()
            assert (quads["place"][..., :2] < (30.0, 24.0)).all()
            assert quads["place"][..., 2].min(initial=40.0) >= 40.0
    assert kinds > 20
    _, vertices = made(tower_city())
    assert (vertices["label"][:, 3] == Train.BUILDING).all()


def test_people_differ_and_all_stand_on_the_ground() -> None:
    sizes = set()
    for variant in range(VARIANTS):
        vertices, _ = join(walker(BODIES["pedestrian"], variant))
        sizes.add(len(vertices))
        assert abs(vertices["place"][:, 2].min()) < 0.02
    assert len(sizes) > 2


@pytest.fixture(scope="module")
def towers() -> City:
    return tower_city()


@pytest.fixture(scope="module")
def drawn(towers: City) -> dict[str, dict[str, np.ndarray]]:
    """All channels of one state under five lights."""
    state = state_at(-72.0, actors=CROWD)
    found = {}
    for name, profile in (
        ("day", CaptureProfile()), ("night", NIGHT), ("rain", RAIN),
        ("dusk", CaptureProfile(hour=19.0)), ("fog", CaptureProfile(weather="fog")),
    ):  # fmt: skip
        renderer = SceneRenderer(towers, profile)
        found[name] = dict(renderer.render(state, PLAIN, 240, 240))
        again = renderer.render(state, ["colour"], 240, 240)["colour"]
        assert np.array_equal(found[name]["colour"], again)
        renderer.close()
    return found


@pytest.mark.render
def test_night_is_darker_and_has_lit_windows(drawn: dict[str, dict[str, np.ndarray]]) -> None:
    day, night = drawn["day"]["colour"].astype(int), drawn["night"]["colour"].astype(int)
    assert night.mean() < day.mean() * 0.6
    wall = drawn["day"]["class"] == Train.BUILDING
    assert (night[wall].sum(1) > day[wall].sum(1) + 40).sum() > 50  # windows shine after dark


@pytest.mark.render
def test_hour_and_weather_change_colours_and_no_label(
    drawn: dict[str, dict[str, np.ndarray]],
) -> None:
    for name in ("night", "rain", "dusk", "fog"):
        assert not np.array_equal(drawn[name]["colour"], drawn["day"]["colour"])
        for channel in LABELS:
            assert np.array_equal(drawn[name][channel], drawn["day"][channel]), (name, channel)


@pytest.mark.render
def test_fog_hides_what_is_far(drawn: dict[str, dict[str, np.ndarray]]) -> None:
    far = (drawn["day"]["depth"] > 90.0) & (drawn["day"]["class"] == Train.BUILDING)
    assert far.sum() > 100
    assert drawn["fog"]["colour"][far].std(0).mean() < drawn["day"]["colour"][far].std(0).mean() / 2


@pytest.mark.render
def test_wet_asphalt_gives_back_the_lamps_of_who_stands_on_it(towers: City) -> None:
    reddened = []
    car = EntityState(1, "sedan", -60.0, -5.0, 0.0, 0.0)
    view = Eye(-72.0, -5.0, 1.6, 0.0, -0.05)
    for profile in (NIGHT, RAIN):
        renderer = SceneRenderer(towers, profile)
        empty, shown = (
            renderer.render_from(view, state_at(80.0, 60.0, actors=actors), PLAIN, 240, 240)
            for actors in ((), (car,))
        )
        renderer.close()
        road = (shown["class"] == Train.ROAD) & (empty["class"] == Train.ROAD)
        gain = shown["colour"].astype(int) - empty["colour"].astype(int)
        reddened.append(int((gain[..., 0] - gain[..., 1] > 12)[road].sum()))
        assert np.array_equal(shown["depth"][road], empty["depth"][road])
    assert reddened[0] == 0
    assert reddened[1] > 20


@pytest.mark.render
def test_parked_cars_have_no_lamp_on_at_night(towers: City) -> None:
    car = EntityState(1, "sedan", -60.0, -5.0, 0.0, 0.0)
    view = Eye(-70.0, -5.0, 1.2, 0.0, -0.02)
    red = []
    for lit in (True, False):
        renderer = SceneRenderer(towers, NIGHT)
        scene = renderer._scene
        scene.actors.root.removeNode()
        scene.actors.shadows.removeNode()
        scene.actors = Actors(look(NIGHT), lit=lit)
        scene.actors.root.reparentTo(scene.root)
        shown = renderer.render_from(view, state_at(80.0, 60.0, actors=(car,)), ["colour", "class"],
                                     160, 160)  # fmt: skip
        red.append(int(shown["colour"][shown["class"] == Train.CAR][:, 0].max()))
        renderer.close()
    assert red[0] > 150 > 110 > red[1]


@pytest.mark.render
def test_leaving_out_hidden_buildings_changes_no_pixel(towers: City) -> None:
    renderer = SceneRenderer(towers, CaptureProfile())
    scene = renderer._scene
    all_of, left_out = scene.houses, 0
    for x in (-95.0, -60.0, -10.0, 20.0):
        for heading in (0.0, 1.2, 2.6, 4.0):
            state = state_at(x, -3.0, heading)
            for view in (eye(state), standing(x, -3.0, heading)):
                some = renderer.render_from(view, state, PLAIN, 200, 160)
                left_out += len(all_of.resident.nodes) - len(all_of.resident.shown)
                all_of.hiding = False
                whole = renderer.render_from(view, state, PLAIN, 200, 160)
                all_of.hiding = True
                for channel in PLAIN:
                    assert np.array_equal(some[channel], whole[channel])
    assert left_out > 20
    renderer.close()


@pytest.mark.render
def test_roofs_overhead_are_left_out_and_seen_from_above(
    towers: City, monkeypatch: pytest.MonkeyPatch
) -> None:
    renderer = SceneRenderer(towers, CaptureProfile())
    state, drawn = state_at(-95.0, -3.0), []
    for view in (standing(-95.0, -3.0, 0.0), Eye(-95.0, -3.0, 150.0, 0.0, -0.7)):
        some = renderer.render_from(view, state, PLAIN, 120, 120)
        flats = renderer._scene.houses._flats
        drawn.append(flats is not None and not flats.isStashed())
        with monkeypatch.context() as always:
            always.setattr(houses, "_OVERHEAD", -1.0)
            whole = renderer.render_from(view, state, PLAIN, 120, 120)
        assert all(np.array_equal(some[channel], whole[channel]) for channel in PLAIN)
    level = np.asarray(whole["normal"], float)[..., 2] > 0.99
    assert drawn == [False, True]
    assert (level & (np.asarray(whole["class"]) == Train.BUILDING)).sum() > 200
    renderer.close()


@pytest.mark.render
def test_wet_ground_gives_back_the_walls_and_labels_stay_those_of_the_ground(towers: City) -> None:
    view, state = Eye(-72.0, -5.0, 1.6, 0.0, -0.05), state_at(80.0, 60.0)
    renderer = SceneRenderer(towers, replace(RAIN, edges="hard"))
    mirror = renderer._scene.root.find("mirrored")
    shown = renderer.render_from(view, state, PLAIN, 240, 240)
    mirror.stash()
    bare = renderer.render_from(view, state, PLAIN, 240, 240)
    mirror.unstash()
    renderer.close()
    ground = np.isin(shown["class"], (Train.ROAD, Train.SIDEWALK))
    changed = (shown["colour"] != bare["colour"]).any(2)
    assert changed[ground].mean() > 0.2
    assert not changed[~ground].any()
    assert all(np.array_equal(shown[name], bare[name]) for name in LABELS)


@pytest.mark.render
def test_there_is_nothing_beneath_dry_ground(towers: City) -> None:
    renderer = SceneRenderer(towers, NIGHT)
    assert renderer._scene.root.find("mirrored").isEmpty()
    renderer.close()


@pytest.mark.render
def test_lamps_light_the_ground_beneath_them_after_dark(towers: City) -> None:
    view, state = Eye(-80.0, -3.0, 3.0, 0.0, -0.2), state_at(80.0, 60.0)
    renderer = SceneRenderer(towers, NIGHT)
    pools = renderer._scene.scenery._pools.path
    lit = renderer.render_from(view, state, PLAIN, 240, 240)
    pools.stash()
    unlit = renderer.render_from(view, state, PLAIN, 240, 240)
    renderer.close()
    gain = lit["colour"].astype(int) - unlit["colour"].astype(int)
    ground = np.isin(lit["class"], (Train.ROAD, Train.SIDEWALK))
    assert gain.min() >= 0
    assert (gain.sum(2) > 20)[ground].mean() > 0.1
    assert gain[lit["class"] == Train.SKY].max() == 0
    assert all(np.array_equal(lit[name], unlit[name]) for name in LABELS)
    by_day = SceneRenderer(towers, CaptureProfile())
    by_day.render_from(view, state, ["colour"], 60, 60)
    assert by_day._scene.scenery._pools.path.isHidden()
    by_day.close()
