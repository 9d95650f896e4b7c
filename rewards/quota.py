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
_LEVELS = sa.select(buckets).where(buckets.c.name.in_(sa.bindparam("names", expanding=True)))
_KEEP = sa.text(
    "INSERT INTO bucket (name, level, at_s) VALUES (:name, :level, :at_s)"
    " ON CONFLICT (name) DO UPDATE SET level = excluded.level, at_s = excluded.at_s"
)


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
            self.take_in(db, asked, now_s)

    @staticmethod
    def take_in(db: sa.Connection, asked: dict[str, tuple[str, Rate]], now_s: float) -> None:
        """The same inside somebody's write transaction, which a refusal should undo."""
        if not asked:
            return
        lock(db, _LOCK)
        names = {kind: f"{kind} {who}"[:160] for kind, (who, _) in asked.items()}
        found = db.execute(_LEVELS, {"names": list(names.values())})
        known = {name: (level, at_s) for name, level, at_s in found}
        kept: list[dict[str, object]] = []
        for kind, (_, rate) in asked.items():
            level = _level(known.get(names[kind]), rate, now_s)
            if level < 1.0:
                wait = int((1.0 - level) * 3600 / rate.per_hour) + 1
                why = f"too many run tickets for this {kind}; the next in {wait} s"
                raise TicketRefused(f"quota.{kind}", why, 429)
            kept.append({"name": names[kind], "level": level - 1.0, "at_s": now_s})
        db.execute(_KEEP, kept)

    def give(self, kind: str, who: str, rate: Rate, now_s: float) -> None:
        """Put one back that `take` took."""
        name = f"{kind} {who}"[:160]
        with self._engine.begin() as db:
            lock(db, _LOCK)
            row = db.execute(_LEVELS, {"names": [name]}).first()
            if row is not None:
                level = min(float(rate.most), _level((row[1], row[2]), rate, now_s) + 1.0)
                db.execute(_KEEP, {"name": name, "level": level, "at_s": now_s})


def _level(row: tuple[float, float] | None, rate: Rate, now_s: float) -> float:
    """Tickets in a bucket by now; row: level and when it stood there, None for a new one."""
    if row is None:
        return float(rate.most)
    back = max(0.0, now_s - row[1]) * rate.per_hour / 3600
    return min(float(rate.most), row[0] + back)
