"""The window's own picture: a card with the newest frame, letterboxed, and the HUD over it."""

import numpy as np
from numpy.typing import NDArray
from panda3d.core import Camera, CardMaker, NodePath, OrthographicLens, Texture

from game.view.device import Device
from game.view.hud import Hud, HudLayer


def fit(picture: float, window: float) -> tuple[float, float]:
    """Half width and height of a card of aspect `picture` in (-window..window, -1..1)."""
    return (picture, 1.0) if picture <= window else (window, window / picture)


class Stage:
    """What is seen in the window. Owns one texture; never touches what is captured."""

    def __init__(self, device: Device) -> None:
        self._device = device
        self._root = NodePath("stage")
        self._root.setDepthTest(False)
        self._root.setDepthWrite(False)
        self._lens = OrthographicLens()
        self._lens.setNearFar(-10, 10)
        camera = self._root.attachNewNode(Camera("stage", self._lens))
        region = device.host.makeDisplayRegion()
        region.setCamera(camera)
        device.host.setClearColorActive(True)
        device.host.setClearColor((0.02, 0.02, 0.025, 1))
        card = CardMaker("picture")
        card.setFrame(-1, 1, -1, 1)
        self._card = self._root.attachNewNode(card.generate())
        self._card.setBin("fixed", 0)
        self._card.hide()
        self._texture = Texture("picture")
        self._size = (0, 0)
        self._hud = HudLayer(self._root)

    def show(self, picture: NDArray[np.uint8] | None, hud: Hud) -> None:
        """Draw and flip. picture: BGRA (h, w, 4), top row first; None keeps the last one."""
        width, height = self._window()
        aspect = width / height
        self._lens.setFilmSize(2 * aspect, 2)
        if picture is not None:
            self._upload(picture)
        if self._size != (0, 0):
            across, up = fit(self._size[0] / self._size[1], aspect)
            self._card.setScale(across, 1, up)
        self._hud.show(hud, aspect)
        self._device.host.setActive(True)
        self._device.engine.renderFrame()
        self._device.engine.flipFrame()
        self._device.host.setActive(False)

    def _window(self) -> tuple[int, int]:
        host = self._device.host
        return max(host.getXSize(), 1), max(host.getYSize(), 1)

    def _upload(self, picture: NDArray[np.uint8]) -> None:
        height, width = picture.shape[:2]
        if (width, height) != self._size:
            self._texture.setup2dTexture(width, height, Texture.TUnsignedByte, Texture.FRgba8)
            self._texture.setMinfilter(Texture.FTLinear)
            self._texture.setMagfilter(Texture.FTLinear)
            self._texture.setWrapU(Texture.WMClamp)
            self._texture.setWrapV(Texture.WMClamp)
            self._card.setTexture(self._texture)
            self._card.show()
            self._size = (width, height)
        rows = memoryview(self._texture.modifyRamImage()).cast("B")
        np.frombuffer(rows, np.uint8).reshape(height, width, 4)[:] = picture[::-1]

    def close(self) -> None:
        """Let go of the nodes."""
        self._root.removeNode()
