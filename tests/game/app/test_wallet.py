"""What the prompt says of an address, letter by letter."""

import pytest

from game.play.app.wallet import EMPTY, advise, short

GOOD = "7xKXtg2CW87d97TXJSDpbD5jBkheTqA83TZRuJosgAsU"


def test_nothing_is_an_answer() -> None:
    assert advise("  ").ok
    assert advise("").text == EMPTY


def test_a_good_beginning_is_neither_right_nor_wrong_yet() -> None:
    for end in range(1, 32):
        advice = advise(GOOD[:end])
        assert (advice.ok, advice.tone) == (False, "dim")
        assert f"at least {32 - end} more" in advice.text


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("7xKX0", "place 5"),
        ("hello world", "place 3"),
        (GOOD + "AAAA", "cut off or added"),
        ("11111111111111111111111111111111", "System program"),
    ],
)
def test_what_is_wrong_is_said_at_once_and_where(text: str, said: str) -> None:
    advice = advise(text)
    assert (advice.ok, advice.tone) == (False, "bad")
    assert said in advice.text


def test_an_address_nobody_can_sign_for_is_refused() -> None:
    neighbours = [advise("2" + GOOD[1:-1] + last) for last in "ABCDEFGHJKLMNPQRSTUVWXYZ"]
    refused = [each for each in neighbours if "nobody can sign" in each.text]
    assert 4 <= len(refused) <= 20  # about half of all keys lie off the curve
    assert not any(each.ok for each in refused)


def test_the_whole_address_is_good_and_is_shown_short() -> None:
    assert advise(f" {GOOD}\n").ok
    assert advise(GOOD).tone == "good"
    assert short(GOOD) == "7xKXt…sgAsU"
