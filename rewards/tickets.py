"""Run tickets: what the server promises to look at, signed before the first tick.

One ticket is one session: it names the id, the payee and everything that a replay needs.
Owns the signing key file. The signature is Ed25519 over the canonical JSON of all but `sig`.
"""

import hashlib
import json
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from game.session.ids import is_id
from rewards.premises import load_secret
from rewards.refusal import TicketRefused

TICKET_VERSION = 1
LARGEST_TICKET_BYTES = 4096
LATE_SEED = -1
"""In a ticket's `seed`: the stream server releases it with the run's first frame."""
SEEDED = ("demo",)
"""Policies under which the driver may choose the seed himself."""
FIELDS: dict[str, type] = {
    "v": int,
    "session": str,
    "payee": str,
    "claim": str,
    "scenario": str,
    "scenario_digest": str,
    "seed": int,
    "world_version": int,
    "pack_digest": str,
    "policy": str,
    "driver": str,
    "issued_s": int,
    "expires_s": int,
    "key": str,
    "sig": str,
}


@dataclass(frozen=True, slots=True)
class Terms:
    """What a ticket is asked for. Exactly one of payee (a wallet) and claim (an id) is set."""

    scenario: str
    scenario_digest: str
    seed: int
    world_version: int
    pack_digest: str
    policy: str
    driver: str
    payee: str = ""
    claim: str = ""


def canonical(value: Mapping[str, Any]) -> bytes:
    """The one JSON text of `value`: sorted keys, no blanks, no NaN."""
    return json.dumps(value, sort_keys=True, separators=(",", ":"), allow_nan=False).encode()


def load_key(path: Path) -> Ed25519PrivateKey:
    """The Ed25519 key in `path`, made there on first use."""
    return Ed25519PrivateKey.from_private_bytes(load_secret(path))


def public_hex(key: Ed25519PrivateKey) -> str:
    """The public half, as it stands in tickets and in the list of enrolled keys."""
    return key.public_key().public_bytes_raw().hex()


def issue(
    key: Ed25519PrivateKey, terms: Terms, session: str, now_s: float, life_s: int
) -> dict[str, Any]:
    """A signed ticket for one run. life_s: until when its session may be handed in."""
    ticket: dict[str, Any] = {
        "v": TICKET_VERSION,
        "session": session,
        "payee": terms.payee,
        "claim": terms.claim,
        "scenario": terms.scenario,
        "scenario_digest": terms.scenario_digest,
        "seed": terms.seed,
        "world_version": terms.world_version,
        "pack_digest": terms.pack_digest,
        "policy": terms.policy,
        "driver": terms.driver,
        "issued_s": int(now_s),
        "expires_s": int(now_s) + life_s,
        "key": public_hex(key),
    }
    ticket["sig"] = key.sign(canonical(ticket)).hex()
    return ticket


def digest(ticket: Mapping[str, Any]) -> str:
    """Hex SHA-256 of the whole ticket as canonical JSON: how a journal names it."""
    return hashlib.sha256(canonical(ticket)).hexdigest()


def is_signed(document: Mapping[str, Any], keys: Collection[str]) -> bool:
    """True where `document` bears a good signature ('sig') of one of the enrolled `keys`."""
    key, signature = document.get("key"), document.get("sig")
    if not isinstance(key, str) or not isinstance(signature, str) or key not in keys:
        return False
    body = {name: value for name, value in document.items() if name != "sig"}
    try:
        public = Ed25519PublicKey.from_public_bytes(bytes.fromhex(key))
        public.verify(bytes.fromhex(signature), canonical(body))
    except (ValueError, InvalidSignature):
        return False
    return True


def verify(ticket: Any, keys: Collection[str], now_s: float | None = None) -> dict[str, Any]:
    """The ticket itself, proved genuine. now_s: refuse where it has expired by then.

    Raises TicketRefused with ticket.shape, ticket.signature or ticket.expired.
    """
    if not isinstance(ticket, dict) or set(ticket) != set(FIELDS):
        raise TicketRefused("ticket.shape", "not a run ticket; ask for one at /v1/run-tickets")
    for name, kind in FIELDS.items():
        if type(ticket[name]) is not kind:
            raise TicketRefused("ticket.shape", f"field {name} is not {kind.__name__}")
    if ticket["v"] != TICKET_VERSION or len(canonical(ticket)) > LARGEST_TICKET_BYTES:
        raise TicketRefused("ticket.shape", "a ticket of another version or size")
    if not is_signed(ticket, keys):
        raise TicketRefused("ticket.signature", "not signed by this service, or changed since")
    if not is_id(ticket["session"]):
        raise TicketRefused("ticket.shape", "the session id is malformed")
    if now_s is not None and now_s >= ticket["expires_s"]:
        raise TicketRefused("ticket.expired", "the ticket has run out; drive with a fresh one")
    return dict(ticket)
