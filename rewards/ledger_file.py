"""The ledger's database as one thing: opened, stamped, read and written, and noticed when lost.

Owns the stamp of the chain that the rows belong to. Refuses another chain's stamp.
"""

import os
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import asdict, dataclass
from typing import Self

import sqlalchemy as sa
from sqlalchemy import Connection, Engine
from sqlalchemy.exc import IntegrityError

from rewards import schema
from rewards.errors import LedgerLost, LedgerMismatch
from rewards.schema import meta


@dataclass(frozen=True, slots=True)
class Stamp:
    """What a ledger belongs to. All base58 or hex; secret_id is a digest, never the secret."""

    genesis: str
    mint: str
    treasury: str
    secret_id: str


class LedgerFile:
    """One database. Safe for any number of processes; each method is one transaction."""

    def __init__(self, engine: Engine, url: str) -> None:
        self._engine, self._file = engine, schema.sqlite_file(url)
        self._writer = engine.execution_options(writes=True)
        self._identity = self._stat()

    @classmethod
    def open(cls, url: str, stamp: Stamp | None = None) -> Self:
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
