"""Drawings of a session as SVG text: the map with the paths driven, and lines over time."""

from collections.abc import Sequence
from dataclasses import dataclass
from html import escape

from game.world.city import City, Point
from game.world.version import TICK_HZ

_COLOURS = ("#d1495b", "#2e7dd7", "#2a9d6f", "#c77f1a", "#7a4fbf", "#11808f", "#8a6d3b", "#b5179e")


@dataclass(frozen=True, slots=True)
class Line:
    """One curve: (tick, value) points under a name."""

    name: str
    points: Sequence[tuple[int, float]]


def plan(city: City, paths: dict[str, Sequence[Point]], marks: dict[str, Point]) -> str:
    """Top-down map around all `paths` (the first one is the ego), buildings in grey."""
    points = [point for path in paths.values() for point in path] + list(marks.values())
    if not points:
        return ""
    x0, x1 = min(p[0] for p in points) - 30, max(p[0] for p in points) + 30
    y0, y1 = min(p[1] for p in points) - 30, max(p[1] for p in points) + 30
    size = max(x1 - x0, y1 - y0)
    x0, y0 = (x0 + x1 - size) / 2, (y0 + y1 - size) / 2
    box = (x0, y0, x0 + size, y0 + size)
    shapes = [*_streets(city, box), *_buildings(city, box), *_paths(paths), *_marks(marks, size)]
    view = f"{x0:.1f} {-(y0 + size):.1f} {size:.1f} {size:.1f}"
    return (
        f'<svg class="plan" viewBox="{view}" role="img" aria-label="Map of the drive">'
        f"{''.join(shapes)}</svg>{_legend(list(paths))}"
    )


def over_time(lines: Sequence[Line], unit: str, width: int = 900, height: int = 160) -> str:
    """Curves over seconds with one axis."""
    points = [point for line in lines for point in line.points]
    if not points:
        return ""
    t0, t1 = min(p[0] for p in points), max(p[0] for p in points)
    low, high = min(0.0, min(p[1] for p in points)), max(p[1] for p in points)
    span, rise = max(1, t1 - t0), max(1e-9, high - low)
    curves = []

    def place(tick: int, value: float) -> str:
        right = 40 + (tick - t0) * (width - 50) / span
        return f"{right:.1f},{height - 20 - (value - low) * (height - 30) / rise:.1f}"

    for line, colour in zip(lines, _COLOURS, strict=False):
        step = max(1, len(line.points) // 900)
        text = " ".join(place(tick, value) for tick, value in line.points[::step])
        curves.append(
            f'<polyline points="{text}" fill="none" stroke="{colour}" stroke-width="1.5"/>'
        )
    labels = (
        f'<text x="2" y="14">{high:.4g} {escape(unit)}</text>'
        f'<text x="2" y="{height - 22}">{low:.4g}</text>'
        f'<text x="40" y="{height - 4}">{t0 / TICK_HZ:.0f} s</text>'
        f'<text x="{width - 40}" y="{height - 4}">{t1 / TICK_HZ:.0f} s</text>'
    )
    return (
        f'<svg class="chart" viewBox="0 0 {width} {height}" role="img">{labels}'
        f"{''.join(curves)}</svg>{_legend([line.name for line in lines])}"
    )


def _inside(points: Sequence[Point], box: tuple[float, float, float, float]) -> bool:
    x0, y0, x1, y1 = box
    return any(x0 <= x <= x1 and y0 <= y <= y1 for x, y in points)


def _text(points: Sequence[Point]) -> str:
    return " ".join(f"{x:.1f},{-y:.1f}" for x, y in points)


def _buildings(city: City, box: tuple[float, float, float, float]) -> list[str]:
    return [
        f'<polygon points="{_text(f.rings[0])}" fill="#c9cdd3" stroke="#aab" stroke-width="0.3"/>'
        for f in city.footprints
        if _inside(f.rings[0], box)
    ]


def _streets(city: City, box: tuple[float, float, float, float]) -> list[str]:
    return [
        f'<polyline points="{_text(s.points)}" fill="none" stroke="#f4f1ea" '
        f'stroke-width="{s.width:.1f}" stroke-linecap="round">'
        f"<title>{escape(s.name)}</title></polyline>"
        for s in city.streets
        if _inside(s.points, box)
    ]


def _paths(paths: dict[str, Sequence[Point]]) -> list[str]:
    return [
        f'<polyline points="{_text(path)}" fill="none" stroke="{colour}" stroke-width="1.6" '
        f'stroke-linejoin="round" opacity="0.9"><title>{escape(name)}</title></polyline>'
        for (name, path), colour in zip(paths.items(), _COLOURS * 8, strict=False)
    ]


def _marks(marks: dict[str, Point], size: float) -> list[str]:
    return [
        f'<circle cx="{x:.1f}" cy="{-y:.1f}" r="{size / 120:.2f}" fill="#111"/>'
        f'<text x="{x + size / 80:.1f}" y="{-y:.1f}" font-size="{size / 40:.1f}">'
        f"{escape(name)}</text>"
        for name, (x, y) in marks.items()
    ]


def _legend(names: Sequence[str]) -> str:
    items = "".join(
        f'<span><i style="background:{colour}"></i>{escape(name)}</span>'
        for name, colour in zip(names, _COLOURS * 8, strict=False)
    )
    return f'<p class="legend">{items}</p>'
