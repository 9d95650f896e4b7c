"""A pad's buttons become a keyboard's key events; its sticks and triggers drive as integers."""

from game.view.axes import Gadget
from game.view.keys import BINDINGS, Mapper, RawInput
from game.view.pads import DRIVES, PadKeys, Pads

STILL = {"left_x": 0.0, "left_y": 0.0, "left_trigger": 0.0, "right_trigger": 0.0}


def pad(*pressed: str, **axes: float) -> Gadget:
    return Gadget("Some Pad", "pad", frozenset(pressed), {**STILL, **axes})


class Desk:
    """Stands for the machine: what is plugged in is what a test says."""

    def __init__(self, *gadgets: Gadget) -> None:
        self.gadgets = gadgets

    def __call__(self) -> tuple[Gadget, ...]:
        return self.gadgets


def _codes(events: list[RawInput]) -> list[tuple[str, float]]:
    return [(event.code, event.value) for event in events]


def test_a_button_is_a_key_once_down_and_once_up() -> None:
    keys = PadKeys()
    assert _codes(keys.feed([pad("face_a")], 7)) == [("w", 1.0)]
    assert _codes(keys.feed([pad("face_a")], 7)) == []
    assert _codes(keys.feed([], 7)) == [("w", 0.0)]


def test_two_ways_to_the_same_key_are_one_press() -> None:
    keys = PadKeys()
    assert _codes(keys.feed([pad("face_a", "dpad_up")], 0)) == [("w", 1.0)]
    assert _codes(keys.feed([pad("face_a")], 0)) == []
    assert _codes(keys.feed([pad()], 0)) == [("w", 0.0)]


def test_a_trigger_that_is_an_axis_is_no_button_besides() -> None:
    half = pad("rtrigger", right_trigger=0.525)
    assert PadKeys().feed([half], 0) == []
    plain = Gadget("Old Pad", "pad", frozenset({"rtrigger"}), {"left_x": 0.0})
    assert _codes(PadKeys().feed([plain], 0)) == [("w", 1.0)]


def test_stick_and_triggers_drive_as_far_as_they_are_moved() -> None:
    desk = Desk(pad())
    pads, mapper = Pads(desk), Mapper()
    assert pads.keys(0) == []
    desk.gadgets = (pad(right_trigger=0.525, left_x=-0.56),)
    events = pads.keys(1)
    assert _codes(events) == [("steer", 500), ("throttle", 500)]
    assert {(e.kind, e.unit, e.src) for e in events} == {("axis", "1/1000", "pad")}
    mapper.feed(events)
    for tick in range(30):
        controls = mapper.controls(tick)
    assert (controls.steer, controls.throttle, controls.brake) == (500, 500, 0)
    desk.gadgets = (pad(),)
    mapper.feed(pads.keys(2))
    for tick in range(30, 60):
        controls = mapper.controls(tick)
    assert (controls.steer, controls.throttle) == (0, 0)


def test_a_key_wins_over_a_stick_that_rests_and_hands_back_to_it() -> None:
    mapper = Mapper()
    mapper.feed([RawInput(0, "axis", "steer", 200), RawInput(0, "key", "d", 1.0)])
    assert [mapper.controls(t).steer for t in range(60)][-1] == -1000
    mapper.feed([RawInput(0, "key", "d", 0.0)])
    assert [mapper.controls(t).steer for t in range(60, 90)][-1] == 200


def test_a_pad_that_is_pulled_out_lets_go_of_everything() -> None:
    desk = Desk(pad("face_x", right_trigger=1.0))
    pads = Pads(desk)
    assert _codes(pads.keys(0)) == [("space", 1.0), ("throttle", 1000)]
    desk.gadgets = ()
    gone = pads.keys(1)
    assert _codes(gone) == [("space", 0.0), ("throttle", 0)]
    assert gone[1].synthetic
    assert pads.keys(2) == []


def test_who_begins_anew_is_told_where_the_wheel_stands() -> None:
    pads = Pads(Desk(pad(left_x=1.0)))
    assert _codes(pads.keys(0)) == [("steer", -1000)]
    assert pads.keys(1) == []
    pads.rest()
    assert _codes(pads.keys(2)) == [("steer", -1000)]


def test_menus_hear_a_button_once_and_the_sticks_of_pads_alone() -> None:
    desk = Desk(pad("face_a", left_x=0.7), Gadget("G", "wheel", frozenset(), {"left_x": 0.9}))
    pads = Pads(desk)
    fresh, sticks = pads.menu()
    assert (fresh, dict(sticks)["left_x"]) == (("face_a",), 0.7)
    assert pads.menu()[0] == ()


def test_every_button_stands_for_a_key_that_there_is() -> None:
    assert set(DRIVES.values()) <= set(BINDINGS)


def test_without_a_pad_nothing_is_pressed() -> None:
    pads = Pads(list)
    assert pads.menu() == ((), ())
    assert pads.keys(0) == []
    assert pads.kinds() == ()
