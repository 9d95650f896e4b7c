"""One off-screen target of a fixed size and its read-back, the one place that flips and copies.

Colour alone, or colour with class, instance, normal and depth in the same pass.
"""

from typing import Any

import numpy as np
from numpy.typing import NDArray
from panda3d.core import (
    Camera as PandaCamera,
)
from panda3d.core import (
    DrawableRegion,
    GraphicsOutput,
    NodePath,
    PerspectiveLens,
    Texture,
)

from game.session.format import CaptureProfile
from game.session.protocols import Picture
from game.view.camera import Eye
from game.view.daylight import look
from game.view.device import Device
from game.view.materials import TAG, labelled
from game.view.scene import Scene

_AUX = ("class", "instance", "normal")


class Target:
    """Draws a scene into its own buffer. With `labels` it reads all channels back, else colour."""

    def __init__(
        self, device: Device, scene: Scene, profile: CaptureProfile, width: int, height: int,
        labels: bool,
    ) -> None:  # fmt: skip
        self._device, self._profile = device, profile
        self.width, self.height, self.labels = width, height, labels
        self._buffer = device.make_buffer("capture", width, height, len(_AUX) if labels else 0)
        self._planes = {"colour": Texture("colour")}
        self._attach()
        lens = PerspectiveLens()
        lens.setNearFar(profile.near, profile.far)
        lens.setAspectRatio(width / height)
        lens.setMinFov(profile.fov_degrees)
        self.camera = NodePath(PandaCamera("eye", lens))
        self.camera.reparentTo(scene.root)
        if labels:
            self.camera.node().setTagStateKey(TAG)
            for name, state in labelled(scene.features).items():
                self.camera.node().setTagState(name, state)
        self._buffer.makeDisplayRegion().setCamera(self.camera)

    def _attach(self) -> None:
        buffer, ram = self._buffer, GraphicsOutput.RTMCopyRam
        buffer.addRenderTexture(self._planes["colour"], ram, GraphicsOutput.RTPColor)
        buffer.setClearColorActive(True)
        buffer.setClearColor((*look(self._profile).mirror, 1.0))
        buffer.setClearDepthActive(True)
        if not self.labels:
            return
        for index, name in enumerate(_AUX):
            self._planes[name] = Texture(name)
            plane = getattr(DrawableRegion, f"RTP_aux_rgba_{index}")
            buffer.addRenderTexture(self._planes[name], ram, plane)
            buffer.setClearActive(plane, True)
            buffer.setClearValue(plane, (0, 0, 0, 0))
        depth = Texture("depth")
        depth.setFormat(Texture.FDepthComponent32)
        depth.setComponentType(Texture.TFloat)
        buffer.addRenderTexture(depth, ram, GraphicsOutput.RTPDepth)
        self._planes["depth"] = depth

    def draw(self, eye: Eye) -> None:
        """One picture from `eye`; afterwards the planes hold it."""
        self.camera.setPosHpr(*eye.panda())
        self._buffer.setActive(True)
        self._device.engine.renderFrame()
        self._buffer.setActive(False)

    def bgra(self) -> NDArray[np.uint8]:
        """Colour as a fresh (h, w, 4) array, top row first."""
        return self._plane("colour", np.dtype(np.uint8))

    def _plane(self, name: str, kind: np.dtype[Any]) -> NDArray[Any]:
        # the view aliases the texture and the next frame overwrites it: flip and copy here, once
        view = np.frombuffer(self._planes[name].getRamImage(), kind)
        return np.ascontiguousarray(view.reshape(self.height, self.width, -1)[::-1])

    def channel(self, name: str) -> Picture:
        """One channel as `game.session.protocols.Renderer` defines it."""
        if name == "depth":
            near, far = self._profile.near, self._profile.far
            z = self._plane("depth", np.dtype(np.float32))[..., 0].astype(np.float64)
            z *= near - far  # near far / (far - z (far - near)), in place
            z += far
            return np.asarray(np.divide(near * far, z, out=z), np.float32)
        raw = self._plane(name, np.dtype(np.uint8))
        if name == "colour":
            return np.ascontiguousarray(raw[..., 2::-1])
        if name == "class":
            return np.ascontiguousarray(raw[..., 2])
        if name == "instance":
            packed = raw.view("<u4")[..., 0].byteswap()  # from B G R A, the low byte in red
            packed >>= np.uint32(8)
            return packed
        normal = raw[..., 2::-1].astype(np.float32)
        normal -= np.float32(128.0)
        normal /= np.float32(127.0)
        return normal

    def close(self) -> None:
        """Give the buffer back."""
        self.camera.removeNode()
        self._device.discard(self._buffer)
