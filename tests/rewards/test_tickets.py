"""Run tickets: genuine or refused, each way of being wrong with its reason."""

import os
import stat
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from game.session.ids import new_id
from rewards import tickets
from rewards.refusal import TicketRefused

KEY = Ed25519PrivateKey.from_private_bytes(bytes(range(32)))
KEYS = (tickets.public_hex(KEY),)
TERMS = tickets.Terms("oncoming-traffic", "00" * 32, 7, 1, "11" * 32, "demo", "bot", payee="W")


def ticket(**changes: Any) -> dict[str, Any]:
    fresh = tickets.issue(KEY, TERMS, new_id(lambda: 1000.0), 1000.0, 60)
    return fresh | changes


def test_a_ticket_verifies_until_it_expires() -> None:
    given = ticket()
    assert tickets.verify(given, KEYS, 1059.9) == given
    with pytest.raises(TicketRefused, match=r"ticket\.expired"):
        tickets.verify(given, KEYS, 1060.0)


@pytest.mark.parametrize("field", sorted(set(tickets.FIELDS) - {"v", "key", "sig"}))
def test_no_field_can_be_changed(field: str) -> None:
    given = ticket()
    given[field] = given[field] + 1 if isinstance(given[field], int) else given[field] + "x"
    with pytest.raises(TicketRefused, match=r"ticket\.signature"):
        tickets.verify(given, KEYS)


def test_a_ticket_signed_by_a_stranger_is_refused() -> None:
    stranger = Ed25519PrivateKey.generate()
    forged = tickets.issue(stranger, TERMS, new_id(), 1000.0, 60)
    with pytest.raises(TicketRefused, match=r"ticket\.signature"):
        tickets.verify(forged, KEYS)


@pytest.mark.parametrize(
    "wrong",
    [None, [], "text", {}, ticket(extra=1), ticket(seed=True), ticket(seed=1.0), ticket(v=2)],
)
def test_what_is_not_shaped_like_a_ticket_is_refused(wrong: Any) -> None:
    with pytest.raises(TicketRefused, match=r"ticket\.shape"):
        tickets.verify(wrong, KEYS)


@pytest.mark.skipif(os.name != "posix", reason="file modes are of POSIX")
def test_the_key_is_made_once_and_only_for_its_owner(tmp_path: Path) -> None:
    path = tmp_path / "keys" / "ticket.key"
    first = tickets.public_hex(tickets.load_key(path))
    assert tickets.public_hex(tickets.load_key(path)) == first
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert [p.name for p in path.parent.iterdir()] == ["ticket.key"]
