"""The opening: what is asked, in which order, and what each key does. No display."""

from pathlib import Path

import pytest

from game.play.app import consent
from game.play.app.memory import Memory, keep, recall
from game.play.app.overture import LEAST_S, Overture, Phase
from game.view.screen.canvas import Canvas, Words, width_of
from game.view.screen.model import Event, Go
from game.view.screen.theme import TEXT_SIZES, Theme

GOOD = "7xKXtg2CW87d97TXJSDpbD5jBkheTqA83TZRuJosgAsU"
OTHER = "9WzDXwBbmkg8ZTbNMqUxvQRAyrZzDsGYdLVL9zYtAWWM"


def known(**more: object) -> Memory:
    return Memory(starts=3, consent=consent.VERSION, **more)  # type: ignore[arg-type]


def words(show: Overture, now: float = 1.0) -> str:
    marks = show.marks(now, Canvas.of(1280, 800))
    return "\n".join(mark.text for mark in marks if isinstance(mark, Words))


def test_a_first_start_shows_the_machine_then_asks_then_plays() -> None:
    show = Overture(Memory(), Theme())
    show.say("graphics        ok", 0.0)
    show.step(0.5, examined=True, ready=True)
    assert show.phase is Phase.BOOT  # it is there to be seen
    show.step(LEAST_S, examined=True, ready=True)
    assert show.phase is Phase.CONSENT
    show.feed(Event(Go.OK))
    assert show.memory.consent == consent.VERSION
    assert show.phase is Phase.WALLET
    show.feed(Event(Go.OK))
    assert (show.phase, show.answered) == (Phase.WAIT, "")
    show.step(3.0, examined=True, ready=False)
    assert show.phase is Phase.WAIT
    show.step(9.0, examined=True, ready=True)
    assert show.phase is Phase.OVER


def test_diagnostics_are_waited_for_unless_a_key_says_no() -> None:
    show = Overture(known(), Theme(), short=True)
    show.step(60.0, examined=False, ready=False)
    assert show.phase is Phase.BOOT
    show.feed(Event(Go.POINT))  # a hand on the mouse skips nothing
    assert show.phase is Phase.BOOT
    show.feed(Event(Go.KEY, "space"))
    assert show.phase is Phase.WALLET


def test_letters_typed_early_are_not_lost() -> None:
    show = Overture(known(wallets=(OTHER,)), Theme(), short=True)
    show.feed(Event(Go.PASTE, f" {GOOD}\n"))
    assert (show.phase, show.typed) == (Phase.WALLET, GOOD)
    show.feed(Event(Go.OK))
    assert show.answered == GOOD
    assert show.memory.wallets == (GOOD, OTHER)


def test_a_wrong_address_is_explained_and_not_taken() -> None:
    show = Overture(known(), Theme(), short=True)
    for letter in "7xKX0":
        show.feed(Event(Go.TEXT, letter))
    assert "place 5" in words(show)
    show.feed(Event(Go.OK))
    assert show.phase is Phase.WALLET
    show.feed(Event(Go.BACK))  # escape plays at once, with no address
    assert (show.phase, show.answered) == (Phase.WAIT, "")


def test_remembered_addresses_are_offered_newest_first() -> None:
    show = Overture(known(wallets=(GOOD, OTHER)), Theme(), short=True)
    show.feed(Event(Go.KEY, "space"))
    assert show.typed == GOOD
    show.feed(Event(Go.DOWN))
    assert show.typed == OTHER
    show.feed(Event(Go.OK))
    assert show.answered == OTHER
    assert show.memory.wallets == (OTHER, GOOD)


def test_a_refusal_asks_for_no_wallet_and_is_remembered(tmp_path: Path) -> None:
    show = Overture(Memory(), Theme())
    show.feed(Event(Go.KEY, "space"))
    assert show.phase is Phase.CONSENT
    show.feed(Event(Go.DOWN))
    show.feed(Event(Go.OK))
    assert (show.phase, show.memory.consent) == (Phase.WAIT, consent.REFUSED)
    keep(tmp_path, show.memory)
    assert recall(tmp_path) == show.memory
    assert Overture(recall(tmp_path), Theme()).wanted is False


def test_what_leaves_can_be_read_before_deciding(tmp_path: Path) -> None:
    show = Overture(Memory(), Theme(), sessions=tmp_path)
    show.feed(Event(Go.KEY, "space"))
    show.feed(Event(Go.END))
    show.feed(Event(Go.OK))
    assert show.phase is Phase.FACTS
    told = words(show)
    assert "session.json" in told
    assert "inputs.jsonl" in told
    show.feed(Event(Go.BACK))
    assert show.phase is Phase.CONSENT


def test_every_field_of_a_recording_is_named(tmp_path: Path) -> None:
    from dataclasses import fields

    from game.session.format import Manifest

    screen = consent.facts(tmp_path)
    ids = {getattr(row, "id", "") for row in screen.rows}
    assert {f"field:{each.name}" for each in fields(Manifest)} <= ids


def test_an_address_of_the_settings_is_not_asked_for() -> None:
    show = Overture(known(), Theme(), short=True, given=GOOD)
    show.feed(Event(Go.KEY, "space"))
    assert (show.phase, show.answered) == (Phase.WAIT, GOOD)


def test_a_memory_that_does_not_read_is_set_aside(tmp_path: Path) -> None:
    (tmp_path / "app.json").write_text('{"starts": "many"}')
    assert recall(tmp_path) == Memory()
    assert (tmp_path / "app.unreadable").is_file()


@pytest.mark.parametrize("size", [(480, 480), (800, 600), (1920, 1080)])
@pytest.mark.parametrize("text", TEXT_SIZES.values())
def test_the_prompt_fits_every_window(size: tuple[int, int], text: float) -> None:
    show = Overture(known(wallets=(GOOD, OTHER)), Theme(text=text), short=True)
    for number in range(60):
        show.say(f"line {number} " + "x" * 200, 0.0)
    show.feed(Event(Go.KEY, "space"))
    canvas = Canvas.of(*size)
    for mark in show.marks(2.0, canvas):
        if isinstance(mark, Words):
            assert mark.y + mark.size <= canvas.height + 0.5
            assert width_of(mark.text, mark.size) <= canvas.width
