"""The intake over HTTP: run tickets, upload tickets, files, and what became of a session.

Owns the addresses and their limits. Every refusal is {"reason", "detail"} with a 4xx status.
Knows no renderer, no check and no key that can pay.
"""

import asyncio
import logging
import secrets
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from dataclasses import asdict, dataclass
from typing import Annotated, Any

import sqlalchemy as sa
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from fastapi import Body, FastAPI, Header, Query, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from pydantic import BaseModel, ConfigDict, Field
from starlette.concurrency import run_in_threadpool
from starlette.exceptions import HTTPException

from game.session.ids import is_id, new_id
from rewards import tickets
from rewards.accounts import add_accounts
from rewards.api_limits import BodyLimit
from rewards.backing import Stores
from rewards.card import write_card
from rewards.desk import Desk
from rewards.erase import KEPT, KEPT_JUDGED, Eraser
from rewards.errors import WalletRefused
from rewards.inbox import NEEDED, SHA256, FileEntry, Inbox, State, raw_key
from rewards.ledger import Ledger
from rewards.model import payout_to_dict, verdict_to_dict
from rewards.queue import Work
from rewards.refusal import Refused, TicketRefused, UploadRefused
from rewards.storage import FolderStore, Grant
from rewards.wallet import check_wallet
from rewards.web.pages import add_pages
from scenarios.free import free_named

log = logging.getLogger(__name__)
OFFLINE = "offline"
CHUNK_WAIT_S = 30.0
"""A body that pauses longer than this is given up."""


@dataclass(frozen=True, slots=True)
class IntakeLimits:
    """ticket_life: until when a session may be handed in. upload_life: of one signed address.

    hourly: tickets for one payee in an hour. seeded: policies under which the driver may
    choose the seed himself.
    """

    ticket_life_s: int = 24 * 3600
    upload_life_s: int = 900
    hourly: int = 240
    seeded: tuple[str, ...] = ("demo",)


@dataclass(frozen=True, slots=True)
class Known:
    """What tickets may name. scenarios: id -> digest. packs: digests. ours: nobody's wallets."""

    scenarios: Mapping[str, str]
    packs: tuple[str, ...]
    worlds: tuple[int, ...]
    policies: tuple[str, ...]
    journal_keys: tuple[str, ...]
    ours: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Intake:
    """The parts behind the addresses."""

    known: Known
    key: Ed25519PrivateKey
    inbox: Inbox
    store: Stores
    queue: Work
    ledger: Ledger
    limits: IntakeLimits = IntakeLimits()
    now: Callable[[], float] = time.time
    desk: Desk | None = None
    events: bool = False  # the raw store tells the queue by itself

    @property
    def eraser(self) -> Eraser:
        """Takes recordings back out of the stores."""
        return Eraser(self.inbox, self.store, None if self.desk is None else self.desk.clean)

    @property
    def ticket_keys(self) -> tuple[str, ...]:
        """Public keys that our tickets are signed with."""
        return (tickets.public_hex(self.key),)


class _Request(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True)


class RunRequest(_Request):
    """What a player asks before a drive. wallet: an address; claim: an id of the player's own."""

    wallet: str = Field("", max_length=128)
    claim: str = Field("", max_length=64, pattern=r"^[A-Za-z0-9_-]*$")
    scenario: str = Field(max_length=128)
    seed: int | None = Field(None, ge=0, lt=2**31)
    driver: str = Field(pattern="^(human|bot|agent)$")
    policy: str = Field(max_length=32)
    world_version: int
    pack_digest: str = Field(max_length=64)
    device: str = Field("", max_length=64, pattern=r"^[A-Za-z0-9_-]*$")
    session: str = Field("", max_length=26)


class FileRequest(_Request):
    """One file to come. size [byte]; sha256: lower-case hex."""

    name: str = Field(max_length=64)
    size: int = Field(ge=0)
    sha256: str = Field(max_length=64)


class UploadRequest(_Request):
    """The files of one session, or some of them; `ticket` as it was given out for it."""

    session: str = Field(max_length=26)
    ticket: dict[str, Any]
    files: list[FileRequest] = Field(max_length=96)


def give_run_ticket(intake: Intake, ask: RunRequest, caller: str = "") -> dict[str, Any]:
    """A signed one-use ticket. Raises Refused or WalletRefused.

    caller: the address that asks. A session that was driven without us names itself; it is taken
    under the policy `offline`, which pays nothing.
    """
    known = intake.known
    if bool(ask.wallet.strip()) == bool(ask.claim):
        raise TicketRefused("payee.one", "give a wallet or a claim id, one of them", 422)
    payee = check_wallet(ask.wallet, known.ours) if ask.wallet.strip() else ""
    free = free_named(ask.scenario)
    wanted = known.scenarios.get(ask.scenario) if free is None else free.digest
    if wanted is None:
        raise TicketRefused("scenario.unknown", f"known: {', '.join(sorted(known.scenarios))}", 422)
    if ask.policy not in known.policies:
        raise TicketRefused("policy.unknown", f"offered here: {', '.join(known.policies)}", 422)
    if ask.world_version not in known.worlds:
        raise TicketRefused("world.unknown", "update the game; this server cannot replay it", 409)
    if ask.pack_digest not in known.packs:
        raise TicketRefused("pack.unknown", "this server does not have that city pack", 409)
    if ask.seed is not None and ask.policy not in intake.limits.seeded:
        raise TicketRefused("seed.chosen", "under this policy the server draws the seed", 422)
    terms = tickets.Terms(
        scenario=ask.scenario,
        scenario_digest=wanted,
        seed=secrets.randbelow(2**31) if ask.seed is None else ask.seed,
        world_version=ask.world_version,
        pack_digest=ask.pack_digest,
        policy=ask.policy,
        driver=ask.driver,
        payee=payee,
        claim=ask.claim,
    )
    now = intake.now()
    session = new_id(intake.now) if not ask.session else _offline(intake, ask)
    if (known_ticket := intake.inbox.ticket(session)) is not None:
        if known_ticket["payee"] == payee and known_ticket["claim"] == ask.claim:
            return known_ticket
        raise TicketRefused("ticket.foreign", "this session was handed in by somebody else")
    if intake.ledger.verdict(session) is not None:
        raise TicketRefused("ticket.used", "the session was judged already", 409)
    if intake.desk is not None:
        intake.desk.take(payee or ask.claim, caller, ask.device, now)
    ticket = tickets.issue(intake.key, terms, session, now, intake.limits.ticket_life_s)
    intake.inbox.open_run(ticket, intake.limits.hourly)
    return ticket


def _offline(intake: Intake, ask: RunRequest) -> str:
    """The id of a session that was driven before its ticket. Raises TicketRefused."""
    if ask.policy != OFFLINE or not is_id(ask.session):
        why = f"only a session under the policy '{OFFLINE}' names itself"
        raise TicketRefused("session.chosen", why, 422)
    return ask.session


def give_upload_tickets(intake: Intake, ask: UploadRequest, base_url: str) -> dict[str, Any]:
    """Signed addresses for the files that are not here yet. Raises Refused."""
    ticket = tickets.verify(ask.ticket, intake.ticket_keys, intake.now())
    if ticket["session"] != ask.session:
        raise TicketRefused("ticket.foreign", "this ticket was given out for another session")
    if intake.inbox.ticket(ask.session) != ticket:
        raise TicketRefused("ticket.unknown", "no such ticket was given out here")
    state = _state(intake, ask.session)
    if state not in (State.ISSUED, State.UPLOADING):
        raise TicketRefused("ticket.used", f"the session is {state} already", 409)
    if intake.eraser.known(ask.session) is not None:
        raise TicketRefused("session.erased", "its player had it deleted", 410)
    entries = [FileEntry(f.name, f.size, f.sha256) for f in ask.files]
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
    return {"uploads": uploads, "complete_url": complete}


def complete(intake: Intake, session: str) -> dict[str, str]:
    """All files are here: queue the session for judging. May be asked again. Raises Refused."""
    state = _state(intake, session)
    if state is None:
        raise UploadRefused("session.unknown", "no ticket was given out for it", 404)
    if state in (State.ISSUED, State.UPLOADING):
        announced = {entry.name: entry for entry in intake.inbox.files(session)}
        here = {
            name
            for name, entry in announced.items()
            if intake.store.size(raw_key(session, name)) == entry.size
        }
        missing = sorted((set(NEEDED) | set(announced)) - here)
        if missing:
            raise UploadRefused("session.incomplete", f"still to come: {', '.join(missing)}", 409)
        ticket = intake.inbox.ticket(session)
        assert ticket is not None  # a state says so
        write_card(intake.store, ticket, tuple(announced.values()), _tier(intake, ticket))
        # the queue knows a session by its name, so that a crash in between repeats harmlessly
        if not intake.events:
            intake.queue.push(session, session)
        intake.inbox.queued(session)
        log.info("session.queued session=%s files=%d", session, len(announced))
    return {"session": session, "state": str(_state(intake, session))}


def _tier(intake: Intake, ticket: Mapping[str, Any]) -> str:
    """How sure we are that the payee is the player's own wallet."""
    if ticket["claim"]:
        return "claim"
    if intake.desk is None:
        return "signed"
    return "signed" if intake.desk.signin.is_proved(ticket["payee"]) else "address"


def describe(intake: Intake, session: str) -> dict[str, Any]:
    """State, verdict and payout of a session. Raises Refused."""
    state = _state(intake, session)
    if state is None:
        raise UploadRefused("session.unknown", "no ticket was given out for it", 404)
    verdict, payout = intake.ledger.verdict(session), intake.ledger.payout(session)
    gone = intake.eraser.known(session)
    return {
        "session": session,
        "state": str(state),
        "verdict": None if verdict is None else verdict_to_dict(verdict),
        "payout": None if payout is None else payout_to_dict(payout),
        "erased": None if gone is None else asdict(gone),
    }


def erase(intake: Intake, session: str, proof: str) -> dict[str, Any]:
    """Remove the files of a session; says what went and what stays. Raises Refused."""
    state = _state(intake, session)
    if state is None:
        raise UploadRefused("session.unknown", "no ticket was given out for it", 404)
    eraser = intake.eraser
    eraser.check(session, proof, intake.ticket_keys)
    gone = eraser.erase(session, state, int(intake.now()))
    judged = intake.ledger.verdict(session) is not None
    log.info("session.erased session=%s files=%d bytes=%d", session, gone.files, gone.bytes)
    return {
        "session": session,
        "state": str(state),
        "erased": asdict(gone),
        "kept": [*KEPT, *(KEPT_JUDGED if judged else ())],
    }


def _state(intake: Intake, session: str) -> State | None:
    verdict = intake.ledger.verdict(session)
    return intake.inbox.state(session) if verdict is None else State(verdict.decision)


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
    with intake.store.begin(grant.key, grant.size, grant.sha256) as intent:
        while True:
            try:
                chunk = await asyncio.wait_for(_next(body), CHUNK_WAIT_S)
            except TimeoutError:
                raise UploadRefused("body.slow", "the body paused for too long", 408) from None
            if chunk is None:
                break
            intent.feed(chunk)
        await run_in_threadpool(intent.commit)


async def _next(body: AsyncIterator[bytes]) -> bytes | None:
    async for chunk in body:
        return chunk
    return None


def _answer(status: int, reason: str, detail: str) -> JSONResponse:
    return JSONResponse({"reason": reason, "detail": detail}, status_code=status)


async def _refused(request: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, Refused)
    log.info("request.refused path=%s reason=%s", request.url.path, error.reason)
    answer = _answer(error.status, error.reason, error.detail)
    if request.method == "PUT":
        answer.headers["Connection"] = "close"  # else the rest of a refused body is read on
    return answer


async def _bad_wallet(request: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, WalletRefused)
    return _answer(422, error.reason, error.why)


async def _bad_shape(request: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, RequestValidationError)
    first = error.errors()[0]
    where = ".".join(str(part) for part in first["loc"])
    return _answer(422, "request.shape", f"{where}: {first['msg']}"[:300])


async def _http_error(request: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, HTTPException)
    reason = {404: "path.unknown", 405: "method.unknown"}.get(error.status_code, "request.bad")
    return _answer(error.status_code, reason, str(error.detail))


def make_app(intake: Intake, public_url: str = "") -> FastAPI:
    """The application. public_url: what clients reach it by; '' = what they called it."""
    app = FastAPI(title="Scale Diffusion rewards", version="1", redoc_url=None)
    app.add_middleware(BodyLimit, most=256 * 1024, wait_s=CHUNK_WAIT_S)
    handlers: dict[type[Exception], Callable[[Request, Exception], Awaitable[JSONResponse]]] = {
        Refused: _refused,
        WalletRefused: _bad_wallet,
        RequestValidationError: _bad_shape,
        HTTPException: _http_error,
    }
    for kind, handler in handlers.items():
        app.add_exception_handler(kind, handler)
    _add_session_routes(app, intake, public_url)
    _add_object_route(app, intake)
    if intake.desk is not None:
        add_accounts(app, intake.desk)
        add_pages(app, intake.desk)

    @app.get("/health")
    def health() -> dict[str, Any]:
        with intake.inbox.engine.connect() as db:
            db.execute(sa.text("select 1"))
        return {"state": "ok", "queued": intake.queue.depth(), "dead": len(intake.queue.dead())}

    @app.get("/v1/keys")
    def keys() -> dict[str, Any]:
        return {"ticket": list(intake.ticket_keys), "journal": list(intake.known.journal_keys)}

    return app


def _add_session_routes(app: FastAPI, intake: Intake, public_url: str) -> None:
    @app.post("/v1/run-tickets", status_code=201)
    def run_ticket(ask: Annotated[RunRequest, Body()], request: Request) -> dict[str, Any]:
        caller = request.client.host if request.client else ""
        return {"ticket": give_run_ticket(intake, ask, caller)}

    @app.post("/v1/upload-tickets", status_code=201)
    def upload_tickets(ask: Annotated[UploadRequest, Body()], request: Request) -> dict[str, Any]:
        return give_upload_tickets(intake, ask, public_url or str(request.base_url))

    @app.post("/v1/sessions/{session}/complete")
    def session_complete(session: str) -> dict[str, str]:
        return complete(intake, session)

    @app.get("/v1/sessions/{session}")
    def session_state(session: str) -> dict[str, Any]:
        return describe(intake, session)

    @app.delete("/v1/sessions/{session}")
    def session_erase(
        session: str, authorization: Annotated[str, Header(max_length=8192)] = ""
    ) -> dict[str, Any]:
        return erase(intake, session, authorization)


def _add_object_route(app: FastAPI, intake: Intake) -> None:
    @app.put("/v1/objects/{key:path}", status_code=201)
    async def put_object(
        key: str,
        request: Request,
        size: Annotated[int, Query(ge=0)],
        sha256: Annotated[str, Query(pattern=f"^{SHA256.pattern}$")],
        expires: Annotated[int, Query(ge=0)],
        signature: Annotated[str, Query(max_length=64)],
    ) -> dict[str, Any]:
        grant = Grant(key, size, sha256, expires)
        await take_object(intake, grant, signature, request.headers, request.stream())
        return {"key": key, "size": size}
