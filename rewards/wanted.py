"""Source video that the server asks for after its checks: it can draw it again, so few are needed.

Owns the table of what was asked and why. A session is judged and paid without; whether its source
ever comes changes neither. What comes must be what the recording listed when it was sealed.
"""

import json
import logging
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from weakref import WeakSet

import sqlalchemy as sa

from game.session.format import END
from rewards.inbox import FileEntry, raw_key
from rewards.refusal import UploadRefused
from rewards.schema import make_tables
from rewards.storage import Store

log = logging.getLogger(__name__)
SOURCE = re.compile(r"(source|check)-[0-9]{4}\.mkv")
"""The recording's own pictures of the game: near-lossless, and lossless each second."""
ASKED, HERE = "asked", "here"
REVIEW, RESEARCH, APPEAL = "review", "research", "appeal"
LARGEST_END = 64 << 10

_MADE: WeakSet[sa.Engine] = WeakSet()
metadata = sa.MetaData()
wanted = sa.Table(
    "wanted",
    metadata,
    sa.Column("session", sa.String(26), primary_key=True),
    sa.Column("why", sa.String(32), nullable=False),
    sa.Column("asked_s", sa.BigInteger, nullable=False),
    sa.Column("state", sa.String(16), nullable=False),
)


@dataclass(frozen=True, slots=True)
class Want:
    """why: review, research, appeal or an operator's word. state: asked or here. asked_s: Unix."""

    session: str
    why: str
    asked_s: int
    state: str


class Wants:
    """The table. Each method is one transaction."""

    def __init__(self, engine: sa.Engine) -> None:
        self.engine = engine
        self._writer = engine.execution_options(writes=True)
        if engine not in _MADE:  # asked for at every status of a session
            make_tables(metadata, engine)
            _MADE.add(engine)

    def ask(self, session: str, why: str, now_s: int) -> None:
        """Ask for the source video of a session; the first reason stays."""
        with self._writer.begin() as db:
            of = sa.select(wanted.c.session).where(wanted.c.session == session)
            if db.scalar(of) is None:
                row = {"session": session, "why": why, "asked_s": now_s, "state": ASKED}
                db.execute(sa.insert(wanted).values(row))
                log.info("source.asked session=%s why=%s", session, why)

    def of(self, session: str) -> Want | None:
        """What was asked of a session, if anything."""
        with self.engine.connect() as db:
            query = sa.select(wanted).where(wanted.c.session == session)
            row = db.execute(query).mappings().first()
        return None if row is None else Want(**row)

    def came(self, session: str) -> None:
        """It is here."""
        with self._writer.begin() as db:
            of = wanted.c.session == session
            db.execute(sa.update(wanted).where(of).values(state=HERE))

    def open(self) -> tuple[Want, ...]:
        """What has not come, oldest first."""
        query = sa.select(wanted).where(wanted.c.state == ASKED).order_by(wanted.c.asked_s)
        with self.engine.connect() as db:
            return tuple(Want(**row) for row in db.execute(query).mappings())


def listed(session: str, raw: Store, clean: Store | None) -> dict[str, FileEntry]:
    """The source files that the sealed recording names, by name; {} where it cannot be read."""
    places = [(raw, raw_key(session, END))]
    if clean is not None:
        places.append((clean, clean_key(session, END)))
    for store, key in places:
        if (size := store.size(key)) is not None and size <= LARGEST_END:
            return _entries(b"".join(store.read(key)))
    return {}


def _entries(body: bytes) -> dict[str, FileEntry]:
    try:
        files: Any = json.loads(body).get("files", {})
        return {
            str(name): FileEntry(str(name), int(told["bytes"]), str(told["sha256"]))
            for name, told in files.items()
            if SOURCE.fullmatch(str(name))
        }
    except (ValueError, TypeError, KeyError, AttributeError, RecursionError):
        return {}


def check(entries: Sequence[FileEntry], known: Mapping[str, FileEntry]) -> None:
    """Raises UploadRefused unless these are source files as the recording listed them."""
    for entry in entries:
        if known.get(entry.name) != entry:
            raise UploadRefused(
                "file.changed", f"{entry.name[:80]} is not what the recording lists", 409
            )


def clean_key(session: str, name: str) -> str:
    """Where a file of an accepted session lies in the clean store."""
    return f"sessions/{session}/{name}"


def put_away(
    session: str, entries: Sequence[FileEntry], raw: Store, clean: Store | None, accepted: bool
) -> None:
    """Beside the rest of the session: of an accepted one that is the clean store."""
    if clean is None or not accepted:
        return
    for entry in entries:
        key, kept = raw_key(session, entry.name), clean_key(session, entry.name)
        if clean.size(kept) is None and raw.size(key) is not None:
            clean.put(kept, raw.read(key), entry.size, entry.sha256)
        raw.delete(key)
