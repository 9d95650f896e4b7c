"""The city from above as an SVG picture: water, parks, streets, footprints, lanes, lights.

Pure text, one pixel a metre, north up. For looking, not for measuring.
"""

from collections.abc import Iterable, Sequence

from game.world.city import City, Point

_STYLE = (
    "path{fill:none}.ground{fill:#d8d3c8}.water{fill:#9dbbd2}.park{fill:#b3cd9c}"
    ".street{stroke:#55565a;stroke-linecap:round;stroke-linejoin:round}"
    ".lane{stroke:#f2d024;stroke-width:.4}.house{fill:#b58a7a;stroke:#5d4038;stroke-width:.4;"
    "fill-rule:evenodd}.signal{fill:#d22}"
)


def chart(city: City) -> str:
    """The text of an SVG document."""
    x0, y0, x1, y1 = city.bounds
    box = f"{x0:.0f} {-y1:.0f} {x1 - x0:.0f} {y1 - y0:.0f}"
    lines = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="{box}"><title>{city.name}</title>',
        f"<style>{_STYLE}</style>",
        f'<rect class="ground" x="{x0:.0f}" y="{-y1:.0f}" width="100%" height="100%"/>',
        *(f'<path class="water" d="{_outline([ring])}"/>' for ring in city.water),
        *(f'<path class="park" d="{_outline([ring])}"/>' for ring in city.parks),
    ]
    for street in city.streets:
        line = f'd="{_line(street.points)}" stroke-width="{street.width:.1f}"'
        lines.append(f'<path class="street" {line}/>')
    lines += [f'<path class="lane" d="{_line(lane.points)}"/>' for lane in city.lanes]
    lines += [f'<path class="house" d="{_outline(one.rings)}"/>' for one in city.footprints]
    lines += [
        f'<circle class="signal" cx="{one.x:.1f}" cy="{-one.y:.1f}" r="2"/>'
        for one in city.junctions
        if one.signal
    ]
    return "\n".join([*lines, "</svg>", ""])


def _line(points: Sequence[Point]) -> str:
    return "M" + "L".join(f"{x:.1f} {-y:.1f}" for x, y in points)


def _outline(rings: Iterable[Sequence[Point]]) -> str:
    return "".join(_line(ring) + "Z" for ring in rings)
