"""Payouts in the ledger, through every state; each arrow is one update that names what it expects.

Owns the rows of payouts and the daily budget that signing takes from. Never talks to a chain.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from itertools import groupby
from typing import Any

import sqlalchemy as sa
from sqlalchemy import Connection, Engine, RowMapping

from rewards.budget import spend
from rewards.ledger_file import LedgerFile
from rewards.model import DUE, EXPIRED, FINALIZED, OPEN, PARKED, SENT, SIGNED, Payout
from rewards.schema import meta, payouts

_ASKED = 500  # names in one question
_NOTHING_HIDDEN = [column for column in payouts.c if column.name != "budget_day"]
_MOVING = ("state", "signature", "raw", "last_valid_height", "attempts", "reason", "changed_s")
_AS_READ = (
    payouts.c.session == sa.bindparam("was_session"),
    payouts.c.state == sa.bindparam("was_state"),
    payouts.c.signature == sa.bindparam("was_signature"),
)
_UPDATE = sa.update(payouts).where(*_AS_READ).values({name: sa.bindparam(name) for name in _MOVING})
_UPDATE_HELD = _UPDATE.values(budget_day=sa.bindparam("budget_day"))
_HELD = sa.select(payouts.c.budget_day).where(*_AS_READ)
_HELD_NOW = sa.select(payouts.c.budget_day).where(payouts.c.session == sa.bindparam("session"))
"""Made once: to word a statement costs more than to run it."""


@dataclass(frozen=True, slots=True)
class Signing:
    """A transaction that was signed for a payout and not yet sent. was: the payout as read.

    Payouts of one transaction share its signature.
    """

    was: Payout
    signature: str
    raw: bytes
    last_valid_height: int


class PayoutBook(LedgerFile):
    """The payouts of a ledger."""

    def __init__(self, engine: Engine, url: str) -> None:
        super().__init__(engine, url)
        self._mint = ""

    def payout(self, session: str) -> Payout | None:
        query = sa.select(*_NOTHING_HIDDEN).where(payouts.c.session == session)
        with self._read() as db:
            row = db.execute(query).mappings().first()
            return None if row is None else self._payout(db, row)

    def payouts(
        self, *states: str, limit: int | None = None, due_by: int | None = None
    ) -> tuple[Payout, ...]:
        """Payouts in any of `states` (all without), the longest waiting first.

        due_by: leave out those that are held beyond this Unix time.
        """
        query = sa.select(*_NOTHING_HIDDEN).order_by(payouts.c.changed_s, payouts.c.session)
        if states:
            query = query.where(payouts.c.state.in_(states))
        if due_by is not None:
            query = query.where(payouts.c.due_s <= due_by)
        with self._read() as db:
            return tuple(self._payout(db, row) for row in db.execute(query.limit(limit)).mappings())

    def sign(
        self, signings: Sequence[Signing], day: str, daily_budget: int, now_s: int
    ) -> tuple[Payout, ...]:
        """owed | expired -> signed, with the amount taken from the day's budget in the same commit.

        A transaction is signed for all of its payouts or for none: leaves out those of which
        another payer took one first, or one that the budget does not cover any more.
        Returns the payouts as they are now: only these may be sent.
        """
        done: list[Payout] = []
        with self._write() as db:
            for _, group in groupby(signings, key=lambda signing: signing.signature):
                whole = db.begin_nested()
                moved = [self._sign(db, each, day, daily_budget, now_s) for each in group]
                if None in moved:
                    whole.rollback()
                else:
                    whole.commit()
                    done += [now for now in moved if now is not None]
        return tuple(done)

    def _sign(
        self, db: Connection, signing: Signing, day: str, daily_budget: int, now_s: int
    ) -> Payout | None:
        was = signing.was
        held = db.scalar(_HELD, _named(was)) if was.state in DUE else None
        if held is None or (held == "" and not spend(db, day, was.amount, daily_budget)):
            return None
        now = replace(
            was,
            state=SIGNED,
            signature=signing.signature,
            raw=signing.raw,
            last_valid_height=signing.last_valid_height,
            attempts=was.attempts + 1,
            changed_s=now_s,
        )
        return now if self._move(db, was, DUE, now, held or day) else None

    def mark_sent(self, signed: Iterable[Payout], now_s: int) -> tuple[Payout, ...]:
        """signed -> sent, before the bytes leave. Returns those that this call moved."""
        return self._each(signed, (SIGNED,), state=SENT, changed_s=now_s)

    def expire(self, dead: Iterable[Payout], now_s: int) -> tuple[Payout, ...]:
        """signed | sent -> expired: the caller has proved that this signature can never land."""
        return self._each(dead, OPEN, state=EXPIRED, changed_s=now_s)

    def finalize(self, payout: Payout, signature: str, day: str, now_s: int) -> bool:
        """Any state but finalized and parked -> finalized, paid by `signature`.

        day: UTC day to charge when no budget was held for it (a payment found after a loss).
        """
        with self._write() as db:
            return self._finalize(db, payout, signature, day, now_s)

    def finalize_all(self, sent: Iterable[Payout], day: str, now_s: int) -> tuple[Payout, ...]:
        """The same in one commit, each by the signature it has. Returns those that moved."""
        with self._write() as db:
            return tuple(p for p in sent if self._finalize(db, p, p.signature, day, now_s))

    def _finalize(
        self, db: Connection, payout: Payout, signature: str, day: str, now_s: int
    ) -> bool:
        held = db.scalar(_HELD_NOW, {"session": payout.session})
        now = replace(payout, state=FINALIZED, signature=signature, changed_s=now_s)
        moved = self._move(db, payout, (*OPEN, *DUE), now, held or day)
        if moved and held == "":
            spend(db, day, payout.amount, None)
        return moved

    def park(self, payout: Payout, reason: str, now_s: int) -> bool:
        """Any state but finalized -> parked: a person must look. Gives the held budget back."""
        with self._write() as db:
            held = db.scalar(_HELD_NOW, {"session": payout.session})
            now = replace(payout, state=PARKED, reason=reason, changed_s=now_s)
            moved = self._move(db, payout, (*OPEN, *DUE), now, "")
            if moved and held:
                spend(db, held, -payout.amount, None)
        return moved

    def release(self, session: str, now_s: int) -> bool:
        """parked -> expired, by a person's decision: it may be tried again from the start."""
        values = {"state": EXPIRED, "attempts": 0, "reason": "", "changed_s": now_s}
        return self._update(session, PARKED, values)

    def paid(self, wallets: Iterable[str]) -> frozenset[str]:
        """Those to whom a payout was finalized: their token account was opened then."""
        names = sorted(set(wallets))
        found: set[str] = set()
        with self._read() as db:
            for start in range(0, len(names), _ASKED):
                some = payouts.c.wallet.in_(names[start : start + _ASKED])
                query = sa.select(payouts.c.wallet).where(some, payouts.c.state == FINALIZED)
                found |= {str(wallet) for wallet in db.scalars(query.distinct())}
        return frozenset(found)

    def _payout(self, db: Connection, row: RowMapping) -> Payout:
        if not self._mint:
            self._mint = db.scalar(sa.select(meta.c.value).where(meta.c.key == "mint")) or ""
        return Payout(mint=self._mint, **dict(row))

    def _move(
        self,
        db: Connection,
        was: Payout,
        states: Sequence[str],
        now: Payout,
        budget_day: str | None = None,
    ) -> bool:
        """The row becomes `now` where it still is as it was read, and the arrow may start there.

        budget_day: of the budget that it holds a share of; None = as it was.
        """
        if was.state not in states:
            return False
        values: dict[str, object] = {name: getattr(now, name) for name in _MOVING} | _named(was)
        if budget_day is None:
            return db.execute(_UPDATE, values).rowcount == 1
        return db.execute(_UPDATE_HELD, values | {"budget_day": budget_day}).rowcount == 1

    def _each(
        self, rows: Iterable[Payout], states: Sequence[str], **values: Any
    ) -> tuple[Payout, ...]:
        rows = tuple(rows)
        if not rows:
            return ()
        with self._write() as db:
            moved = [
                now
                for was in rows
                for now in (replace(was, **values),)
                if self._move(db, was, states, now)
            ]
        return tuple(moved)

    def _update(self, session: str, state: str, values: dict[str, Any]) -> bool:
        where = (payouts.c.session == session, payouts.c.state == state)
        with self._write() as db:
            return db.execute(sa.update(payouts).where(*where).values(values)).rowcount == 1


def _named(was: Payout) -> dict[str, str]:
    """What a row is known by, and that it did not change since it was read."""
    return {
        "was_session": was.session, "was_state": was.state, "was_signature": was.signature
    }  # fmt: skip
