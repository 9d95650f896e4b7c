"""The intake over HTTP: run tickets, upload tickets, files, and what became of a session.

Owns the addresses and their limits. Every refusal is {"reason", "detail"} with a 4xx status.
Knows no renderer, no check and no key that can pay.
"""

import logging
from collections.abc import Awaitable, Callable
from typing import Annotated, Any

import sqlalchemy as sa
from fastapi import Body, FastAPI, Header, Query, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from starlette.exceptions import HTTPException

from rewards.accounts import add_accounts
from rewards.api_limits import BodyLimit
from rewards.errors import WalletRefused
from rewards.inbox import SHA256
from rewards.intake import Intake, describe, erase
from rewards.kiosk import Kiosks
from rewards.kiosk_routes import add_kiosk
from rewards.public import add_public
from rewards.refusal import Refused
from rewards.run_tickets import RunRequest, give_run_ticket
from rewards.storage import Grant
from rewards.uploads import CHUNK_WAIT_S, UploadRequest, complete, give_upload_tickets, take_object
from rewards.web.pages import add_pages

log = logging.getLogger(__name__)


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
        add_public(app, intake.desk, intake.known)
        add_kiosk(app, Kiosks(intake.desk))

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
