"""What a verdict may know of others, fixed once per session in one transaction with its amount.

Two judges at work on one wallet never see the same day's sum: each takes its turn at the table.
Owns the tables `frozen` and `cells`; the sums in them are of judged sessions, not of payouts.
"""

import json
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass

import sqlalchemy as sa

from rewards.ledger import Ledger
from rewards.model import Verdict
from rewards.schema import cells, frozen, lock

_LOCK = 0x5CA1F0


@dataclass(frozen=True, slots=True)
class Snapshot:
    """wallet_sessions: accepted before, ever. wallet_today, new_today, all_today: base units that
    were judged due today for this payee, for newcomers, for everybody. novelty_milli: share of the
    drive on streets and headings that nobody had driven, in 1/1000."""

    wallet_sessions: int = 0
    wallet_today: int = 0
    new_today: int = 0
    all_today: int = 0
    novelty_milli: int = 0

    def measures(self) -> dict[str, int]:
        """As a verdict carries it."""
        return asdict(self)


def freeze(
    ledger: Ledger,
    session: str,
    payee: str,
    day: str,
    driven: Mapping[str, int],
    worth: Callable[[Snapshot], tuple[int, bool]],
) -> Snapshot:
    """The snapshot of a session, made at first sight and the same ever after.

    payee: wallet or claim id. driven: cell -> ticks in it. worth: amount [base units] that follows
    from a snapshot, and whether the payee counts as a newcomer under it.
    """
    with ledger.writing() as db:
        lock(db, _LOCK)
        known = db.scalar(sa.select(frozen.c.body).where(frozen.c.session == session))
        if known is not None:
            return Snapshot(**json.loads(known))

        def total(*where: object) -> int:
            query = sa.select(sa.func.coalesce(sa.func.sum(frozen.c.amount), 0))
            return int(db.scalar(query.where(*where)) or 0)  # type: ignore[arg-type]

        before = sa.select(sa.func.count()).select_from(frozen)
        today = frozen.c.day == day
        snapshot = Snapshot(
            wallet_sessions=int(db.scalar(before.where(frozen.c.payee == payee)) or 0),
            wallet_today=total(today, frozen.c.payee == payee),
            new_today=total(today, frozen.c.newcomer == 1),
            all_today=total(today),
            novelty_milli=_novelty(db, session, driven),
        )
        amount, newcomer = worth(snapshot)
        _insert(db, session, payee, day, amount, newcomer, snapshot)
    return snapshot


def restore(ledger: Ledger, verdict: Verdict, amount: int) -> None:
    """Put back the row of a verdict whose ledger was lost."""
    if not verdict.accepted or "wallet_sessions" not in verdict.measures:
        return
    names = asdict(Snapshot())
    found = {name: int(verdict.measures.get(name, 0)) for name in names}
    driven = next((f.evidence.get("cells") for f in verdict.findings if f.check == "replay"), None)
    with ledger.writing() as db:
        lock(db, _LOCK)
        if db.scalar(sa.select(frozen.c.body).where(frozen.c.session == verdict.session)) is None:
            if isinstance(driven, Mapping):
                _novelty(db, verdict.session, driven)
            payee, day = verdict.payee or verdict.claim, str(verdict.measures.get("day", ""))
            newcomer = bool(verdict.measures.get("newcomer", False))
            _insert(db, verdict.session, payee, day, amount, newcomer, Snapshot(**found))


def _insert(
    db: sa.Connection, session: str, payee: str, day: str, amount: int, newcomer: bool,
    snapshot: Snapshot,
) -> None:  # fmt: skip
    db.execute(
        sa.insert(frozen).values(
            session=session,
            payee=payee,
            day=day,
            amount=amount,
            newcomer=int(newcomer),
            body=json.dumps(asdict(snapshot)),
        )
    )


def _novelty(db: sa.Connection, session: str, driven: Mapping[str, int]) -> int:
    """Take the cells that are nobody's yet; share of ticks in ours, in 1/1000."""
    if not driven:
        return 0
    query = sa.select(cells.c.cell, cells.c.session).where(cells.c.cell.in_(sorted(driven)))
    owners = {str(cell): str(owner) for cell, owner in db.execute(query)}
    fresh = sorted(set(driven) - set(owners))
    if fresh:
        db.execute(sa.insert(cells), [{"cell": cell, "session": session} for cell in fresh])
    ours = sum(n for cell, n in driven.items() if owners.get(cell, session) == session)
    return 1000 * ours // max(1, sum(driven.values()))
