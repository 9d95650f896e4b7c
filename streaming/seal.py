"""Signed JSON: canonical text, Ed25519 keys in files, and run tickets as the server sees them.

Owns nothing but pure functions and the making of a key file. A ticket's terms are not read here:
it opens a seat, and its digest names it in the journal.
"""

import hashlib
import json
import os
import secrets
from collections.abc import Collection, Mapping
from pathlib import Path
from typing import Any

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from streaming.errors import TicketRefused

LARGEST_TICKET_BYTES = 4096


def canonical(value: Mapping[str, Any]) -> bytes:
    """The one JSON text of `value`: sorted keys, no blanks, no NaN."""
    return json.dumps(value, sort_keys=True, separators=(",", ":"), allow_nan=False).encode()


def digest(value: Mapping[str, Any]) -> str:
    """Hex SHA-256 of the canonical text."""
    return hashlib.sha256(canonical(value)).hexdigest()


def load_key(path: Path) -> Ed25519PrivateKey:
    """The Ed25519 key in `path` (32 raw bytes, hex), made with mode 0600 on first use."""
    if not path.exists():
        path.parent.mkdir(parents=True, exist_ok=True)
        fresh = path.with_name(f".{path.name}.{secrets.token_hex(6)}")
        handle = os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(handle, "w", encoding="ascii") as file:
            file.write(secrets.token_hex(32))
        os.replace(fresh, path)
    return Ed25519PrivateKey.from_private_bytes(bytes.fromhex(path.read_text("ascii").strip()))


def public_hex(key: Ed25519PrivateKey) -> str:
    """The public half as it stands in documents and in lists of enrolled keys."""
    return key.public_key().public_bytes_raw().hex()


def sign(document: Mapping[str, Any], key: Ed25519PrivateKey) -> dict[str, Any]:
    """A copy of `document` with `key` (public, hex) and `sig` (over all but `sig`, hex)."""
    signed = {**document, "key": public_hex(key)}
    return {**signed, "sig": key.sign(canonical(signed)).hex()}


def is_signed(document: Mapping[str, Any], keys: Collection[str] | None) -> bool:
    """Whether `sig` is good for the document's own `key`, one of `keys` unless that is None."""
    key, signature = document.get("key"), document.get("sig")
    if not isinstance(key, str) or not isinstance(signature, str):
        return False
    if keys is not None and key not in keys:
        return False
    body = {name: value for name, value in document.items() if name != "sig"}
    try:
        public = Ed25519PublicKey.from_public_bytes(bytes.fromhex(key))
        public.verify(bytes.fromhex(signature), canonical(body))
    except (ValueError, InvalidSignature):
        return False
    return True


def check_ticket(ticket: Mapping[str, Any], keys: Collection[str], now_s: float) -> str:
    """The session that a ticket opens a seat for. TicketRefused says why it does not.

    keys: enrolled Ed25519 public keys (hex). None enrolled means unsigned tickets pass, but a
    session and an expiry in the future are asked of every ticket that states them.
    """
    session = ticket.get("session")
    if not isinstance(session, str) or not session:
        raise TicketRefused("", "names no session")
    try:
        size = len(canonical(ticket))
    except (TypeError, ValueError) as error:
        raise TicketRefused(session, "is not plain JSON") from error
    if size > LARGEST_TICKET_BYTES:
        raise TicketRefused(session, f"is larger than {LARGEST_TICKET_BYTES} bytes")
    if keys and not is_signed(ticket, keys):
        raise TicketRefused(session, "is not signed by an enrolled key")
    expires = ticket.get("expires_s", None if keys else now_s + 1)
    if isinstance(expires, bool) or not isinstance(expires, int | float) or expires <= now_s:
        raise TicketRefused(session, "has expired")
    return session
