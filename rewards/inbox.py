"""What was promised and what has come in: tickets given out, files announced, state of a session.

Owns the tables `run` and `file`. How a session ended is not noted here: its verdict in the ledger
says so, once. Says no to names, sizes and changes that no recorder makes.
"""

import json
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

import sqlalchemy as sa

from game.session import format as layout
from rewards.refusal import TicketRefused, UploadRefused
from rewards.schema import make_tables
from rewards.together import Together

KIB, MIB = 1 << 10, 1 << 20
LARGEST: dict[str, int] = {
    layout.MANIFEST: 64 * KIB,
    layout.INPUTS: 64 * MIB,
    layout.TICKS: 256 * MIB,
    layout.EVENTS: 16 * MIB,
    layout.JOURNAL: 64 * MIB,
    layout.FRAMES: 32 * MIB,
    layout.END: 64 * KIB,
}
"""The files of a session and the most that each may hold [byte]; a 30 min drive stays below."""
VIDEO = re.compile(r"(source|check|styled[0-9]{0,2})-[0-9]{4}\.mkv")
LARGEST_VIDEO = 256 * MIB
LARGEST_SESSION = 1024 * MIB
MOST_FILES = 96
NEEDED = (layout.MANIFEST, layout.INPUTS, layout.TICKS, layout.FRAMES, layout.END)
SHA256 = re.compile(r"[0-9a-f]{64}")

metadata = sa.MetaData()
runs = sa.Table(
    "run",
    metadata,
    sa.Column("session", sa.String(26), primary_key=True),
    sa.Column("ticket", sa.Text, nullable=False),
    sa.Column("who", sa.String(128), nullable=False),
    sa.Column("issued_s", sa.Integer, nullable=False),
    sa.Column("state", sa.String(16), nullable=False),
    sa.Index("run_who", "who", "issued_s"),
)
files = sa.Table(
    "file",
    metadata,
    sa.Column("session", sa.String(26), primary_key=True),
    sa.Column("name", sa.String(64), primary_key=True),
    sa.Column("size", sa.Integer, nullable=False),
    sa.Column("sha256", sa.String(64), nullable=False),
)
_RECENT = sa.select(sa.func.count()).where(
    runs.c.who == sa.bindparam("who"), runs.c.issued_s > sa.bindparam("since")
)


class State(StrEnum):
    """Of a session on the server. The last two are final, and follow from the verdict."""

    ISSUED = "issued"
    UPLOADING = "uploading"
    QUEUED = "queued"
    ACCEPTED = "accepted"
    REJECTED = "rejected"


@dataclass(frozen=True, slots=True)
class FileEntry:
    """One announced file. size [byte]; sha256: lower-case hex of the content."""

    name: str
    size: int
    sha256: str


def raw_key(session: str, name: str) -> str:
    """Where an uploaded file lies in the raw store."""
    return f"{session}/{name}"


def check_entries(entries: Sequence[FileEntry]) -> None:
    """Raises UploadRefused with file.count, file.name, file.size, file.sha256 or file.twice."""
    if not 0 < len(entries) <= MOST_FILES:
        raise UploadRefused("file.count", f"a session has 1 to {MOST_FILES} files")
    if len({entry.name for entry in entries}) != len(entries):
        raise UploadRefused("file.twice", "one name is announced twice")
    for entry in entries:
        most = LARGEST_VIDEO if VIDEO.fullmatch(entry.name) else LARGEST.get(entry.name)
        if most is None:
            raise UploadRefused("file.name", f"{entry.name[:80]!r} is no file of a session")
        if not 0 <= entry.size <= most:
            raise UploadRefused("file.size", f"{entry.name}: 0 to {most} bytes", 413)
        if not SHA256.fullmatch(entry.sha256):
            raise UploadRefused("file.sha256", f"{entry.name}: 64 lower-case hex digits needed")
    if sum(entry.size for entry in entries) > LARGEST_SESSION:
        raise UploadRefused("file.total", f"at most {LARGEST_SESSION} bytes a session", 413)


class Inbox:
    """The tables of the intake. Each method is one transaction."""

    def __init__(self, engine: sa.Engine) -> None:
        self.engine = engine
        self._writer, self._tickets = engine.execution_options(writes=True), Together(engine)
        make_tables(metadata, engine)

    def open_run(
        self,
        ticket: Mapping[str, Any],
        hourly: int,
        first: Callable[[sa.Connection], None] | None = None,
    ) -> None:
        """Remember a ticket. Raises TicketRefused where its payee has had `hourly` this hour.

        first: what else is written with it or not at all; may refuse.
        """
        who = ticket["payee"] or ticket["claim"]
        row = {
            "session": ticket["session"],
            "ticket": json.dumps(dict(ticket), sort_keys=True),
            "who": who,
            "issued_s": ticket["issued_s"],
            "state": State.ISSUED,
        }

        def put(db: sa.Connection) -> None:
            if first is not None:
                first(db)
            recent = db.scalar(_RECENT, {"who": who, "since": ticket["issued_s"] - 3600})
            if (recent or 0) >= hourly:
                raise TicketRefused("ticket.quota", f"{hourly} tickets an hour; try later", 429)
            db.execute(runs.insert(), row)

        self._tickets.write(put)

    def ticket(self, session: str) -> dict[str, Any] | None:
        """The ticket as it was given out for `session`, None where there was none."""
        with self.engine.connect() as db:
            text = db.execute(sa.select(runs.c.ticket).where(runs.c.session == session)).scalar()
        return None if text is None else dict(json.loads(text))

    def state(self, session: str) -> State | None:
        """How far a session has come."""
        with self.engine.connect() as db:
            found = db.execute(sa.select(runs.c.state).where(runs.c.session == session)).scalar()
        return None if found is None else State(found)

    def announce(self, session: str, entries: Sequence[FileEntry]) -> None:
        """Fix length and hash of each file at first sight; a session may announce in parts.

        Raises UploadRefused where one was announced otherwise before, or the whole is too much.
        """
        with self._writer.begin() as db:
            known = {entry.name: entry for entry in self._files(db, session)}
            fresh = [entry for entry in entries if entry.name not in known]
            for entry in entries:
                if known.get(entry.name, entry) != entry:
                    raise UploadRefused(
                        "file.changed", f"{entry.name} was announced with other content", 409
                    )
            check_entries([*known.values(), *fresh])
            for entry in fresh:
                db.execute(
                    files.insert().values(
                        session=session, name=entry.name, size=entry.size, sha256=entry.sha256
                    )
                )
            self._move(db, session, State.UPLOADING)

    def files(self, session: str) -> tuple[FileEntry, ...]:
        """What was announced, by name."""
        with self.engine.connect() as db:
            return self._files(db, session)

    def queued(self, session: str) -> None:
        """Note that everything is here and the session waits for its verdict."""
        with self._writer.begin() as db:
            self._move(db, session, State.QUEUED)

    @staticmethod
    def _move(db: sa.Connection, session: str, after: State) -> None:
        still = runs.c.state.in_([State.ISSUED, State.UPLOADING])
        db.execute(runs.update().where(runs.c.session == session, still).values(state=after))

    @staticmethod
    def _files(db: sa.Connection, session: str) -> tuple[FileEntry, ...]:
        query = sa.select(files.c.name, files.c.size, files.c.sha256)
        rows = db.execute(query.where(files.c.session == session).order_by(files.c.name))
        return tuple(FileEntry(row.name, row.size, row.sha256) for row in rows)
