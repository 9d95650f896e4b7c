"""Free drives through Midtown as it lives: how full it is, and that every machine gets the same."""

import json
import os
import subprocess
import sys
from itertools import pairwise
from math import hypot
from pathlib import Path

import pytest

from game.world import manners
from game.world.ambient import FIRST_DRIVER, FIRST_WALKER
from game.world.city import City
from game.world.collision import obstacles_of
from game.world.controls import Controls
from game.world.digest import checkpoint, pack_state, unpack_state
from game.world.entity import BODIES
from game.world.lanes import lanes_of
from game.world.living import HIDDEN_FROM, OUT, sees
from game.world.people import CROSS, DASH
from game.world.state import WorldState
from game.world.step import step
from game.world.version import WORLD_VERSION
from scenarios.cases import case, case_digest
from scenarios.driver import DRIVERS
from scenarios.errors import PlaceUnknown
from scenarios.expect import Referee
from scenarios.free import free_at, free_named, free_scenario, free_stage
from scenarios.model import Scenario, digest
from scenarios.roam import roaming
from scenarios.run import drive as run_stage
from scenarios.spawn import stage
from tests.scenarios.living import FILE, PLACES, drive, drives

ROOT = Path(__file__).parents[2]
GOLDEN = json.loads(FILE.read_text())
BUSY = "West 42nd Street & 7th Avenue", "Park Avenue & East 48th Street", "W 34 St & 7 Av"


def near(state: WorldState) -> tuple[int, int]:
    """(vehicles, people) of the living city within 200 m of the ego."""
    found = [0, 0]
    for actor in state.actors:
        if hypot(actor.x - state.ego.x, actor.y - state.ego.y) < 200.0:
            found[actor.id >= FIRST_WALKER] += actor.id >= FIRST_DRIVER
    return found[0], found[1]


def test_the_golden_drives_are_as_recorded(city: City) -> None:
    assert GOLDEN["world_version"] == WORLD_VERSION
    assert GOLDEN["pack"] == city.digest
    assert drives(city) == GOLDEN["drives"]


@pytest.mark.parametrize(("hashseed", "flags"), [("4711", []), ("random", ["-O"])])
def test_neither_hash_seed_nor_optimisation_moves_a_digest(hashseed: str, flags: list[str]) -> None:
    code = (
        "import json; from game.atlas.load import load;"
        "from tests.scenarios.living import FILE, drives;"
        "print(drives(load()) == json.loads(FILE.read_text())['drives'])"
    )
    done = subprocess.run(
        [sys.executable, *flags, "-c", code],
        cwd=ROOT,
        env={**os.environ, "PYTHONHASHSEED": hashseed},
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout.strip() == "True"


def test_the_smallest_change_of_a_manner_moves_the_digest(
    city: City, monkeypatch: pytest.MonkeyPatch
) -> None:
    taxi = manners.MANNERS["taxi"]
    slower = manners.Manner(
        taxi.pull + 1e-13, taxi.brake, taxi.headway, taxi.keep, taxi.top, True, False, taxi.share
    )
    monkeypatch.setitem(manners.MANNERS, "taxi", slower)
    last = checkpoint(drive(city, "times-square", 60)[-1]).digest.hex()
    assert last != GOLDEN["drives"]["times-square"][1]


@pytest.mark.parametrize("place", BUSY)
def test_midtown_is_full_at_the_start_and_after_a_while(city: City, place: str) -> None:
    state = free_stage(city, place, 5, "full").state
    for _ in range(301):
        if state.tick % 100 == 0:
            vehicles, walkers = near(state)
            assert vehicles >= 60
            assert walkers >= 100
        state = step(city, state, Controls(brake=1000))


def test_light_is_about_a_third_of_full(city: City) -> None:
    full, light = (near(free_stage(city, BUSY[0], 1, level).state) for level in ("full", "light"))
    for many, few in zip(full, light, strict=True):
        assert 0.25 < few / many < 0.45


def test_everybody_keeps_clear_of_the_walls_of_midtown(city: City) -> None:
    obstacles = obstacles_of(city)
    for state in drive(city, "times-square", 240)[::60]:
        for actor in state.actors:
            if actor.id >= FIRST_WALKER:
                assert obstacles.hit(actor.x, actor.y, 0.2) < 0
            else:
                body = BODIES[actor.body]
                assert not obstacles.row_near(body, actor.x, actor.y, actor.heading, 0.0)


def test_who_comes_while_one_drives_comes_out_of_sight(city: City) -> None:
    obstacles, came = obstacles_of(city), 0
    for before, after in pairwise(drive(city, "times-square")):
        known = {(a.id, a.started) for a in before.actors}
        for body in after.actors:
            if (body.id, body.started) not in known:
                came += 1
                ego = after.ego
                away = hypot(body.x - ego.x, body.y - ego.y)
                assert away > HIDDEN_FROM - 2.0
                assert away > OUT - 2.0 or not sees(obstacles, ego.x, ego.y, body.x, body.y)
    assert came > 5


def test_saved_and_resumed_in_midtown_it_goes_on_the_same(city: City) -> None:
    states = drive(city, "park-avenue", 150)
    for at in (1, 61, 85):
        state = unpack_state(pack_state(states[at]), ())
        for after in states[at + 1 :]:
            state = step(city, state, after.controls)
        assert state == states[-1]


def test_people_of_every_kind_are_about(city: City) -> None:
    state = free_stage(city, BUSY[0], 1, "full").state
    kinds: set[str] = set()
    modes: set[int] = set()
    held = turned = 0
    graph = lanes_of(city)
    for _ in range(1500):
        state = step(city, state, Controls(brake=1000))
        if state.tick % 30 == 0 and state.living is not None:
            kinds |= {a.body for a in state.actors}
            modes |= {mind.mode for mind in state.living.walks}
            held += sum(mind.hold > 0 for mind in state.living.drives)
            turned += sum(graph.way(mind.way).turn != 0 for mind in state.living.drives)
    assert kinds >= {"taxi", "bus", "bicycle", "lorry", "van", "sedan", "suv", "pedestrian"}
    assert modes >= {CROSS, DASH}  # over the crosswalk, and half way along the street
    assert min(held, turned) > 0  # taxis and buses at the kerb, vehicles round the corner


def test_a_free_drive_ends_well_when_its_time_is_over(city: City) -> None:
    staged = free_stage(city, "E 42 St & Lexington Av", 3, "none", seconds=2.0)
    outcome, state = run_stage(staged, city, DRIVERS["idle"](staged, city))
    assert outcome.success
    assert state.tick == 120
    assert state.ego.x == staged.state.ego.x


def test_a_free_drive_is_known_by_its_name_alone(city: City) -> None:
    free = free_at(city, "w 34 st & 7 av", "light")
    assert free.name == "free-drive@West 34th Street & 7th Avenue@light"
    assert free_named(free.name) == free
    for wrong in (
        "free-drive",
        "free-drive@",
        "free-drive@a@full",
        "free-drive@a@b",
        "road-debris",
    ):
        assert free_named(wrong) is None
    staged = case(free.name, city, 3)
    assert (staged.digest, staged.free) == (case_digest(free.name), True)
    assert staged.state == free_stage(city, "W 34 St & 7 Av", 3, "light").state
    assert staged.state.digest != case(free_at(city, free.place).name, city, 3).state.digest


def test_who_leaves_a_free_drive_ends_it_well_and_gives_up_another_one(
    city: City, busy: Scenario
) -> None:
    free = free_stage(city, BUSY[0], 1, "none")
    for staged, well in ((free, True), (stage(busy, city, 1), False)):
        referee = Referee(staged)
        referee.observe(staged.state)
        assert referee.outcome is None
        outcome = referee.leave(staged.state)
        assert (outcome is not None and outcome.success) is well


def test_a_bot_roams_along_lanes_and_turns_back_nowhere(city: City) -> None:
    staged = roaming(free_stage(city, BUSY[0], 1, "none"), city, 1500.0)
    ego, route = staged.state.ego, staged.route
    assert route[0] == (ego.x, ego.y)
    gone = [hypot(b[0] - a[0], b[1] - a[1]) for a, b in pairwise(route)]
    assert sum(gone) > 1000.0
    for a, b, c in zip(route, route[1:], route[2:], strict=False):
        along = (b[0] - a[0]) * (c[0] - b[0]) + (b[1] - a[1]) * (c[1] - b[1])
        assert along > 0.0
    assert roaming(staged, city, 1500.0).route == route


def test_a_bot_drives_freely_and_touches_nothing(city: City) -> None:
    staged = free_stage(city, BUSY[1], 2, "light", seconds=12.0)
    outcome, state = run_stage(staged, city, DRIVERS["bot"](staged, city))
    assert (outcome.success, outcome.collisions) == (True, 0)
    assert hypot(state.ego.x - staged.route[0][0], state.ego.y - staged.route[0][1]) > 20.0


def test_a_place_that_is_none_is_refused(city: City) -> None:
    with pytest.raises(PlaceUnknown, match="Nowhere"):
        free_stage(city, "Nowhere & 7th Avenue", 1)


def test_how_full_the_city_is_belongs_to_the_case(city: City, busy: Scenario) -> None:
    assert busy.city == "none"
    crowded = busy.model_copy(update={"city": "light"})
    assert digest(crowded) != digest(busy)
    state = stage(crowded, city, 1).state
    assert state.living is not None
    scripted = [a.id for a in state.actors if a.id < FIRST_DRIVER]
    assert scripted == [a.id for a in stage(busy, city, 1).state.actors]
    assert len(state.actors) > len(scripted) + 50
    assert free_scenario(city, BUSY[0], "full").city == "full"
    assert len(PLACES) == 2
