"""Tables of the ledger and how its database is opened: SQLite that syncs every commit, or Postgres.

Owns names and types of columns. Decides nothing.
"""

from pathlib import Path
from typing import Any

from sqlalchemy import (
    BigInteger,
    Column,
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
    make_url,
)

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
    Index("payouts_state", "state", "owed_s"),
    Index("payouts_wallet", "wallet"),
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


def open_engine(url: str) -> Engine:
    """An engine whose commits are on the disk when they return. Makes the SQLite folder."""
    file = sqlite_file(url)
    if file is None:
        return create_engine(url)
    file.parent.mkdir(parents=True, exist_ok=True)
    engine = create_engine(url, connect_args={"timeout": 30.0})
    event.listen(engine, "connect", _set_up_sqlite)
    event.listen(engine, "begin", _begin_sqlite)
    return engine


def make_tables(tables: MetaData, engine: Engine) -> None:
    """Make what is missing. Many processes may start at once: each waits its turn to write."""
    with engine.execution_options(writes=True).begin() as writing:
        tables.create_all(writing)


def _set_up_sqlite(connection: Any, _record: Any) -> None:
    connection.isolation_level = None  # this module says BEGIN itself, see below
    for pragma in ("busy_timeout=30000", "journal_mode=WAL", "synchronous=FULL"):
        connection.execute(f"PRAGMA {pragma}")


def _begin_sqlite(connection: Any) -> None:
    """Writers take the lock at once: two payers never read the same row and then both write."""
    writes = connection.get_execution_options().get("writes", False)
    connection.exec_driver_sql("BEGIN IMMEDIATE" if writes else "BEGIN")
