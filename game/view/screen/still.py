"""Screens drawn without a window, for pictures in the docs and for looking at what was made."""

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray
from panda3d.core import Camera, GraphicsOutput, NodePath, OrthographicLens, Texture

from game.view.device import open_hidden
from game.view.screen.canvas import Canvas, Marks
from game.view.screen.paper import Paper


def still(
    marks: Marks, width: int, height: int, pictures: Mapping[str, NDArray[np.uint8]] | None = None
) -> NDArray[np.uint8]:
    """Marks as a picture (height, width, 4) BGRA, top row first. pictures: those of its sprites.

    Raises MissingPart without OpenGL.
    """
    device = open_hidden()
    try:
        buffer = device.make_buffer("still", width, height, 0)
        plane = Texture("still")
        buffer.addRenderTexture(plane, GraphicsOutput.RTMCopyRam, GraphicsOutput.RTPColor)
        buffer.setClearColorActive(True)
        buffer.setClearColor((0.0, 0.0, 0.0, 1.0))
        root = NodePath("still")
        root.setDepthTest(False)
        root.setDepthWrite(False)
        lens = OrthographicLens()
        lens.setNearFar(-10, 10)
        lens.setFilmSize(2 * width / height, 2)
        buffer.makeDisplayRegion().setCamera(root.attachNewNode(Camera("still", lens)))
        paper = Paper(root)
        for name, picture in (pictures or {}).items():
            paper.put(name, picture)
        paper.show(marks, Canvas.of(width, height))
        buffer.setActive(True)
        device.engine.renderFrame()
        flat = np.frombuffer(plane.getRamImage(), np.uint8).reshape(height, width, 4)
        out = np.ascontiguousarray(flat[::-1])
        paper.close()
        device.discard(buffer)
        return out
    finally:
        device.close()
