"""One page that shows what differs: golden and new picture, a slider between them, and a heat map.

Self-contained: pictures are inside, nothing is fetched. Owns the page alone.
"""

import base64
import html
import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from game.qa.golden import Difference, Rgb, apart
from game.view.picture import png

_STYLE = """body{font:15px/1.5 system-ui,sans-serif;margin:1.5rem;background:#fff;color:#111}
figure{margin:0;display:inline-block;vertical-align:top;max-width:32%}img{width:100%;display:block;
image-rendering:pixelated}figcaption{color:#333}.pair{position:relative;
max-width:480px;margin:.5rem 0}
.pair img:last-child{position:absolute;left:0;top:0;clip-path:inset(0 0 0 var(--at,50%))}
section{border-top:1px solid #bbb;padding:1rem 0}.bad{color:#a00}.good{color:#064}
input{width:480px;max-width:100%}"""
_SCRIPT = """for (const each of document.querySelectorAll("input[type=range]"))
  each.addEventListener("input", () =>
    each.previousElementSibling.style.setProperty("--at", each.value + "%"));"""


@dataclass(frozen=True, slots=True)
class Shown:
    """One picture of the page. golden None: there was none to compare with."""

    name: str
    seen: Rgb
    golden: Rgb | None
    difference: Difference | None


def write_page(shown: Sequence[Shown], path: Path) -> None:
    """Write the page, those that differ first; it appears whole or not at all."""
    order = sorted(shown, key=lambda one: (_is_good(one), one.name))
    wrong = sum(not _is_good(one) for one in shown)
    body = f"<h1>{len(shown)} pictures, {wrong} differ</h1>" + "".join(map(_section, order))
    text = (
        '<!doctype html><html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        '<meta http-equiv="Content-Security-Policy" content="default-src \'none\'; img-src data:; '
        "style-src 'unsafe-inline'; script-src 'unsafe-inline'\">"
        f"<title>Pictures</title><style>{_STYLE}</style></head><body>{body}"
        f"<script>{_SCRIPT}</script></body></html>"
    )
    path.parent.mkdir(parents=True, exist_ok=True)
    waiting = path.with_name(f"{path.name}.part")
    waiting.write_text(text, encoding="utf-8")
    os.replace(waiting, path)


def _is_good(one: Shown) -> bool:
    return one.difference is not None and one.difference.same


def _section(one: Shown) -> str:
    tone, said = "bad", "there is no golden picture yet"
    if one.difference is not None:
        tone = "good" if one.difference.same else "bad"
        said = one.difference.why or f"as it was ({one.difference.share:.3%} of the pixels differ)"
    parts = [f'<section><h2>{html.escape(one.name)}</h2><p class="{tone}">{html.escape(said)}</p>']
    if one.golden is not None and one.golden.shape == one.seen.shape:
        name = html.escape(one.name, quote=True)
        parts.append(
            f'<div class="pair">{_image(one.golden, "golden")}{_image(one.seen, "new")}</div>'
            f'<input type="range" min="0" max="100" value="50" aria-label="golden or new: {name}">'
            "<p>golden left of the slider, new right of it</p>"
        )
        parts.append("<div>" + _figure(_heat(one.golden, one.seen), "what differs") + "</div>")
    else:
        if one.golden is not None:
            parts.append(_figure(one.golden, "golden"))
        parts.append(_figure(one.seen, "new"))
    return "".join(parts) + "</section>"


def _heat(golden: Rgb, seen: Rgb) -> Rgb:
    """The new picture in grey, what is off in red: the more, the brighter."""
    grey = (seen.astype(np.float32).mean(axis=2) * 0.4).astype(np.uint8)
    out = np.repeat(grey[..., None], 3, axis=2)
    off = apart(golden, seen)
    marked = off > 8
    out[marked] = 0
    out[..., 0][marked] = np.maximum(off[marked], 96)
    return out


def _image(picture: Rgb, name: str) -> str:
    data = base64.b64encode(png(np.ascontiguousarray(picture))).decode()
    return f'<img alt="{html.escape(name, quote=True)}" src="data:image/png;base64,{data}">'


def _figure(picture: Rgb, name: str) -> str:
    return f"<figure>{_image(picture, name)}<figcaption>{html.escape(name)}</figcaption></figure>"
