"""Screens and hands: everything fits, everything can be touched, nothing else can be reached."""

import pytest

from game.kiosk.hands import CODE_MS, KEYS, LOCK_MS, Hands, StaffCode, at_wheel
from game.kiosk.machine import Mode, Sign
from game.kiosk.screens import BUTTONS, Card, View, draw
from game.view.keys import Deed, RawInput
from game.view.screen.canvas import Box, Canvas, Sprite, Words
from game.view.screen.model import Event, Go
from game.view.screen.theme import TEXT_SIZES, Theme
from tests.view.screen.fits import span

SIZES = ((800, 600), (1080, 1920), (1920, 1080), (1280, 800), (3840, 2160))
CARD = Card("Busy Intersection", "You made it", 42.0, "ABCDE-FGHJK-MNPQR-STVWX-YZ0123", "host/c")


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("text", [TEXT_SIZES["normal"], TEXT_SIZES["large"]])
@pytest.mark.parametrize("mode", Mode)
def test_every_screen_fits_every_window(size: tuple[int, int], text: float, mode: Mode) -> None:
    canvas = Canvas.of(*size)
    drawn = draw(View(mode, 0, 30.0, "day", "", CARD), canvas, Theme(text=text))
    for mark in drawn.marks:
        if isinstance(mark, Words):
            left, right = span(mark)
            assert left >= -1, mark
            assert right <= canvas.width + 1, mark
            assert mark.y + mark.size <= canvas.height, mark
        elif isinstance(mark, Box | Sprite):
            assert mark.x >= 0, mark
            assert mark.x + mark.width <= canvas.width + 0.01, mark
            assert mark.y + mark.height <= canvas.height + 0.01, mark


@pytest.mark.parametrize("size", SIZES)
def test_no_text_lies_under_a_button_and_none_overlap(size: tuple[int, int]) -> None:
    canvas = Canvas.of(*size)
    for mode in (Mode.CONSENT, Mode.CLAIM):
        drawn = draw(View(mode, card=CARD), canvas, Theme())
        tops = [top for _, (_, top, _, _) in drawn.hits]
        lows = [bottom for _, (_, _, _, bottom) in drawn.hits]
        assert all(low < top for low, top in zip(lows[:-1], tops[1:], strict=True))
        above = [m for m in drawn.marks if isinstance(m, Words) and m.y < tops[0]]
        assert max(m.y + m.size for m in above) <= tops[0]
        for sprite in (m for m in drawn.marks if isinstance(m, Sprite)):
            assert sprite.y + sprite.height < tops[0]


def test_a_touch_means_the_button_under_it() -> None:
    canvas = Canvas.of(1920, 1080)
    hands, drawn = Hands(), draw(View(Mode.CONSENT), canvas, Theme())
    for sign, (left, top, right, bottom) in drawn.hits:
        event = Event(Go.CLICK, x=(left + right) / 2, y=(top + bottom) / 2)
        assert hands.on_screen([event], Mode.CONSENT, drawn, 0) == [sign]
    beside = Event(Go.CLICK, x=1, y=1)
    assert hands.on_screen([beside], Mode.CONSENT, drawn, 0) == [Sign.TOUCH]


def test_a_pad_reaches_every_button() -> None:
    hands, drawn = Hands(), draw(View(Mode.CONSENT), Canvas.of(800, 600), Theme())
    found = []
    for _ in BUTTONS[Mode.CONSENT]:
        hands.on_screen([Event(Go.DOWN)], Mode.CONSENT, drawn, 0)
        found += hands.on_screen([Event(Go.OK)], Mode.CONSENT, drawn, 0)
    assert found == [sign for sign, _ in BUTTONS[Mode.CONSENT]]


def test_pressing_the_same_key_again_agrees_to_nothing() -> None:
    hands, drawn = Hands(), draw(View(Mode.CONSENT), Canvas.of(800, 600), Theme())
    said = hands.on_screen([Event(Go.OK)] * 5, Mode.CONSENT, drawn, 0)
    assert set(said) == {Sign.TOUCH}


def test_a_moving_pointer_starts_nothing() -> None:
    drawn = draw(View(Mode.ATTRACT), Canvas.of(800, 600), Theme())
    assert Hands().on_screen([Event(Go.POINT, x=5, y=5)], Mode.ATTRACT, drawn, 0) == []
    assert Hands().on_screen([Event(Go.KEY, "f")], Mode.ATTRACT, drawn, 0) == [Sign.TOUCH]


def test_no_key_types_a_prompt_pauses_a_recording_or_quits() -> None:
    deeds = set(KEYS.values())
    assert not deeds & {Deed.TYPE, Deed.PAUSE, Deed.GRAPH}
    assert {Deed.LEFT, Deed.RIGHT, Deed.THROTTLE, Deed.BRAKE} <= deeds
    assert at_wheel([], ["quit"]) == [Sign.BACK]


def test_a_key_that_the_system_lets_go_is_nobodys_deed() -> None:
    synthetic = RawInput(0, "key", "w", 1.0, synthetic=True)
    up, down = RawInput(0, "key", "w", 0.0), RawInput(0, "key", "w", 1.0)
    assert at_wheel([synthetic, up], []) == []
    assert at_wheel([down, down], []) == [Sign.DRIVES]


def _type(hands: Hands, digits: str, start_ms: int, each_ms: int = 100) -> list[Sign]:
    drawn = draw(View(Mode.ATTRACT), Canvas.of(800, 600), Theme())
    signs: list[Sign] = []
    for number, digit in enumerate(digits):
        event = Event(Go.KEY, digit)
        signs += hands.on_screen([event], Mode.ATTRACT, drawn, start_ms + number * each_ms)
    return signs


def test_the_staff_code_closes_and_only_when_typed_at_once() -> None:
    assert _type(Hands("314159"), "00314159", 0) == [Sign.CLOSE]
    assert _type(Hands("314159"), "314159", 0, CODE_MS // 4) == []
    assert _type(Hands(""), "314159", 0) == []


def test_guessing_the_staff_code_locks_it_for_a_while() -> None:
    code = StaffCode("314159")
    for number in range(40):
        assert not code.heard("7", number * 100)
    now = 4000
    assert not any(code.heard(digit, now) for digit in "314159")
    assert any(code.heard(digit, now + LOCK_MS) for digit in "314159")
