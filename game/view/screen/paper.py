"""Draws marks with Panda3D: the only file of the screens that knows a library.

Owns the fonts, the nodes and the textures of given pictures. Keeps a mark's node as long as the
same mark is asked for, so that a still screen costs nothing.
"""

from functools import cache
from importlib import resources
from typing import Any

import numpy as np
from numpy.typing import NDArray
from panda3d.core import (
    CardMaker,
    DynamicTextFont,
    Filename,
    LineSegs,
    NodePath,
    TextNode,
    Texture,
    TransparencyAttrib,
)

from game.view.screen.canvas import Box, Canvas, Colour, Lines, Mark, Marks, Sprite, Stroke, Words

_FONTS = ("DejaVuSansMono.ttf", "DejaVuSansMono-Bold.ttf")
_ASCENT = 0.95  # of a size, from the top of a line down to its baseline


@cache
def _font(bold: bool, pixels: int) -> Any:
    """The font in letters of so many pixels, so that no letter is ever stretched."""
    path = resources.files("assets").joinpath("fonts", _FONTS[bold])
    font = DynamicTextFont(Filename.fromOsSpecific(str(path)))
    font.setPixelsPerUnit(pixels)
    font.setPageSize(512, 512)
    font.setPointSize(10)
    font.setMinfilter(Texture.FTLinear)
    font.setMagfilter(Texture.FTLinear)
    return font


class Paper:
    """Marks under `root`, whose space is -aspect..aspect by -1..1, as the stage's is."""

    def __init__(self, root: Any, first_bin: int = 10) -> None:
        self._layer = root.attachNewNode("paper")
        self._layer.setTransparency(TransparencyAttrib.MAlpha)
        self._bin = first_bin
        self._nodes: dict[tuple[Mark, int], Any] = {}
        self._canvas: Canvas | None = None
        self._textures: dict[str, Any] = {}

    def put(self, name: str, picture: NDArray[np.uint8]) -> None:
        """Hold a picture (h, w, 4) BGRA, top row first, for sprites of this name."""
        high, wide = picture.shape[:2]
        texture = Texture(name)
        texture.setup2dTexture(wide, high, Texture.TUnsignedByte, Texture.FRgba8)
        texture.setRamImage(np.ascontiguousarray(picture[::-1]).tobytes())
        texture.setMinfilter(Texture.FTLinear)
        texture.setMagfilter(Texture.FTLinear)
        texture.setWrapU(Texture.WMClamp)
        texture.setWrapV(Texture.WMClamp)
        self._textures[name] = texture
        for key in [k for k in self._nodes if isinstance(k[0], Sprite) and k[0].name == name]:
            self._nodes.pop(key).removeNode()

    def show(self, marks: Marks, canvas: Canvas) -> None:
        """Make the layer show these marks, in their order."""
        if canvas != self._canvas:
            self.clear()
            self._canvas = canvas
        wanted: dict[tuple[Mark, int], int] = {}
        for order, mark in enumerate(marks):
            twin = 0
            while (mark, twin) in wanted:
                twin += 1
            wanted[(mark, twin)] = order
        for key in [key for key in self._nodes if key not in wanted]:
            self._nodes.pop(key).removeNode()
        for key, order in wanted.items():
            node = self._nodes.get(key)
            if node is None:
                node = self._nodes[key] = self._made(key[0], canvas)
            node.setBin("fixed", self._bin + order)

    def clear(self) -> None:
        """Show nothing."""
        for node in self._nodes.values():
            node.removeNode()
        self._nodes.clear()

    def close(self) -> None:
        """Let go of everything."""
        self.clear()
        self._layer.removeNode()
        self._textures.clear()

    def _made(self, mark: Mark, canvas: Canvas) -> Any:
        if isinstance(mark, Words):
            return self._words(mark, canvas)
        if isinstance(mark, Stroke):
            return self._stroke(mark, canvas)
        if isinstance(mark, Lines):
            return self._many(mark, canvas)
        return self._card(mark, canvas)

    def _at(self, x: float, y: float, canvas: Canvas) -> tuple[float, float]:
        """Points to the layer's own units."""
        half = canvas.height / 2
        return (x - canvas.width / 2) / half, (half - y) / half

    def _words(self, mark: Words, canvas: Canvas) -> Any:
        pixels = max(6, round(mark.size * canvas.scale))
        text = TextNode("words")
        text.setFont(_font(mark.bold, pixels))
        text.setText(mark.text)
        text.setTextColor(*mark.colour)
        align = {-1: TextNode.ALeft, 0: TextNode.ACenter, 1: TextNode.ARight}[mark.anchor]
        text.setAlign(align)
        node = self._layer.attachNewNode(text.generate())
        x, y = self._at(mark.x, mark.y + _ASCENT * mark.size, canvas)
        pixel = 2.0 / (canvas.height * canvas.scale)
        node.setPos(round(x / pixel) * pixel, 0, round(y / pixel) * pixel)
        node.setScale(mark.size * 2.0 / canvas.height)
        return node

    def _card(self, mark: Box | Sprite, canvas: Canvas) -> Any:
        left, top = self._at(mark.x, mark.y, canvas)
        right, low = self._at(mark.x + mark.width, mark.y + mark.height, canvas)
        maker = CardMaker("card")
        maker.setFrame(left, right, low, top)
        node = NodePath("card")
        inner = node.attachNewNode(maker.generate())
        node.reparentTo(self._layer)
        if isinstance(mark, Sprite):
            inner.setColorScale(*mark.colour)
            texture = self._textures.get(mark.name)
            if texture is None:
                inner.hide()
            else:
                inner.setTexture(texture)
            return node
        inner.setColor(*mark.fill)
        if mark.edge is not None:
            x, y, w, h = mark.x, mark.y, mark.width, mark.height
            ring = ((x, y), (x + w, y), (x + w, y + h), (x, y + h))
            edge = self._lines(ring, mark.line, mark.edge, True, canvas)
            node.attachNewNode(edge)
        return node

    def _stroke(self, mark: Stroke, canvas: Canvas) -> Any:
        node = NodePath("stroke")
        node.attachNewNode(self._lines(mark.points, mark.width, mark.colour, mark.closed, canvas))
        node.reparentTo(self._layer)
        return node

    def _many(self, mark: Lines, canvas: Canvas) -> Any:
        pen = LineSegs("lines")
        pen.setThickness(max(1.0, mark.width * canvas.scale))
        pen.setColor(*mark.colour)
        for ax, ay, bx, by in mark.segments:
            (x, y), (u, v) = self._at(ax, ay, canvas), self._at(bx, by, canvas)
            pen.moveTo(x, 0, y)
            pen.drawTo(u, 0, v)
        return self._layer.attachNewNode(pen.create())

    def _lines(
        self, points: tuple[tuple[float, float], ...], width: float, colour: Colour,
        closed: bool, canvas: Canvas,
    ) -> Any:  # fmt: skip
        pen = LineSegs("lines")
        pen.setThickness(max(1.0, width * canvas.scale))
        pen.setColor(*colour)
        for number, point in enumerate((*points, points[0]) if closed else points):
            x, y = self._at(*point, canvas)
            if number:
                pen.drawTo(x, 0, y)
            else:
                pen.moveTo(x, 0, y)
        return pen.create()
