"""`session report --page`: what one session or a thousand cover, as one page from the file system.

A map with every block by the metres driven on it and the spots where something happened, streets
against situations, distributions, and a table of the sessions. One file; no script is fetched, no
wallet and no path is in it.
"""

import os
from collections.abc import Mapping, Sequence
from html import escape
from importlib import resources
from math import log1p, sqrt
from pathlib import Path
from typing import Any

from game.dataset.coverage import SPOT_M
from game.session.append import write_whole
from game.world.city import City, Point
from game.world.version import TICK_HZ

SPOTS = {
    "contact": "#d1495b", "near miss": "#f0932b", "hard braking": "#b5179e", "stop": "#7a4fbf",
    "turn left": "#2a9d6f", "turn right": "#11808f", "turn back": "#8a6d3b", "reverse": "#555555",
    "straight on": "#9aa4b1",
}  # fmt: skip
"""Kinds of spots and their colours, the gravest first."""
_SHOWN = ("contact", "near miss", "hard braking")
_MOST_HOUSES = 4000
_MOST_STREETS, _MOST_SITUATIONS = 60, 24
_MARGIN = 120.0  # around what was driven [m]
_LEAST = 700.0  # side of the smallest map [m]


def write(
    reports: Sequence[Mapping[str, Any]], total: Mapping[str, Any], cities: Sequence[City],
    out: Path, views: Path,
) -> Path:  # fmt: skip
    """Make the page of quality reports at `out`; views: where the pages of sessions lie."""
    count = f"{total['sessions']} session{'s' if total['sessions'] != 1 else ''}"
    blocks = sum(len(each) for each in total["blocks"].values())
    every = sum(len(city.streets) for city in cities)
    said = (
        f"{blocks} of the {every} blocks of {', '.join(city.name for city in cities)} were driven, "
        f"{total['flagged']} of {count} carry a flag"
    )
    text = resources.files("game.dataset").joinpath("coverage.html").read_text(encoding="utf-8")
    for name, part in (
        ("@COUNT@", count),
        ("@SAID@", escape(said)),
        ("@FACTS@", _facts(total)),
        ("@MAPS@", "".join(_map(city, total) for city in cities)),
        ("@MATRIX@", _matrix(total["by_street"])),
        ("@TTC@", _bars(_ranges(total["ttc_edges_s"], total["ttc_counts"]))),
        ("@MANOEUVRES@", _bars(total["manoeuvres"])),
        ("@MET@", _bars(total["met_closely"])),
        ("@LIGHT@", _bars(total["light"])),
        ("@SESSIONS@", _sessions(reports, views, out.parent)),
    ):
        text = text.replace(name, part)
    out.parent.mkdir(parents=True, exist_ok=True)
    write_whole(out, text.encode())
    return out


def _facts(total: Mapping[str, Any]) -> str:
    hours = total["ticks"] / TICK_HZ / 3600
    rows = (
        (f"{total['metres'] / 1000:.2f} km", "driven"),
        (f"{hours:.2f} h" if hours >= 1 else f"{hours * 60:.1f} min", "of world time"),
        (f"{total['pairs']}", "pairs of pictures"), (f"{len(total['streets'])}", "streets"),
        (f"{len(total['situations'])}", "situations"), (f"{total['tiles']}", "map tiles of 250 m"),
        (f"{total['near_misses']}", "near misses"), (f"{total['contacts']}", "contacts"),
        (f"{total['idle_share']:.0%}", "of the time nothing happens"),
    )  # fmt: skip
    return "".join(f"<div><b>{value}</b><span>{name}</span></div>" for value, name in rows)


def _map(city: City, total: Mapping[str, Any]) -> str:
    """The driven part of one city, every block in the colour of the metres driven on it."""
    driven = {int(block): each for block, each in total["blocks"].get(city.name, {}).items()}
    spots = total["spots"].get(city.name, [])
    x0, y0, side = _frame(city, driven, spots)
    box = (x0, y0, x0 + side, y0 + side)
    most = max((metres for metres, _ in driven.values()), default=1.0)
    roads, hot = [], []
    for street in city.streets:
        if not _inside(street.points, box):
            continue
        line, width = _line(street.points), max(street.width, side / 350)
        roads.append(f'<polyline class="r" points="{line}" stroke-width="{width:.1f}"/>')
        if street.id in driven:
            metres, sessions = driven[street.id]
            said = f"{street.name or 'unnamed'}: {metres:.0f} m in {sessions} sessions"
            hot.append(
                f'<polyline class="d" points="{line}" stroke-width="{width * 1.15:.1f}" '
                f'stroke="rgba(var(--blue),{0.25 + 0.75 * log1p(metres) / log1p(most):.2f})">'
                f"<title>{escape(said)}</title></polyline>"
            )
    kinds = [kind for kind in SPOTS if any(each[0] == kind for each in spots)]
    boxes = "".join(
        f'<label><input type="checkbox" data-kind="{kind}"{" checked" if kind in _SHOWN else ""}>'
        f'<i class="dot" style="background:{SPOTS[kind]}"></i>{kind}</label>'
        for kind in kinds
    )
    groups = "".join(_group(kind, spots, side) for kind in reversed(kinds))
    return (
        f"<section><h2>Map: {escape(city.name)}</h2>{boxes}"
        f'<svg class="map" viewBox="{x0:.1f} {-(y0 + side):.1f} {side:.1f} {side:.1f}" role="img" '
        f'aria-label="Metres driven on each block">{_houses(city, box)}{"".join(roads)}'
        f"{''.join(hot)}{groups}</svg>"
        '<div class="scale" style="background:linear-gradient(90deg,rgba(var(--blue),.25),'
        'rgba(var(--blue),1))"></div>'
        f'<div class="ends"><span>1 m driven on a block</span><span>{most:.0f} m</span></div>'
        "</section>"
    )


def _frame(
    city: City, driven: Mapping[int, Any], spots: Sequence[Sequence[Any]]
) -> tuple[float, float, float]:
    """West, south and side of a square around all that was driven [m]."""
    points = [p for street in city.streets if street.id in driven for p in street.points]
    points += [((x + 0.5) * SPOT_M, (y + 0.5) * SPOT_M) for _, x, y, _ in spots]
    points = points or [city.bounds[:2], city.bounds[2:]]
    low = [min(p[axis] for p in points) - _MARGIN for axis in (0, 1)]
    high = [max(p[axis] for p in points) + _MARGIN for axis in (0, 1)]
    side = max(high[0] - low[0], high[1] - low[1], _LEAST)
    return (low[0] + high[0] - side) / 2, (low[1] + high[1] - side) / 2, side


def _group(kind: str, spots: Sequence[Sequence[Any]], side: float) -> str:
    """Circles of one kind, by area as many as there were."""
    shown = "" if kind in _SHOWN else ' style="display:none"'
    marks = "".join(
        f'<circle cx="{(x + 0.5) * SPOT_M:.0f}" cy="{-(y + 0.5) * SPOT_M:.0f}" '
        f'r="{min(side / 140 * sqrt(count), side / 25):.1f}" stroke-width="{side / 700:.2f}" '
        f'fill="{SPOTS[kind]}"><title>{count} x {kind}</title></circle>'
        for name, x, y, count in spots
        if name == kind
    )
    return f'<g data-kind="{kind}"{shown}>{marks}</g>'


def _houses(city: City, box: tuple[float, float, float, float]) -> str:
    found = [f.rings[0] for f in city.footprints if _inside(f.rings[0], box)]
    if len(found) > _MOST_HOUSES:
        return ""
    return "".join(f'<polygon class="b" points="{_line(ring)}"/>' for ring in found)


def _inside(points: Sequence[Point], box: tuple[float, float, float, float]) -> bool:
    x0, y0, x1, y1 = box
    return any(x0 <= x <= x1 and y0 <= y <= y1 for x, y in points)


def _line(points: Sequence[Point]) -> str:
    return " ".join(f"{x:.1f},{-y:.1f}" for x, y in points)


def _matrix(by_street: Mapping[str, Mapping[str, float]]) -> str:
    """Streets down, situations across, the most driven first."""
    metres: dict[str, float] = {}
    for row in by_street.values():
        for name, value in row.items():
            metres[name] = metres.get(name, 0.0) + value
    situations = sorted(metres, key=lambda name: (-metres[name], name))
    unseen = max(0, len(by_street) - _MOST_STREETS), max(0, len(situations) - _MOST_SITUATIONS)
    most = max((v for row in by_street.values() for v in row.values()), default=1.0)
    situations = situations[:_MOST_SITUATIONS]
    head = "".join(f'<th class="up">{escape(name)}</th>' for name in situations)
    rows = []
    for street, row in list(by_street.items())[:_MOST_STREETS]:
        cells = "".join(_cell(row.get(name, 0.0), most) for name in situations)
        rows.append(f"<tr><td>{escape(street)}</td>{cells}<td>{sum(row.values()):.0f}</td></tr>")
    foot = f"<p>Not shown: {unseen[0]} more streets, {unseen[1]} more situations.</p>"
    foot = foot if any(unseen) else ""
    return (
        f'<table class="matrix"><thead><tr><th>street</th>{head}<th class="up">all</th></tr>'
        f"</thead><tbody>{''.join(rows)}</tbody></table>{foot}"
    )


def _cell(metres: float, most: float) -> str:
    if metres < 0.5:
        return "<td></td>"
    shade = 0.08 + 0.5 * log1p(metres) / log1p(most)
    return f'<td style="background:rgba(var(--blue),{shade:.2f})">{metres:.0f}</td>'


def _ranges(edges: Sequence[float], counts: Sequence[int]) -> dict[str, float]:
    return {
        f"{a:g} to {b:g} s" if b < edges[-1] else f"{a:g} s and more": n
        for a, b, n in zip(edges, edges[1:], counts, strict=False)
    }


def _bars(values: Mapping[str, float]) -> str:
    if not values:
        return "<p>None.</p>"
    most = max(values.values()) or 1
    rows = "".join(
        f"<div>{escape(name)}</div><i style='width:{100 * value / most:.1f}%'></i>"
        f"<span>{value:g}</span>"
        for name, value in values.items()
    )
    return f'<div class="bars">{rows}</div>'


_HEADS = ("session", "situation", "pairs", "share", "aligned", "km", "idle", "TTC s", "near",
          "hit", "flags")  # fmt: skip


def _sessions(reports: Sequence[Mapping[str, Any]], views: Path, here: Path) -> str:
    head = "".join(f"<th>{name}</th>" for name in _HEADS)
    rows = "".join(f"<tr>{_row(each, views, here)}</tr>" for each in reports)
    return f'<table class="sort"><thead><tr>{head}</tr></thead><tbody>{rows}</tbody></table>'


def _row(each: Mapping[str, Any], views: Path, here: Path) -> str:
    name = escape(str(each["session"]))
    page = views / str(each["session"]) / "index.html"
    if page.exists():
        link = Path(os.path.relpath(page.resolve(), here.resolve())).as_posix()
        name = f'<a href="{escape(link)}">{name}</a>'
    aligned = (each.get("alignment") or {}).get("aligned_share")
    cells = (
        ", ".join(each["coverage"]["situations"]), each["pairs"], f"{each['pair_share']:.0%}",
        "" if aligned is None else f"{aligned:.0%}", f"{each['coverage']['metres'] / 1000:.2f}",
        f"{each['idle_share']:.0%}", f"{each['ttc']['min_s']:.1f}", each["ttc"]["near_misses"],
        each["ttc"]["contacts"],
    )  # fmt: skip
    flags = escape("; ".join(each["flags"]))
    return (
        f"<td>{name}</td>"
        + "".join(f"<td>{escape(str(cell))}</td>" for cell in cells)
        + f'<td class="flag bad">{flags}</td>'
    )
