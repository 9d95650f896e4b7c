"""What an event does to a screen: focus, fields, choices, keys; without any display."""

import pytest

from game.view.screen.model import (
    BACK,
    Act,
    Button,
    Choice,
    Event,
    Field,
    Go,
    KeyRow,
    Note,
    Screen,
    Toggle,
    answer,
)


def menu() -> Screen:
    return Screen(
        "Menu",
        (Note("read me"), Button("go", "Go"), Button("off", "Off", enabled=False),
         Toggle("calm", "Calm", False), Choice("size", "Size", ("s", "m", "l"), 2)),
    )  # fmt: skip


def after(screen: Screen, *events: Event) -> tuple[Screen, Act | None]:
    act = None
    for event in events:
        screen, act = answer(screen, event)
    return screen, act


def test_focus_skips_what_cannot_be_chosen_and_goes_round() -> None:
    screen = menu()
    assert screen.focus == 1
    screen, _ = after(screen, Event(Go.DOWN))
    assert screen.focus == 3
    screen, _ = after(screen, Event(Go.DOWN), Event(Go.DOWN))
    assert screen.focus == 1
    assert after(screen, Event(Go.UP))[0].focus == 4


def test_a_toggle_and_a_choice_tell_their_new_value() -> None:
    screen, act = after(menu(), Event(Go.DOWN), Event(Go.OK))
    assert act == Act("calm", "on")
    assert after(screen, Event(Go.OK))[1] == Act("calm", "off")
    screen, act = after(menu().at("size"), Event(Go.RIGHT))
    assert act == Act("size", "s")
    assert after(screen, Event(Go.LEFT))[1] == Act("size", "l")


def test_a_field_takes_text_paste_and_corrections_and_says_so_at_each_stroke() -> None:
    screen = Screen("Wallet", (Field("wallet", "Wallet", longest=6),))
    screen, act = after(screen, Event(Go.TEXT, "a"), Event(Go.PASTE, "bc\n\x07d"))
    assert act == Act("wallet:typed", "abcd")
    screen, act = after(screen, Event(Go.RUB))
    assert act == Act("wallet:typed", "abc")
    screen, act = after(screen, Event(Go.PASTE, "defgh"))
    assert act == Act("wallet:typed", "abcdef")
    assert after(screen, Event(Go.OK))[1] == Act("wallet", "abcdef")
    assert after(screen, Event(Go.ERASE))[1] == Act("wallet:typed", "")


def test_a_waiting_key_row_takes_the_next_key_and_escape_leaves_it() -> None:
    screen = Screen("Keys", (KeyRow("horn", "Horn", ("h",)),))
    waiting, act = after(screen, Event(Go.OK))
    assert act is None
    assert waiting.rows[0] == KeyRow("horn", "Horn", ("h",), waiting=True)
    assert after(waiting, Event(Go.DOWN), Event(Go.KEY, "arrow_down"))[1] == Act(
        "horn", "arrow_down"
    )
    left, act = after(waiting, Event(Go.BACK))
    assert (left, act) == (screen, None)
    assert after(left, Event(Go.BACK))[1] == BACK


def test_the_pointer_focuses_what_it_is_over_and_a_click_does_it() -> None:
    hits = {1: (0.0, 0.0, 100.0, 20.0), 4: (0.0, 30.0, 100.0, 50.0)}
    screen, act = answer(menu(), Event(Go.POINT, x=5, y=35), hits)
    assert (screen.focus, act) == (4, None)
    assert answer(screen, Event(Go.CLICK, x=5, y=5), hits)[1] == Act("go")
    assert answer(screen, Event(Go.CLICK, x=90, y=35), hits)[1] == Act("size", "s")
    assert answer(screen, Event(Go.CLICK, x=10, y=35), hits)[1] == Act("size", "m")
    assert answer(screen, Event(Go.CLICK, x=500, y=500), hits) == (screen, None)


@pytest.mark.parametrize("go", [Go.UP, Go.OK, Go.TEXT, Go.LEFT, Go.SCROLL, Go.END])
def test_a_screen_to_read_only_survives_everything(go: Go) -> None:
    screen = Screen("Note", (Note("only text"),))
    assert answer(screen, Event(go, "x")) == (screen, None)
