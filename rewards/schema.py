"""Tables of the ledger and how its database is opened: SQLite that syncs every commit, or Postgres.

Owns names and types of columns, and the numbered steps from an older layout to this one. Decides
nothing.
"""

from pathlib import Path
from typing import Any

from sqlalchemy import (
    BigInteger,
    Column,
    Connection,
    Engine,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    String,
    Table,
    Text,
    create_engine,
    event,
    inspect,
    make_url,
    text,
)

from rewards.errors import LedgerNewer

metadata = MetaData()

meta = Table(
    "meta",
    metadata,
    Column("key", String(64), primary_key=True),
    Column("value", Text, nullable=False),
)

verdicts = Table(
    "verdicts",
    metadata,
    Column("session", String(128), primary_key=True),
    Column("decision", String(16), nullable=False),
    Column("policy", String(64), nullable=False),
    Column("policy_version", Integer, nullable=False),
    Column("payee", String(64), nullable=False),
    Column("claim", String(128), nullable=False),
    Column("amount", BigInteger, nullable=False),
    Column("digest", String(64), nullable=False),
    Column("body", Text, nullable=False),
    Column("decided_s", BigInteger, nullable=False),
    Column("sealed", Text, nullable=False, server_default=""),  # as the judge signed it
    Index("verdicts_claim", "claim"),
)

payouts = Table(
    "payouts",
    metadata,
    Column("session", String(128), primary_key=True),
    Column("wallet", String(64), nullable=False),
    Column("amount", BigInteger, nullable=False),
    Column("policy", String(64), nullable=False),
    Column("policy_version", Integer, nullable=False),
    Column("state", String(16), nullable=False),
    Column("signature", String(128), nullable=False, default=""),
    Column("raw", LargeBinary, nullable=False, default=b""),
    Column("last_valid_height", BigInteger, nullable=False, default=0),
    Column("attempts", Integer, nullable=False, default=0),
    Column("reason", Text, nullable=False, default=""),
    Column("budget_day", String(10), nullable=False, default=""),
    Column("owed_s", BigInteger, nullable=False),
    Column("changed_s", BigInteger, nullable=False),
    Column("digest", String(64), nullable=False, server_default=""),
    Column("due_s", BigInteger, nullable=False, server_default="0"),  # held until then
    Index("payouts_state", "state", "owed_s"),
    Index("payouts_wallet", "wallet"),
)

bindings = Table(  # which wallet a claim id was given to, and the intake's signed word for it
    "bindings",
    metadata,
    Column("claim", String(128), primary_key=True),
    Column("wallet", String(64), nullable=False),
    Column("proof", Text, nullable=False),
    Column("bound_s", BigInteger, nullable=False),
)

frozen = Table(  # what a verdict was told of others, fixed together with its amount
    "frozen",
    metadata,
    Column("session", String(128), primary_key=True),
    Column("payee", String(128), nullable=False),
    Column("day", String(10), nullable=False),
    Column("amount", BigInteger, nullable=False),
    Column("newcomer", Integer, nullable=False),
    Column("body", Text, nullable=False),
    Index("frozen_payee", "payee", "day"),
    Index("frozen_day", "day"),
)

cells = Table(  # street and heading, and who drove there first
    "cells",
    metadata,
    Column("cell", String(128), primary_key=True),
    Column("session", String(128), nullable=False),
)

prints = Table(  # of drives, to be compared across wallets
    "prints",
    metadata,
    Column("session", String(128), primary_key=True),
    Column("payee", String(128), nullable=False),
    Column("scenario", String(64), nullable=False),
    Column("body", LargeBinary, nullable=False),
    Index("prints_scenario", "scenario"),
)

results = Table(  # what the replay of an accepted drive came to; the leaderboards read it
    "results",
    metadata,
    Column("session", String(128), primary_key=True),
    Column("scenario", String(128), nullable=False),
    Column("day", String(10), nullable=False, server_default=""),  # of the daily drive
    Column("driver", String(16), nullable=False),
    Column("who", String(128), nullable=False),  # wallet or claim
    Column("tick", Integer, nullable=False),
    Column("closest_ms", BigInteger, nullable=False),
    Column("collisions", Integer, nullable=False),
    Column("decided_s", BigInteger, nullable=False),
    Index("results_board", "scenario", "driver", "tick"),
)

names = Table(  # that wallets chose to show
    "names",
    metadata,
    Column("wallet", String(64), primary_key=True),
    Column("name", String(20), nullable=False),
    Column("folded", String(20), nullable=False, unique=True),
    Column("set_s", BigInteger, nullable=False),
)

appeals = Table(
    "appeals",
    metadata,
    Column("session", String(128), primary_key=True),
    Column("asked_s", BigInteger, nullable=False),
    Column("state", String(16), nullable=False),  # asked | upheld | reversed
    Column("note", Text, nullable=False, server_default=""),
)

budget = Table(
    "budget",
    metadata,
    Column("day", String(10), primary_key=True),  # UTC, 2026-11-22
    Column("spent", BigInteger, nullable=False),
)


def sqlite_file(url: str) -> Path | None:
    """The file behind a SQLite URL; None for any other database."""
    parsed = make_url(url)
    if parsed.get_backend_name() != "sqlite" or not parsed.database:
        return None
    return Path(parsed.database)


def _driver(url: str) -> str:
    """postgresql:// means psycopg here."""
    head, colon, rest = url.partition(":")
    return f"postgresql+psycopg{colon}{rest}" if head in ("postgres", "postgresql") else url


def open_engine(url: str) -> Engine:
    """An engine whose commits are on the disk when they return. Makes the SQLite folder."""
    file = sqlite_file(url)
    if file is None:
        return create_engine(_driver(url), pool_pre_ping=True)
    file.parent.mkdir(parents=True, exist_ok=True)
    engine = create_engine(url, connect_args={"timeout": 30.0})
    event.listen(engine, "connect", _set_up_sqlite)
    event.listen(engine, "begin", _begin_sqlite)
    return engine


MIGRATIONS: tuple[tuple[str, ...], ...] = (
    (  # 1 -> 2: signed verdicts, holds, the verdict's digest in the memo
        "ALTER TABLE verdicts ADD COLUMN sealed TEXT NOT NULL DEFAULT ''",
        "ALTER TABLE payouts ADD COLUMN digest VARCHAR(64) NOT NULL DEFAULT ''",
        "ALTER TABLE payouts ADD COLUMN due_s BIGINT NOT NULL DEFAULT 0",
    ),
)
"""Step n leads from layout n to n + 1; plain SQL that SQLite and Postgres both take."""
LAYOUT = len(MIGRATIONS) + 1
_LOCK = 0x5CA1ED1F  # of Postgres: one process at a time changes the layout


def make_tables(tables: MetaData, engine: Engine) -> None:
    """Make what is missing. Many processes may start at once: each waits its turn to write."""
    with engine.execution_options(writes=True).begin() as writing:
        lock(writing, _LOCK)
        if tables is metadata:
            _migrate(writing)
        tables.create_all(writing)


def lock(db: Connection, number: int) -> None:
    """Until the transaction ends nobody else holds `number`. SQLite's writers are alone anyway."""
    if db.dialect.name == "postgresql":
        db.execute(text("SELECT pg_advisory_xact_lock(:number)"), {"number": number})


def _migrate(db: Connection) -> None:
    db.execute(text("CREATE TABLE IF NOT EXISTS layout (version INTEGER NOT NULL)"))
    known = db.scalar(text("SELECT max(version) FROM layout"))
    if known is None:
        old = inspect(db).has_table("payouts")
        known = 1 if old else LAYOUT
        db.execute(text("INSERT INTO layout VALUES (:version)"), {"version": known})
    if known > LAYOUT:
        raise LedgerNewer(known, LAYOUT)
    for version in range(known, LAYOUT):
        for statement in MIGRATIONS[version - 1]:
            db.execute(text(statement))
        db.execute(text("UPDATE layout SET version = :version"), {"version": version + 1})


def _set_up_sqlite(connection: Any, _record: Any) -> None:
    connection.isolation_level = None  # this module says BEGIN itself, see below
    for pragma in ("busy_timeout=30000", "journal_mode=WAL", "synchronous=FULL"):
        connection.execute(f"PRAGMA {pragma}")


def _begin_sqlite(connection: Any) -> None:
    """Writers take the lock at once: two payers never read the same row and then both write."""
    writes = connection.get_execution_options().get("writes", False)
    connection.exec_driver_sql("BEGIN IMMEDIATE" if writes else "BEGIN")
