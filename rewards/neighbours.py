"""Drives that are nearly the same under different wallets: one drive, sold twice with a new coat.

Owns the table of prints; `rewards.prints` says what is near.
"""

from collections.abc import Mapping

import sqlalchemy as sa

from rewards.ledger import Ledger
from rewards.prints import Print
from rewards.schema import lock, prints

_LOCK, MOST_OTHERS = 0x5CA1AB, 5_000


def keep(
    ledger: Ledger, session: str, payee: str, scenario: str, mine: Print
) -> Mapping[str, Print]:
    """Remember a print; returns those of other payees in the same scenario, newest first.

    What came in later never counts against what came in earlier.
    """
    with ledger.writing() as db:
        lock(db, _LOCK)
        known = db.scalar(sa.select(prints.c.session).where(prints.c.session == session))
        if known is None:
            db.execute(
                sa.insert(prints).values(
                    session=session, payee=payee, scenario=scenario, body=mine.to_bytes()
                )
            )
        query = (
            sa.select(prints.c.session, prints.c.body)
            .where(prints.c.scenario == scenario, prints.c.payee != payee)
            .where(prints.c.session < session)  # ids sort by the time of their ticket
            .order_by(prints.c.session.desc())
            .limit(MOST_OTHERS)
        )
        return {str(name): Print.from_bytes(body) for name, body in db.execute(query)}
