"""A top-down drawing in metres, written as SVG by own code or as PNG through Pillow.

Owns the two writers. Knows shapes and colours, nothing of scenarios. Points: x right, y up [m].
"""

from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from xml.sax.saxutils import escape

from scenarios.errors import DrawingUnavailable

Point = tuple[float, float]
PIXELS = 1600
"""Width of a PNG [px]."""


@dataclass(frozen=True, slots=True)
class Shape:
    """kind: area (filled), line (stroked, `width` [m]), disc (first point, `width` = radius), text.

    colour: #rrggbb. A dashed line or an open disc (not `filled`) is a hint, not a thing.
    """

    kind: str
    points: tuple[Point, ...]
    colour: str
    width: float = 0.3
    text: str = ""
    filled: bool = True


@dataclass(slots=True)
class Sheet:
    """Shapes in drawing order on a piece of ground x0..x1 by y0..y1 [m]."""

    x0: float
    y0: float
    x1: float
    y1: float
    title: str
    paper: str = "#f4f1ea"
    shapes: list[Shape] = field(default_factory=list)

    def area(self, points: Iterable[Point], colour: str) -> None:
        """A filled polygon."""
        self.shapes.append(Shape("area", tuple(points), colour))

    def line(
        self, points: Iterable[Point], colour: str, width: float, dashed: bool = False
    ) -> None:
        """A stroked polyline, `width` [m]."""
        self.shapes.append(Shape("line", tuple(points), colour, width, filled=not dashed))

    def disc(self, centre: Point, radius: float, colour: str, filled: bool = True) -> None:
        """A disc, or only its rim."""
        self.shapes.append(Shape("disc", (centre,), colour, radius, filled=filled))

    def text(self, at: Point, text: str, colour: str, height: float = 3.0) -> None:
        """Text that starts at a point; `height` [m]."""
        self.shapes.append(Shape("text", (at,), colour, height, text))


def save(sheet: Sheet, path: Path) -> None:
    """Write a .svg or .png, whole or not at all. Raises DrawingUnavailable."""
    if path.suffix.lower() == ".png":
        data = png(sheet)
    elif path.suffix.lower() == ".svg":
        data = svg(sheet).encode("utf-8")
    else:
        raise DrawingUnavailable(str(path), "give it a name that ends in .svg or .png")
    part = path.with_name(path.name + ".part")
    try:
        part.write_bytes(data)
        part.replace(path)
    except OSError as wrong:
        raise DrawingUnavailable(str(path), f"{wrong.strerror}; choose another place") from wrong


def svg(sheet: Sheet) -> str:
    """The sheet as SVG text, one unit a metre."""
    width, height = sheet.x1 - sheet.x0, sheet.y1 - sheet.y0
    body = "\n".join(_svg_shape(sheet, shape) for shape in sheet.shapes)
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width:.2f} {height:.2f}" '
        f'width="{PIXELS}" font-family="sans-serif" stroke-linecap="round">\n'
        f"<title>{escape(sheet.title)}</title>\n"
        f'<rect width="{width:.2f}" height="{height:.2f}" fill="{sheet.paper}"/>\n{body}\n</svg>\n'
    )


def _svg_shape(sheet: Sheet, shape: Shape) -> str:
    points = [(x - sheet.x0, sheet.y1 - y) for x, y in shape.points]
    if shape.kind == "text":
        (x, y), size = points[0], shape.width
        return (
            f'<text x="{x:.2f}" y="{y:.2f}" font-size="{size:.2f}" fill="{shape.colour}" '
            f'stroke="{sheet.paper}" stroke-width="{size * 0.25:.2f}" paint-order="stroke">'
            f"{escape(shape.text)}</text>"
        )
    if shape.kind == "disc":
        (x, y), paint = points[0], f'fill="{shape.colour}"'
        if not shape.filled:
            paint = f'fill="none" stroke="{shape.colour}" stroke-width="0.4" stroke-dasharray="2 1"'
        return f'<circle cx="{x:.2f}" cy="{y:.2f}" r="{shape.width:.2f}" {paint}/>'
    path = " ".join(f"{x:.2f},{y:.2f}" for x, y in points)
    if shape.kind == "area":
        return f'<polygon points="{path}" fill="{shape.colour}"/>'
    dashes = "" if shape.filled else ' stroke-dasharray="2 2"'
    return (
        f'<polyline points="{path}" fill="none" stroke="{shape.colour}" '
        f'stroke-width="{shape.width:.2f}"{dashes}/>'
    )


def png(sheet: Sheet) -> bytes:
    """The sheet as a PNG file. Raises DrawingUnavailable where Pillow is not installed."""
    try:
        from PIL import Image, ImageDraw, ImageFont
    except ImportError as wrong:
        raise DrawingUnavailable("a PNG", "install pillow, or ask for an .svg") from wrong
    import io

    scale = PIXELS / (sheet.x1 - sheet.x0)
    image = Image.new("RGB", (PIXELS, max(1, int((sheet.y1 - sheet.y0) * scale))), sheet.paper)
    pen = ImageDraw.Draw(image)
    for shape in sheet.shapes:
        points = [((x - sheet.x0) * scale, (sheet.y1 - y) * scale) for x, y in shape.points]
        if shape.kind == "text":
            font = ImageFont.load_default(size=max(9.0, shape.width * scale))
            pen.text(
                points[0],
                shape.text,
                shape.colour,
                font,
                anchor="ls",
                stroke_width=2,
                stroke_fill=sheet.paper,
            )
        else:
            _png_shape(pen, shape, points, scale)
    out = io.BytesIO()
    image.save(out, "PNG", optimize=True)
    return out.getvalue()


def _png_shape(pen: Any, shape: Shape, points: list[Point], scale: float) -> None:
    width = max(1, int(shape.width * scale))
    if shape.kind == "area":
        pen.polygon(points, fill=shape.colour)
    elif shape.kind == "disc":
        (x, y), r = points[0], shape.width * scale
        box = (x - r, y - r, x + r, y + r)
        if shape.filled:
            pen.ellipse(box, fill=shape.colour)
        else:
            pen.ellipse(box, outline=shape.colour, width=2)
    elif shape.filled:
        pen.line(points, fill=shape.colour, width=width, joint="curve")
    else:
        for a, b in zip(points[::2], points[1::2], strict=False):
            pen.line((a, b), fill=shape.colour, width=width)
