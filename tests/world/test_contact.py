"""Walls stop the car, blows slow it, and one crash is one contact."""

import itertools

import pytest

from game.world.contact import REBOUND
from game.world.controls import Controls
from game.world.entity import BODIES
from game.world.state import WorldState
from game.world.track import straight
from game.world.version import DT

from .street import box, car, city_of, part, run, start

WALL = city_of((box(20.0, -10.0, 30.0, 10.0),), (box(20.0, 10.0, 30.0, 30.0),))
NOSE = BODIES["sedan"].cover
GAS = Controls(throttle=1000)


def begun(states: list[WorldState]) -> list[int]:
    """Ticks at which a contact was counted."""
    pairs = itertools.pairwise(states)
    return [b.tick for a, b in pairs if b.collisions > a.collisions]


def test_a_wall_keeps_the_car_out_and_takes_its_speed() -> None:
    states = run(start(ego=car(speed=15.0), city=WALL), 120, city=WALL)
    hit = next(s for s in states if s.contacts)
    before = states[hit.tick - 1]
    assert (hit.ego.x, hit.ego.y) == (before.ego.x, before.ego.y)
    assert hit.ego.speed == pytest.approx(-REBOUND * before.ego.speed, rel=0.01)
    assert all(s.ego.x + NOSE < 20.0 for s in states)


def test_leaning_on_a_wall_is_one_contact() -> None:
    states = run(start(ego=car(speed=10.0), city=WALL), 600, GAS, WALL)
    assert states[-1].collisions == 1
    assert states[-1].contacts[0].other == -1 - 100
    assert states[-1].contacts[0].since == begun(states)[0]


def test_a_contact_across_two_houses_of_a_row_is_one() -> None:
    ego = car(15.0, 2.0, 1.2, 12.0)
    states = run(start(ego=ego, city=WALL), 300, Controls(steer=-1000, throttle=600), WALL)
    assert states[-1].collisions == 1


def test_backing_off_and_hitting_again_is_a_second_contact() -> None:
    states = run(start(ego=car(speed=10.0), city=WALL), 150, GAS, WALL)
    states += run(states[-1], 120, Controls(throttle=1000, gear=-1), WALL)[1:]
    assert states[-1].contacts == ()
    states += run(states[-1], 240, GAS, WALL)[1:]
    assert states[-1].collisions == 2


def test_a_contact_tells_the_closing_speed() -> None:
    oncoming = part(5, straight(60.0, 0.0, 0.0, 0.0), speed=8.0)
    states = run(start(oncoming, ego=car(speed=10.0)), 240)
    contact = next(s for s in states if s.contacts).contacts[0]
    before = states[contact.since - 1]
    assert contact.other == 5
    assert contact.speed == pytest.approx(8.0 + before.ego.speed, abs=0.1)


def test_both_stop_where_two_cars_meet_head_on() -> None:
    oncoming = part(5, straight(60.0, 0.0, 0.0, 0.0), speed=8.0)
    last = run(start(oncoming, ego=car(speed=10.0)), 300)[-1]
    assert last.ego.speed == last.actors[0].speed == 0.0
    assert last.actors[0].struck > 0
    assert last.collisions == 1


def test_a_light_thing_slows_the_car_by_its_share_of_the_mass() -> None:
    cone = part(3, straight(12.0, 0.0, 12.0, 0.0), body="barrel")
    states = run(start(cone, ego=car(speed=10.0)), 120)
    tick = begun(states)[0]
    share = BODIES["sedan"].mass / (BODIES["sedan"].mass + BODIES["barrel"].mass)
    coasting = 0.85 * DT  # engine, tyres and air, nearly
    assert states[tick].ego.speed == pytest.approx(
        share * states[tick - 1].ego.speed - coasting, abs=0.01
    )
    assert states[-1].ego.x > 15.0  # over it
    assert states[-1].contacts == ()


def test_a_parked_car_cannot_be_driven_through() -> None:
    parked = part(3, straight(12.0, 0.0, 12.0, 0.0))
    last = run(start(parked, ego=car(speed=10.0)), 600, GAS)[-1]
    assert last.ego.x < 12.0 - 2.0 * 2.35
    assert last.collisions == 1


def test_the_ego_can_back_away_from_whoever_drove_into_it() -> None:
    oncoming = part(5, straight(40.0, 0.0, 0.0, 0.0), speed=15.0)
    crashed = run(start(oncoming), 200)[-1]
    assert crashed.collisions == 1
    assert run(crashed, 180, Controls(throttle=1000, gear=-1))[-1].ego.x < -5.0


def test_being_hit_from_behind_never_speeds_the_ego_up() -> None:
    behind = part(5, straight(-40.0, 0.0, 40.0, 0.0), speed=15.0)
    states = run(start(behind, ego=car(speed=3.0)), 240)
    tick = begun(states)[0]
    assert states[tick].ego.speed <= states[tick - 1].ego.speed


def test_a_struck_part_never_moves_again() -> None:
    walker = part(4, straight(14.0, -4.0, 14.0, 4.0), speed=1.5, body="pedestrian")
    states = run(start(walker, ego=car(3.0, speed=5.0)), 400, Controls(throttle=200))
    struck = next(s for s in states if s.actors[0].struck > 0)
    assert states[-1].actors[0] == struck.actors[0]
    assert struck.actors[0].speed == 0.0


def test_beginning_inside_a_building_is_refused() -> None:
    with pytest.raises(ValueError, match="inside a building"):
        start(ego=car(25.0, 0.0), city=WALL)
