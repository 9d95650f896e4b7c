"""The published journal schema, read by us from the same golden file as its writer's tests."""

import json
from pathlib import Path

import pytest

from rewards import tickets
from rewards.checks.journal import Broken, read

GOLDEN = Path(__file__).parents[1] / "golden"


def golden() -> tuple[list[bytes], str, str, list[str]]:
    lines = (GOLDEN / "journal.jsonl").read_bytes().splitlines()
    ticket = json.loads((GOLDEN / "journal-ticket.json").read_text())
    first = json.loads(lines[0])
    return lines, first["session"], tickets.digest(ticket), [first["key"]]


def test_the_golden_journal_is_believed() -> None:
    lines, session, ticket, keys = golden()
    book = read(lines, session, ticket, keys)
    listed = [frame[0] for line in lines for frame in json.loads(line)["frames"]]
    assert list(book.frames) == listed
    assert book.inputs
    assert book.ended


def test_the_seed_that_it_releases_is_read() -> None:
    lines = (GOLDEN / "journal-seed.jsonl").read_bytes().splitlines()
    first = json.loads(lines[0])
    book = read(lines, first["session"], first["ticket"], [first["key"]])
    assert book.seed == (1_234_567_890, 4_000)
    assert list(book.frames) == [2]


@pytest.mark.parametrize("at", range(3))
def test_no_line_of_it_can_be_left_out_but_the_last(at: int) -> None:
    lines, session, ticket, keys = golden()
    if at >= len(lines) - 1:
        pytest.skip("the golden journal is shorter")
    with pytest.raises(Broken) as caught:
        read([*lines[:at], *lines[at + 1 :]], session, ticket, keys)
    assert caught.value.reason == "journal.chain"


def test_a_journal_of_another_ticket_key_or_shape_is_not() -> None:
    lines, session, ticket, keys = golden()
    for given, reason in (
        ((lines, session, "0" * 64, keys), "journal.ticket"),
        ((lines, "other", ticket, keys), "journal.ticket"),
        ((lines, session, ticket, ["0" * 64]), "journal.signature"),
        (([lines[0] + b" "], session, ticket, keys), "journal.shape"),
        (([b"[]"], session, ticket, keys), "journal.shape"),
        (([lines[0], lines[0]], session, ticket, keys), "journal.chain"),
    ):
        with pytest.raises(Broken) as caught:
            read(*given)
        assert caught.value.reason == reason
