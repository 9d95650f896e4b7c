"""What was decided and what is owed, through every state, in one durable database.

    verdict --> owed ----> signed --> sent --> finalized
                             ^  |       |
                             |  +--+----+
                             |     v
                             +-- expired        any but finalized --> parked

Each arrow is one update that names the state (and signature) it expects, committed before the act
it announces. Owns the rows, the daily budget and the stamp of the chain that they belong to.
Refuses another chain's stamp. Never talks to a chain and never computes an amount.
"""

import os
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager
from dataclasses import asdict, dataclass, replace
from itertools import groupby
from typing import Any

import sqlalchemy as sa
from sqlalchemy import Connection, Engine, RowMapping
from sqlalchemy.exc import IntegrityError

from rewards import schema
from rewards.budget import spend
from rewards.errors import LedgerLost, LedgerMismatch
from rewards.model import (
    DUE,
    EXPIRED,
    FINALIZED,
    OPEN,
    OWED,
    PARKED,
    SENT,
    SIGNED,
    Payout,
    Verdict,
    verdict_from_json,
    verdict_to_json,
)
from rewards.schema import bindings, budget, meta, payouts, verdicts

_NOTHING_HIDDEN = [column for column in payouts.c if column.name != "budget_day"]
_FIXED = (
    "session", "wallet", "amount", "mint", "policy", "policy_version", "owed_s", "digest", "due_s"
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Stamp:
    """What a ledger belongs to. All base58 or hex; secret_id is a digest, never the secret."""

    genesis: str
    mint: str
    treasury: str
    secret_id: str


@dataclass(frozen=True, slots=True)
class Signing:
    """A transaction that was signed for a payout and not yet sent. was: the payout as read.

    Payouts of one transaction share its signature.
    """

    was: Payout
    signature: str
    raw: bytes
    last_valid_height: int


class Ledger:
    """One database. Safe for any number of processes; each method is one transaction."""

    def __init__(self, engine: Engine, url: str) -> None:
        self._engine, self._file = engine, schema.sqlite_file(url)
        self._writer = engine.execution_options(writes=True)
        self._identity = self._stat()
        self._mint = ""

    @classmethod
    def open(cls, url: str, stamp: Stamp | None = None) -> "Ledger":
        """Open or make a ledger. With a stamp (the payer): stamps a new one, refuses a foreign one.

        Without (intake, worker, audit): any ledger. Raises LedgerMismatch.
        """
        engine = schema.open_engine(url)
        schema.make_tables(schema.metadata, engine)
        ledger = cls(engine, url)
        try:
            if stamp is not None:
                ledger._claim(stamp)
        except BaseException:
            ledger.close()
            raise
        return ledger

    def close(self) -> None:
        self._engine.dispose()

    # --- verdicts -----------------------------------------------------------------------------

    def record(
        self,
        verdict: Verdict,
        amount: int,
        now_s: int,
        sealed: str = "",
        due_s: int = 0,
        review: str = "",
    ) -> Payout | None:
        """Store a verdict and, when it has a payee and an amount, the payout owed for it.

        The first verdict of a session stands; recording again (a duplicate delivery, a refill
        after a loss) changes nothing. Returns the session's payout, if there is one.
        sealed: the verdict as its judge signed it. due_s: held until then, Unix time.
        review: why a person looks before it is paid; the payout starts out parked.
        """
        row = {
            "session": verdict.session,
            "decision": verdict.decision,
            "policy": verdict.policy,
            "policy_version": verdict.policy_version,
            "payee": verdict.payee,
            "claim": verdict.claim,
            "amount": amount,
            "digest": verdict.digest,
            "body": verdict_to_json(verdict),
            "decided_s": verdict.decided_s,
            "sealed": sealed,
        }
        try:
            with self._write() as db:
                first = self._verdict_row(db, verdict.session)
                if first is None:
                    db.execute(sa.insert(verdicts).values(row))
                known: Mapping[str, Any] = row if first is None else {**first}
                self._owe(db, known, now_s, due_s, review)
        except IntegrityError:  # another worker recorded it between our look and our insert
            pass
        return self.payout(verdict.session)

    def bind(self, claim: str, wallet: str, now_s: int, proof: str = "") -> tuple[Payout, ...]:
        """Give every accepted session of a claim id its wallet; each becomes owed. Once only.

        proof: the intake's signed word that the claim's holder named this wallet. Sessions that
        are judged later follow the same binding. A claim that is bound keeps its wallet.
        """
        with self._write() as db:
            bound = db.scalar(sa.select(bindings.c.wallet).where(bindings.c.claim == claim))
            if bound is None:
                db.execute(
                    sa.insert(bindings).values(
                        claim=claim, wallet=wallet, proof=proof, bound_s=now_s
                    )
                )
            wallet = wallet if bound is None else str(bound)
            ours = sa.and_(verdicts.c.claim == claim, verdicts.c.payee == "")
            rows = db.execute(sa.select(verdicts).where(ours)).mappings().all()
            db.execute(sa.update(verdicts).where(ours).values(payee=wallet))
            for row in rows:
                self._owe(db, {**row, "payee": wallet}, now_s)
        found = (self.payout(row["session"]) for row in rows)
        return tuple(payout for payout in found if payout is not None)

    def binding(self, claim: str) -> tuple[str, str] | None:
        """Wallet and proof of a claim id; None while it is unbound."""
        query = sa.select(bindings.c.wallet, bindings.c.proof).where(bindings.c.claim == claim)
        with self._read() as db:
            row = db.execute(query).first()
        return None if row is None else (str(row[0]), str(row[1]))

    def verdict(self, session: str) -> Verdict | None:
        with self._read() as db:
            row = self._verdict_row(db, session)
        return None if row is None else _verdict(row)

    def sealed(self, session: str) -> str:
        """The verdict as its judge signed it; '' for one that nobody signed, or none."""
        query = sa.select(verdicts.c.sealed).where(verdicts.c.session == session)
        with self._read() as db:
            return str(db.scalar(query) or "")

    def sessions(self) -> tuple[str, ...]:
        """Every session that has a verdict."""
        with self._read() as db:
            return tuple(str(name) for name in db.scalars(sa.select(verdicts.c.session)))

    def verdicts(self, decision: str | None = None) -> tuple[Verdict, ...]:
        query = sa.select(verdicts).order_by(verdicts.c.decided_s, verdicts.c.session)
        if decision is not None:
            query = query.where(verdicts.c.decision == decision)
        with self._read() as db:
            return tuple(_verdict(row) for row in db.execute(query).mappings())

    # --- payouts ------------------------------------------------------------------------------

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
        held = db.scalar(
            sa.select(payouts.c.budget_day).where(
                payouts.c.session == was.session, *_unchanged(was, DUE)
            )
        )
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
        return now if self._move(db, was, DUE, now, budget_day=held or day) else None

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
            held = db.scalar(
                sa.select(payouts.c.budget_day).where(payouts.c.session == payout.session)
            )
            now = replace(payout, state=FINALIZED, signature=signature, changed_s=now_s)
            moved = self._move(db, payout, (*OPEN, *DUE), now, budget_day=held or day)
            if moved and held == "":
                spend(db, day, payout.amount, None)
        return moved

    def park(self, payout: Payout, reason: str, now_s: int) -> bool:
        """Any state but finalized -> parked: a person must look. Gives the held budget back."""
        with self._write() as db:
            held = db.scalar(
                sa.select(payouts.c.budget_day).where(payouts.c.session == payout.session)
            )
            now = replace(payout, state=PARKED, reason=reason, changed_s=now_s)
            moved = self._move(db, payout, (*OPEN, *DUE), now, budget_day="")
            if moved and held:
                spend(db, held, -payout.amount, None)
        return moved

    def release(self, session: str, now_s: int) -> bool:
        """parked -> expired, by a person's decision: it may be tried again from the start."""
        values = {"state": EXPIRED, "attempts": 0, "reason": "", "changed_s": now_s}
        return self._update(session, PARKED, values)

    def was_paid(self, wallet: str) -> bool:
        """A payout to this wallet was finalized: its token account was opened then."""
        query = sa.select(payouts.c.session).where(
            payouts.c.wallet == wallet, payouts.c.state == FINALIZED
        )
        with self._read() as db:
            return db.execute(query.limit(1)).first() is not None

    # --- sums ---------------------------------------------------------------------------------

    def spent(self, day: str) -> int:
        """Base units signed away on a UTC day."""
        with self._read() as db:
            return int(db.scalar(sa.select(budget.c.spent).where(budget.c.day == day)) or 0)

    def totals(self) -> dict[str, int]:
        """Sessions accepted with an amount, rejected, accepted for nothing, and payouts by state.

        `accepted = finalized + every other state + unclaimed` holds for any sound ledger.
        """
        worth = sa.and_(verdicts.c.decision == "accepted", verdicts.c.amount > 0)
        plain = sa.and_(verdicts.c.decision == "accepted", verdicts.c.amount == 0)
        count = sa.select(sa.func.count())
        by_state = sa.select(payouts.c.state, sa.func.count()).group_by(payouts.c.state)
        with self._read() as db:
            states = {str(state): int(number) for state, number in db.execute(by_state)}
            return states | {
                "accepted": int(db.scalar(count.select_from(verdicts).where(worth)) or 0),
                "unpaid": int(db.scalar(count.select_from(verdicts).where(plain)) or 0),
                "rejected": int(
                    db.scalar(count.select_from(verdicts).where(verdicts.c.decision == "rejected"))
                    or 0
                ),
                "unclaimed": int(
                    db.scalar(count.select_from(verdicts).where(worth, verdicts.c.payee == "")) or 0
                ),
            }

    def amounts(self) -> dict[str, int]:
        """Session -> amount of every accepted verdict; what the chain is compared with."""
        query = sa.select(verdicts.c.session, verdicts.c.amount).where(
            verdicts.c.decision == "accepted"
        )
        with self._read() as db:
            return {str(session): int(value) for session, value in db.execute(query)}

    def stamp(self) -> Stamp | None:
        """What this ledger belongs to; None while no payer has opened it."""
        with self._read() as db:
            found = {row.key: row.value for row in db.execute(sa.select(meta))}
        names = Stamp.__slots__
        return Stamp(**{name: found[name] for name in names}) if set(names) <= set(found) else None

    def writing(self) -> AbstractContextManager[Connection]:
        """One write transaction on the ledger's database, for tables beside these."""
        return self._write()

    def reading(self) -> AbstractContextManager[Connection]:
        """One read transaction, likewise."""
        return self._read()

    def restamp(self, was: Stamp, now: Stamp) -> None:
        """The treasury has a new key. Raises LedgerMismatch unless stamped as `was` (or `now`)."""
        found = self.stamp()
        if found not in (was, now):
            raise LedgerMismatch("treasury", found.treasury if found else "nothing", was.treasury)
        with self._write() as db:
            for name, value in asdict(now).items():
                db.execute(sa.update(meta).where(meta.c.key == name).values(value=value))

    # --- inside -------------------------------------------------------------------------------

    def _claim(self, stamp: Stamp) -> None:
        try:
            with self._write() as db:
                if db.scalar(sa.select(sa.func.count()).select_from(meta)) == 0:
                    rows = [{"key": k, "value": v} for k, v in asdict(stamp).items()]
                    db.execute(sa.insert(meta), rows)
        except IntegrityError:  # another payer stamped it at the same moment; compare below
            pass
        found = self.stamp()
        for name, given in asdict(stamp).items():
            stamped = getattr(found, name, "nothing")
            if stamped != given:
                raise LedgerMismatch(name, stamped, given)

    @staticmethod
    def _verdict_row(db: Connection, session: str) -> RowMapping | None:
        query = sa.select(verdicts).where(verdicts.c.session == session)
        return db.execute(query).mappings().first()

    @staticmethod
    def _owe(
        db: Connection, row: Mapping[str, Any], now_s: int, due_s: int = 0, review: str = ""
    ) -> None:
        """Make the payout of a verdict's row, if it is worth one and has none yet."""
        wallet = row["payee"]
        if not wallet and row["claim"]:
            of = sa.select(bindings.c.wallet).where(bindings.c.claim == row["claim"])
            wallet = db.scalar(of) or ""
            fill = sa.update(verdicts).where(verdicts.c.session == row["session"])
            db.execute(fill.values(payee=wallet))
        if row["decision"] != "accepted" or not wallet or row["amount"] <= 0:
            return
        known = sa.select(payouts.c.session).where(payouts.c.session == row["session"])
        if db.scalar(known) is not None:
            return
        names = ("session", "amount", "policy", "policy_version", "digest")
        db.execute(
            sa.insert(payouts).values(
                **{name: row[name] for name in names},
                wallet=wallet,
                state=PARKED if review else OWED,
                reason=review,
                owed_s=now_s,
                changed_s=now_s,
                due_s=due_s,
            )
        )

    def _payout(self, db: Connection, row: RowMapping) -> Payout:
        if not self._mint:
            self._mint = db.scalar(sa.select(meta.c.value).where(meta.c.key == "mint")) or ""
        return Payout(mint=self._mint, **dict(row))

    def _move(
        self, db: Connection, was: Payout, states: Sequence[str], now: Payout, **more: object
    ) -> bool:
        values = asdict(now) | more
        for fixed in _FIXED:
            del values[fixed]
        where = (payouts.c.session == was.session, *_unchanged(was, states))
        return db.execute(sa.update(payouts).where(*where).values(values)).rowcount == 1

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

    def _stat(self) -> tuple[int, int] | None:
        if self._file is None:
            return None
        try:
            found = os.stat(self._file)
        except FileNotFoundError:
            return None
        return found.st_dev, found.st_ino

    def _present(self) -> None:
        """SQLite goes on writing into a file that was deleted: nothing would be durable there."""
        if self._file is not None and self._stat() != self._identity:
            raise LedgerLost(self._file)

    @contextmanager
    def _write(self) -> Iterator[Connection]:
        self._present()
        with self._writer.begin() as db:
            yield db
        self._present()

    @contextmanager
    def _read(self) -> Iterator[Connection]:
        self._present()
        with self._engine.begin() as db:
            yield db


def _unchanged(was: Payout, states: Sequence[str]) -> tuple[Any, ...]:
    """The row still holds what was read, and a state from which this arrow may start."""
    return (
        payouts.c.state.in_(states),
        payouts.c.state == was.state,
        payouts.c.signature == was.signature,
    )


def _verdict(row: RowMapping) -> Verdict:
    verdict = verdict_from_json(row["body"])
    return replace(verdict, payee=row["payee"])  # a claimed session has its wallet by now
