"""The page a demo ends with: what was driven, seen, checked and paid, and a film beside it."""

import base64
from collections.abc import Mapping, Sequence
from html import escape
from pathlib import Path
from typing import Any

from game.dataset import charts
from game.demo import pictures
from game.session.format import TrackId
from game.session.reader import Session
from game.world.city import City, Point
from game.world.controls import UNIT
from game.world.version import TICK_HZ

_STYLE = """
body{font:15px/1.5 system-ui,sans-serif;margin:0 auto;max-width:1040px;padding:24px;color:#1b1f24;
background:#fafafa}h1{margin:0 0 4px;font-size:28px}h2{margin:36px 0 8px;font-size:19px}
p.sub{color:#57606a;margin:0 0 16px}.cards{display:grid;gap:12px;
grid-template-columns:repeat(auto-fit,minmax(180px,1fr))}.card{background:#fff;border:1px solid
#d8dee4;border-radius:8px;padding:12px}.card b{display:block;font-size:20px}
.card small{color:#57606a}
video,img{max-width:100%;border-radius:8px;background:#222}table{border-collapse:collapse;width:100%;
background:#fff}td,th{border:1px solid #d8dee4;padding:6px 8px;text-align:left;vertical-align:top}
.ok{color:#1a7f37}.bad{color:#cf222e}code{word-break:break-all}.chart,.plan{width:100%;background:#fff;
border:1px solid #d8dee4;border-radius:8px}.plan{max-height:640px;background:#e6e8eb}
.chart text{font-size:11px;fill:#57606a}.legend span{margin-right:14px;white-space:nowrap}.legend i{
display:inline-block;width:12px;height:4px;margin-right:5px;vertical-align:middle}
"""


def write(folder: Path, session: Session, city: City, result: Mapping[str, Any]) -> Path:
    """Write `report.html` and `side-by-side.mp4` into `folder` and return the page's path."""
    folder.mkdir(parents=True, exist_ok=True)
    frames = pictures.film(session, folder / "side-by-side.mp4")
    sheet = pictures.contact_sheet(session)
    parts = [
        _head(session, result),
        _cards(result),
        _film(frames),
        _sheet(sheet),
        _map(session, city),
        _inputs(session),
        _stream(session, result),
        _checks(result),
        _receipt(result),
        _honesty(session, result),
    ]
    page = (
        '<!doctype html><html lang="en"><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width">'
        f"<title>Scale Diffusion: {escape(session.manifest.scenario)}</title>"
        f"<style>{_STYLE}</style><body>{''.join(parts)}</body></html>"
    )
    path = folder / "report.html"
    part = folder / "report.html.part"
    part.write_text(page, encoding="utf-8")
    part.replace(path)
    return path


def _head(session: Session, result: Mapping[str, Any]) -> str:
    manifest = session.manifest
    return (
        f"<h1>{escape(str(result.get('title', manifest.scenario)))}</h1>"
        f'<p class="sub">{escape(str(result.get("place", "")))} · session '
        f"<code>{escape(manifest.session)}</code> · seed {manifest.seed} · driven by "
        f"{escape(manifest.driver.kind)} ({escape(manifest.driver.name)}) · backend "
        f"{escape(manifest.backend)} · {escape(manifest.created)}</p>"
    )


def _cards(result: Mapping[str, Any]) -> str:
    outcome, payout = result["outcome"], result["payout"]
    trip = result["stream"]["round_trip_ms"]
    share = 100.0 * result["pairs"] / result["frames"] if result["frames"] else 0.0
    cards = [
        ("Scenario", "passed" if outcome["success"] else "failed", str(outcome.get("reason", ""))),
        ("Collisions", outcome["collisions"], f"{result['ticks'] / TICK_HZ:.0f} s driven"),
        ("Pairs", f"{result['pairs']} of {result['frames']}", f"{share:.1f} % came back"),
        ("Round trip", f"{trip['p50']:.0f} ms", f"p95 {trip['p95']:.0f}, p99 {trip['p99']:.0f} ms"),
        ("Verdict", result["verdict"]["decision"], f"policy {result['verdict'].get('policy', '')}"),
        ("Payout", _tokens(payout), str(payout["state"])),
    ]
    return (
        '<div class="cards">'
        + "".join(
            f'<div class="card"><small>{escape(name)}</small><b>{escape(str(value))}</b>'
            f"<small>{escape(str(note))}</small></div>"
            for name, value, note in cards
        )
        + "</div>"
    )


def _tokens(payout: Mapping[str, Any]) -> str:
    decimals = int(payout.get("decimals", 6))
    whole, rest = divmod(int(payout["amount"]), 10**decimals)
    return f"{whole}.{rest:0{decimals}d}".rstrip("0").rstrip(".") + " SPL"


def _film(frames: int) -> str:
    if not frames:
        return "<h2>Film</h2><p>No pair was recorded, so there is nothing to show.</p>"
    return (
        "<h2>What was drawn, and what came back</h2>"
        '<video src="side-by-side.mp4" controls muted loop preload="metadata"></video>'
        f"<p>{frames} pairs, each joined by its tick alone.</p>"
    )


def _sheet(sheet: bytes) -> str:
    if not sheet:
        return ""
    data = base64.b64encode(sheet).decode()
    return (
        f'<h2>Contact sheet</h2><img alt="Pairs over the drive" src="data:image/png;base64,{data}">'
    )


def _map(session: Session, city: City) -> str:
    paths: dict[str, list[Point]] = {"you": []}
    for state in session.ticks():
        if state.tick % 6:
            continue
        paths["you"].append((state.ego.x, state.ego.y))
        for actor in state.actors:
            paths.setdefault(f"{actor.body} {actor.id}", []).append((actor.x, actor.y))
    marks = {"start": paths["you"][0], "end": paths["you"][-1]} if paths["you"] else {}
    return f"<h2>Where everybody went</h2>{charts.plan(city, dict(paths), marks)}"


def _inputs(session: Session) -> str:
    states = [s for s in session.ticks() if s.tick % 2 == 0]
    inputs = [
        charts.Line("steer", [(s.tick, s.controls.steer / UNIT) for s in states]),
        charts.Line("throttle", [(s.tick, s.controls.throttle / UNIT) for s in states]),
        charts.Line("brake", [(s.tick, s.controls.brake / UNIT) for s in states]),
    ]
    speed = [charts.Line("speed", [(s.tick, s.ego.speed * 3.6) for s in states])]
    return (
        f"<h2>Inputs over time</h2>{charts.over_time(inputs, '')}{charts.over_time(speed, 'km/h')}"
    )


def _stream(session: Session, result: Mapping[str, Any]) -> str:
    drawn = {record.tick: record.t_ns for record in session.frames(TrackId.SOURCE)}
    trips = [
        (record.tick, (record.t_ns - drawn[record.tick]) / 1e6)
        for record in session.frames(TrackId.STYLED)
        if record.tick in drawn
    ]
    chart = charts.over_time([charts.Line("capture to receipt", trips)], "ms")
    stream = result["stream"]
    words = (
        f"{stream['sent']} frames sent, {stream['returned']} returned, {stream['dropped']} skipped "
        f"for newer ones, {stream['lost']} lost to a full ring, {stream['reconnects']} reconnects; "
        f"connected in {stream['connect_ms']:.0f} ms, {stream['bitrate'] / 1e6:.1f} Mbit/s back; "
        f"backend {stream['backend']}"
    )
    return f"<h2>Stream</h2>{chart}<p>{escape(words)}</p>"


def _checks(result: Mapping[str, Any]) -> str:
    rows = "".join(_check_row(finding) for finding in result["verdict"]["findings"])
    return (
        "<h2>Every check, its score and its threshold</h2><table><tr><th>check</th><th></th>"
        f"<th>score</th><th>threshold</th><th>what it saw</th></tr>{rows}</table>"
    )


def _check_row(finding: Mapping[str, Any]) -> str:
    mark = '<b class="ok">passed</b>' if finding["passed"] else '<b class="bad">failed</b>'
    detail = escape(str(finding.get("detail", "")))
    if finding.get("reason"):
        detail = f"<code>{escape(str(finding['reason']))}</code> {detail}"
    return (
        f"<tr><td>{escape(str(finding['check']))}</td><td>{mark}</td>"
        f"<td>{finding['score']:.4g}</td><td>{finding['threshold']:.4g}</td><td>{detail}</td></tr>"
    )


def _receipt(result: Mapping[str, Any]) -> str:
    keys = ("amount", "wallet", "mint", "signature", "receipt", "state", "chain", "slot")
    payout = result["payout"]
    rows = _rows([(key, payout[key]) for key in keys if payout.get(key) not in (None, "")])
    return f"<h2>The receipt</h2><table>{rows}</table>"


def _honesty(session: Session, result: Mapping[str, Any]) -> str:
    notes: Sequence[str] = result["verdict"].get("notes", ())
    items = "".join(f"<li>{escape(str(note))}</li>" for note in notes)
    return (
        "<h2>What this says, and what it does not</h2><p>These inputs reproduce this run bit for "
        "bit; they were committed live against a one-use ticket; these styled frames left the "
        "stream server that signed for them. It does not say that a person drove: this driver is "
        f"declared as {escape(session.manifest.driver.kind)}.</p><ul>{items}</ul>"
    )


def _rows(pairs: Sequence[tuple[str, Any]]) -> str:
    return "".join(
        f"<tr><th>{escape(key)}</th><td><code>{escape(str(value))}</code></td></tr>"
        for key, value in pairs
    )
