"""A second look, asked for by anyone with one button and decided by a person.

Owns the table of appeals. A reversal is a new sealed verdict that names the person's reason; the
old one stays beside it. Never changes what was paid.
"""

import hashlib
from dataclasses import dataclass, replace

import sqlalchemy as sa
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from rewards import policy, tickets
from rewards.ledger import Ledger
from rewards.refusal import UploadRefused
from rewards.schema import appeals, verdicts
from rewards.sealed import Sealed, seal, unseal
from rewards.storage import Store

ASKED, UPHELD, REVERSED = "asked", "upheld", "reversed"


@dataclass(frozen=True, slots=True)
class Appeal:
    """state: asked, upheld or reversed. note: the person's reason. asked_s: Unix time."""

    session: str
    asked_s: int
    state: str
    note: str


def ask(ledger: Ledger, session: str, now_s: int) -> Appeal:
    """Queue a second look at a rejected session, once. Raises UploadRefused."""
    verdict = ledger.verdict(session)
    if verdict is None or verdict.accepted:
        raise UploadRefused("appeal.nothing", "only a rejected session can be appealed", 409)
    with ledger.writing() as db:
        if db.scalar(sa.select(appeals.c.session).where(appeals.c.session == session)) is None:
            row = {"session": session, "asked_s": now_s, "state": ASKED, "note": ""}
            db.execute(sa.insert(appeals).values(row))
    found = of(ledger, session)
    assert found is not None
    return found


def of(ledger: Ledger, session: str) -> Appeal | None:
    """The appeal of a session, if there is one."""
    with ledger.reading() as db:
        row = db.execute(sa.select(appeals).where(appeals.c.session == session)).mappings().first()
    return None if row is None else Appeal(**row)


def waiting(ledger: Ledger) -> tuple[Appeal, ...]:
    """Those that nobody decided yet, oldest first."""
    query = sa.select(appeals).where(appeals.c.state == ASKED).order_by(appeals.c.asked_s)
    with ledger.reading() as db:
        return tuple(Appeal(**row) for row in db.execute(query).mappings())


def uphold(ledger: Ledger, session: str, note: str) -> None:
    """The rejection stands; `note` tells the player why."""
    _decide(ledger, session, UPHELD, note)


def reverse(
    ledger: Ledger, clean: Store, key: Ed25519PrivateKey, session: str, note: str, now_s: int
) -> Sealed:
    """Accept it after all: a new sealed verdict, and what it owes. Raises UploadRefused."""
    text = ledger.sealed(session)
    if not text or (found := of(ledger, session)) is None or found.state != ASKED:
        raise UploadRefused("appeal.nothing", "no open appeal of a judged session", 409)
    old = unseal(text, (tickets.public_hex(key),), session)
    rules = policy.load(old.verdict.policy)
    notes = (*old.verdict.notes, f"reversed on appeal: {note}")
    verdict = replace(old.verdict, decision="accepted", notes=notes, decided_s=now_s)
    sealed = seal(key, verdict, policy.amount(verdict, rules))
    _replace(clean, f"verdicts/{session}.json", sealed.text.encode())
    with ledger.writing() as db:
        where = (verdicts.c.session == session, verdicts.c.decision == "rejected")
        db.execute(sa.delete(verdicts).where(*where))
    ledger.record(verdict, sealed.amount, now_s, sealed.text)
    _decide(ledger, session, REVERSED, note)
    return sealed


def _decide(ledger: Ledger, session: str, state: str, note: str) -> None:
    with ledger.writing() as db:
        where = (appeals.c.session == session, appeals.c.state == ASKED)
        db.execute(sa.update(appeals).where(*where).values(state=state, note=note))


def _replace(store: Store, key: str, body: bytes) -> None:
    """The old verdict moves aside under its digest; the new one takes its place."""
    old = b"".join(store.read(key))
    aside = f"overruled/{hashlib.sha256(old).hexdigest()[:16]}.json"
    if store.size(aside) is None:
        store.put(aside, iter([old]), len(old), hashlib.sha256(old).hexdigest())
    store.delete(key)
    store.put(key, iter([body]), len(body), hashlib.sha256(body).hexdigest())
