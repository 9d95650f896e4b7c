"""Training pairs: the same for the same seed, held-out streets apart, light where light can be."""

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from game.atlas.load import load
from game.dataset.errors import FolderTaken
from game.dataset.pairs.looks import LOOKS
from game.dataset.pairs.paint import blurred, paint, study
from game.dataset.pairs.places import HOURS, clips, plan, split_of
from game.dataset.pairs.shadow import Depths, Heights, contact, mirrored, occlusion, sunlit
from game.dataset.pairs.store import PairsConfig, make_pairs, scaled
from game.dataset.pairs.surface import Surface, _rays
from game.view.camera import Eye
from game.view.flow import Lens, focal
from game.view.labels import Train
from game.world.city import City, Footprint
from streaming.backends.filter import STYLES

SIDE = 48


@pytest.fixture(scope="module")
def city() -> City:
    return load()


@pytest.fixture(scope="module")
def scene() -> Surface:
    """A road below the horizon and a wall across it, 12 m ahead; sky above 8 m."""
    eye = Eye(0.0, 0.0, 2.0, 0.0, 0.0)
    lens = Lens(focal(SIDE, SIDE, 70.0), SIDE, SIDE)
    ahead = _rays(lens, eye)
    up = ahead[..., 2]
    ground = np.where(up < -1e-3, -2.0 / np.minimum(up, -1e-3), np.inf)
    wall, sky = ground > 12.0, up * 12.0 + 2.0 > 8.0
    depth = np.where(sky, 500.0, np.minimum(ground, 12.0)).astype(np.float32)
    kinds = np.where(sky, Train.SKY, np.where(wall, Train.BUILDING, Train.ROAD)).astype(np.uint8)
    normal = np.zeros((SIDE, SIDE, 3), np.float32)
    normal[kinds == Train.ROAD] = (0, 0, 1)
    normal[kinds == Train.BUILDING] = (-1, 0, 0)
    place = (depth[..., None] * ahead + (0.0, 0.0, 2.0)).astype(np.float32)
    albedo = np.full((SIDE, SIDE, 3), 0.3, np.float32)
    albedo[kinds == Train.BUILDING] = (0.5, 0.2, 0.15)
    rays = (ahead / np.linalg.norm(ahead, axis=2, keepdims=True)).astype(np.float32)
    return Surface(albedo, place, normal, depth, rays, sky.astype(np.float32), kinds, lens, eye)


@pytest.fixture(scope="module")
def block(city: City) -> City:
    """Nothing but one house of 30 m, to the south of the eye."""
    ring = ((-20.0, -30.0), (40.0, -30.0), (40.0, -6.0), (-20.0, -6.0))
    return replace(
        city, footprints=(Footprint(1, (ring,), 30.0),), bounds=(-60.0, -60.0, 60.0, 60.0)
    )


def test_a_longer_plan_only_adds(city: City) -> None:
    short, long = plan(city, 1, 5), plan(city, 1, 12)
    assert long[:5] == short
    assert plan(city, 2, 5) != short


def test_every_street_has_one_side_and_held_hours_are_only_tested(city: City) -> None:
    bright = next(hour for hour in HOURS if not hour.held)
    held = next(hour for hour in HOURS if hour.held)
    names = sorted({street.name for street in city.streets})
    sides = [split_of(name, bright) for name in names]
    assert sides == [split_of(name, bright) for name in names]
    assert 0.55 < sides.count("train") / len(sides) < 0.85
    assert min(sides.count("test"), sides.count("validation")) > 5
    assert {split_of(name, held) for name in names} == {"test"}


def test_a_drive_gives_the_same_states_again(city: City) -> None:
    planned = replace(plan(city, 1, 1)[0], place="heavy-traffic", scripted=True, warm_up=5)
    one, again = (next(clips(city, planned, 1, 2)) for _ in range(2))
    assert one == again
    assert one.states[1].tick - one.states[0].tick == 2


def test_the_stream_and_the_painter_know_the_same_styles() -> None:
    assert set(LOOKS) == set(STYLES)


def test_scaling_keeps_the_mean_and_does_not_shift() -> None:
    picture = np.random.default_rng(1).integers(0, 255, (48, 48, 3), np.uint8)
    small = scaled(picture, 32)
    assert small.shape == (32, 32, 3)
    assert abs(float(small.mean()) - float(picture.mean())) < 0.2
    half = scaled(picture, 24).astype(int)
    exact = picture.reshape(24, 2, 24, 2, 3).mean(axis=(1, 3))
    assert np.abs(half - exact).max() <= 0.51


def test_blur_is_a_mean_over_its_box() -> None:
    plane = np.zeros((9, 9), np.float32)
    plane[4, 4] = 9.0
    soft = blurred(plane, 1, 1)
    assert soft[3:6, 3:6] == pytest.approx(np.ones((3, 3)), abs=1e-5)
    assert float(np.abs(soft).sum()) == pytest.approx(9.0, abs=1e-4)


def test_a_roof_to_the_south_takes_the_sun_from_the_road_behind_it(
    scene: Surface, block: City
) -> None:
    heights = Heights(block)
    assert heights.at(np.float32([[0.0]]), np.float32([[-10.0]])) == 30.0
    assert heights.at(np.float32([[0.0]]), np.float32([[10.0]])) == 0.0
    road = scene.kinds == Train.ROAD
    shaded = sunlit(scene, heights, azimuth=-90.0, height=30.0)
    free = sunlit(scene, heights, azimuth=90.0, height=30.0)
    assert float(shaded[road].mean()) < 0.05
    assert float(free[road].mean()) > 0.95


def test_the_foot_of_a_wall_is_darker_than_open_road(scene: Surface) -> None:
    open_ = occlusion(Depths(scene), 5.0)
    rows = np.flatnonzero((scene.kinds == Train.ROAD)[:, SIDE // 2])
    corner, near = open_[rows[0], SIDE // 2], open_[rows[-1] - 8, SIDE // 2]
    assert corner < near - 0.04
    assert near > 0.9


def test_a_low_sun_behind_the_wall_throws_its_shadow_on_the_road(scene: Surface) -> None:
    road = scene.kinds == Train.ROAD
    toward = contact(Depths(scene), azimuth=0.0, height=30.0)
    away = contact(Depths(scene), azimuth=180.0, height=60.0)
    assert float(toward[road].min()) < 0.7
    assert float(away[road].mean()) > 0.97


def test_wet_road_mirrors_the_wall_above_its_foot(scene: Surface) -> None:
    ground = scene.kinds == Train.ROAD
    found, sure = mirrored(Depths(scene), ground)
    rows = np.nonzero(ground)[0]
    first = rows == rows.min() + 1
    assert (scene.kinds.reshape(-1)[found[first]] == Train.BUILDING).all()
    assert sure[first].all()


def test_every_style_paints_another_picture_of_the_same_view(scene: Surface, block: City) -> None:
    studied = study(scene, Heights(block))
    made = {style: paint(studied, style) for style in LOOKS}
    again = paint(studied, "night")
    assert np.array_equal(again, made["night"])
    means = {style: float(picture.mean()) for style, picture in made.items()}
    assert means["night"] < 0.85 * means["day"]
    noir = made["noir"].astype(int)
    assert (noir.max(axis=2) - noir.min(axis=2)).mean() < 12
    for style, picture in made.items():
        rest = [other for name, other in made.items() if name != style]
        assert min(np.abs(picture.astype(int) - other).mean() for other in rest) > 4, style


@pytest.mark.render
@pytest.mark.heavy
def test_a_folder_is_continued_and_another_recipe_refused(tmp_path: Path) -> None:
    out = tmp_path / "pairs"
    config = PairsConfig(out, drives=1, clips=1, styles=1, size=64, samples=1)
    said: list[str] = []
    made = make_pairs(config, said.append)
    assert made["drives"] == 1
    drive = out / "drive-00000"
    told = json.loads((drive / "meta.json").read_text())
    assert len(told["clips"]) == 1, told["why"]
    source, target = np.load(drive / "source.npy"), np.load(drive / "target.npy")
    assert source.shape == (1, 2, 64, 64, 3)
    assert target.shape == (1, 1, 2, 64, 64, 3)
    assert float(source.std()) > 10
    before = (drive / "target.npy").stat().st_mtime_ns
    make_pairs(config, said.append)
    assert said[-1] == "1 of 1 drives are there"
    assert (drive / "target.npy").stat().st_mtime_ns == before
    with pytest.raises(FolderTaken):
        make_pairs(replace(config, seed=2), said.append)
    again = replace(config, out=tmp_path / "again")
    make_pairs(again, said.append)
    assert np.array_equal(np.load(again.out / "drive-00000" / "target.npy"), target)
    assert np.array_equal(np.load(again.out / "drive-00000" / "source.npy"), source)


def test_impossible_options_are_refused() -> None:
    for wrong in ({"styles": 7}, {"size": 100}, {"drives": 0}):
        with pytest.raises(ValueError, match="styles"):
            PairsConfig(Path("x"), **wrong)
