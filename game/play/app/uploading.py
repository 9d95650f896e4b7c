"""The upload queue as the player sees it: how far each drive is, and the switch that pauses it."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from game.outbox.job import Job, JobStore, State
from game.outbox.process import PAUSED

_SHARE = {
    State.QUEUED: 0.02, State.CHECKING: 0.08, State.WAITING: 0.9, State.DONE: 1.0,
    State.HELD: 0.08, State.REFUSED: 1.0, State.DELETING: 0.5, State.DELETED: 1.0,
}  # fmt: skip
_WORDS = {
    State.QUEUED: "waits", State.CHECKING: "is looked through", State.UPLOADING: "uploads",
    State.WAITING: "is being checked there", State.DONE: "done", State.HELD: "held back",
    State.REFUSED: "refused", State.DELETING: "to be deleted there", State.DELETED: "deleted",
}  # fmt: skip


def jobs(outbox: Path, most: int = 12) -> tuple[Mapping[str, Any], ...]:
    """The newest drives on their way: session, state, said, share (0 to 1) and detail."""
    if not outbox.is_dir():
        return ()
    known = JobStore(outbox).all()
    return tuple(_facts(job) for job in reversed(known[-most:]))


def waiting(outbox: Path) -> int:
    """How many drives are not handed in yet."""
    if not outbox.is_dir():
        return 0
    over = (State.DONE, State.REFUSED, State.DELETED)
    return sum(job.state not in over for job in JobStore(outbox).all())


def _facts(job: Job) -> dict[str, Any]:
    share, detail = _SHARE.get(job.state, 0.0), job.reason[:40]
    if job.state is State.UPLOADING:
        sizes = _sizes(Path(job.folder))
        total = sum(sizes.values()) or 1
        sent = sum(sizes.get(name, 0) for name in job.sent)
        share = 0.1 + 0.8 * sent / total
        detail = f"{sent / 1e6:.1f} of {total / 1e6:.1f} MB" + (f", {detail}" if detail else "")
    elif job.state is State.DONE:
        payout = job.server.get("payout") or {}
        paid = payout.get("amount")
        detail = f"{int(paid) / 1e6:.3f} SPL" if paid else str(job.server.get("state", ""))
    return {
        "session": job.session, "state": str(job.state), "said": _WORDS[job.state],
        "share": share, "detail": detail,
    }  # fmt: skip


def _sizes(folder: Path) -> dict[str, int]:
    try:
        return {path.name: path.stat().st_size for path in folder.iterdir() if path.is_file()}
    except OSError:
        return {}


def is_paused(outbox: Path) -> bool:
    """Whether the player has stopped uploads."""
    return (outbox / PAUSED).exists()


def pause(outbox: Path, on: bool) -> None:
    """Stop or go on; holds over restarts, until the player changes it."""
    outbox.mkdir(parents=True, exist_ok=True)
    if on:
        (outbox / PAUSED).touch()
    else:
        (outbox / PAUSED).unlink(missing_ok=True)
