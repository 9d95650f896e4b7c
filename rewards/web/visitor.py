"""The visitor's page at /c: a code is shown, a wallet named for its drive, its clip fetched.

Every step is a form that the service answers with a page. A script, where one may run, spares the
typing, asks the browser's wallet and plays the clip. The code travels in bodies alone; no address,
log or referrer has it.
"""

from html import escape
from typing import Any
from urllib.parse import parse_qs

from fastapi import FastAPI, Request
from fastapi.responses import HTMLResponse, Response
from starlette.concurrency import run_in_threadpool

from rewards.errors import WalletRefused
from rewards.kiosk import Kiosks
from rewards.refusal import Refused
from rewards.utc import utc_time
from rewards.web.pages import POLICY, tokens, web_page

TITLE = "Your drive"
STATES = {
    "waiting": "is here, or on its way, and waits for its check",
    "rejected": "was checked and is not paid", "accepted": "was accepted",
    "owed": "was accepted and will be paid", "signed": "is being paid", "sent": "is being paid",
    "expired": "will be paid again", "finalized": "is paid", "parked": "waits for a person",
}  # fmt: skip
Fields = dict[str, str]


def add_visitor(app: FastAPI, kiosks: Kiosks) -> None:
    """The addresses under /c."""

    @app.get("/c", response_class=HTMLResponse, include_in_schema=False)
    def visitor() -> HTMLResponse:
        return _page(_ask())

    @app.post("/c", response_class=HTMLResponse, include_in_schema=False)
    async def step(request: Request) -> HTMLResponse:
        fields, caller = _fields(await request.body()), caller_of(request)
        return await run_in_threadpool(_answer, kiosks, fields, caller)

    @app.post("/c/clip", include_in_schema=False)
    async def clip(request: Request) -> Response:
        fields, caller = _fields(await request.body()), caller_of(request)
        try:
            data = await run_in_threadpool(kiosks.clip, fields["code"], caller)
        except Refused as no:
            return _page(_ask(no.detail), no.status)
        return clip_reply(data)


def clip_reply(data: bytes) -> Response:
    """A clip as a file to be kept."""
    headers = {
        "Content-Disposition": 'attachment; filename="drive.mp4"',
        "Cache-Control": "no-store",
        "X-Content-Type-Options": "nosniff",
    }
    return Response(data, media_type="video/mp4", headers=headers)


def caller_of(request: Request) -> str:
    return request.client.host if request.client else ""


def _fields(body: bytes) -> Fields:
    """What the forms of this page send; '' for what they do not."""
    try:
        sent = parse_qs(body.decode("ascii"), max_num_fields=8)
    except ValueError:
        sent = {}
    most = {"code": 64, "wallet": 128, "sure": 8}
    return {name: sent.get(name, [""])[0].strip()[:length] for name, length in most.items()}


def _answer(kiosks: Kiosks, fields: Fields, caller: str) -> HTMLResponse:
    """The next step for a code; where it is refused, the step it came from, and why."""
    code, wallet = fields["code"], fields["wallet"]
    facts = kiosks.facts()
    decimals = facts.decimals if facts else 6
    try:
        found = kiosks.look(code, caller)
    except Refused as no:
        return _page(_ask(no.detail), no.status)
    if not wallet:
        return _page(_drive(code, found, decimals))
    try:
        wallet = kiosks.payable(wallet)
        if not fields["sure"]:
            return _page(_sure(code, wallet))
        kiosks.claim(code, wallet, caller)
    except WalletRefused as no:
        return _page(_drive(code, found, decimals, no.why), 422)
    except Refused as no:
        return _page(_drive(code, found, decimals, no.detail), no.status)
    told = f"Noted: this drive is paid to {wallet}."
    return _page(_drive(code, found | {"wallet": wallet}, decimals, told))


def _page(body: str, status: int = 200) -> HTMLResponse:
    reply = web_page(TITLE, f'{body}<script type="module" src="/code.js"></script>', "/c", status)
    extra = "; script-src 'self'; connect-src 'self'; media-src blob:"
    reply.headers["Content-Security-Policy"] = POLICY + extra
    reply.headers["Referrer-Policy"] = "no-referrer"
    reply.headers["Cache-Control"] = "no-store"
    return reply


def _ask(said: str = "") -> str:
    return (
        f"<h1>{TITLE}</h1>{_said(said)}"
        "<p>A kiosk gave you a code for the drive that you made there. With it you see how far the"
        " drive is, say once where it is to be paid to, and get its clip.</p>"
        '<form method="post" action="/c"><label for="code">Code on the screen of the kiosk</label>'
        '<input id="code" name="code" autocomplete="off" autocapitalize="characters"'
        ' spellcheck="false" maxlength="40" aria-describedby="code-help" required>'
        '<p id="code-help">26 letters and digits; dashes, blanks and small letters do not matter.'
        "</p><button>Show my drive</button></form>"
    )


def _drive(code: str, found: dict[str, Any], decimals: int, said: str = "") -> str:
    amount, wallet = found["amount"], found["wallet"]
    pay = "" if amount is None else f" {tokens(amount, decimals)} tokens."
    to = f" To <code>{escape(wallet)}</code>." if wallet else ""
    state = STATES.get(found["state"], found["state"])
    held = f'<input type="hidden" name="code" value="{escape(code)}">'
    clip = (
        f'<form id="clip-form" method="post" action="/c/clip">{held}'
        '<button id="fetch">Get the clip of my drive</button></form>'
        '<video id="clip" controls playsinline hidden></video>'
    )
    return (
        f'<h1>{TITLE}</h1>{_said(said)}<p id="state">It {escape(state)}.{pay}{to} This code works'
        f" until {utc_time(found['ends_s'])}.</p>"
        + (clip if found["clip"] else "")
        + ("" if wallet else _name_wallet(held))
    )


def _name_wallet(held: str) -> str:
    return (
        "<h2>Where it is paid to</h2>"
        f'<form id="wallet-form" method="post" action="/c">{held}'
        '<label for="wallet">Solana address of your wallet</label>'
        '<input id="wallet" name="wallet" autocomplete="off" autocapitalize="off"'
        ' spellcheck="false" maxlength="64" aria-describedby="wallet-help" required>'
        '<p id="wallet-help">This can be done once. A wallet that you also'
        ' <a href="/wallet">prove by a signature</a> is paid in full; one that was only typed in'
        " is paid half and waits longer.</p><button>Go on</button> "
        '<button id="extension" type="button" hidden>Sign with the wallet of this browser</button>'
        '</form><p id="said" role="status" aria-live="polite"></p>'
    )


def _sure(code: str, wallet: str) -> str:
    held = f'<input type="hidden" name="code" value="{escape(code)}">'
    return (
        f"<h1>Pay your drive to this address?</h1><p><code>{escape(wallet)}</code></p>"
        f"<p>It begins with <strong>{escape(wallet[:5])}</strong> and ends with"
        f" <strong>{escape(wallet[-5:])}</strong>. Compare both with your wallet: an address has no"
        " check digit, and this cannot be undone.</p>"
        f'<form method="post" action="/c">{held}'
        f'<input type="hidden" name="wallet" value="{escape(wallet)}">'
        '<input type="hidden" name="sure" value="yes">'
        "<button>Yes, pay my drive to this address</button></form>"
        f'<form method="post" action="/c">{held}<button class="plain">No, go back</button></form>'
    )


def _said(text: str) -> str:
    return f'<p class="said" role="alert">{escape(text[:1].upper() + text[1:])}</p>' if text else ""
