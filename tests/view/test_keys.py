"""Events into Controls: integers, ramps a tick, nothing but events decides."""

from itertools import pairwise

from game.view.keys import Mapper, RawInput, approach
from game.world.controls import HANDBRAKE, Camera, Controls


def key(code: str, down: bool = True) -> RawInput:
    return RawInput(0, "key", code, float(down))


def drive(mapper: Mapper, first: int, last: int) -> list[Controls]:
    return [mapper.controls(tick) for tick in range(first, last)]


def test_holding_left_turns_the_wheel_to_full_lock_in_equal_steps() -> None:
    mapper = Mapper()
    mapper.feed([key("a")])
    steers = [c.steer for c in drive(mapper, 0, 60)]
    assert steers[0] == 26
    assert all(b - a in (26, 0, 1000 - a) for a, b in pairwise(steers))
    assert steers[-1] == 1000
    mapper.feed([key("a", False)])
    assert drive(mapper, 60, 90)[-1].steer == 0


def test_both_keys_cancel_and_an_alias_holds_on() -> None:
    mapper = Mapper()
    mapper.feed([key("a"), key("d")])
    assert mapper.controls(0).steer == 0
    mapper.feed([key("d", False), key("arrow_left"), key("a", False)])
    assert mapper.controls(1).steer > 0


def test_skipped_ticks_ramp_as_if_they_had_been_asked_for() -> None:
    one, two = Mapper(), Mapper()
    for mapper in (one, two):
        mapper.feed([key("w"), key("d")])
        mapper.controls(0)
    assert drive(one, 1, 8)[-1] == two.controls(7)
    assert two.controls(7) == two.controls(7)


def test_same_events_give_the_same_controls_whatever_the_clock_said() -> None:
    def run(t_ns: int) -> list[bytes]:
        mapper = Mapper()
        found = []
        for tick in range(50):
            if tick % 7 == 0:
                mapper.feed([RawInput(t_ns * tick, "key", "w", float(tick % 2))])
                mapper.feed([RawInput(t_ns * tick, "look", "mouse-x", 13.0, "px")])
            found.append(mapper.controls(tick).pack())
        return found

    assert run(1) == run(999)


def test_toggles_act_once_a_press() -> None:
    mapper = Mapper()
    mapper.feed([key("r"), key("r"), key("c")])
    assert mapper.controls(0).gear == -1
    assert mapper.controls(0).camera == Camera.HOOD
    mapper.feed([key("r", False), key("r"), key("space")])
    controls = mapper.controls(1)
    assert controls.gear == 1
    assert controls.flags == HANDBRAKE
    assert controls.is_valid()


def test_commands_are_given_once_and_unbound_keys_are_nothing() -> None:
    mapper = Mapper()
    mapper.feed([key("v"), key("q"), key("escape")])
    assert mapper.commands() == ("toggle-styled", "quit")
    assert mapper.commands() == ()


def test_looking_stays_in_range_and_comes_back_when_released() -> None:
    mapper = Mapper()
    mapper.feed([key("mouse3"), RawInput(0, "look", "mouse-x", -9999.0, "px")])
    assert mapper.controls(0).look_yaw == 1800
    mapper.feed([key("mouse3", False)])
    assert drive(mapper, 1, 40)[-1].look_yaw == 0


def test_approach_never_overshoots() -> None:
    assert approach(0, 10, 26) == 10
    assert approach(5, -1000, 60) == -55
