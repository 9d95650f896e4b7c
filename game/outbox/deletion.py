"""Deletes one recording here, with what was made of it, and notes the wish for the server's copy.

The wish is stored before anything goes; the outbox carries it out whenever the service answers.
"""

import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from game.errors import SessionCorrupt
from game.outbox.job import Job, JobStore, State
from game.outbox.outbox import proof_of
from game.session.reader import Session
from game.session.recover import delete, refuse_busy


@dataclass(frozen=True, slots=True)
class Deleted:
    """What went. bytes: of the recording. made: its pages and films. asked: the server will be."""

    bytes: int
    made: tuple[Path, ...]
    asked: bool


def proof(folder: Path) -> dict[str, Any] | None:
    """What the server is asked with; None where the recording does not read back."""
    try:
        with Session.open(folder) as session:
            return proof_of(session.manifest)
    except SessionCorrupt:
        return None


def erase(folder: Path, data: Path, service: str, ask: bool = True) -> Deleted:
    """Remove a recording of `data` for good. service: the setting rewards.url.

    ask: whether the server is to be asked, where it may have it. Raises SessionBusy, OSError.
    """
    refuse_busy(folder)
    asked = ask and _wish(data / "outbox", folder, service)
    size = sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())
    delete(folder)
    return Deleted(size, tuple(_made(folder, data)), asked)


def _wish(outbox: Path, folder: Path, service: str) -> bool:
    """Note that the server is to be asked; False where it cannot have the session."""
    jobs, shown = JobStore(outbox), proof(folder)
    known = jobs.get(folder.name)
    if shown is None or (known is None and not shown["ticket"] and service in ("", "off")):
        return False
    jobs.delete(known or Job(folder.name, "", State.QUEUED), shown)
    return True


def _made(folder: Path, data: Path) -> list[Path]:
    """Remove pages and films that were made of the session; returns what there was."""
    made = [folder.parent.parent / "views" / folder.name, data / "reports" / folder.name]
    made = [path for path in made if path.is_dir()]
    for path in made:
        shutil.rmtree(path)
    album = folder.parent.parent / "views" / "index.html"  # its thumbnails are inside it
    if album.is_file():
        album.unlink()
        made.append(album)
    return made
