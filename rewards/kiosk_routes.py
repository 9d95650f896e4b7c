"""Routes for events: devices register codes and clips, visitors show a code. The work is `kiosk`'s.

The code travels in bodies and in the part of an address that browsers keep to themselves, so that
no log has it. The visitor's pages are `web.visitor`'s.
"""

import asyncio
from typing import Annotated, Any

from fastapi import Body, FastAPI, Header, Request
from fastapi.responses import Response
from pydantic import BaseModel, ConfigDict, Field
from starlette.concurrency import run_in_threadpool

from rewards.kiosk import CLIP_MOST, HASH, Kiosks
from rewards.refusal import UploadRefused
from rewards.web.visitor import add_visitor, caller_of, clip_reply

_CLIP_S = 120.0


class _Request(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True)


class CodeRequest(_Request):
    """What a device signs. code: SHA-256 of the code; claim: the public key of the visitor's."""

    v: int
    device: str = Field(max_length=64)
    code: str = Field(max_length=64)
    claim: str = Field(max_length=64)
    session: str = Field(max_length=26, pattern=r"^[0-9A-Z]{26}$")
    made_s: int = Field(ge=0)
    ends_s: int = Field(ge=0)
    sig: str = Field(max_length=128)


class ShowRequest(_Request):
    """A code as the visitor has it."""

    code: str = Field(max_length=64)


class WalletRequest(ShowRequest):
    """And the wallet that its drive is to be paid to."""

    wallet: str = Field(max_length=128)


def add_kiosk(app: FastAPI, kiosks: Kiosks) -> None:
    """The addresses under /v1/kiosk and /v1/codes, and the visitor's page at /c."""

    @app.post("/v1/kiosk/codes", status_code=201)
    def register(ask: Annotated[CodeRequest, Body()]) -> dict[str, Any]:
        return kiosks.register(ask.model_dump())

    @app.put("/v1/kiosk/clips/{code}", status_code=201)
    async def clip(
        code: str, request: Request, signature: Annotated[str, Header(max_length=128)]
    ) -> dict[str, Any]:
        if not HASH.fullmatch(code):
            raise UploadRefused("code.shape", "a code is named by its hash", 422)
        await run_in_threadpool(kiosks.expect_clip, code)
        data = bytearray()
        try:
            async with asyncio.timeout(_CLIP_S):
                async for chunk in request.stream():
                    data += chunk
                    if len(data) > CLIP_MOST:
                        raise UploadRefused("clip.shape", f"at most {CLIP_MOST} bytes", 413)
        except TimeoutError as slow:
            raise UploadRefused("body.slow", "the clip took too long", 408) from slow
        return await run_in_threadpool(kiosks.take_clip, code, signature, bytes(data))

    @app.post("/v1/codes/look")
    def look(ask: Annotated[ShowRequest, Body()], request: Request) -> dict[str, Any]:
        return kiosks.look(ask.code, caller_of(request))

    @app.post("/v1/codes/claim")
    def claim(ask: Annotated[WalletRequest, Body()], request: Request) -> dict[str, Any]:
        return kiosks.claim(ask.code, ask.wallet, caller_of(request))

    @app.post("/v1/codes/clip")
    def souvenir(ask: Annotated[ShowRequest, Body()], request: Request) -> Response:
        return clip_reply(kiosks.clip(ask.code, caller_of(request)))

    add_visitor(app, kiosks)
