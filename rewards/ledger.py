"""What was decided and what is owed, through every state, in one durable database.

    verdict --> owed ----> signed --> sent --> finalized
                             ^  |       |
                             |  +--+----+
                             |     v
                             +-- expired        any but finalized --> parked

Each arrow is one update that names the state (and signature) it expects, committed before the act
it announces. Owns the rows of verdicts and what follows from them; `payout_book` has the payouts,
`ledger_file` the database. Never talks to a chain and never computes an amount.
"""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import sqlalchemy as sa
from sqlalchemy import Connection, RowMapping
from sqlalchemy.exc import IntegrityError

from rewards.model import OWED, PARKED, Payout, Verdict, verdict_from_json, verdict_to_json
from rewards.payout_book import PayoutBook
from rewards.result import result_of
from rewards.schema import bindings, budget, payouts, results, verdicts


class Ledger(PayoutBook):
    """One database. Safe for any number of processes; each method is one transaction."""

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
                    if (place := result_of(verdict)) is not None:
                        db.execute(sa.insert(results).values(place))
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

    def unlist(self, session: str) -> None:
        """A player took the recording back: its time goes from the leaderboards, too."""
        with self._write() as db:
            db.execute(sa.delete(results).where(results.c.session == session))

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

    # --- inside -------------------------------------------------------------------------------

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


def _verdict(row: RowMapping) -> Verdict:
    verdict = verdict_from_json(row["body"])
    return replace(verdict, payee=row["payee"])  # a claimed session has its wallet by now
