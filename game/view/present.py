"""The window's own picture: a card with the newest frame, letterboxed, and the HUD over it."""

from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from panda3d.core import Camera, CardMaker, NodePath, OrthographicLens, Shader, Texture

from game.view.device import Device
from game.view.hud import Hud, HudLayer
from game.view.screen.canvas import Canvas, Marks
from game.view.screen.paper import Paper

_SWAYING = 1.035
"""A picture that moves is so much larger, so that no edge of it is seen."""


def _sharp() -> Any:
    """The program of "sharp"; each context needs its own."""
    folder = Path(__file__).parent / "shaders"
    vertex, fragment = ((folder / name).read_text("utf-8") for name in ("card.vert", "sharp.frag"))
    return Shader.make(Shader.SL_GLSL, vertex=vertex, fragment=fragment)


def fit(picture: float, window: float) -> tuple[float, float]:
    """Half width and height of a card of aspect `picture` in (-window..window, -1..1)."""
    return (picture, 1.0) if picture <= window else (window, window / picture)


class Stage:
    """What is seen in the window. Owns one texture; never touches what is captured."""

    def __init__(self, device: Device) -> None:
        self._device = device
        self.root = NodePath("stage")
        self.root.setDepthTest(False)
        self.root.setDepthWrite(False)
        self._lens = OrthographicLens()
        self._lens.setNearFar(-10, 10)
        camera = self.root.attachNewNode(Camera("stage", self._lens))
        region = device.host.makeDisplayRegion()
        region.setCamera(camera)
        device.host.setClearColorActive(True)
        device.host.setClearColor((0.02, 0.02, 0.025, 1))
        card = CardMaker("picture")
        card.setFrame(-1, 1, -1, 1)
        self._card = self.root.attachNewNode(card.generate())
        self._card.setBin("fixed", 0)
        self._card.hide()
        self._texture = Texture("picture")
        self._size = (0, 0)
        self._sway = (0.0, 0.0, 0.0)
        self._hud = HudLayer(self.root)
        self.hud_size = 1.0
        """Of the HUD's letters."""
        self._scaling = "smooth"
        self.paper = Paper(self.root)

    def show(self, picture: NDArray[np.uint8] | None, hud: Hud, marks: Marks = ()) -> None:
        """Draw and flip. picture: BGRA (h, w, 4), top row first; None keeps the last one.

        marks: of a screen, over picture and HUD.
        """
        width, height = self.size
        aspect = width / height
        self._lens.setFilmSize(2 * aspect, 2)
        if picture is not None:
            self._upload(picture)
        if self._size != (0, 0):
            across, up = fit(self._size[0] / self._size[1], aspect)
            x, y, turn = self._sway
            bigger = _SWAYING if self._sway != (0.0, 0.0, 0.0) else 1.0
            self._card.setScale(across * bigger, 1, up * bigger)
            self._card.setPos(2 * up * x, 0, 2 * up * y)
            self._card.setR(turn)
        self._hud.show(hud, aspect, self.hud_size)
        self.paper.show(marks, Canvas.of(width, height))
        self._device.host.setActive(True)
        self._device.engine.renderFrame()
        self._device.engine.flipFrame()
        self._device.host.setActive(False)

    def sway(self, x: float, y: float, turn: float) -> None:
        """Move the picture from the next one on: shares of its height, degrees. (0, 0, 0): not."""
        self._sway = (x, y, turn)

    def scale(self, how: str) -> None:
        """Fill the window in one of `theme.SCALINGS`, from the next picture on."""
        self._scaling = how
        kind = Texture.FTNearest if how == "pixels" else Texture.FTLinear
        self._texture.setMagfilter(kind)
        if how == "sharp":
            self._card.setShader(_sharp())
            self._card.setShaderInput("grain", (float(self._size[0]), float(self._size[1])))
        else:
            self._card.clearShader()

    def blank(self) -> None:
        """Forget the picture."""
        self._card.hide()
        self._size = (0, 0)

    def look(self) -> NDArray[np.uint8]:
        """What the window shows, (h, w, 4) BGRA, top row first."""
        shot = self._device.host.getScreenshot()
        wide, high = shot.getXSize(), shot.getYSize()
        flat = np.frombuffer(shot.getRamImageAs("BGRA"), np.uint8)
        return np.ascontiguousarray(flat.reshape(high, wide, 4)[::-1])

    @property
    def size(self) -> tuple[int, int]:
        """Width and height of the window [px]."""
        host = self._device.host
        return max(host.getXSize(), 1), max(host.getYSize(), 1)

    def _upload(self, picture: NDArray[np.uint8]) -> None:
        height, width = picture.shape[:2]
        if (width, height) != self._size:
            self._texture.setup2dTexture(width, height, Texture.TUnsignedByte, Texture.FRgba8)
            self._texture.setMinfilter(Texture.FTLinear)
            self._texture.setWrapU(Texture.WMClamp)
            self._texture.setWrapV(Texture.WMClamp)
            self._card.setTexture(self._texture)
            self._card.show()
            self._size = (width, height)
            self.scale(self._scaling)
        rows = memoryview(self._texture.modifyRamImage()).cast("B")
        np.frombuffer(rows, np.uint8).reshape(height, width, 4)[:] = picture[::-1]

    def close(self) -> None:
        """Let go of the nodes."""
        self.paper.close()
        self.root.removeNode()
