"""Many small writes, one commit: who comes while one transaction is written joins the next one.

A commit waits for the disk. Callers who each commit alone wait for all those before them; here as
many as are waiting share one. Nobody is told of success before it is on the disk, and one deed that
fails or refuses is undone alone.
"""

import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import sqlalchemy as sa

Deed = Callable[[sa.Connection], None]
MOST = 64
"""Deeds in one transaction: others want to write as well."""


@dataclass(slots=True)
class _Asked:
    deed: Deed
    error: BaseException | None = None
    done: bool = False


class Together:
    """The writes of one kind in one process. Safe for any number of threads."""

    def __init__(self, engine: sa.Engine) -> None:
        self._writer = engine.execution_options(writes=True)
        self._turn, self._door = threading.Lock(), threading.Lock()
        self._waiting: list[_Asked] = []

    def write(self, deed: Deed) -> None:
        """Do it in a write transaction; returns when that is on the disk. Raises what `deed` does,
        or what kept the transaction from the disk."""
        mine = _Asked(deed)
        with self._door:
            self._waiting.append(mine)
        with self._turn:
            while not mine.done:  # else whoever had the turn before did it along with his own
                with self._door:
                    batch, self._waiting = self._waiting[:MOST], self._waiting[MOST:]
                self._commit(batch)
        if mine.error is not None:
            raise mine.error

    def _commit(self, batch: Sequence[_Asked]) -> None:
        try:
            with self._writer.begin() as db:
                errors = [_attempt(db, asked.deed) for asked in batch]
        except BaseException as lost:  # nothing of it is on the disk, and each must hear so
            errors = [lost] * len(batch)
        for asked, error in zip(batch, errors, strict=True):
            asked.error, asked.done = error, True


def _attempt(db: sa.Connection, deed: Deed) -> BaseException | None:
    try:
        with db.begin_nested():
            deed(db)
    except Exception as error:
        return error
    return None
