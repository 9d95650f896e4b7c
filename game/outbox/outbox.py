"""Moves each queued session one stage on: check, upload, ask for the verdict.

Owns the order and the patience. Nothing is kept in memory: every stage is stored before the next.
"""

import importlib
import logging
import random
import re
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

from game.errors import SessionError
from game.outbox.client import Grant, RestClient
from game.outbox.errors import Refused, Unreachable
from game.outbox.job import FINAL, Job, JobStore, State
from game.session.format import END, EVENTS, FRAMES, INPUTS, JOURNAL, MANIFEST, TICKS, Manifest
from game.session.protocols import Check, Evidence, Finding
from game.session.reader import Session
from game.session.seal import described

log = logging.getLogger(__name__)

CheckFactory = Callable[[Path], tuple[Sequence[Check], Evidence]]
"""Called with a session's folder; gives the checks to run on it and what they may use."""

_SMALL = (MANIFEST, INPUTS, TICKS, EVENTS, JOURNAL, FRAMES, END)
_VIDEO = re.compile(r"(styled\d{0,2}|check|source)-\d{4}\.mkv")
_SOURCE = re.compile(r"(check|source)-\d{4}\.mkv")
"""The service can draw these again; they go out when it asks."""
_OVER = ("accepted", "rejected", "paid", "finalized", "parked")
_OPEN = ("", "issued", "uploading")


@dataclass(frozen=True, slots=True)
class OutboxConfig:
    """Where jobs lie, which service takes them, and how patient to be [s].

    checks: 'module:function' of a CheckFactory, '' for none. wait_for_payout: 'accepted' is not
    the end of a job, only its payout is. hold: keep sessions whose own checks fail. look_again_s,
    looks: how often, and how many times, a done session is looked after: a person may want to see
    its source video.
    """

    folder: Path
    url: str
    checks: str = ""
    hold: bool = True
    wait_for_payout: bool = True
    timeout_s: float = 20.0
    first_delay_s: float = 1.0
    longest_delay_s: float = 300.0
    poll_s: float = 1.0
    look_again_s: float = 12 * 3600.0
    looks: int = 28


class Outbox:
    """The queue and the client. Call `step` again and again; it never sleeps."""

    def __init__(
        self,
        config: OutboxConfig,
        now: Callable[[], float] = time.time,
        chance: Callable[[], float] = random.random,
        client: RestClient | None = None,
    ) -> None:
        self.config = config
        self.jobs = JobStore(config.folder)
        self._now, self._chance = now, chance
        self._client = client or RestClient(config.url, config.timeout_s)
        self._factory = _imported(config.checks) if config.checks else None

    def step(self) -> float:
        """Take every due job one stage on; returns seconds until the next is due."""
        wait = self.config.poll_s
        for job in self.jobs.all():
            if job.state in FINAL and not self._looks_again(job):
                continue
            due_in = job.due - self._now()
            # a clock set back must not leave a job waiting for hours
            done = job.state is State.DONE
            longest = self.config.look_again_s if done else self.config.longest_delay_s
            if 0 < due_in <= 2 * longest:
                wait = min(wait, due_in)
                continue
            after = self._advance(job)
            if after != job:
                self.jobs.put(after)
            if after.state not in FINAL:
                wait = min(wait, max(0.0, after.due - self._now()))
        return wait

    def _advance(self, job: Job) -> Job:
        stages = {
            State.QUEUED: self._check,
            State.CHECKING: self._check,
            State.UPLOADING: self._upload,
            State.WAITING: self._ask,
            State.DONE: self._ask,
            State.DELETING: self._erase,
        }
        try:
            return stages[job.state](job)
        except Unreachable as later:
            log.info("upload.later session=%s why=%s", job.session, later)
            return self._later(job, str(later.why), later.after_s)
        except Refused as no:
            log.warning("upload.refused session=%s status=%d", job.session, no.status)
            if job.state is State.DONE:  # nothing that was settled becomes undone by a question
                return replace(job, looks=self.config.looks)
            if job.state is State.DELETING:  # a person has to look, but it is asked again
                return self._later(job, str(no), self.config.longest_delay_s)
            return replace(job, state=State.REFUSED, status=no.status, reason=str(no))
        except (SessionError, OSError) as error:
            log.warning("upload.held session=%s why=%s", job.session, error)
            return replace(job, state=State.HELD, reason=str(error))

    def _later(self, job: Job, why: str, after_s: float = 0.0) -> Job:
        stored = self.jobs.get(job.session) or job  # files sent meanwhile are noted there
        patience = self.config.first_delay_s * 2.0 ** min(stored.attempts, 20)
        delay = min(self.config.longest_delay_s, patience) * (0.5 + self._chance() / 2.0)
        due = self._now() + max(delay, min(after_s, self.config.longest_delay_s))
        return replace(stored, attempts=stored.attempts + 1, due=due, reason=why)

    def _check(self, job: Job) -> Job:
        """Run this machine's own checks; the server runs its own whatever these say."""
        folder = Path(job.folder)
        with Session.open(folder) as session:
            if session.end is None:
                return replace(job, state=State.HELD, reason="not sealed; run session recover")
            found = self._findings(session)
        findings = tuple({**asdict(each), "evidence": {}} for each in found)
        failed = [each for each in found if not each.passed]
        if failed and self.config.hold:
            reason = ", ".join(each.reason or each.check for each in failed)
            return replace(job, state=State.HELD, reason=reason, findings=findings)
        return replace(job, state=State.UPLOADING, findings=findings, attempts=0, due=0.0)

    def _findings(self, session: Session) -> list[Finding]:
        if self._factory is None:
            return []
        checks, evidence = self._factory(session.folder)
        return [check(session, evidence) for check in checks]

    def _upload(self, job: Job) -> Job:
        """Send what the server lacks, in batches, small files first, then complete.

        The source video stays here where the service says that it asks for it.
        """
        folder = Path(job.folder)
        with Session.open(folder) as session:
            manifest = session.manifest
        files = files_of(folder)
        ticket = manifest.ticket or self._client.offline_ticket(_offline(manifest))
        asks = False
        for batch in _batches(files):
            if asks and _SOURCE.fullmatch(batch[0]["name"]):
                continue
            try:
                job, grant = self._send(job, folder, ticket, batch)
            except Refused as no:
                # the answer to an earlier completion may have been lost on its way here
                server = dict(self._client.session(job.session)) if no.status == 409 else {}
                if str(server.get("state", "")) in _OPEN:
                    raise
                return replace(job, state=State.WAITING, server=server, attempts=0, reason="")
            asks = grant.asks
        server = dict(self._client.complete(grant.complete_url))
        return replace(job, state=State.WAITING, server=server, attempts=0, due=0.0, reason="")

    def _send(
        self, job: Job, folder: Path, ticket: Mapping[str, Any], files: list[dict[str, Any]]
    ) -> tuple[Job, Grant]:
        """Announce some files and store those that the server lacks."""
        grant = self._client.upload_tickets(job.session, ticket, files)
        missing = {upload.name: upload for upload in grant.uploads}
        for name in (file["name"] for file in files):
            if name in missing:
                self._client.put(missing[name], folder / name)
                log.info("upload.stored session=%s file=%s", job.session, name)
            if name not in job.sent:
                job = replace(job, sent=(*job.sent, name), attempts=0)
                self.jobs.put(job)
        return job, grant

    def _ask(self, job: Job) -> Job:
        """Ask for verdict and payout until the server says that it is over."""
        server = dict(self._client.session(job.session))
        job = self._send_source(job, server.get("wanted"))
        over = _is_over(server, self.config.wait_for_payout)
        now, looks = self._now(), job.looks + (job.state is State.DONE)
        return replace(
            job, state=State.DONE if over else State.WAITING, server=server, attempts=0,
            due=now + (self.config.look_again_s if over else self.config.poll_s), reason="",
            looks=looks,
        )  # fmt: skip

    def _send_source(self, job: Job, wanted: object) -> Job:
        """Send the source video that the server asks for, where this machine still has it."""
        names = wanted.get("files") if isinstance(wanted, dict) else None
        folder = Path(job.folder)
        if not isinstance(names, list) or not job.folder or not folder.is_dir():
            return job
        files = [f for f in files_of(folder) if f["name"] in names and _SOURCE.fullmatch(f["name"])]
        if not files:
            return job
        with Session.open(folder) as session:
            manifest = session.manifest
        ticket = manifest.ticket or self._client.offline_ticket(_offline(manifest))
        job, grant = self._send(job, folder, ticket, files)
        self._client.complete(grant.complete_url)
        log.info("upload.source session=%s files=%d", job.session, len(files))
        return job

    def _looks_again(self, job: Job) -> bool:
        """A done session whose source video is still here alone."""
        return (
            job.state is State.DONE
            and 0 < job.due <= self._now()
            and job.looks < self.config.looks
            and not any(_SOURCE.fullmatch(name) for name in job.sent)
        )

    def erase_pending(self) -> None:
        """Ask once for every deletion that is still open, due or not."""
        for job in self.jobs.all():
            if job.state is State.DELETING:
                self.jobs.put(self._advance(job))

    def _erase(self, job: Job) -> Job:
        """Ask the server to delete what it holds; a session that it never had is done, too."""
        try:
            self._client.session(job.session)
            ticket = job.proof["ticket"] or self._client.offline_ticket(job.proof["offline"])
            server = dict(self._client.erase(job.session, ticket))
        except Refused as no:
            if "session.unknown" not in no.why:
                raise
            server = {"session": job.session, "state": "unknown", "erased": None, "kept": []}
        return replace(
            job, state=State.DELETED, server=server, proof={}, attempts=0, due=0.0, reason=""
        )

    def close(self) -> None:
        """Close connections."""
        self._client.close()


def proof_of(manifest: Manifest) -> dict[str, Any]:
    """What a deletion on the server is asked with; to be taken before the folder is removed."""
    return {"ticket": manifest.ticket, "offline": _offline(manifest)}


def _offline(manifest: Manifest) -> dict[str, Any]:
    """What to ask for a drive that had no service beside it."""
    return {
        "session": manifest.session,
        "wallet": manifest.payee,
        "claim": "" if manifest.payee else manifest.claim,
        "scenario": manifest.scenario,
        "driver": manifest.driver.kind,
        "policy": "offline",
        "world_version": manifest.world_version,
        "pack_digest": manifest.pack_digest,
    }


def files_of(folder: Path) -> list[dict[str, Any]]:
    """name, size [byte], sha256 of each file of a sealed session, in the order of sending."""
    with Session.open(folder) as session:
        end = session.end or {}
    listed = end.get("files")
    known = {**listed, END: described(folder / END)} if isinstance(listed, dict) else {}
    names = [name for name in known if name in _SMALL or _VIDEO.fullmatch(name)]
    return [
        {"name": name, "size": known[name]["bytes"], "sha256": known[name]["sha256"]}
        for name in sorted(names, key=_order)
    ]


def _batches(files: list[dict[str, Any]]) -> Iterator[list[dict[str, Any]]]:
    """Small files, styled video, then what the service can draw again."""
    small = [file for file in files if file["name"] in _SMALL]
    source = [file for file in files if _SOURCE.fullmatch(file["name"])]
    styled = [file for file in files if file not in small and file not in source]
    yield from (batch for batch in (small, styled, source) if batch)


def _order(name: str) -> tuple[int, str]:
    """Small files first, what cannot be made again before what can, source pictures last."""
    if name in _SMALL:
        return _SMALL.index(name), name
    video = ("styled", "check", "source")
    return len(_SMALL) + next(i for i, label in enumerate(video) if name.startswith(label)), name


def _is_over(server: dict[str, Any], wait_for_payout: bool) -> bool:
    state = str(server.get("state", ""))
    if state == "accepted" and wait_for_payout:
        payout = server.get("payout")
        paid = payout.get("state") if isinstance(payout, dict) else None
        return paid in _OVER
    return state in _OVER


def _imported(path: str) -> CheckFactory:
    module, _, name = path.partition(":")
    factory: CheckFactory = getattr(importlib.import_module(module), name)
    return factory
