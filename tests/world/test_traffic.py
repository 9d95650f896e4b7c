"""When scripted parts set off, how they move, what they stop for."""

import itertools
from dataclasses import replace

import pytest

from game.world.controls import Controls
from game.world.state import Track, Trigger, WorldState
from game.world.track import length, sample, straight, through
from game.world.traffic import KEEP, speed_at
from game.world.version import DT

from .street import box, car, city_of, part, run, start


def set_off(states: list[WorldState], key: int) -> int:
    """The tick at which a part set off, -1 where it never did."""
    return next((a.started for s in states for a in s.actors if a.id == key and a.started >= 0), -1)


def gap(state: WorldState, key: int, body_length: float = 4.7) -> float:
    """Between a part's nose and the ego's tail, both heading east."""
    actor = next(a for a in state.actors if a.id == key)
    return (state.ego.x - 4.7 / 2.0) - (actor.x + body_length / 2.0)


def test_a_part_sets_off_at_its_tick() -> None:
    states = run(start(part(1, trigger=Trigger(at_tick=30))), 60)
    assert states[29].actors == ()
    assert states[30].actors[0].started == 30


def test_a_part_without_conditions_is_there_from_the_start() -> None:
    assert start(part(1)).actors[0].started == 0


def test_a_part_sets_off_when_the_ego_comes_near() -> None:
    states = run(start(part(1, trigger=Trigger(near=(10.0, 0.0, 3.0))), ego=car(speed=6.0)), 120)
    tick = set_off(states, 1)
    assert states[tick].ego.x >= 7.0 > states[tick - 1].ego.x
    assert states[tick].visited == (1,)


@pytest.mark.parametrize(("first", "second"), [(1, 2), (2, 1)])
def test_a_part_follows_another_after_its_delay_whatever_their_order(
    first: int, second: int
) -> None:
    cast = (
        part(first, trigger=Trigger(at_tick=10)),
        part(second, trigger=Trigger(after=first, delay=25)),
        part(3, trigger=Trigger(after=second)),
    )
    states = run(start(*cast), 60)
    assert [set_off(states, key) for key in (first, second, 3)] == [10, 35, 35]


def test_all_conditions_must_hold() -> None:
    trigger = Trigger(at_tick=40, near=(6.0, 0.0, 3.0))
    states = run(start(part(1, trigger=trigger), ego=car(speed=8.0)), 60)
    assert states[39].visited == (1,)
    assert set_off(states, 1) == 40


def test_a_delay_runs_even_when_the_ego_has_gone_on() -> None:
    trigger = Trigger(near=(6.0, 0.0, 1.0), delay=100)
    states = run(start(part(1, trigger=trigger), ego=car(speed=8.0)), 200)
    seen = next(s.tick for s in states if s.visited)
    assert set_off(states, 1) == seen + 100


def test_a_part_that_waits_is_seen_and_stands() -> None:
    trigger = Trigger(at_tick=20)
    states = run(start(part(1, speed=5.0, trigger=trigger, waits=True)), 21)
    assert states[0].actors[0].started == -1
    assert states[19].actors[0].x == states[0].actors[0].x
    assert states[21].actors[0].x > states[0].actors[0].x


def test_progress_is_speed_times_time() -> None:
    last = run(start(part(1, straight(0.0, 50.0, 300.0, 50.0), speed=9.0)), 600)[-1]
    assert last.progress == ((1, pytest.approx(90.0)),)
    assert last.actors[0].x == pytest.approx(90.0)


def test_a_profile_is_linear_between_its_knots_and_held_outside() -> None:
    profile = ((10, 4.0), (20, 8.0), (20, 2.0), (30, 0.0))
    assert [speed_at(profile, t) for t in (0, 10, 15, 20, 25, 99)] == [4.0, 4.0, 6.0, 8.0, 1.0, 0.0]


def test_at_its_end_a_part_stays_or_vanishes() -> None:
    track = straight(0.0, 50.0, 10.0, 50.0)
    cast = (part(1, track, 5.0, ending="stay"), part(2, track, 5.0, ending="vanish"))
    last = run(start(*cast), 200)[-1]
    assert [a.id for a in last.actors] == [1]
    assert (last.actors[0].x, last.actors[0].speed) == (10.0, 0.0)
    assert last.progress == ((1, 10.0), (2, 10.0))


def test_a_thing_that_stands_never_vanishes() -> None:
    thing = part(1, straight(30.0, 30.0, 30.0, 30.0), ending="vanish")
    assert len(run(start(thing), 100)[-1].actors) == 1


def test_one_that_yields_stops_behind_the_ego() -> None:
    follower = part(1, straight(-60.0, 0.0, 200.0, 0.0), 12.0, yields=True)
    states = run(start(follower), 900)
    assert states[-1].collisions == 0
    assert states[-1].actors[0].speed == 0.0
    assert KEEP - 1.0 < gap(states[-1], 1) < KEEP + 1.0


def test_one_that_does_not_yield_drives_into_the_ego() -> None:
    assert run(start(part(1, straight(-60.0, 0.0, 200.0, 0.0), 12.0)), 600)[-1].collisions == 1


def test_one_that_yields_goes_on_when_the_way_is_free_again() -> None:
    follower = part(1, straight(-30.0, 0.0, 200.0, 0.0), 8.0, yields=True)
    states = run(start(follower), 600)
    states += run(states[-1], 600, Controls(throttle=500))[1:]
    assert states[-1].actors[0].speed == 8.0
    assert states[-1].collisions == 0


def test_one_that_yields_ignores_the_next_lane() -> None:
    passing = part(1, straight(-60.0, 3.3, 200.0, 3.3), 12.0, yields=True)
    assert all(s.actors[0].speed == 12.0 for s in run(start(passing), 600))


def test_a_queue_stands_without_touching() -> None:
    cast = [part(k, straight(-20.0 * k, 0.0, 200.0, 0.0), 10.0, yields=True) for k in (1, 2, 3)]
    last = run(start(*cast), 900)[-1]
    x = [last.ego.x] + [a.x for a in last.actors]
    assert all(a - b > 4.7 for a, b in itertools.pairwise(x))
    assert all(a.speed == 0.0 for a in last.actors)


def test_one_that_yields_looks_round_the_corner() -> None:
    corner = through(((-40.0, 0.0), (0.0, 0.0), (0.0, 40.0)))
    turner = part(1, corner, 7.0, yields=True)
    last = run(start(turner, ego=car(0.0, 20.0, 1.5707963)), 900)[-1]
    assert last.collisions == 0
    assert 5.0 < last.actors[0].y < 20.0 - 4.7


def test_two_that_yield_at_a_crossing_never_wait_for_ever() -> None:
    cast = (
        part(1, straight(-30.0, 0.0, 60.0, 0.0), 7.0, yields=True),
        part(2, straight(0.0, -30.0, 0.0, 60.0), 7.0, yields=True),
    )
    last = run(start(*cast, ego=car(0.0, 300.0)), 2400)[-1]
    assert [s for _, s in last.progress] == [90.0, 90.0]


def test_two_that_stand_in_each_others_way_go_one_by_one() -> None:
    setting_off = ((0, 0.0), (30, 7.0))
    cast = [
        replace(part(key, track, yields=True), profile=setting_off)
        for key, track in ((1, straight(-3.2, 0.0, 60.0, 0.0)), (2, straight(0.0, -3.2, 0.0, 60.0)))
    ]
    states = run(start(*cast, ego=car(0.0, 300.0)), 1500)
    assert states[60].progress[1] == (2, 0.0)  # the lower id goes first
    assert [s for _, s in states[-1].progress] == pytest.approx([63.2, 63.2])


def test_one_that_yields_lets_a_walker_cross() -> None:
    cast = (
        part(1, straight(-40.0, 0.0, 60.0, 0.0), 8.0, yields=True),
        part(
            2, straight(4.0, 7.0, 4.0, -9.0), 1.6, body="pedestrian", trigger=Trigger(at_tick=120)
        ),
    )
    states = run(start(*cast, ego=car(0.0, 300.0)), 900)
    nose = [(s.actors[0].x + 2.35, s.actors[-1].y) for s in states if len(s.actors) == 2]
    assert all(x < 3.7 for x, y in nose if -1.5 < y < 1.5)
    assert states[-1].progress[0][1] > 60.0  # and drives on


def test_a_wall_stops_a_part_whose_track_leads_into_it() -> None:
    wall = city_of((box(20.0, -10.0, 30.0, 10.0),))
    states = run(
        start(part(1, straight(0.0, 0.0, 60.0, 0.0), 5.0), ego=car(0.0, 50.0), city=wall),
        600,
        city=wall,
    )
    assert 15.0 < states[-1].actors[0].x < 20.0 - 2.35


def test_a_track_is_sampled_between_its_stations_the_shorter_way_round() -> None:
    track = Track((0.0, 10.0), (0.0, 10.0), (0.0, 0.0), (3.1, -3.1))
    assert sample(track, 5.0) == (5.0, 0.0, pytest.approx(3.14159, abs=1e-4))
    assert sample(track, -1.0)[0] == 0.0
    assert sample(track, 99.0)[0] == 10.0
    assert length(track) == 10.0


def test_ids_order_the_actors_however_the_cast_was_given() -> None:
    states = run(start(part(3), part(1), part(2, trigger=Trigger(at_tick=5))), 10)
    assert [a.id for a in states[-1].actors] == [1, 2, 3]


@pytest.mark.parametrize(
    ("wrong", "words"),
    [
        (part(0), "id 0"),
        (part(1, body="zeppelin"), "zeppelin"),
        (part(1, ending="explode"), "explode"),
        (part(1, trigger=Trigger(after=9)), "waits for 9"),
        (part(1, Track((0.0, 0.0), (0.0, 1.0), (0.0, 0.0), (0.0, 0.0))), "does not grow"),
        (part(1, Track((), (), (), ())), "empty"),
    ],
)
def test_a_cast_that_cannot_be_is_refused(wrong: object, words: str) -> None:
    with pytest.raises(ValueError, match=words):
        start(wrong)  # type: ignore[arg-type]


def test_speed_gained_again_is_no_more_than_a_driver_would() -> None:
    follower = part(1, straight(-30.0, 0.0, 400.0, 0.0), 12.0, yields=True)
    states = run(start(follower), 600)
    states += run(states[-1], 300, Controls(throttle=1000))[1:]
    speeds = [s.actors[0].speed for s in states]
    assert max(b - a for a, b in itertools.pairwise(speeds)) <= 3.0 * DT + 1e-12
