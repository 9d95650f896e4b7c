"""The one line from a key to a token, as a picture: `python -m tests.shows.line` draws it anew.

Boxes stand on a grid and name the module that does the work, so that a test can ask whether it
still exists; the committed picture is compared with what this file draws.
"""

from dataclasses import dataclass
from pathlib import Path
from xml.etree.ElementTree import Element, SubElement, indent, tostring

PICTURE = Path(__file__).parents[2] / "docs" / "gallery" / "architecture.svg"
WIDE, HIGH, STEP_X, STEP_Y, LEFT, TOP = 174, 62, 222, 132, 26, 54
"""Size of a box and of a step of the grid, and where it begins [px]."""
INK, PALE = "#1d2733", "#5d6b7a"


@dataclass(frozen=True)
class Lane:
    """One process or machine: a band across the picture."""

    title: str
    fill: str
    edge: str


@dataclass(frozen=True)
class Box:
    """Something that is done, and the module that does it."""

    row: int
    column: int
    title: str
    module: str


@dataclass(frozen=True)
class Arrow:
    """What goes from one box to another; or `joins` two that lie side by side."""

    start: str
    end: str
    carries: str
    joins: bool = False


LANES = (
    Lane("play: the game's process, never waits", "#e9f1fb", "#3b6fb0"),
    Lane("peer process, and the stream server", "#f2ecfa", "#7a52b3"),
    Lane("recorder process, and the disk", "#eaf6ee", "#3c8a57"),
    Lane("server side", "#fdf2e3", "#b5741d"),
)
BOXES = (
    Box(0, 0, "key, wheel, pad", "game.view.keys"),
    Box(0, 1, "controls of a tick", "game.world.controls"),
    Box(0, 2, "step()", "game.world.step"),
    Box(0, 3, "picture of the tick", "game.view.capture"),
    Box(0, 5, "screen and HUD", "game.view.present"),
    Box(1, 3, "peer", "streaming.peer"),
    Box(1, 4, "diffusion backend", "streaming.backends"),
    Box(1, 5, "styled frame", "streaming.returns"),
    Box(2, 1, "inputs, every tick", "game.session.writer"),
    Box(2, 3, "both video tracks", "game.recorder"),
    Box(2, 4, "signed journal", "streaming.journal"),
    Box(2, 5, "sealed session", "game.session.seal"),
    Box(3, 5, "upload and intake", "game.outbox"),
    Box(3, 4, "driven again", "rewards.checks"),
    Box(3, 3, "verdict, amount", "rewards.verdict"),
    Box(3, 2, "payer, ledger", "rewards.payer"),
    Box(3, 1, "Solana, receipt", "rewards.chain"),
)
ARROWS = (
    Arrow("key, wheel, pad", "controls of a tick", ""),
    Arrow("controls of a tick", "step()", ""),
    Arrow("step()", "picture of the tick", ""),
    Arrow("picture of the tick", "screen and HUD", "shown at once"),
    Arrow("picture of the tick", "peer", "newest wins"),
    Arrow("peer", "diffusion backend", "WebRTC"),
    Arrow("diffusion backend", "styled frame", "with its tick"),
    Arrow("styled frame", "screen and HUD", "laid over"),
    Arrow("diffusion backend", "signed journal", "witnessed"),
    Arrow("controls of a tick", "inputs, every tick", "a microsecond"),
    Arrow("peer", "both video tracks", "in order"),
    Arrow("inputs, every tick", "both video tracks", "one folder", joins=True),
    Arrow("both video tracks", "signed journal", "", joins=True),
    Arrow("signed journal", "sealed session", ""),
    Arrow("sealed session", "upload and intake", "packed"),
    Arrow("upload and intake", "driven again", "queue"),
    Arrow("driven again", "verdict, amount", ""),
    Arrow("verdict, amount", "payer, ledger", ""),
    Arrow("payer, ledger", "Solana, receipt", "SPL"),
)


def draw() -> str:
    """The whole picture as SVG text."""
    width, height = LEFT * 2 + STEP_X * 5 + WIDE, TOP + STEP_Y * len(LANES) - 18
    root = Element("svg", xmlns="http://www.w3.org/2000/svg", viewBox=f"0 0 {width} {height}")
    root.set("font-family", "DejaVu Sans, Verdana, sans-serif")
    SubElement(root, "title").text = "From a key press to a token"
    head = SubElement(SubElement(root, "defs"), "marker", id="head", viewBox="0 0 10 10")
    head.attrib.update(refX="9", refY="5", markerWidth="7", markerHeight="7", orient="auto")
    SubElement(head, "path", d="M0 0 10 5 0 10z", fill=INK)
    SubElement(root, "rect", width=str(width), height=str(height), fill="#ffffff")
    for row, lane in enumerate(LANES):
        _lane(root, row, lane, width)
    for arrow in ARROWS:
        _arrow(root, arrow)
    for box in BOXES:
        _box(root, box)
    indent(root)
    return tostring(root, encoding="unicode") + "\n"


def corner(box: Box) -> tuple[int, int]:
    """Its upper left corner [px]."""
    return LEFT + box.column * STEP_X, TOP + box.row * STEP_Y


def _lane(root: Element, row: int, lane: Lane, width: int) -> None:
    y = TOP + row * STEP_Y - 40
    band = SubElement(root, "rect", x="8", y=str(y), width=str(width - 16), height="118", rx="10")
    band.set("fill", lane.fill)
    _words(root, lane.title, 20, y + 20, 13, lane.edge, "start", "bold")


def _box(root: Element, box: Box) -> None:
    x, y = corner(box)
    edge = LANES[box.row].edge
    frame = SubElement(root, "rect", x=str(x), y=str(y), width=str(WIDE), height=str(HIGH), rx="7")
    frame.attrib.update({"fill": "#ffffff", "stroke": edge, "stroke-width": "1.6"})
    _words(root, box.title, x + WIDE / 2, y + 27, 15, INK, weight="bold")
    _words(root, box.module, x + WIDE / 2, y + 47, 12, PALE)


def _arrow(root: Element, arrow: Arrow) -> None:
    named = {box.title: box for box in BOXES}
    a, b = named[arrow.start], named[arrow.end]
    (ax, ay), (bx, by) = corner(a), corner(b)
    if a.row == b.row:
        way = 1 if b.column > a.column else -1
        x1, x2 = ax + (WIDE if way > 0 else 0), bx + (0 if way > 0 else WIDE)
        y1 = y2 = ay + HIGH // 2
        at: tuple[float, float] = ((x1 + x2) / 2, y1 - 7)
        # Between neighbours there is room for an arrow alone: its word stands above the gap.
        if abs(a.column - b.column) == 1:
            at = ((x1 + x2) / 2, ay - 6)
    else:
        down = b.row > a.row
        x1, x2 = ax + WIDE // 2, bx + WIDE // 2
        y1, y2 = ay + (HIGH if down else 0), by + (0 if down else HIGH)
        at = ((x1 + x2) / 2 + 6, (y1 + y2) / 2 + (20 if down else 24))
    line = SubElement(root, "path", d=f"M{x1} {y1} L{x2} {y2}", fill="none", stroke=INK)
    line.set("stroke-width", "1.6")
    line.attrib.update({"stroke-dasharray": "4 4"} if arrow.joins else {"marker-end": "url(#head)"})
    if arrow.carries:
        _words(root, arrow.carries, *at, 12, INK, "middle" if a.row == b.row else "start")


def _words(
    root: Element,
    text: str,
    x: float,
    y: float,
    size: int,
    fill: str,
    anchor: str = "middle",
    weight: str = "normal",
) -> None:
    words = SubElement(root, "text", x=f"{x:g}", y=f"{y:g}", fill=fill)
    words.attrib.update({"font-size": str(size), "text-anchor": anchor, "font-weight": weight})
    words.text = text


if __name__ == "__main__":
    PICTURE.write_text(draw(), encoding="utf-8")
