"""The signed journal: reproduced byte for byte, and refused once anything in it is touched."""

import json
from collections.abc import Callable
from itertools import count
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from streaming.errors import JournalBroken, TicketRefused
from streaming.journal import JournalWriter, verify
from streaming.seal import canonical, check_ticket, digest, public_hex, sign

GOLDEN = Path(__file__).parents[1] / "golden"
SERVER = Ed25519PrivateKey.from_private_bytes(bytes(range(32)))
ISSUER = Ed25519PrivateKey.from_private_bytes(bytes(range(32, 64)))
SESSION = "01JD0000000000000000000000"
START_NS = 1_800_000_000_000_000_000
TICKET = sign(
    {
        "v": 1,
        "session": SESSION,
        "payee": "11111111111111111111111111111111",
        "claim": "",
        "scenario": "oncoming-traffic",
        "scenario_digest": "ab" * 32,
        "seed": 7,
        "world_version": 1,
        "pack_digest": "cd" * 32,
        "policy": "demo",
        "driver": "bot",
        "issued_s": 1_799_999_990,
        "expires_s": 1_800_000_600,
    },
    ISSUER,
)


def golden_clock() -> Callable[[], int]:
    seconds = count(1)
    return lambda: START_NS + next(seconds) * 1_000_000_000


def write_golden(folder: Path) -> JournalWriter:
    """Three seconds at 10 frames each; the prompt changes once; then the end."""
    writer = JournalWriter(folder, SESSION, digest(TICKET), "filter/v1", SERVER, golden_clock())
    writer.prompt("a city at dusk")
    for frame in range(30):
        if frame == 20:
            writer.prompt("the same city at night")
        elif frame == 10:
            writer.seal()
        received = START_NS + frame * 100_000_000
        luma = bytes((frame * 7 + cell) % 256 for cell in range(256))
        writer.frame(frame * 6, received, received + 9_000_000, luma, f"{frame:064x}")
        if frame % 10 == 9:
            writer.commit(frame * 6, f"{frame + 1000:064x}")
    writer.seal(end=True)
    return writer


def golden_lines() -> list[str]:
    return (GOLDEN / "journal.jsonl").read_text("ascii").splitlines()


def resealed(line: str, key: Ed25519PrivateKey = SERVER, **changes: Any) -> str:
    block = {**json.loads(line), **changes}
    del block["sig"]
    return canonical(sign(block, key)).decode()


def refusal(lines: list[str], **options: Any) -> str:
    options.setdefault("keys", (public_hex(SERVER),))
    with pytest.raises(JournalBroken) as broken:
        verify(lines, **options)
    return broken.value.reason


def test_the_writer_reproduces_the_golden_journal(tmp_path: Path) -> None:
    path = write_golden(tmp_path).path
    assert path.read_bytes() == (GOLDEN / "journal.jsonl").read_bytes()
    assert json.loads((GOLDEN / "journal-ticket.json").read_text()) == TICKET


def test_the_golden_journal_verifies() -> None:
    journal = verify(golden_lines(), (public_hex(SERVER),), digest(TICKET))
    assert list(journal.frames) == [frame * 6 for frame in range(30)]
    assert journal.frames[6].luma[0] == 7
    assert journal.inputs[0] == (54, f"{1009:064x}")
    assert (journal.blocks, journal.segments, journal.ended) == (3, 1, True)


def test_a_forged_journal_is_refused() -> None:
    lines = golden_lines()
    touched = lines[1].replace('"n":1', '"n":2')
    assert refusal([lines[0], touched, lines[2]]) == "journal.signature"
    stranger = Ed25519PrivateKey.generate()
    assert refusal([resealed(line, stranger) for line in lines]) == "journal.key"
    assert refusal([resealed(lines[0], model="wan/0"), *lines[1:]]) == "journal.chain"
    assert refusal(lines, ticket="0" * 64) == "journal.ticket"


def test_a_cut_journal_is_refused() -> None:
    lines = golden_lines()
    assert refusal([lines[0], lines[2]]) == "journal.chain"
    assert refusal(lines[1:]) == "journal.chain"
    assert refusal(lines[:2]) == "journal.cut"
    assert verify(lines[:2], whole=False).ended is False
    assert refusal([]) == "journal.empty"


def test_a_replayed_journal_is_refused() -> None:
    lines = golden_lines()
    assert refusal([*lines, lines[0]]) == "journal.replayed"
    assert refusal([lines[0], lines[0]]) == "journal.replayed"
    assert refusal([lines[0], resealed(lines[1], session="other")]) == "journal.session"
    late = resealed(lines[0], server_time_ns=START_NS)
    assert refusal([late]) == "journal.time"


@pytest.mark.parametrize(
    "line",
    ["", "{", "[]", "null", "[" * 100_000, '{"v":1}', '{"v":1.0e999}'],
)
def test_garbage_is_refused(line: str) -> None:
    assert refusal([line]) in ("journal.json", "journal.fields")


def test_hostile_values_are_refused() -> None:
    line = golden_lines()[0]
    for frames in ([[1]], [["1", 2, 3, "", ""]], [[-1, 2, 3, "00" * 256, "0" * 64]], [None]):
        assert refusal([resealed(line, frames=frames)]) == "journal.fields"
    assert refusal([resealed(line, n=True)]) == "journal.fields"
    assert refusal([line.replace(",", ", ", 1)]) == "journal.json"


def test_a_writer_that_comes_back_continues_the_chain(tmp_path: Path) -> None:
    writer = JournalWriter(tmp_path, SESSION, digest(TICKET), "filter/v1", SERVER, golden_clock())
    writer.frame(2, START_NS, START_NS, bytes(256), "0" * 64)
    writer.seal()
    writer.close()
    with writer.path.open("ab") as file:
        file.write(b'{"half a bl')
    clock = golden_clock()
    again = JournalWriter(tmp_path, SESSION, digest(TICKET), "filter/v1", SERVER, clock)
    with pytest.raises(ValueError, match="does not follow"):
        again.frame(2, START_NS, START_NS, bytes(256), "0" * 64)
    again.frame(4, START_NS + 1, START_NS + 1, bytes(256), "1" * 64)
    again.seal(end=True)
    journal = verify(again.path.read_text().splitlines(), (public_hex(SERVER),))
    assert list(journal.frames) == [2, 4]
    assert len(again.since(1)) == 1
    assert again.seal(end=True) is None
    again.close()


def test_tickets_open_a_seat_or_say_why_not() -> None:
    keys = (public_hex(ISSUER),)
    assert check_ticket(TICKET, keys, 1_800_000_000) == SESSION
    for ticket, now, why in (
        (TICKET, 1_800_000_600, "expired"),
        ({**TICKET, "seed": 8}, 1_800_000_000, "not signed"),
        (sign(TICKET, SERVER), 1_800_000_000, "not signed"),
        ({}, 0, "names no session"),
        ({"session": "a", "x": "y" * 5000}, 0, "larger"),
    ):
        with pytest.raises(TicketRefused, match=why):
            check_ticket(ticket, keys, now)
    assert check_ticket({"session": "anyone"}, (), 0) == "anyone"
