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


def layout(hud: Hud) -> tuple[Block, ...]:
    """Where each part stands; pure, so that it can be tested without a screen."""
    blocks = [Block(line, -1, 0.6 + row * 1.25) for row, line in enumerate(hud.lines)]
    blocks += [
        Block(chip.text, 1, 0.6 + row * 1.35, chip.tone) for row, chip in enumerate(hud.chips)
    ]
    if hud.title:
        clock = f"   {_clock(hud.remaining)}" if hud.remaining >= 0 else ""
        blocks.append(Block(hud.title + clock, 0, 0.6))
    if hud.outcome:
        tone = "good" if hud.outcome.startswith("passed") else "bad"
        blocks.append(Block(hud.outcome, 0, 2.0, tone))
    if hud.message:
        lines = textwrap.wrap(hud.message, _MESSAGE_WIDTH) or [""]
        blocks.append(Block("\n".join(lines), 0, 14.0, "warn", 1.25))
    if hud.stages:
        told = equation(hud.stages, hud.graph[-1]) if hud.graph else "measuring"
        blocks.append(Block(told, -1, 29.6, size=0.72))
        blocks.append(Block(f"{ceiling(hud.graph):.0f} ms", -1, 22.9, size=0.6))
    if hud.wallet:
        blocks.append(Block(hud.wallet, 1, 31.8))
    if hud.place:
        blocks.append(Block(hud.place, 0, 31.8))
    if hud.speed >= 0:
        blocks.append(Block(f"{hud.speed * 3600 / 1609.344:.0f} mph", -1, 31.4, size=1.5))
    return tuple(blocks)


def _clock(seconds: float) -> str:
    whole = int(seconds)
    return f"{whole // 60}:{whole % 60:02d}"


class HudLayer:
    """Draws a Hud under `root`, whose space is -aspect..aspect by -1..1. Rebuilds what changed."""

    def __init__(self, root: Any) -> None:
        self._root = root
        self._drawn: tuple[tuple[Block, ...], float, tuple[tuple[float, ...], ...]] | None = None
        self._layer = root.attachNewNode("hud")

    def show(self, hud: Hud, aspect: float) -> None:
        """Make the layer show `hud` in a window of this aspect ratio."""
        wanted = (layout(hud), aspect, hud.graph)
        if wanted == self._drawn:
            return
        self._layer.removeNode()
        self._layer = self._root.attachNewNode("hud")
        for block in wanted[0]:
            self._write(block, aspect)
        if hud.stages:
            self._plot(hud.graph, aspect)
        self._drawn = wanted

    def _plot(self, graph: tuple[tuple[float, ...], ...], aspect: float) -> None:
        """The latency graph at the left, over the equation."""
        picture = paint(graph)
        high, wide = picture.shape[:2]
        texture = Texture("latency")
        texture.setup2dTexture(wide, high, Texture.TUnsignedByte, Texture.FRgba8)
        texture.setMagfilter(Texture.FTNearest)
        texture.setRamImage(picture[::-1].tobytes())
        card = CardMaker("latency")
        tall = 5.4 * _LINE
        card.setFrame(0, tall * wide / high, 0, tall)
        path = self._layer.attachNewNode(card.generate())
        path.setTexture(texture)
        path.setTransparency(TransparencyAttrib.MAlpha)
        path.setPos(-(aspect - 0.05), 0, 1.0 - 29.5 * _LINE)
        path.setBin("fixed", 2)

    def _write(self, block: Block, aspect: float) -> None:
        text = TextNode("text")
        text.setText(block.text)
        text.setTextColor(*_INK)
        align = {-1: TextNode.ALeft, 0: TextNode.ACenter, 1: TextNode.ARight}[block.anchor]
        text.setAlign(align)
        size = _LINE * 0.85 * block.size
        path = self._layer.attachNewNode(text)
        path.setScale(size)
        path.setPos(block.anchor * (aspect - 0.05), 0, 1.0 - (block.row + 0.55) * _LINE)
        path.setBin("fixed", 2)
        plate = CardMaker("plate")
        left, right, low, high = text.getLeft(), text.getRight(), text.getBottom(), text.getTop()
        plate.setFrame(left - 0.35, right + 0.35, low - 0.12, high + 0.12)
        back = NodePath(plate.generate())
        back.reparentTo(path)
        back.setColor(*_TONES[block.tone])
        back.setTransparency(TransparencyAttrib.MAlpha)
        back.setBin("fixed", 1)
