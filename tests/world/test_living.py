"""The living city in a town made of code: manners, lights, walls, memory. Midtown: test_free."""

import struct
from collections import Counter
from functools import cache
from itertools import pairwise

import pytest

from game.session.tickfile import MAX_BODY
from game.view.labels import FIRST_BUILDING
from game.world.ambient import FIRST_DRIVER, FIRST_WALKER, LAST_ID
from game.world.city import City
from game.world.collision import obstacles_of, overlap
from game.world.controls import Controls
from game.world.digest import checkpoint, pack_state, unpack_state
from game.world.entity import BODIES, EGO_ID, EntityState
from game.world.lanes import lanes_of
from game.world.living import HIDDEN_FROM, NEAR, OUT, WANTED, sees
from game.world.manners import MANNERS, follow
from game.world.people import ON_ROAD
from game.world.signals import AMBER_TICKS, Light, light
from game.world.state import WorldState
from game.world.step import begin, step
from tests.world.blocks import LANE, PITCH, WIDTH, town
from tests.world.street import part, straight

STOP = Controls(brake=1000)
GO = Controls(throttle=700)
TICKS = 1800


@cache
def the_town() -> City:
    return town()


def start(seed: int = 1, level: str = "light", speed: float = 0.0) -> WorldState:
    """The ego stands eastbound in the right lane of a street in the middle of the town."""
    ego = EntityState(EGO_ID, "sedan", 1.5 * PITCH, PITCH - 1.5 * LANE, 0.0, speed)
    return begin(the_town(), (), ego, seed, "test", level)


@cache
def drive(seed: int = 1) -> tuple[WorldState, ...]:
    """Half a minute of the town around an ego that stands in a lane."""
    states = [start(seed)]
    for _ in range(TICKS):
        states.append(step(the_town(), states[-1], STOP))
    return tuple(states)


def cars(state: WorldState) -> list[EntityState]:
    return [a for a in state.actors if FIRST_DRIVER <= a.id < FIRST_WALKER]


def people(state: WorldState) -> list[EntityState]:
    return [a for a in state.actors if a.id >= FIRST_WALKER]


def test_as_many_as_the_level_says_are_near_from_the_first_tick_on() -> None:
    state = start(level="light")
    near = [a for a in state.actors if abs(a.x - state.ego.x) ** 2 + abs(a.y - state.ego.y) ** 2
            < NEAR * NEAR]  # fmt: skip
    drivers = sum(a.id < FIRST_WALKER for a in near)
    assert (drivers, len(near) - drivers) == WANTED[1]
    assert start(level="none").actors == ()
    assert start(level="none").living is None


def test_everybody_drives_and_walks_on() -> None:
    first, last = drive()[0], drive()[-1]
    places = {a.id: (a.x, a.y, a.started) for a in first.actors}
    moved = [
        a for a in last.actors
        if a.id in places and places[a.id][2] == a.started
        and abs(a.x - places[a.id][0]) + abs(a.y - places[a.id][1]) > 8.0
    ]  # fmt: skip
    assert len(moved) > 0.8 * len([a for a in last.actors if a.started == 0])


def test_vehicles_keep_to_the_right_and_people_to_the_sidewalk() -> None:
    graph = lanes_of(the_town())
    for state in drive()[::60]:
        assert state.living is not None
        for mind in state.living.drives:
            assert -LANE < mind.d < LANE
            assert 0.0 <= mind.s <= graph.way(mind.way).length
        for body, mind in zip(people(state), state.living.walks, strict=True):
            if mind.mode in ON_ROAD:
                continue
            x, y = body.x % PITCH, body.y % PITCH
            x, y = min(x, PITCH - x), min(y, PITCH - y)
            assert max(x, y) > WIDTH / 2 - 0.9, (state.tick, body, mind)


def test_nobody_is_ever_in_a_wall() -> None:
    obstacles = obstacles_of(the_town())
    for state in drive()[::20]:
        for body in people(state):
            assert obstacles.hit(body.x, body.y, 0.2) < 0
        for body in cars(state):
            assert not obstacles.row_near(BODIES[body.body], body.x, body.y, body.heading, 0.0)


def test_nobody_enters_a_crossing_on_red() -> None:
    graph, entered = lanes_of(the_town()), 0
    for before, after in pairwise(drive()):
        if before.living is after.living or before.living is None or after.living is None:
            continue
        was = dict(zip([a.id for a in cars(before)], before.living.drives, strict=True))
        for body, mind in zip(cars(after), after.living.drives, strict=True):
            old = was.get(body.id)
            way = graph.way(mind.way)
            if old is None or old.way == mind.way or way.after < 0:
                continue
            entered += 1
            # who was over the line, or could no longer stop, finds amber up to a second ago
            shown = [
                light(way.light, way.axis, before.tick - ago)
                for ago in range(0, AMBER_TICKS + 60, 30)
            ]
            assert Light.GREEN in shown or Light.AMBER in shown[:3], (before.tick, body)
    assert entered > 20


def test_outlines_of_vehicles_and_people_do_not_overlap() -> None:
    deep: Counter[str] = Counter()
    seen = 0
    for state in drive()[::10]:
        bodies = cars(state)
        for at, one in enumerate(bodies):
            seen += 1
            for other in (*bodies[at + 1 :], *people(state), state.ego):
                if abs(one.x - other.x) < 15.0 and abs(one.y - other.y) < 15.0:
                    a, b = BODIES[one.body], BODIES[other.body]
                    bulge = 0.095 * (a.width + b.width)
                    depth = overlap(a, *one[2:5], b, *other[2:5]) - bulge
                    deep["person" if other.id >= FIRST_WALKER else "car"] += depth > 0.1
    assert deep["person"] == 0
    assert deep["car"] <= 0.002 * seen
    assert seen > 3000


def test_nobody_runs_into_an_ego_that_stands_in_the_lane() -> None:
    assert drive()[-1].collisions == 0


def test_who_comes_and_goes_does_so_out_of_sight() -> None:
    obstacles, came = obstacles_of(the_town()), 0
    for before, after in pairwise(drive()):
        known = {(a.id, a.started) for a in before.actors}
        for body in after.actors:
            if (body.id, body.started) in known:
                continue
            came += 1
            ego = after.ego
            away = ((body.x - ego.x) ** 2 + (body.y - ego.y) ** 2) ** 0.5
            assert away > HIDDEN_FROM - 2.0
            assert away > OUT - 2.0 or not sees(obstacles, ego.x, ego.y, body.x, body.y)
    assert came >= 1


def test_a_drive_is_the_same_again_and_another_with_another_seed() -> None:
    again = start()
    for _ in range(120):
        again = step(the_town(), again, STOP)
    assert again == drive()[120]
    assert start(2).digest != start(1).digest != start(1, level="full").digest


@pytest.mark.parametrize("at", [0, 1, 2, 3, 4, 5, 6, 59, 60, 123, 777])
def test_saved_and_resumed_at_any_tick_it_goes_on_the_same(at: int) -> None:
    saved = pack_state(drive()[at])
    state = unpack_state(saved, ())
    assert state == drive()[at]
    for _ in range(66):
        state = step(the_town(), state, STOP)
    assert checkpoint(state) == checkpoint(drive()[at + 66])


def test_a_crowd_fits_into_a_recording_and_into_the_instance_plane() -> None:
    state = start(level="full")
    assert len(pack_state(state)) < MAX_BODY / 8
    assert all(FIRST_DRIVER <= a.id < LAST_ID < FIRST_BUILDING - 1 for a in state.actors)
    ids = [a.id for a in state.actors]
    assert ids == sorted(set(ids))


def test_bytes_that_are_no_living_city_are_refused() -> None:
    data = pack_state(start())
    living = start().living
    assert living is not None
    at = data.rindex(struct.pack("<BHH", 1, len(living.drives), len(living.walks)))
    for wrong in (data[:-1], data + b"\0", data[: at + 2], data[:at] + b"\3" + data[at + 1 :]):
        with pytest.raises(ValueError, match="living city"):
            unpack_state(wrong, ())


def test_a_struck_car_stands_and_is_a_collision() -> None:
    state = start(level="full")
    for _ in range(1500):
        state = step(the_town(), state, GO)
        hit = [c.other for c in state.contacts if c.other >= FIRST_DRIVER]
        if hit:
            break
    else:
        pytest.fail("full throttle through a full town met nobody")
    victim = next(a for a in state.actors if a.id == hit[0])
    assert victim.struck == state.tick
    for _ in range(30):
        state = step(the_town(), state, STOP)
    after = next(a for a in state.actors if a.id == hit[0])
    assert after == victim._replace(speed=0.0)


def test_a_scripted_part_across_the_lane_is_braked_for() -> None:
    # a lorry stands across the westbound lanes, a barrier for all that comes
    block = part(1, straight(1.5 * PITCH, PITCH + 1.5 * LANE, 1.5 * PITCH, PITCH + 1.5 * LANE))
    ego = EntityState(EGO_ID, "sedan", 1.5 * PITCH, PITCH - 1.5 * LANE, 0.0, 0.0)
    state = begin(the_town(), (block,), ego, 1, "test", "full")
    for _ in range(1200):
        state = step(the_town(), state, STOP)
        for body in cars(state):
            shape = BODIES[body.body]
            there = overlap(shape, *body[2:5], BODIES["sedan"], *state.actors[0][2:5])
            assert there < 0.35
    assert state.actors[0].id == 1


def test_ids_of_the_script_stay_below_those_of_the_city() -> None:
    with pytest.raises(ValueError, match="id"):
        begin(the_town(), (part(FIRST_DRIVER),), start().ego, 1, "test", "light")
    with pytest.raises(ValueError, match="none"):
        begin(the_town(), (), start().ego, 1, "test", "crowded")


@pytest.mark.parametrize("name", list(MANNERS))
def test_following_settles_at_the_gap_of_the_intelligent_driver_model(name: str) -> None:
    """Treiber 2000, eq. 4: s = (s0 + v T) / sqrt(1 - (v / v0)^4) where all drive v."""
    manner = MANNERS[name]
    v, v0 = 0.5 * manner.top, manner.top
    gap = (manner.keep + v * manner.headway) / (1.0 - (v / v0) ** 4) ** 0.5
    assert follow(manner, v, v0, gap, v) == pytest.approx(0.0, abs=1e-9)
    assert follow(manner, v, v0, gap * 1.1, v) > 0.0 > follow(manner, v, v0, gap / 1.1, v)
    assert follow(manner, 0.0, v0, manner.keep, 0.0) == pytest.approx(0.0)
    assert follow(manner, v, v0, 0.2, v) == -8.0


@pytest.mark.parametrize("name", ["taxi", "bus", "bicycle"])
def test_one_that_follows_stops_behind_what_stands(name: str) -> None:
    manner = MANNERS[name]
    v, gap = manner.top * 0.8, 80.0
    for _ in range(600):
        push = follow(manner, v, manner.top, gap, 0.0)
        w = max(0.0, v + push * 0.1)
        gap -= 0.05 * (v + w)
        v = w
    assert 0.8 * manner.keep < gap < 2.0 * manner.keep
    assert v < 0.05
