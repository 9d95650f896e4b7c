"""Public pages: what was judged and paid, why, and how to check it. Plain HTML, no script needed.

Every text that came from outside is escaped. Fraud signals are named, not explained: whoever
forges should learn nothing here. Owns the addresses / and /sessions and what they look like.
"""

from collections.abc import Mapping
from html import escape
from pathlib import Path
from typing import Annotated

from fastapi import FastAPI, Query, Request
from fastapi.responses import HTMLResponse, RedirectResponse, Response

from game.session.ids import is_id
from game.session.protocols import Finding
from rewards import appeals
from rewards.desk import Desk
from rewards.evidence import of_session
from rewards.model import FINALIZED, PARKED, Payout, Verdict
from rewards.refusal import UploadRefused
from rewards.utc import utc_time

HERE = Path(__file__).parent
PAGE = 50
SCRIPTS = ("wallet", "code", "sign")
PRIVATE = ("humanity", "near-duplicate")
"""Checks whose numbers stay here."""
POLICY = "default-src 'none'; style-src 'self'; img-src 'self'; form-action 'self'; base-uri 'none'"
LINKS = (
    ("/", "Drives and payouts"), ("/boards", "Leaderboards"), ("/rates", "What is paid"),
    ("/wallet", "Link a wallet"), ("/c", "Redeem a code"),
)  # fmt: skip
WORDS = {
    "owed": "owed", "signed": "being paid", "sent": "being paid", "expired": "to be paid again",
    "finalized": "paid", "parked": "waits for a person",
}  # fmt: skip


def add_pages(app: FastAPI, desk: Desk) -> None:
    """The addresses for people."""

    @app.get("/", response_class=HTMLResponse, include_in_schema=False)
    def front(
        show: Annotated[str, Query(pattern="^(all|accepted|rejected)$")] = "all",
        page: Annotated[int, Query(ge=0, le=100_000)] = 0,
    ) -> HTMLResponse:
        return web_page("Drives and payouts", _front(desk, show, page), "/")

    @app.get("/sessions/{session}", response_class=HTMLResponse, include_in_schema=False)
    def one(session: str) -> HTMLResponse:
        verdict = desk.ledger.verdict(session) if is_id(session) else None
        if verdict is None:
            body = "<p>No verdict on such a session. It may still be waiting in the queue.</p>"
            return web_page("Unknown session", f"<h1>Unknown session</h1>{body}", status=404)
        return web_page(f"Session {session}", _session(desk, verdict))

    @app.post("/sessions/{session}/appeal", include_in_schema=False)
    def appeal(session: str) -> RedirectResponse:
        appeals.ask(desk.ledger, session, int(desk.now()))
        return RedirectResponse(f"/sessions/{session}#appeal", status_code=303)

    @app.get("/pictures/{session}/{name}", include_in_schema=False)
    def picture(session: str, name: str) -> Response:
        found = _pictures(desk, session).get(name) if is_id(session) else None
        if found is None:
            raise UploadRefused("picture.unknown", "there is no such picture", 404)
        data = b"".join(desk.clean.read(found))
        return Response(
            data, media_type="image/jpeg", headers={"X-Content-Type-Options": "nosniff"}
        )

    @app.get("/style.css", include_in_schema=False)
    def style() -> Response:
        return Response((HERE / "style.css").read_text("utf-8"), media_type="text/css")

    @app.get("/{name}.js", include_in_schema=False)
    def script(name: str) -> Response:
        if name not in SCRIPTS:
            raise UploadRefused("script.unknown", "there is no such script", 404)
        return Response((HERE / f"{name}.js").read_text("utf-8"), media_type="text/javascript")

    @app.get("/wallet", response_class=HTMLResponse, include_in_schema=False)
    def wallet(request: Request) -> HTMLResponse:
        reply = web_page("Link a wallet", (HERE / "wallet.html").read_text("utf-8"), "/wallet")
        policy = POLICY + "; script-src 'self'; connect-src 'self'"
        reply.headers["Content-Security-Policy"] = policy
        return reply


def web_page(title: str, body: str, here: str = "", status: int = 200) -> HTMLResponse:
    links = "".join(
        f'<li><a href="{address}"{current}>{name}</a></li>'
        for address, name in LINKS
        for current in (' aria-current="page"' if address == here else "",)
    )
    text = (
        '<!doctype html><html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        f"<title>{escape(title)} - Scale Diffusion rewards</title>"
        '<link rel="stylesheet" href="/style.css"></head><body>'
        '<a class="skip" href="#main">Skip to the content</a>'
        f'<header><nav aria-label="Pages"><ul>{links}</ul></nav></header>'
        f'<main id="main">{body}</main>'
        "<footer><p>A payment says: these inputs reproduce this drive; they were committed live, at"
        " real pace, against a one-use ticket; these styled frames left an enrolled stream server;"
        " the pay comes from a fixed budget. It does not say that a person drove.</p></footer>"
        "</body></html>"
    )
    headers = {"Content-Security-Policy": POLICY, "X-Content-Type-Options": "nosniff"}
    return HTMLResponse(text, status_code=status, headers=headers)


def _front(desk: Desk, show: str, page: int) -> str:
    totals = desk.ledger.totals()
    paid = sum(p.amount for p in desk.ledger.payouts(FINALIZED))
    facts = desk.facts()
    decimals = facts.decimals if facts else 6
    cards = (
        ("accepted", totals["accepted"] + totals["unpaid"]),
        ("rejected", totals["rejected"]),
        ("paid", totals.get(FINALIZED, 0)),
        ("tokens paid", tokens(paid, decimals)),
        ("still to be paid", sum(totals.get(s, 0) for s in ("owed", "signed", "sent", "expired"))),
    )
    numbers = "".join(f"<div><dt>{name}</dt><dd>{value}</dd></div>" for name, value in cards)
    filters = " ".join(
        f'<a href="/?show={name}"{" aria-current=true" if name == show else ""}>{name}</a>'
        for name in ("all", "accepted", "rejected")
    )
    chosen = desk.ledger.verdicts(None if show == "all" else show)[::-1]
    rows = "".join(
        _row(v, desk.ledger.payout(v.session), decimals)
        for v in chosen[page * PAGE : (page + 1) * PAGE]
    )
    more = f'<p><a href="/?show={show}&amp;page={page + 1}">Older drives</a></p>'
    table = (
        '<div class="wide" role="region" aria-label="Drives, newest first" tabindex="0"><table>'
        "<caption>Drives, newest first</caption><thead><tr>"
        '<th scope="col">Judged</th><th scope="col">Session</th><th scope="col">Scenario</th>'
        '<th scope="col">Decision</th><th scope="col">Reason</th>'
        '<th scope="col" class="number">Tokens</th><th scope="col">Payout</th>'
        f"</tr></thead><tbody>{rows}</tbody></table></div>"
    )
    empty = "<p>Nothing was judged yet.</p>" if not chosen else table
    return (
        f"<h1>Drives and payouts</h1><dl class=cards>{numbers}</dl>"
        f'<nav aria-label="Which drives" class="filter">{filters}</nav>{empty}'
        + (more if len(chosen) > (page + 1) * PAGE else "")
        + _chain(desk)
    )


def _row(verdict: Verdict, payout: Payout | None, decimals: int) -> str:
    reason = next((f.reason for f in verdict.findings if not f.passed), "")
    state = WORDS.get(payout.state, payout.state) if payout else ""
    amount = tokens(payout.amount, decimals) if payout else ""
    name = escape(verdict.session)
    return (
        f"<tr><td>{utc_time(verdict.decided_s)}</td>"
        f'<th scope="row"><a href="/sessions/{name}"><code>{name}</code></a></th>'
        f"<td>{escape(str(verdict.measures.get('scenario', '')))}</td>"
        f'<td><span class="{verdict.decision}">{verdict.decision}</span></td>'
        f"<td><code>{escape(reason)}</code></td>"
        f'<td class="number">{amount}</td><td>{state}</td></tr>'
    )


def _session(desk: Desk, verdict: Verdict) -> str:
    payout, name = desk.ledger.payout(verdict.session), escape(verdict.session)
    facts = desk.facts()
    rows = "".join(_finding(finding) for finding in verdict.findings)
    pictures = "".join(
        f'<figure><img src="/pictures/{name}/{escape(file)}" width="960" height="320" '
        f'alt="Recorded, drawn again by us, and styled frame, {escape(_caption(file))}">'
        f"<figcaption>{escape(_caption(file))}: as recorded, as we draw it, as styled"
        "</figcaption></figure>"
        for file in sorted(_pictures(desk, verdict.session))
    )
    notes = "".join(f"<li>{escape(note)}</li>" for note in verdict.notes)
    checks = (
        '<div class="wide" role="region" aria-label="What the checks found" tabindex="0"><table>'
        "<caption>What the checks found</caption><thead><tr>"
        '<th scope="col">Check</th><th scope="col">Result</th><th scope="col" class="number">Score'
        '</th><th scope="col" class="number">Limit</th><th scope="col">Worst tick</th>'
        '<th scope="col">Reason</th><th scope="col">Detail</th></tr></thead>'
        f"<tbody>{rows}</tbody></table></div>"
    )
    return (
        f"<h1>Session <code>{name}</code></h1>"
        f"<p>Judged {utc_time(verdict.decided_s)} under policy {escape(verdict.policy)} "
        f'{verdict.policy_version}: <strong class="{verdict.decision}">{verdict.decision}</strong>.'
        f"</p>{f'<ul>{notes}</ul>' if notes else ''}<h2>Checks</h2>{checks}"
        + (f"<h2>Pictures</h2>{pictures}" if pictures else "")
        + "<h2>Payout</h2>"
        + _payout(payout, verdict, desk.now(), facts.decimals if facts else 6)
        + _verify(desk, payout, verdict)
        + _appeal(desk, verdict)
    )


def _finding(finding: Finding) -> str:
    hidden = finding.check in PRIVATE
    score = "" if hidden else f"{finding.score:.3g}"
    limit = "" if hidden else f"{finding.threshold:.3g}"
    result = "passed" if finding.passed else "failed"
    detail = "kept on the server" if hidden else finding.detail
    return (
        f'<tr><th scope="row">{escape(finding.check)}</th>'
        f'<td><span class="{"accepted" if finding.passed else "rejected"}">{result}</span></td>'
        f'<td class="number">{score}</td><td class="number">{limit}</td>'
        f"<td>{finding.tick if finding.tick >= 0 and not hidden else ''}</td>"
        f"<td><code>{escape(finding.reason)}</code></td><td>{escape(detail)}</td></tr>"
    )


def _payout(payout: Payout | None, verdict: Verdict, now_s: float, decimals: int) -> str:
    if payout is None:
        if verdict.accepted and verdict.claim and not verdict.payee:
            return '<p>Waits for a wallet: <a href="/wallet">name one</a> for its claim.</p>'
        return "<p>Nothing is owed for this session.</p>"
    steps = [
        f"{tokens(payout.amount, decimals)} tokens owed to <code>{escape(payout.wallet)}</code>"
    ]
    if payout.due_s > now_s:
        steps.append(f"held until {utc_time(payout.due_s)}")
    if payout.signature:
        steps.append(f"signed as <code>{escape(payout.signature)}</code>")
    steps.append(f"now: {WORDS.get(payout.state, payout.state)}")
    if payout.state == PARKED:
        steps.append(f"because {escape(payout.reason)}")
    return "<ol>" + "".join(f"<li>{step}</li>" for step in steps) + "</ol>"


def _verify(desk: Desk, payout: Payout | None, verdict: Verdict) -> str:
    facts = desk.facts()
    if payout is None or payout.state != FINALIZED or facts is None:
        return ""
    return (
        "<h2>Check it yourself</h2><ol>"
        f"<li>Ask any node of the chain with genesis <code>{escape(facts.genesis)}</code> for"
        f" transaction <code>{escape(payout.signature)}</code>.</li>"
        f"<li>Its fee payer is the treasury <code>{escape(facts.treasury)}</code>; it moves"
        f" {payout.amount} base units of <code>{escape(facts.mint)}</code>.</li>"
        f"<li>Its memo reads <code>drive/1 {escape(payout.session)} {verdict_code(payout)}</code>:"
        " the session and the beginning of the SHA-256 of the verdict.</li>"
        "<li>The account made before the transfer is the receipt: it can be made once only.</li>"
        f'<li>The verdict itself: <a href="/v1/sessions/{escape(verdict.session)}">as JSON</a>.'
        "</li></ol>"
    )


def verdict_code(payout: Payout) -> str:
    """What the memo carries of the verdict's digest."""
    return escape(payout.digest[:32])


def _appeal(desk: Desk, verdict: Verdict) -> str:
    if verdict.accepted:
        return ""
    found = appeals.of(desk.ledger, verdict.session)
    if found is None:
        what = (
            "<p>Wrong? A person will look at it again and answer on this page.</p>"
            f'<form method="post" action="/sessions/{escape(verdict.session)}/appeal">'
            "<button>Ask for a second look</button></form>"
        )
    elif found.state == appeals.ASKED:
        what = f"<p>Asked for on {utc_time(found.asked_s)}; a person has yet to look.</p>"
    else:
        what = f"<p>The verdict was {found.state}: {escape(found.note)}</p>"
    return f'<h2 id="appeal">A second look</h2>{what}'


def _chain(desk: Desk) -> str:
    facts = desk.facts()
    if facts is None:
        return ""
    rows = (("cluster", facts.cluster), ("genesis", facts.genesis), ("mint", facts.mint),
            ("treasury", facts.treasury))  # fmt: skip
    cells = "".join(
        f"<div><dt>{name}</dt><dd><code>{escape(v)}</code></dd></div>" for name, v in rows
    )
    return f'<h2>Where it is paid</h2><dl class="facts">{cells}</dl>'


def _pictures(desk: Desk, session: str) -> Mapping[str, str]:
    return of_session(desk.clean.keys(f"pictures/{session}"))


def _caption(file: str) -> str:
    check, _, rest = file.partition("-")
    return f"{check}, tick {rest.removesuffix('.jpg')}"


def tokens(amount: int, decimals: int) -> str:
    """Base units as people read them; the one place with a decimal point."""
    whole, rest = divmod(amount, 10**decimals)
    fraction = f"{rest:0{decimals}d}".rstrip("0") if decimals else ""
    return f"{whole:,}" + (f".{fraction}" if fraction else "")
