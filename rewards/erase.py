"""A player takes a recording back: its files go, what payment books need stays and is named.

The run ticket is the proof, as it is for handing in; where its claim is a key, that key signs too.
Owns the table `erased`, one of the inbox's. May be asked again at any time: the answer is the same.
"""

import base64
import binascii
import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa

from rewards import tickets
from rewards.card import CARD
from rewards.claim import KEY, check_claim
from rewards.inbox import Inbox, State, metadata, raw_key
from rewards.refusal import TicketRefused, UploadRefused
from rewards.storage import Store

SCHEME = "Ticket"
KEPT = ("ticket", "sizes and hashes of its files")
KEPT_JUDGED = ("verdict with its findings", "payout", "fingerprint of the drive")
"""What the books keep of a session that was judged, besides KEPT."""

erased = sa.Table(
    "erased",
    metadata,
    sa.Column("session", sa.String(26), primary_key=True),
    sa.Column("erased_s", sa.BigInteger, nullable=False),
    sa.Column("files", sa.Integer, nullable=False),
    sa.Column("bytes", sa.BigInteger, nullable=False),
)


@dataclass(frozen=True, slots=True)
class Erased:
    """When [s since 1970], how many files, and how much [byte] was removed."""

    erased_s: int
    files: int
    bytes: int


def erase_text(session: str) -> str:
    """What the claim's key signs where a claim is one."""
    return f"Delete the recording of session {session} from the rewards service."


def authorisation(ticket: Mapping[str, Any], signature: str = "") -> str:
    """The header `Authorization` of a request. signature: hex, of `erase_text`."""
    body = tickets.canonical({"ticket": dict(ticket), "signature": signature})
    return f"{SCHEME} {base64.urlsafe_b64encode(body).decode()}"


class Eraser:
    """Removes recordings from the stores; never touches verdicts, bindings or the ledger."""

    def __init__(self, inbox: Inbox, raw: Store, clean: Store | None) -> None:
        self._inbox, self._stores = inbox, tuple(s for s in (raw, clean) if s is not None)
        self._raw = raw
        self._writer = inbox.engine.execution_options(writes=True)

    def known(self, session: str) -> Erased | None:
        """What was removed of a session, None while it is whole."""
        with self._inbox.engine.connect() as db:
            row = db.execute(sa.select(erased).where(erased.c.session == session)).first()
        return None if row is None else Erased(row.erased_s, row.files, row.bytes)

    def check(self, session: str, header: str, keys: tuple[str, ...]) -> None:
        """Raises TicketRefused or UploadRefused unless `header` proves that the asker drove."""
        ticket, signature = _proof(header)
        ticket = tickets.verify(ticket, keys)
        if ticket["session"] != session:
            raise TicketRefused("ticket.foreign", "this ticket was given out for another session")
        if self._inbox.ticket(session) != ticket:
            raise TicketRefused("ticket.unknown", "no such ticket was given out here")
        if KEY.fullmatch(ticket["claim"]):
            check_claim(ticket["claim"], erase_text(session), signature)

    def erase(self, session: str, state: State, now_s: int) -> Erased:
        """Remove every file. Raises UploadRefused (409) while a judge has the session in hand."""
        moving = state is State.ACCEPTED and self._raw.size(raw_key(session, CARD)) is not None
        if state is State.QUEUED or moving:
            raise UploadRefused("session.judging", "it waits for its verdict; ask again", 409)
        before = self.known(session) or Erased(now_s, 0, 0)
        self._note(session, before)  # first: from now on nothing more of it is taken in
        files = size = 0
        for store in self._stores:
            for prefix in (session, f"sessions/{session}", f"pictures/{session}"):
                for key in store.keys(prefix):
                    size += store.size(key) or 0
                    files += 1
                    store.delete(key)
        after = Erased(before.erased_s, before.files + files, before.bytes + size)
        self._note(session, after)
        return after

    def _note(self, session: str, what: Erased) -> None:
        with self._writer.begin() as db:
            db.execute(sa.delete(erased).where(erased.c.session == session))
            db.execute(
                sa.insert(erased).values(
                    session=session, erased_s=what.erased_s, files=what.files, bytes=what.bytes
                )
            )


def _proof(header: str) -> tuple[Any, str]:
    scheme, _, text = header.partition(" ")
    try:
        body = json.loads(base64.urlsafe_b64decode(text.encode("ascii")))
        ticket, signature = body["ticket"], body["signature"]
    except (ValueError, KeyError, TypeError, RecursionError, binascii.Error):
        ticket, signature = None, ""
    if scheme != SCHEME or not isinstance(signature, str):
        raise TicketRefused("ticket.shape", "send the run ticket of the session", 401)
    return ticket, signature
