"""One session on its way out, as a small file, so that a restart goes on where it stopped.

Owns the states and their storage. Sends nothing.
"""

import json
import logging
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, fields
from enum import StrEnum
from pathlib import Path
from typing import Any

from game.session import hostile
from game.session.append import write_json
from game.session.ids import is_id

log = logging.getLogger(__name__)


class State(StrEnum):
    """queued -> checking -> uploading -> waiting -> done; held and refused wait for a person.

    deleting -> deleted, from any of them and never back.
    """

    QUEUED = "queued"
    CHECKING = "checking"
    UPLOADING = "uploading"
    WAITING = "waiting"  # complete on the server, verdict or payout still to come
    DONE = "done"
    HELD = "held"  # this machine's own checks failed
    REFUSED = "refused"  # the server said no
    DELETING = "deleting"  # gone from this machine, the server is still to be asked
    DELETED = "deleted"


FINAL = (State.DONE, State.HELD, State.REFUSED, State.DELETED)
GONE = (State.DELETING, State.DELETED)


@dataclass(frozen=True, slots=True)
class Job:
    """How far one session has come. due: not before this time [s since 1970].

    attempts: tries in a row that came to nothing. sent: files stored on the server.
    server: what the server says of the session, as received. proof: what a deletion is asked with
    once the folder is gone, {"ticket", "offline"}; empty again when it is done. looks: how often
    it was looked after since it was done.
    """

    session: str
    folder: str
    state: State = State.QUEUED
    attempts: int = 0
    due: float = 0.0
    reason: str = ""
    status: int = 0
    sent: tuple[str, ...] = ()
    findings: tuple[Mapping[str, Any], ...] = ()
    server: Mapping[str, Any] = field(default_factory=dict)
    proof: Mapping[str, Any] = field(default_factory=dict)
    looks: int = 0


class JobStore:
    """A folder with one JSON file for each session on its way."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        folder.mkdir(parents=True, exist_ok=True)

    def add(self, session_folder: Path) -> Job:
        """Queue a sealed session; one that is known already keeps its state."""
        name = session_folder.name
        if not is_id(name):
            raise ValueError(f"{session_folder} is no session folder")
        known = self.get(name)
        if known is not None:
            return known
        job = Job(name, str(session_folder.resolve()))
        self.put(job)
        return job

    def put(self, job: Job) -> None:
        """Store a job, whole or not at all. One that is to be deleted stays so."""
        known = self.get(job.session) if job.state not in GONE else None
        if known is not None and known.state in GONE:
            return
        write_json(self._path(job.session), asdict(job))

    def get(self, session: str) -> Job | None:
        """The job of a session; None where there is none that reads back."""
        path = self._path(session)
        if not path.exists():
            return None
        try:
            data = hostile.parse(hostile.read_bounded(path, hostile.MAX_DOCUMENT))
            known = {each.name for each in fields(Job)}
            data = {key: value for key, value in data.items() if key in known}
            data["state"] = State(data["state"])
            data["sent"] = tuple(data.get("sent", ()))
            data["findings"] = tuple(data.get("findings", ()))
            return Job(**data)
        except (ValueError, TypeError, KeyError, json.JSONDecodeError) as error:
            log.error("outbox.unreadable file=%s why=%s", path, error)
            return None

    def delete(self, job: Job, proof: Mapping[str, Any]) -> Job:
        """Queue the wish that the server deletes a session too; nothing else happens to it."""
        wish = Job(job.session, "", State.DELETING, server=job.server, proof=dict(proof))
        self.put(wish)
        return wish

    def all(self) -> list[Job]:
        """Every job, oldest session first."""
        names = (path.stem for path in sorted(self.folder.glob("*.json")))
        return [job for name in names if is_id(name) and (job := self.get(name)) is not None]

    def retry(self, session: str) -> None:
        """Queue a held or refused session once more."""
        job = self.get(session)
        if job is not None and job.state in (State.HELD, State.REFUSED):
            self.put(Job(job.session, job.folder))

    def _path(self, session: str) -> Path:
        return self.folder / f"{session}.json"
