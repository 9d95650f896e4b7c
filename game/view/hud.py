"""What the window says beside the picture: a value and how it is drawn, never in a capture."""

import textwrap
from dataclasses import dataclass
from typing import Any

from panda3d.core import CardMaker, NodePath, TextNode, Texture, TransparencyAttrib

from game.view.latency import ceiling, equation, paint

_INK = (0.96, 0.96, 0.94, 1.0)
_PLATE = (0.04, 0.05, 0.06, 0.62)
_TONES = {
    "plain": _PLATE,
    "good": (0.07, 0.36, 0.20, 0.85),
    "warn": (0.55, 0.38, 0.04, 0.88),
    "bad": (0.60, 0.08, 0.08, 0.88),
}
_MESSAGE_WIDTH = 44  # characters that fit across a square window
_LINE = 0.058  # of the window's height, which is 2
_ROWS = 2.0 / _LINE
_MIDDLE = 12.0  # rows from here on belong to the middle of the window
_LIFT = 2.4  # rows that the street takes at the bottom where it needs its own line
_LETTER = 0.0235  # width of a letter, on average
_MARGIN = 0.12  # of a text to the edge of the window and to the next one


@dataclass(frozen=True, slots=True)
class Chip:
    """A short status in a coloured plate. tone: plain, good, warn or bad."""

    text: str
    tone: str = "plain"


@dataclass(frozen=True, slots=True)
class Hud:
    """lines: top left. chips: top right (recording, stream, driver). speed [m/s], negative: none.

    title, remaining [s] (negative: none) and outcome: of the scenario. place: street name.
    wallet: payout line. message: one thing the player must read, in the middle. graph: readings of
    the latency stages named by `stages` [ms], newest last; without names there is no graph.
    """

    lines: tuple[str, ...] = ()
    chips: tuple[Chip, ...] = ()
    title: str = ""
    remaining: float = -1.0
    outcome: str = ""
    speed: float = -1.0
    place: str = ""
    wallet: str = ""
    message: str = ""
    stages: tuple[str, ...] = ()
    graph: tuple[tuple[float, ...], ...] = ()


def recording_chip(on: bool) -> Chip:
    """REC, or that it is paused."""
    return Chip("REC", "bad") if on else Chip("recording paused", "warn")


def stream_chip(state: str, round_trip_ms: float | None) -> Chip:
    """The stream's state and its round trip, coloured by how well it is."""
    if state != "live" or round_trip_ms is None:
        return Chip(f"stream {state}", "warn")
    return Chip(f"stream {round_trip_ms:.0f} ms", "good" if round_trip_ms < 250.0 else "warn")


@dataclass(frozen=True, slots=True)
class Block:
    """One text at a place: anchor x -1 left, 0 centre, 1 right; y from the top, in lines."""

    text: str
    anchor: int
    row: float
    tone: str = "plain"
    size: float = 1.0


def layout(hud: Hud, size: float = 1.0, aspect: float = 1.0) -> tuple[Block, ...]:
    """Where each part stands; pure, so that it can be tested without a screen.

    size: of the letters. What would not fit beside each other in a window of this aspect ratio
    gets a line of its own.
    """
    title = _title(hud)
    beside = [*hud.lines, *(chip.text for chip in hud.chips)]
    narrow = bool(title) and _meet(title, max(map(len, beside), default=0), size, aspect)
    top = 2.0 if narrow else 0.6
    blocks = [Block(line, -1, top + row * 1.25) for row, line in enumerate(hud.lines)]
    blocks += [
        Block(chip.text, 1, top + row * 1.35, chip.tone) for row, chip in enumerate(hud.chips)
    ]
    if title:
        blocks.append(Block(title, 0, 0.6))
    if hud.outcome:
        tone = "good" if hud.outcome.startswith("passed") else "bad"
        under = 2.0 + (1.4 * max(len(hud.lines), len(hud.chips)) if narrow else 0.0)
        blocks.append(Block(hud.outcome, 0, under, tone))
    if hud.message:
        lines = textwrap.wrap(hud.message, int(_MESSAGE_WIDTH / max(size, 1.0))) or [""]
        blocks.append(Block("\n".join(lines), 0, 14.0, "warn", 1.25))
    if hud.stages:
        up = lifted(hud, size, aspect)
        told = equation(hud.stages, hud.graph[-1]) if hud.graph else "measuring"
        blocks.append(Block(told, -1, 29.6 - up, size=0.72))
        blocks.append(Block(f"{ceiling(hud.graph):.0f} ms", -1, 22.9 - up, size=0.6))
    if hud.wallet:
        blocks.append(Block(hud.wallet, 1, 30.4, size=0.85))
    if hud.place:
        blocks.append(Block(hud.place, 0, 31.8))
    if hud.speed >= 0:
        row = 31.4 - lifted(hud, size, aspect)
        blocks.append(Block(f"{hud.speed * 3600 / 1609.344:.0f} mph", -1, row, size=1.5))
    return tuple(blocks)


def _title(hud: Hud) -> str:
    return (
        f"{hud.title}   {_clock(hud.remaining)}" if hud.title and hud.remaining >= 0 else hud.title
    )


def _meet(middle: str, letters: int, size: float, aspect: float) -> bool:
    """Whether a text in the middle and one of so many letters at the side would touch."""
    return (len(middle) / 2 + letters) * _LETTER * size + _MARGIN > aspect


def lifted(hud: Hud, size: float, aspect: float) -> float:
    """Rows by which the speed stands higher, where the street needs its line for itself."""
    wide = 6 * 1.5  # of the speed, in letters
    return _LIFT if hud.place and _meet(hud.place, int(wide), size, aspect) else 0.0


def height_of(row: float, size: float) -> float:
    """Where a row of letters of a size stands, -1 .. 1: those above the middle hang from the top
    of the window, those below stand on its bottom, and a message keeps the middle."""
    if row > _ROWS / 2:
        return (_ROWS - row - 0.55) * _LINE * size - 1.0
    return 1.0 - (row + 0.55) * _LINE * (size if row < _MIDDLE else 1.0)


def _clock(seconds: float) -> str:
    whole = int(seconds)
    return f"{whole // 60}:{whole % 60:02d}"


class HudLayer:
    """Draws a Hud under `root`, whose space is -aspect..aspect by -1..1. A text that stays as it
    is keeps its node: most of them do from one picture to the next."""

    def __init__(self, root: Any) -> None:
        self._drawn: tuple[Any, ...] | None = None
        self._fit = (0.0, 0.0)
        self._texts: dict[Block, Any] = {}
        self._layer = root.attachNewNode("hud")
        self._graph: Any = None

    def show(self, hud: Hud, aspect: float, size: float = 1.0) -> None:
        """Make the layer show `hud` in a window of this aspect ratio, in letters of this size."""
        wanted = (layout(hud, size, aspect), aspect, size, hud.graph, hud.stages)
        if wanted == self._drawn:
            return
        if (aspect, size) != self._fit:
            self._drop(tuple(self._texts))
            self._fit = (aspect, size)
        self._drop(tuple(self._texts.keys() - set(wanted[0])))
        for block in wanted[0]:
            if block not in self._texts:
                self._texts[block] = self._written(block, aspect, size)
        if self._graph is not None:
            self._graph.removeNode()
            self._graph = None
        if hud.stages:
            self._graph = self._plot(hud.graph, aspect, size, lifted(hud, size, aspect))
        self._drawn = wanted

    def _drop(self, blocks: tuple[Block, ...]) -> None:
        for block in blocks:
            self._texts.pop(block).removeNode()

    def _plot(
        self, graph: tuple[tuple[float, ...], ...], aspect: float, size: float, up: float
    ) -> Any:
        """The latency graph at the left, over the equation."""
        picture = paint(graph)
        high, wide = picture.shape[:2]
        texture = Texture("latency")
        texture.setup2dTexture(wide, high, Texture.TUnsignedByte, Texture.FRgba8)
        texture.setMagfilter(Texture.FTNearest)
        texture.setRamImage(picture[::-1].tobytes())
        card = CardMaker("latency")
        tall = 5.4 * _LINE * size
        card.setFrame(0, tall * wide / high, 0, tall)
        path = self._layer.attachNewNode(card.generate())
        path.setTexture(texture)
        path.setTransparency(TransparencyAttrib.MAlpha)
        path.setPos(-(aspect - 0.05), 0, height_of(28.95 - up, size))
        path.setBin("fixed", 2)
        return path

    def _written(self, block: Block, aspect: float, size: float) -> Any:
        text = TextNode("text")
        text.setText(block.text)
        text.setTextColor(*_INK)
        align = {-1: TextNode.ALeft, 0: TextNode.ACenter, 1: TextNode.ARight}[block.anchor]
        text.setAlign(align)
        path = self._layer.attachNewNode(text)
        path.setScale(_LINE * 0.85 * block.size * size)
        path.setPos(block.anchor * (aspect - 0.05), 0, height_of(block.row, size))
        path.setBin("fixed", 2)
        plate = CardMaker("plate")
        left, right, low, high = text.getLeft(), text.getRight(), text.getBottom(), text.getTop()
        plate.setFrame(left - 0.35, right + 0.35, low - 0.12, high + 0.12)
        back = NodePath(plate.generate())
        back.reparentTo(path)
        back.setColor(*_TONES[block.tone])
        back.setTransparency(TransparencyAttrib.MAlpha)
        back.setBin("fixed", 1)
        return path
