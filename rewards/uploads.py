"""How files come in: announced once with length and hash, sent in batches, completed.

Small files come first, then styled video. The source video is asked for where somebody will look
at it, after the verdict; a client that sends everything at once is served as well.
"""

import asyncio
import logging
from collections.abc import AsyncIterator, Mapping
from typing import Any

from pydantic import Field
from starlette.concurrency import run_in_threadpool

from rewards import tickets, wanted
from rewards.card import write_card
from rewards.inbox import NEEDED, FileEntry, State, raw_key
from rewards.intake import Asked, Intake, state_of
from rewards.refusal import TicketRefused, UploadRefused
from rewards.storage import FolderStore, Grant

log = logging.getLogger(__name__)
JUDGED = (State.ACCEPTED, State.REJECTED)
WHEN_ASKED = "when-asked"
"""Says that the source video may stay at home until `wanted` stands in the session's status."""
CHUNK_WAIT_S = 30.0
"""A body that pauses longer than this is given up."""
SLOWEST = 16 << 10
"""So is one that comes in slower than this, all in all [byte/s]."""


class FileRequest(Asked):
    """One file to come. size [byte]; sha256: lower-case hex."""

    name: str = Field(max_length=64)
    size: int = Field(ge=0)
    sha256: str = Field(max_length=64)


class UploadRequest(Asked):
    """The files of one session, or some of them; `ticket` as it was given out for it."""

    session: str = Field(max_length=26)
    ticket: dict[str, Any]
    files: list[FileRequest] = Field(max_length=96)


def give_upload_tickets(intake: Intake, ask: UploadRequest, base_url: str) -> dict[str, Any]:
    """Signed addresses for the files that are not here yet. Raises Refused."""
    state = state_of(intake, ask.session)
    asked = state in JUDGED and _is_asked(intake, ask.session)
    # what is asked for after the verdict may come after the ticket has run out
    ticket = tickets.verify(ask.ticket, intake.ticket_keys, None if asked else intake.now())
    if ticket["session"] != ask.session:
        raise TicketRefused("ticket.foreign", "this ticket was given out for another session")
    if intake.inbox.ticket(ask.session) != ticket:
        raise TicketRefused("ticket.unknown", "no such ticket was given out here")
    if state not in (State.ISSUED, State.UPLOADING) and not asked:
        raise TicketRefused("ticket.used", f"the session is {state} already", 409)
    if intake.eraser.known(ask.session) is not None:
        raise TicketRefused("session.erased", "its player had it deleted", 410)
    entries = [FileEntry(f.name, f.size, f.sha256) for f in ask.files]
    if asked:
        wanted.check(entries, wanted.listed(ask.session, intake.store, intake.clean))
    if intake.desk is not None:
        intake.desk.check_room(sum(entry.size for entry in entries))
    intake.inbox.announce(ask.session, entries)
    expires = int(intake.now()) + intake.limits.upload_life_s
    uploads = []
    for entry in entries:
        key = raw_key(ask.session, entry.name)
        if intake.store.size(key) is None:
            grant = Grant(key, entry.size, entry.sha256, expires)
            request = intake.store.upload(grant, base_url)
            uploads.append(
                {
                    "name": entry.name,
                    "url": request.url,
                    "method": request.method,
                    "headers": request.headers,
                }
            )
    complete = f"{base_url.rstrip('/')}/v1/sessions/{ask.session}/complete"
    return {"uploads": uploads, "complete_url": complete, "source": WHEN_ASKED}


def complete(intake: Intake, session: str) -> dict[str, str]:
    """All files are here: queue the session for judging, or put away the source that was asked
    for. May be asked again. Raises Refused."""
    state = state_of(intake, session)
    if state is None:
        raise UploadRefused("session.unknown", "no ticket was given out for it", 404)
    announced = {entry.name: entry for entry in intake.inbox.files(session)}
    if state in (State.ISSUED, State.UPLOADING):
        _all_here(intake, session, announced, set(NEEDED) | set(announced))
        ticket = intake.inbox.ticket(session)
        assert ticket is not None  # a state says so
        write_card(intake.store, ticket, tuple(announced.values()), _tier(intake, ticket))
        # the queue knows a session by its name, so that a crash in between repeats harmlessly
        if not intake.events:
            intake.queue.push(session, session)
        intake.inbox.queued(session)
        log.info("session.queued session=%s files=%d", session, len(announced))
    elif state in JUDGED and _is_asked(intake, session):
        listed = wanted.listed(session, intake.store, intake.clean)
        _all_here(intake, session, listed, set(listed))
        accepted = state == State.ACCEPTED
        wanted.put_away(session, list(listed.values()), intake.store, intake.clean, accepted)
        intake.wants.came(session)
        log.info("source.came session=%s files=%d", session, len(listed))
    return {"session": session, "state": str(state_of(intake, session))}


def _all_here(
    intake: Intake, session: str, known: Mapping[str, FileEntry], needed: set[str]
) -> None:
    here = {
        name
        for name, entry in known.items()
        if intake.store.size(raw_key(session, name)) == entry.size
        or _is_kept(intake, session, entry)
    }
    if missing := sorted(needed - here):
        raise UploadRefused("session.incomplete", f"still to come: {', '.join(missing)}", 409)


def _is_kept(intake: Intake, session: str, entry: FileEntry) -> bool:
    """Put away already, by a completion whose answer was lost."""
    if intake.clean is None or not wanted.SOURCE.fullmatch(entry.name):
        return False
    return intake.clean.size(wanted.clean_key(session, entry.name)) == entry.size


def _is_asked(intake: Intake, session: str) -> bool:
    want = intake.wants.of(session)
    return want is not None and want.state == wanted.ASKED


def _tier(intake: Intake, ticket: Mapping[str, Any]) -> str:
    """How sure we are that the payee is the player's own wallet."""
    if ticket["claim"]:
        return "claim"
    if intake.desk is None:
        return "signed"
    return "signed" if intake.desk.signin.is_proved(ticket["payee"]) else "address"


async def take_object(
    intake: Intake,
    grant: Grant,
    signature: str,
    headers: Mapping[str, str],
    body: AsyncIterator[bytes],
) -> None:
    """Store one announced file while it comes in. Raises UploadRefused."""
    if not isinstance(intake.store, FolderStore):
        raise UploadRefused("path.unknown", "objects go to the store itself", 404)
    intake.store.check(grant, signature, intake.now())
    if await run_in_threadpool(intake.eraser.known, grant.key.partition("/")[0]) is not None:
        raise UploadRefused("session.erased", "its player had it deleted", 410)
    if headers.get("if-none-match") != "*" or "x-amz-checksum-sha256" not in headers:
        raise UploadRefused("headers.missing", "send the headers of the upload ticket", 403)
    if headers["x-amz-checksum-sha256"] != intake.store.checksum(grant):
        raise UploadRefused("body.sha256", "another checksum was announced", 403)
    length = headers.get("content-length")
    if length is not None and length != str(grant.size):
        raise UploadRefused("body.length", f"{grant.size} bytes were announced", 403)
    clock = asyncio.get_running_loop().time
    ends = clock() + CHUNK_WAIT_S + grant.size / SLOWEST
    with intake.store.begin(grant.key, grant.size, grant.sha256) as intent:
        while True:
            try:
                wait_s = min(CHUNK_WAIT_S, ends - clock())
                chunk = await asyncio.wait_for(_next(body), max(0.0, wait_s))
            except TimeoutError:
                raise UploadRefused("body.slow", "the body took too long", 408) from None
            if chunk is None:
                break
            intent.feed(chunk)
        await run_in_threadpool(intent.commit)


async def _next(body: AsyncIterator[bytes]) -> bytes | None:
    async for chunk in body:
        return chunk
    return None
