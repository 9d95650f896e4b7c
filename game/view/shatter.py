"""Draws a screen that breaks and puts itself together as another picture, over the stage.

Owns the pieces' nodes and both pictures. Where each piece is, `screen.shards` says.
"""

from typing import Any

import numpy as np
from numpy.typing import NDArray
from panda3d.core import (
    Geom,
    GeomNode,
    GeomTriangles,
    GeomVertexData,
    GeomVertexFormat,
    GeomVertexWriter,
    LineSegs,
    Texture,
    TransparencyAttrib,
)

from game.view.front import Front
from game.view.screen.shards import CRACK, Shard, pose, shatter

_BIN = 6000  # over every screen


class Shatter:
    """old: what breaks. new: what comes together, both (h, w, 4) BGRA, top row first."""

    def __init__(
        self, front: Front, old: NDArray[np.uint8], new: NDArray[np.uint8], seed: int = 11
    ) -> None:
        self._front, self._shards = front, shatter(seed)
        self._root = front.stage.root.attachNewNode("shatter")
        self._root.setTransparency(TransparencyAttrib.MAlpha)
        self._root.setTwoSided(True)
        self._pieces = [self._piece(each, order) for order, each in enumerate(self._shards)]
        was, becomes = _texture("old", old), _texture("new", new)  # one for all pieces
        for nodes in self._pieces:
            nodes[1].setTexture(was)
            nodes[2].setTexture(becomes)

    def show(self, share: float, target: tuple[float, float, float, float]) -> None:
        """The pieces at `share` (0 to 1) of the way into `target` (left, top, width, height)."""
        width, height = self._front.size
        aspect = width / height
        self._root.setScale(2 * aspect, 1, 2)
        self._root.setPos(-aspect, 0, 1)
        for shard, (node, old, new, crack) in zip(self._shards, self._pieces, strict=True):
            at = pose(shard, share, target)
            node.setPos(at.x, 0, -at.y)
            node.setScale(at.wide, 1, at.high)
            node.setR(at.turn)
            old.setAlphaScale(1.0)
            new.setAlphaScale(at.mix)
            crack.setAlphaScale(min(1.0, share / CRACK) * (1.0 - at.mix))

    def close(self) -> None:
        """Let go of the pieces."""
        self._root.removeNode()

    def _piece(self, shard: Shard, order: int) -> tuple[Any, Any, Any, Any]:
        node = self._root.attachNewNode("shard")
        old = node.attachNewNode(_polygon(shard))
        new = node.attachNewNode(_polygon(shard))
        crack = node.attachNewNode(_outline(shard))
        for number, each in enumerate((old, new, crack)):
            each.setBin("fixed", _BIN + 3 * order + number)
        return node, old, new, crack


def _texture(name: str, picture: NDArray[np.uint8]) -> Any:
    high, wide = picture.shape[:2]
    texture = Texture(name)
    texture.setup2dTexture(wide, high, Texture.TUnsignedByte, Texture.FRgba8)
    opaque = picture[::-1].copy()
    opaque[..., 3] = 255
    texture.setRamImage(opaque.tobytes())
    texture.setMinfilter(Texture.FTLinear)
    texture.setWrapU(Texture.WMClamp)
    texture.setWrapV(Texture.WMClamp)
    return texture


def _polygon(shard: Shard) -> Any:
    """A fan around the first corner, in a space whose origin is the piece's middle."""
    data = GeomVertexData("shard", GeomVertexFormat.getV3t2(), Geom.UHStatic)
    place, picture = GeomVertexWriter(data, "vertex"), GeomVertexWriter(data, "texcoord")
    for x, y in shard.corners:
        place.addData3(x - shard.middle[0], 0, shard.middle[1] - y)
        picture.addData2(x, 1.0 - y)
    triangles = GeomTriangles(Geom.UHStatic)
    for corner in range(1, len(shard.corners) - 1):
        triangles.addVertices(0, corner, corner + 1)
    geom = Geom(data)
    geom.addPrimitive(triangles)
    node = GeomNode("shard")
    node.addGeom(geom)
    return node


def _outline(shard: Shard) -> Any:
    pen = LineSegs("crack")
    pen.setThickness(1.5)
    pen.setColor(0.85, 1.0, 0.95, 0.8)
    for number, (x, y) in enumerate((*shard.corners, shard.corners[0])):
        to = (x - shard.middle[0], 0, shard.middle[1] - y)
        (pen.drawTo if number else pen.moveTo)(*to)
    return pen.create()
