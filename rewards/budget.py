"""What was signed away on one UTC day, in the ledger's own transaction."""

import sqlalchemy as sa
from sqlalchemy import Connection
from sqlalchemy.dialects.postgresql import insert as postgresql_insert
from sqlalchemy.dialects.sqlite import insert as sqlite_insert

from rewards.schema import budget


def spend(db: Connection, day: str, amount: int, limit: int | None) -> bool:
    """Add to a day's sum unless that passes the limit; False when it would."""
    insert = postgresql_insert if db.dialect.name == "postgresql" else sqlite_insert
    db.execute(insert(budget).values(day=day, spent=0).on_conflict_do_nothing())
    where = [budget.c.day == day]
    if limit is not None:
        where.append(budget.c.spent + amount <= limit)
    update = sa.update(budget).where(*where).values(spent=budget.c.spent + amount)
    return db.execute(update).rowcount == 1
