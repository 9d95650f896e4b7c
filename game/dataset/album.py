"""`session list --page`: every session of a folder as one page of thumbnails, from the file system.

Owns `index.html`: thumbnails are inside it, so the page is one file. Holds no wallet, no claim, no
path; links lead to the pages of `session view` beside it, where those exist.
"""

import base64
import html
import os
from collections.abc import Callable, Sequence
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import numpy as np

from game.errors import SessionError
from game.session.append import write_whole
from game.session.format import TrackId
from game.session.pictures import Rgb
from game.session.reader import Session

WIDTH = 240
"""Of a thumbnail [px]."""
_STYLE = """
body{font:14px/1.45 system-ui,sans-serif;margin:0;color:#1b1f24;background:#f6f7f9}
@media (prefers-color-scheme:dark){body{color:#e6e9ee;background:#0f1318}
 figure{background:#171c23!important;border-color:#30363d!important}}
main{max-width:1320px;margin:0 auto;padding:16px 20px 40px}h1{font-size:22px;margin:0 0 2px}
p{margin:0 0 14px;opacity:.7}div.all{display:grid;gap:14px;
 grid-template-columns:repeat(auto-fill,minmax(300px,1fr))}
figure{margin:0;background:#fff;border:1px solid #d8dee4;border-radius:8px;overflow:hidden}
figure .two{display:grid;grid-template-columns:1fr 1fr;gap:2px;background:#000;min-height:60px}
figure img{width:100%;display:block}figcaption{padding:8px 10px}b{font-size:15px}
small{display:block;opacity:.75}.bad{color:#d1495b;opacity:1}a{color:inherit}
"""

Progress = Callable[[int, int], None]


def write(
    folders: Sequence[Path], out: Path, views: Path, progress: Progress = lambda done, of: None
) -> Path:
    """Make the page of `folders`, newest first, at `out`; views: where pages of sessions lie."""
    cards = []
    for number, folder in enumerate(reversed(folders), 1):
        cards.append(_card(folder, views, out.parent))
        progress(number, len(folders))
    text = (
        '<!doctype html><html lang="en"><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width"><title>Drives</title>'
        f"<style>{_STYLE}</style><main><h1>Drives</h1><p>{len(folders)} sessions, newest first; "
        f'drawn on the left, dreamt on the right</p><div class="all">{"".join(cards)}</div></main>'
    )
    out.parent.mkdir(parents=True, exist_ok=True)
    write_whole(out, text.encode())
    return out


def _card(folder: Path, views: Path, here: Path) -> str:
    try:
        with Session.open(folder) as session:
            facts, pictures = _facts(session), _thumbnails(session)
    except SessionError as error:
        why = html.escape(str(error).replace(str(folder), folder.name))
        return f'<figure><figcaption><b>{folder.name}</b><small class="bad">{why}</small>' + (
            "</figcaption></figure>"
        )
    images = "".join(
        f'<img alt="" src="data:image/jpeg;base64,{base64.b64encode(each).decode()}">'
        for each in pictures
    )
    title = html.escape(facts["scenario"])
    page = views / folder.name / "index.html"
    if page.exists():
        link = Path(os.path.relpath(page.resolve(), here.resolve())).as_posix()
        title = f'<a href="{html.escape(link)}">{title}</a>'
    state = f'<span class="bad">{facts["state"]}</span>' if facts["bad"] else facts["state"]
    return (
        f'<figure><div class="two">{images}</div><figcaption><b>{title}</b>'
        f"<small>{html.escape(facts['line'])} · {state}</small><small>{folder.name}</small>"
        "</figcaption></figure>"
    )


def _facts(session: Session) -> dict[str, Any]:
    manifest, end = session.manifest, session.end
    outcome = (end or {}).get("outcome") or {}
    seconds = max(0, len(session.ticks()) - 1) / manifest.tick_hz
    state = "not sealed: session recover"
    if end is not None:
        state = "passed" if outcome.get("success") is True else "failed or ended early"
    return {
        "scenario": manifest.scenario, "state": state, "bad": end is None,
        "line": f"{manifest.created[:16].replace('T', ' ')} · {manifest.pack} · "
        f"{manifest.driver.kind} · {manifest.backend} · {seconds:.1f} s · "
        f"{len(session.pairs())} pairs",
    }  # fmt: skip


def _thumbnails(session: Session) -> list[bytes]:
    """JPEGs of the pair in the middle of the drive, or of the source alone; [] without pictures."""
    pairs = session.pairs()
    if pairs:
        tick = pairs[len(pairs) // 2].tick
        tracks = [TrackId.SOURCE, TrackId.STYLED]
    else:
        frames = session.frames(TrackId.SOURCE)
        if not frames:
            return []
        tick, tracks = frames[len(frames) // 2].tick, [TrackId.SOURCE]
    return [_jpeg(session.picture(track, tick)) for track in tracks]


def _jpeg(picture: Rgb) -> bytes:
    height, width = picture.shape[:2]
    frame = av.VideoFrame.from_ndarray(np.ascontiguousarray(picture), format="rgb24")
    frame = frame.reformat(WIDTH, max(2, height * WIDTH // width // 2 * 2), "yuvj420p")
    encoder = av.CodecContext.create("mjpeg", "w")
    encoder.width, encoder.height, encoder.pix_fmt = frame.width, frame.height, "yuvj420p"
    encoder.time_base = frame.time_base = Fraction(1, 1)
    encoder.options = {"qmin": "3", "qmax": "3"}
    frame.pts = 0
    return b"".join(bytes(p) for p in [*encoder.encode(frame), *encoder.encode(None)])
