"""Strokes of keyboard and pad as a screen hears them."""

from game.view.screen.ear import Ear
from game.view.screen.model import Event, Go


def gos(events: list[Event]) -> list[Go]:
    return [event.go for event in events]


def test_keys_move_and_tell_their_name() -> None:
    ear = Ear()
    assert ear.key("arrow_up", True) == [Event(Go.KEY, "arrow_up"), Event(Go.UP)]
    assert ear.key("arrow_up", False) == []
    assert gos(ear.key("escape", True)) == [Go.BACK]
    assert gos(ear.key("enter", True)) == [Go.KEY, Go.OK]


def test_shift_and_tab_go_back() -> None:
    ear = Ear()
    ear.key("lshift", True)
    ear.key("shift", True)
    assert gos(ear.key("tab", True)) == [Go.KEY, Go.PREVIOUS]
    ear.key("lshift", False)
    ear.key("shift", False)
    assert gos(ear.key("tab", True)) == [Go.KEY, Go.NEXT]


def test_control_and_v_paste_and_are_no_text() -> None:
    ear = Ear(paste=lambda: "from the clipboard")
    assert ear.text("v") == [Event(Go.TEXT, "v")]
    ear.key("lcontrol", True)
    ear.key("control", True)
    assert ear.key("v", True) == [Event(Go.PASTE, "from the clipboard")]
    assert ear.text("v") == []
    ear.key("control", False)
    ear.key("lcontrol", False)
    assert ear.text("\x16") == []
    assert ear.text("é") == [Event(Go.TEXT, "é")]


def test_a_pad_moves_once_for_each_push_of_the_stick() -> None:
    ear = Ear()
    assert gos(ear.pad((), (("left_y", 0.9),))) == [Go.UP]
    assert ear.pad((), (("left_y", 0.7),)) == []
    assert ear.pad((), (("left_y", 0.5),)) == []  # not let go of yet
    assert ear.pad((), (("left_y", 0.1),)) == []
    assert gos(ear.pad((), (("left_y", -0.9),))) == [Go.DOWN]
    assert gos(ear.pad(("face_a", "unknown"), ())) == [Go.OK]
