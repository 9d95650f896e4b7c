"""How much one payee, one address and one device may ask for: token buckets that survive a restart.

Owns the table of buckets. A refusal says when to come back.
"""

from dataclasses import dataclass

import sqlalchemy as sa

from rewards.refusal import TicketRefused
from rewards.schema import lock, make_tables

metadata = sa.MetaData()
buckets = sa.Table(
    "bucket",
    metadata,
    sa.Column("name", sa.String(160), primary_key=True),
    sa.Column("level", sa.Float, nullable=False),  # tickets left
    sa.Column("at_s", sa.Float, nullable=False),
)
_LOCK = 0x5CA1B0


@dataclass(frozen=True, slots=True)
class Rate:
    """most: tickets at once. per_hour: how fast they come back."""

    most: int
    per_hour: int


class Quota:
    """The buckets of one intake."""

    def __init__(self, engine: sa.Engine) -> None:
        self._engine = engine.execution_options(writes=True)
        make_tables(metadata, engine)

    def take(self, asked: dict[str, tuple[str, Rate]], now_s: float) -> None:
        """One ticket out of each bucket, or out of none.

        asked: kind ('payee', 'address', 'device') -> (who, rate). Raises TicketRefused
        quota.payee, quota.address or quota.device with status 429.
        """
        with self._engine.begin() as db:
            lock(db, _LOCK)
            levels: dict[str, float] = {}
            for kind, (who, rate) in asked.items():
                name = f"{kind} {who}"[:160]
                level = self._level(db, name, rate, now_s)
                if level < 1.0:
                    wait = int((1.0 - level) * 3600 / rate.per_hour) + 1
                    why = f"too many run tickets for this {kind}; the next in {wait} s"
                    raise TicketRefused(f"quota.{kind}", why, 429)
                levels[name] = level - 1.0
            for name, level in levels.items():
                db.execute(sa.delete(buckets).where(buckets.c.name == name))
                db.execute(sa.insert(buckets).values(name=name, level=level, at_s=now_s))

    @staticmethod
    def _level(db: sa.Connection, name: str, rate: Rate, now_s: float) -> float:
        row = db.execute(sa.select(buckets).where(buckets.c.name == name)).mappings().first()
        if row is None:
            return float(rate.most)
        back = max(0.0, now_s - float(row["at_s"])) * rate.per_hour / 3600
        return min(float(rate.most), float(row["level"]) + back)
