"""What was handed in, as one small object beside a session's files: its ticket and its list.

Written by the intake when everything is there, last of all, so that whoever sees the card may
judge. Makes the raw store whole in itself: no database is needed to judge what lies there.
"""

import hashlib
import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from rewards.inbox import FileEntry, raw_key
from rewards.refusal import UploadRefused
from rewards.storage import Store
from rewards.tickets import canonical

CARD = "card.json"


@dataclass(frozen=True, slots=True)
class Card:
    """session id, ticket as it was given out, and the files that were announced.

    tier: how sure the intake was of the payee: 'signed', 'address' or 'claim'.
    """

    session: str
    ticket: Mapping[str, Any]
    files: tuple[FileEntry, ...]
    tier: str = "signed"


def write_card(
    store: Store, ticket: Mapping[str, Any], files: Sequence[FileEntry], tier: str = "signed"
) -> None:
    """Put the card of a session; one that lies there already stays."""
    listed = [asdict(entry) for entry in files]
    body = canonical({"v": 1, "ticket": dict(ticket), "files": listed, "tier": tier})
    digest = hashlib.sha256(body).hexdigest()
    try:
        store.put(raw_key(str(ticket["session"]), CARD), iter([body]), len(body), digest)
    except UploadRefused as refused:
        if refused.reason != "object.exists":
            raise


def read_card(store: Store, session: str) -> Card | None:
    """The card of a session; None where nothing was handed in, or all of it is put away."""
    try:
        body = json.loads(b"".join(store.read(raw_key(session, CARD))))
    except FileNotFoundError:
        return None
    files = tuple(FileEntry(**entry) for entry in body["files"])
    return Card(session, body["ticket"], files, str(body.get("tier", "signed")))


def waiting(store: Store) -> Iterator[str]:
    """Sessions whose card lies in the raw store: judged or not, none of them is put away yet."""
    for key in store.keys(""):
        session, _, name = key.partition("/")
        if name == CARD:
            yield session
