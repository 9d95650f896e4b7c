"""Readings of wheels and pedals become integers, by a calibration that is text in the settings."""

import pytest

from game.view.axes import Axes, Calibration, Gadget, Use, plain, read, usual

G = "G27 Racing Wheel"


def wheel(**axes: float) -> Gadget:
    return Gadget(G, "wheel", frozenset(), {"wheel": 0.0, "accelerator": 0.0, "brake": 0.0, **axes})


def test_left_is_positive_and_each_side_has_its_own_way() -> None:
    use = Use("steer", "wheel", -0.8, 0.1, 1.0, dead=0.0)
    assert [use.value(v) for v in (-0.8, -0.35, 0.1, 0.55, 1.0)] == [1000, 500, 0, -500, -1000]
    assert use.value(-2.0) == 1000  # beyond what was calibrated is all of it


def test_a_pedal_may_rest_at_any_end() -> None:
    use = Use("brake", "axis2", 0.0, 1.0, -1.0, dead=0.0)
    assert [use.value(v) for v in (1.0, 0.5, 0.0, -1.0, 1.2)] == [0, 250, 500, 1000, 0]


def test_the_dead_zone_is_nothing_and_there_is_no_step_behind_it() -> None:
    use = Use("steer", "wheel", -1.0, 0.0, 1.0, dead=0.1)
    assert use.value(0.1) == 0
    assert use.value(-0.101) == 1
    assert use.value(-1.0) == 1000


def test_a_short_reach_is_full_lock_sooner() -> None:
    use = Use("steer", "wheel", -1.0, 0.0, 1.0, dead=0.0, reach=0.5)
    assert [use.value(v) for v in (-0.25, -0.5, -0.9)] == [500, 1000, 1000]


@pytest.mark.parametrize("role", ["steer", "throttle"])
def test_turned_round_twice_is_as_before(role: str) -> None:
    use = Use(role, "wheel", -1.0, 0.0, 0.9, dead=0.0)
    assert use.turned_round().turned_round() == use
    assert use.turned_round().value(0.9) == (1000 if role == "steer" else 0)


def test_what_is_written_reads_back() -> None:
    made = Calibration(
        plain("Wheel: the 'big', one"),
        (Use("steer", "axis0", -0.98, 0.01, 0.97), Use("throttle", "y", 0.0, 0.0, -1.0, 0.05, 0.9)),
    )
    assert "," not in made.written()
    assert read(made.written()) == made


@pytest.mark.parametrize(
    "text",
    [
        "no colon", ": steer wheel -1 0 1 dead 0 reach 1", "G: steer wheel -1 0 1",
        "G: fly wheel -1 0 1 dead 0 reach 1", "G: steer wheel -1 0 0 dead 0 reach 1",
        "G: steer wheel -1 0 1 dead 0.6 reach 1", "G: steer wheel -1 0 1 dead 0 reach 0",
        "G: steer wheel -1 0 nan dead 0 reach 1", "G: brake b 0 inf 1 dead 0 reach 1",
        "G: steer a -1 0 1 dead 0 reach 1; steer b -1 0 1 dead 0 reach 1",
    ],
)  # fmt: skip
def test_what_makes_no_sense_is_refused(text: str) -> None:
    with pytest.raises(ValueError):
        read(text)


def test_pedals_that_rest_at_their_far_end_do_not_begin_pressed() -> None:
    axes = Axes()
    assert axes.feed([wheel(accelerator=1.0, brake=-1.0)], 0) == []
    found = axes.feed([wheel(accelerator=0.0, brake=0.0)], 1)
    assert [(e.code, e.value > 400) for e in found] == [("brake", True), ("throttle", True)]


def test_of_two_devices_the_one_moved_last_steers() -> None:
    pad = Gadget("Pad", "pad", frozenset(), {"left_x": 0.0})
    axes = Axes()
    (first,) = axes.feed([wheel(wheel=0.5), pad], 0)
    (then,) = axes.feed([wheel(wheel=0.5), Gadget("Pad", "pad", axes={"left_x": -1.0})], 1)
    assert (first.src, then.src, then.value) == ("wheel", "pad", 1000)
    assert axes.feed([wheel(wheel=0.501), Gadget("Pad", "pad", axes={"left_x": -1.0})], 2) == []


def test_a_trembling_axis_says_nothing() -> None:
    axes = Axes([Calibration(G, (Use("steer", "wheel", -1.0, 0.0, 1.0, 0.0),))])
    assert len(axes.feed([wheel(wheel=0.5)], 0)) == 1
    assert axes.feed([wheel(wheel=0.502)], 1) == []
    assert axes.feed([wheel(wheel=0.0)], 2)[0].value == 0


def test_the_settings_calibration_goes_before_the_usual_one() -> None:
    mine = Calibration(G, (Use("steer", "brake", -1.0, 0.0, 1.0, 0.0),))
    (event,) = Axes([mine]).feed([wheel(wheel=0.9, brake=-1.0)], 0)
    assert (event.code, event.value) == ("steer", 1000)


def test_a_flight_stick_drives_nothing_before_it_is_calibrated() -> None:
    assert usual(Gadget("Stick", "stick", axes={"x": 1.0, "throttle": 1.0})).uses == ()
