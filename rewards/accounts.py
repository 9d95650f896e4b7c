"""Routes for wallets, claims, appeals and metrics. The work is the desk's."""

from typing import Annotated, Any

from fastapi import Body, FastAPI, Request
from fastapi.responses import PlainTextResponse
from pydantic import BaseModel, ConfigDict, Field

from rewards import appeals
from rewards.desk import Desk, as_dict
from rewards.metrics import TYPE
from rewards.model import payout_to_dict
from rewards.refusal import UploadRefused

_CLAIM = r"^[A-Za-z0-9_-]{1,64}$"


class _Request(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True)


class ChallengeRequest(_Request):
    """Which wallet is to be proved; claim: whose sessions it takes over, '' = none."""

    wallet: str = Field(max_length=128)
    claim: str = Field("", max_length=64, pattern=r"^[A-Za-z0-9_-]*$")


class AnswerRequest(_Request):
    """A signed challenge. signature: base58, of the text, with the wallet."""

    nonce: str = Field(max_length=64)
    signature: str = Field(max_length=128)


class ClaimRequest(_Request):
    """A challenge that names a claim, signed with both keys. claim_signature: hex.

    signature: of the wallet; may be '' where the claim is a key.
    """

    claim: str = Field(max_length=64, pattern=_CLAIM)
    nonce: str = Field(max_length=64)
    signature: str = Field("", max_length=128)
    claim_signature: str = Field("", max_length=128)


def add_accounts(app: FastAPI, desk: Desk) -> None:
    """The addresses under /v1/wallets, /v1/claims, /v1/sessions/*/appeal, and /metrics."""

    @app.post("/v1/wallets/challenge", status_code=201)
    def challenge(ask: Annotated[ChallengeRequest, Body()]) -> dict[str, Any]:
        if ask.claim:
            return as_dict(desk.begin_claim(ask.claim, ask.wallet))
        return as_dict(desk.signin.begin(ask.wallet, desk.now(), desk.ours()))

    @app.post("/v1/wallets/answer")
    def answer(ask: Annotated[AnswerRequest, Body()]) -> dict[str, Any]:
        return {
            "wallet": desk.signin.finish(ask.nonce, ask.signature, desk.now()),
            "tier": "signed",
        }

    @app.get("/v1/wallets/{wallet}")
    def wallet_tier(wallet: str) -> dict[str, Any]:
        return {
            "wallet": wallet,
            "tier": "signed" if desk.signin.is_proved(wallet) else "address",
        }

    @app.post("/v1/claims")
    def claim(ask: Annotated[ClaimRequest, Body()]) -> dict[str, Any]:
        wallet, payouts = desk.finish_claim(
            ask.claim, ask.nonce, ask.signature, ask.claim_signature
        )
        return {"claim": ask.claim, "wallet": wallet, "owed": [payout_to_dict(p) for p in payouts]}

    @app.post("/v1/sessions/{session}/appeal", status_code=201)
    def appeal(session: str) -> dict[str, Any]:
        found = appeals.ask(desk.ledger, session, int(desk.now()))
        desk.want_source(session)
        return {"session": session, "state": found.state, "note": found.note}

    @app.get("/metrics")
    def metrics(request: Request) -> PlainTextResponse:
        host = request.client.host if request.client else ""
        if host not in ("127.0.0.1", "::1", "testclient"):
            raise UploadRefused("metrics.local", "numbers are given to this machine alone", 403)
        return PlainTextResponse(desk.metrics(), media_type=TYPE)
