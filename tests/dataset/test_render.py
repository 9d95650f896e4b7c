"""Any channel of a drive afterwards: from inputs, from states, in processes, resumed, from afar."""

import json
from dataclasses import replace

import numpy as np
import pytest

from game.atlas.load import load as load_city
from game.dataset import render as rendering
from game.dataset.camera import Camera, camera
from game.dataset.errors import DatasetError
from game.dataset.piece import Wanted
from game.dataset.pool import Workers
from game.dataset.render import render
from game.errors import ReplayImpossible
from game.session.format import INPUTS, MANIFEST
from game.session.reader import Session
from game.session.share import share
from game.session.writer import SessionWriter
from game.world.controls import Controls
from game.world.step import step
from scenarios.load import load
from scenarios.model import digest
from scenarios.spawn import stage
from tests.session import conftest as made

pytestmark = [pytest.mark.render, pytest.mark.heavy]

SIZE = (96, 64)
EVERY = 6
TICKS = 150


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """Two and a half seconds at full throttle in a library scenario."""
    city, scenario = load_city(), load("oncoming-traffic")
    state = stage(scenario, city, 5).state
    manifest = made.manifest_of(
        pack=city.name, pack_digest=city.digest, scenario=scenario.id,
        scenario_digest=digest(scenario), seed=5,
    )  # fmt: skip
    writer = SessionWriter.create(tmp_path_factory.mktemp("drives"), manifest)
    writer.tick(state)
    for tick in range(TICKS):
        state = step(city, state, Controls(throttle=900, steer=tick % 40 - 20))
        writer.tick(state)
    writer.finish()
    return writer.folder


def drawn(folder, out, **more):
    wanted = replace(Wanted(("colour",), EVERY, SIZE), **more)
    return next(render([folder], out, wanted))


def pictures(folder, name="colour"):
    return {p.name: np.load(p) for p in sorted(folder.glob(f"{name}-*.npy"))}


@pytest.fixture(scope="module")
def plain(folder, tmp_path_factory):
    return drawn(folder, tmp_path_factory.mktemp("plain"), channels=("colour", "depth", "flow"))


def test_every_picture_of_every_channel(plain, folder):
    expected = [f"{t:06d}" for t in range(0, TICKS + 1, EVERY)]
    assert plain.pictures == len(expected)
    colour, depth, flow = (pictures(plain.folder, n) for n in ("colour", "depth", "flow"))
    assert list(colour) == [f"colour-{t}.npy" for t in expected]
    assert list(flow) == [f"flow-{t}.npy" for t in expected[1:]], "the first has none before it"
    one = colour[f"colour-{expected[3]}.npy"]
    assert one.shape == (SIZE[1], SIZE[0], 3)
    assert one.std() > 10
    assert depth[f"depth-{expected[3]}.npy"].dtype == np.float32
    with Session.open(folder) as session:
        assert plain.digest == session.end["digest"]


def test_two_processes_and_a_resumed_run_draw_the_same(plain, folder, tmp_path, monkeypatch):
    monkeypatch.setattr(rendering, "PIECE", 5)
    wanted = Wanted(("colour", "depth", "flow"), EVERY, SIZE)
    told = []
    run = render([folder], tmp_path, wanted, Workers(1), lambda n, done, of: told.append(done))
    killed = iter(run)
    monkeypatch.setattr(rendering, "_finish", lambda *a: (_ for _ in ()).throw(KeyboardInterrupt))
    with pytest.raises(KeyboardInterrupt):
        next(killed)
    monkeypatch.undo()
    monkeypatch.setattr(rendering, "PIECE", 5)
    where = tmp_path / plain.session
    marks = sorted((where / "pieces").glob("*.json"))
    assert told[-1] == plain.pictures
    for mark in marks[2:]:  # as a kill leaves it: two pieces done, the others not
        mark.unlink()
    again = next(render([folder], tmp_path, wanted, Workers(2)))
    assert (again.pictures, again.reused) == (plain.pictures, 10)
    for name in ("colour", "depth", "flow"):
        one, two = pictures(plain.folder, name), pictures(again.folder, name)
        assert list(one) == list(two)
        assert all(np.array_equal(one[k], two[k], equal_nan=True) for k in one)
    assert next(render([folder], tmp_path, wanted)).reused == plain.pictures
    with pytest.raises(DatasetError, match="other pictures"):
        next(render([folder], tmp_path, replace(wanted, every=3)))


def test_a_shared_file_draws_like_the_session(plain, folder, tmp_path):
    with Session.open(folder) as session:
        share(session, tmp_path / "a.drive")
    made_ = drawn(tmp_path / "a.drive", tmp_path / "out")
    assert made_.session != plain.session
    one, two = pictures(plain.folder), pictures(made_.folder)
    assert all(np.array_equal(one[k], two[k]) for k in one)


def test_an_older_world_is_drawn_from_its_states_and_says_so(plain, folder, tmp_path):
    old = tmp_path / folder.name
    old.mkdir()
    for path in folder.iterdir():
        (old / path.name).write_bytes(path.read_bytes())
    document = json.loads((old / MANIFEST).read_text())
    document["world_version"] = 0
    (old / MANIFEST).write_text(json.dumps(document))
    made_ = drawn(old, tmp_path / "out")
    assert "world version 0" in made_.states
    facts = json.loads((made_.folder / "render.json").read_text())
    assert facts["from_states"] == made_.states
    one, two = pictures(plain.folder), pictures(made_.folder)
    assert all(np.array_equal(one[k], two[k]) for k in one)
    (old / INPUTS).write_bytes(b"")  # states alone are enough
    assert drawn(old, tmp_path / "out2").pictures == plain.pictures
    with Session.open(old) as session:
        session.controls()
        share(session, tmp_path / "old.drive")
    with pytest.raises(ReplayImpossible, match="world version 0"):
        drawn(tmp_path / "old.drive", tmp_path / "out3")


def test_another_camera_a_part_of_it_and_a_film(plain, folder, tmp_path):
    from game.dataset.video import frames

    above = drawn(folder, tmp_path / "a", camera=camera("above:30"), first=60, last=90)
    assert above.pictures == 6
    name = "colour-000066.npy"
    seen = pictures(above.folder)[name].astype(int)
    assert np.abs(seen - pictures(plain.folder)[name]).mean() > 10
    film = drawn(folder, tmp_path / "f", form="mp4")
    shown = list(frames(film.folder / "colour.mp4"))
    assert len(shown) == plain.pictures
    assert [round(at * 60) for at, _ in shown] == list(range(0, TICKS + 1, EVERY))
    last = list(pictures(plain.folder).values())[-1].astype(int)
    assert np.abs(shown[-1][1].astype(int) - last).mean() < 12


def test_boxes_and_compressed_arrays(folder, tmp_path):
    found = drawn(folder, tmp_path, channels=("instance", "boxes"), form="npz", last=60)
    boxes = json.loads((found.folder / "boxes-000060.json").read_text())
    ids = np.load(found.folder / "000060.npz")["instance"]
    assert ids.shape == (SIZE[1], SIZE[0])
    assert boxes
    assert "entity" in boxes[0]


@pytest.mark.parametrize(
    "text", ["up", "at:1,2", "above:x", "from:1,2,inf", "no-such-file.json", "driven:3", "follow"]
)
def test_words_that_mean_no_camera(text):
    with pytest.raises(DatasetError, match="--camera"):
        camera(text)


def test_a_flight_turns_the_short_way(tmp_path):
    path = tmp_path / "f.json"
    path.write_text("[[0, 0, 0, 5, 170, 0], [10, 10, 0, 5, -170, -10]]")
    city, scenario = load_city(), load("oncoming-traffic")
    state = replace(stage(scenario, city, 5).state, tick=5)
    view = camera(str(path)).eye(state)
    assert (view.x, view.z) == (5.0, 5.0)
    assert np.degrees(view.yaw) == pytest.approx(180.0)
    assert np.degrees(view.pitch) == pytest.approx(-5.0)
    assert Camera().eye(state) == Camera("chase").eye(state)
