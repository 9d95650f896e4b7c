"""What was signed away on one UTC day, in the ledger's own transaction."""

import sqlalchemy as sa
from sqlalchemy import Connection

from rewards.schema import budget

_DAY = sa.text("INSERT INTO budget (day, spent) VALUES (:day, 0) ON CONFLICT DO NOTHING")
_ADD = (
    sa.update(budget)
    .where(budget.c.day == sa.bindparam("of_day"))
    .values(spent=budget.c.spent + sa.bindparam("amount"))
)
_ADD_WITHIN = _ADD.where(budget.c.spent + sa.bindparam("amount") <= sa.bindparam("most"))


def spend(db: Connection, day: str, amount: int, limit: int | None) -> bool:
    """Add to a day's sum unless that passes the limit; False when it would."""
    values: dict[str, object] = {"of_day": day, "amount": amount}
    adding = _ADD if limit is None else _ADD_WITHIN
    if limit is not None:
        values["most"] = limit
    if db.execute(adding, values).rowcount == 1:
        return True
    db.execute(_DAY, {"day": day})  # the day's first; else it stays as it is
    return db.execute(adding, values).rowcount == 1
