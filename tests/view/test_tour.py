"""A drive through the real city: ground everywhere, and a hole would be noticed."""

from collections.abc import Iterator
from itertools import pairwise
from math import dist
from pathlib import Path

import pytest

from game.atlas.load import load
from game.view.renderer import SceneRenderer
from game.world.city import City
from tests.bench.bench_tour import _read, _told
from tests.bench.tour import holes, tour
from tests.view.boxes import PROFILE

pytestmark = [pytest.mark.render, pytest.mark.heavy]
SIDE = 160
WAY = ("W 34 St & 7 Av", "E 57 St & 2 Av")


@pytest.fixture(scope="module")
def midtown() -> City:
    return load()


@pytest.fixture(scope="module")
def drawing(midtown: City) -> Iterator[SceneRenderer]:
    made = SceneRenderer(midtown, PROFILE)
    yield made
    made.close()


def test_no_pixel_below_the_horizon_looks_through_the_ground(
    midtown: City, drawing: SceneRenderer
) -> None:
    for state in tour(midtown, 40, *WAY):
        found = drawing.render(state, ["class", "depth"], SIDE, SIDE)
        assert holes(found["class"], found["depth"], drawing.eye(state), PROFILE) == 0


def test_missing_ground_is_counted(midtown: City, drawing: SceneRenderer) -> None:
    state = next(tour(midtown, 2, *WAY))
    layers = drawing._scene._roads, drawing._scene._ground
    for layer in layers:
        layer.stash()
    try:
        found = drawing.render(state, ["class", "depth"], SIDE, SIDE)
    finally:
        for layer in layers:
            layer.unstash()
    assert holes(found["class"], found["depth"], drawing.eye(state), PROFILE) > SIDE * SIDE / 5


def test_the_tour_is_one_drive_at_one_speed(midtown: City) -> None:
    states = list(tour(midtown, 200, *WAY))
    steps = [dist((a.ego.x, a.ego.y), (b.ego.x, b.ego.y)) for a, b in pairwise(states)]
    assert max(steps) < 1.02 * sorted(steps)[100]  # corners are cut, never jumped
    assert all(a.tick < b.tick for a, b in pairwise(states))
    assert states[-1].tick == 600 * 60


def test_notes_of_a_killed_drive_are_read_to_their_last_whole_line(tmp_path: Path) -> None:
    book = tmp_path / "notes.jsonl"
    assert _read(book) == []
    book.write_text('{"frame": 0, "wall": 9.0}\n{"frame": 1, "wall": 8.0}\n{"fra')
    assert [line["frame"] for line in _read(book)] == [0, 1]
    with book.open("a") as file:  # what follows starts on a line of its own
        file.write('{"frame": 2, "wall": 7.0}\n')
    assert [line["frame"] for line in _read(book)] == [0, 1, 2]


def test_frames_late_by_loading_holes_and_growth_are_counted_over_all_parts() -> None:
    line = {"cpu": 8.0, "whole": 20.0, "memory": 500.0, "holes": 0.0}
    done = [{**line, "frame": n, "part": 0 if n < 4 else 4} for n in range(24)]
    done[2] |= {"cpu": 70.0, "loading": 60.0}
    done[9] |= {"cpu": 40.0, "loading": 3.0, "holes": 7.0}
    for late in done[-4:]:
        late["memory"] = 530.0
    found = {row["name"]: row["value"] for row in _told(done)}
    assert found["tour: frame 96x96, worst"] == 70.0
    assert found["tour: most that loading took of a frame"] == 60.0
    assert found["tour: frames over 50 ms by loading"] == 1
    assert found["tour: holes in the ground"] == 7.0
    assert found["tour: memory, end against the middle"] == 30.0
