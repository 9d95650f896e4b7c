"""A queue of work that survives a restart: at least once, never lost, given up after a few tries.

A message handed out is invisible until its time runs out or it is deleted. Heart-beats prolong
that, up to a hard deadline counted from the receipt, so that a hung worker cannot keep it.
"""

import contextlib
import secrets
import sqlite3
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

_SCHEMA = """
create table if not exists message (
    id integer primary key autoincrement,
    name text not null unique,
    body text not null,
    visible_s real not null,
    receives integer not null default 0,
    handle text not null default '',
    deadline_s real not null default 0,
    dead integer not null default 0,
    pushed_s real not null default 0,
    why text not null default ''
);
create index if not exists message_next on message (dead, visible_s, id);
"""


@dataclass(frozen=True, slots=True)
class QueueSettings:
    """visibility: until an unanswered message comes again. deadline: no heart-beat goes past it.

    receives: how often one message is handed out before it is laid aside as dead.
    """

    visibility_s: float = 15.0
    deadline_s: float = 1800.0  # a mission of 15 min at half of real time
    receives: int = 4

    def __post_init__(self) -> None:
        if not 0 < self.visibility_s <= self.deadline_s or self.receives < 1:
            raise ValueError("need 0 < visibility_s <= deadline_s and receives >= 1")


@dataclass(frozen=True, slots=True)
class Message:
    """One receipt of one message. `handle` is good until somebody else receives it."""

    name: str
    body: str
    receives: int
    handle: str


class Work(Protocol):
    """A queue of sessions: in one SQLite file, or somebody's service behind the same calls."""

    settings: QueueSettings

    def push(self, name: str, body: str) -> bool: ...
    def receive(self) -> Message | None: ...
    def heartbeat(self, message: Message) -> bool: ...
    def delete(self, message: Message) -> bool: ...
    def give_back(self, message: Message, why: str, delay_s: float = 0.0) -> bool: ...
    def dead(self) -> list[tuple[str, str]]: ...
    def redrive(self, name: str | None = None) -> int: ...
    def depth(self) -> int: ...
    def age(self, now_s: float) -> float: ...
    def close(self) -> None: ...


class Queue:
    """The queue in one SQLite file. Any number of processes may open it."""

    def __init__(
        self,
        path: Path,
        settings: QueueSettings | None = None,
        now: Callable[[], float] = time.time,
    ) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        self.settings = settings or QueueSettings()
        self._now = now
        self._db = sqlite3.connect(
            path, timeout=30.0, isolation_level=None, check_same_thread=False
        )
        self._db.execute("pragma journal_mode=wal")
        self._db.execute("pragma synchronous=full")
        self._db.executescript(_SCHEMA)
        columns = {str(row[1]) for row in self._db.execute("pragma table_info(message)")}
        if "pushed_s" not in columns:  # a queue of the first layout
            with contextlib.suppress(sqlite3.OperationalError):  # another process was first
                self._db.execute("alter table message add pushed_s real not null default 0")

    def push(self, name: str, body: str) -> bool:
        """Add a message; False where one of this name waits, is in work or lies dead."""
        with self._write() as db:
            cursor = db.execute(
                "insert or ignore into message (name, body, visible_s, pushed_s)"
                " values (?, ?, ?, ?)",
                (name, body, self._now(), self._now()),
            )
            return cursor.rowcount == 1

    def receive(self) -> Message | None:
        """Take the oldest visible message, or None. One received too often goes dead instead."""
        now, most = self._now(), self.settings.receives
        with self._write() as db:
            db.execute(
                "update message set dead=1, why=case why when '' then 'never answered' else why end"
                " where dead=0 and visible_s<=? and receives>=?",
                (now, most),
            )
            row = db.execute(
                "select id, name, body, receives from message where dead=0 and visible_s<=?"
                " order by visible_s, id limit 1",
                (now,),
            ).fetchone()
            if row is None:
                return None
            handle = secrets.token_hex(8)
            db.execute(
                "update message set receives=receives+1, handle=?, visible_s=?, deadline_s=?"
                " where id=?",
                (handle, now + self.settings.visibility_s, now + self.settings.deadline_s, row[0]),
            )
        return Message(row[1], row[2], row[3] + 1, handle)

    def heartbeat(self, message: Message) -> bool:
        """Keep it invisible a while longer; False where it is no longer ours or out of time."""
        now = self._now()
        with self._write() as db:
            cursor = db.execute(
                "update message set visible_s=min(deadline_s, ?) where name=? and handle=?"
                " and dead=0 and visible_s>? and deadline_s>?",
                (now + self.settings.visibility_s, message.name, message.handle, now, now),
            )
            return cursor.rowcount == 1

    def delete(self, message: Message) -> bool:
        """Done with it. False where somebody else has received it since."""
        with self._write() as db:
            cursor = db.execute(
                "delete from message where name=? and handle=? and dead=0",
                (message.name, message.handle),
            )
            return cursor.rowcount == 1

    def give_back(self, message: Message, why: str, delay_s: float = 0.0) -> bool:
        """It could not be done now; it comes again after `delay_s`, or goes dead."""
        with self._write() as db:
            cursor = db.execute(
                "update message set visible_s=?, handle='', why=?,"
                " dead=case when receives>=? then 1 else 0 end where name=? and handle=?",
                (
                    self._now() + delay_s,
                    why[:2000],
                    self.settings.receives,
                    message.name,
                    message.handle,
                ),
            )
            return cursor.rowcount == 1

    def dead(self) -> list[tuple[str, str]]:
        """Name and last reason of every message that was given up."""
        rows = self._db.execute("select name, why from message where dead=1 order by id")
        return [(str(name), str(why)) for name, why in rows]

    def redrive(self, name: str | None = None) -> int:
        """Give dead messages (one, or all) a fresh start; how many."""
        with self._write() as db:
            cursor = db.execute(
                "update message set dead=0, receives=0, handle='', visible_s=?, why=''"
                " where dead=1 and (? is null or name=?)",
                (self._now(), name, name),
            )
            return cursor.rowcount

    def depth(self) -> int:
        """Messages waiting or in work, without the dead."""
        row = self._db.execute("select count(*) from message where dead=0").fetchone()
        return int(row[0])

    def age(self, now_s: float) -> float:
        """How long the oldest message without a verdict has been waiting [s]."""
        row = self._db.execute("select min(pushed_s) from message where dead=0").fetchone()
        return 0.0 if row[0] is None else max(0.0, now_s - float(row[0]))

    def close(self) -> None:
        """Let go of the file."""
        self._db.close()

    @contextmanager
    def _write(self) -> Iterator[sqlite3.Connection]:
        self._db.execute("begin immediate")
        try:
            yield self._db
        except BaseException:
            self._db.execute("rollback")
            raise
        self._db.execute("commit")
