"""A seed that only the stream server gives out: what it proves, and how it is cheated in vain."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from game.session.format import JOURNAL, MANIFEST
from game.session.protocols import Finding
from game.session.reader import Session
from rewards import tickets
from rewards.checks.integrity import integrity
from rewards.checks.journal import journal
from tests.rewards.recording import BEGAN_NS, JOURNAL_KEY, TICKET_KEY, Made, hashes
from tests.rewards.tampering import edit_json, rewritten_journal

pytestmark = pytest.mark.render

Change = Callable[[dict[str, Any]], None]


def resigned(made: Made, **changes: Any) -> dict[str, Any]:
    """The session's ticket with other terms, signed again and put into its manifest."""
    ticket = {**made.ticket, **changes}
    del ticket["sig"]
    ticket["sig"] = TICKET_KEY.sign(tickets.canonical(ticket)).hex()
    edit_json(made.folder / MANIFEST, lambda manifest: manifest.update(ticket=ticket))
    return ticket


def late(
    clean: Made, root: Path, seed: int = 7, waited_s: float = 2.0, again: int | None = None
) -> Made:
    """The clean session as if its seed had come with the first frame."""
    made = clean.copy(root)
    ticket = resigned(made, seed=tickets.LATE_SEED)

    def change(block: dict[str, Any]) -> None:
        block["ticket"] = tickets.digest(ticket)
        if block["n"] == 0:
            block["seed"] = [seed, BEGAN_NS - int(waited_s * 1e9)]
        if block["n"] == 1 and again is not None:
            block["seed"] = [again, BEGAN_NS]

    rewritten_journal(made.folder, change, JOURNAL_KEY)
    return made


def found(made: Made, scratch: Path, renderer: object, **changes: Any) -> Finding:
    with Session.open(made.folder) as session:
        return journal(session, made.evidence(scratch, renderer, **changes))


@pytest.mark.parametrize("again", [None, 7])
def test_a_seed_released_live_is_believed(
    clean: Made, tmp_path: Path, renderer: object, again: int | None
) -> None:
    made = late(clean, tmp_path, again=again)
    finding = found(made, tmp_path, renderer, policy="default")
    assert finding.passed, finding
    assert finding.evidence["attested"] == 121
    with Session.open(made.folder) as session:
        told = made.evidence(tmp_path, None, files=hashes(made.folder))
        assert integrity(session, told).passed


@pytest.mark.parametrize(
    ("how", "reason"),
    [
        ({"seed": 8}, "journal.seed"),
        ({"again": 8}, "journal.seed"),
        ({"waited_s": 3600.0}, "journal.late"),
        ({"waited_s": -5.0}, "journal.time"),
        ({"seed": -1}, "journal.shape"),
        ({"seed": 1 << 31}, "journal.shape"),
    ],
)
def test_another_seed_or_one_known_long_before_is_refused(
    clean: Made, tmp_path: Path, how: dict[str, Any], reason: str
) -> None:
    finding = found(late(clean, tmp_path, **how), tmp_path, None)
    assert (finding.passed, finding.reason) == (False, reason)


def test_without_a_release_no_seed_is_believed(clean: Made, tmp_path: Path) -> None:
    made = late(clean, tmp_path)
    ticket = resigned(made, seed=tickets.LATE_SEED)

    def change(block: dict[str, Any]) -> None:
        block.pop("seed", None)
        block["ticket"] = tickets.digest(ticket)

    rewritten_journal(made.folder, change, JOURNAL_KEY)
    assert found(made, tmp_path, None).reason == "journal.seed"
    (made.folder / JOURNAL).unlink()
    assert found(made, tmp_path, None).reason == "journal.seed"


def test_a_seed_that_came_with_the_ticket_earns_nothing_for_pixels(
    clean: Made, tmp_path: Path, renderer: object
) -> None:
    finding = found(clean, tmp_path, renderer, policy="default")
    assert finding.passed
    assert finding.evidence == {"attested": 0, "witnessed": 0, "self": 121}
    assert "ticket" in finding.detail
