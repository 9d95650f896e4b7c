"""One off-screen target of a fixed size and its read-back, the one place that flips and copies.

Colour alone, or colour with class, instance, normal and depth in the same pass.
"""

from contextlib import nullcontext
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
from game.view.edges import soften
from game.view.materials import TAG, labelled
from game.view.scene import Scene

_BYTE = np.dtype(np.uint8)
_PIXEL = np.dtype("<u4")
_OPAQUE, _FACE = np.uint32(0xFF000000), np.uint32(24)  # alpha of a picture; where it begins
_AUX = ("class", "instance", "normal")


class Target:
    """Draws a scene into its own buffer. With `labels` it reads all channels back, else colour."""

    def __init__(
        self, device: Device, scene: Scene, profile: CaptureProfile, width: int, height: int,
        labels: bool,
    ) -> None:  # fmt: skip
        self._device, self._profile, self._scene = device, profile, scene
        self._rehearse = False
        self.width, self.height, self.labels = width, height, labels
        self.edges = profile.edges
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
        buffer.setClearColor((*look(self._profile).mirror, 0.0))
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

    def rehearse(self) -> None:
        """Let the next picture compile every program, also of what it does not show."""
        self._rehearse = True

    def draw(self, eye: Eye) -> None:
        """One picture from `eye`; afterwards the planes hold it."""
        self.camera.setPosHpr(*eye.panda())
        self._buffer.setActive(True)
        with self._scene.rehearsal.drawn() if self._rehearse else nullcontext():
            self._device.engine.renderFrame()
        self._rehearse = False
        self._buffer.setActive(False)

    def bgra(self) -> NDArray[np.uint8]:
        """Colour as a fresh (h, w, 4) array, top row first; its edges as the profile says."""
        drawn = self._view("colour", _PIXEL)[..., 0]
        made: NDArray[np.uint32] = np.bitwise_or(drawn, _OPAQUE)
        if self.edges == "smooth":
            soften(made, (drawn >> _FACE).astype(np.uint8))
        return made.view(np.uint8).reshape(self.height, self.width, 4)

    def _view(self, name: str, kind: np.dtype[Any] = _BYTE) -> NDArray[Any]:
        """A plane with its top row first. It aliases the texture, which the next frame overwrites:
        copy before anyone sees it."""
        view = np.frombuffer(self._planes[name].getRamImage(), kind)
        return view.reshape(self.height, self.width, -1)[::-1]

    def _rgb(self, plane: NDArray[np.uint8], kind: np.dtype[Any]) -> NDArray[Any]:
        """Red, green and blue of a plane; one at a time, which is three times as fast."""
        made = np.empty((self.height, self.width, 3), kind)
        for k in range(3):
            made[..., k] = plane[..., 2 - k]
        return made

    def channel(self, name: str) -> Picture:
        """One channel as `game.session.protocols.Renderer` defines it."""
        if name == "depth":
            near, far = np.float32(self._profile.near), np.float32(self._profile.far)
            z = np.float32(1.0) - self._view("depth", np.dtype(np.float32))[..., 0]  # exact
            z *= far - near  # near far / (near + (1 - z) (far - near)), in place
            z += near
            return np.divide(near * far, z, out=z)
        if name == "colour":
            return self._rgb(self.bgra(), _BYTE)
        if name == "class":
            return np.ascontiguousarray(self._view(name)[..., 2])
        if name == "instance":
            packed = self._view(name, np.dtype("<u4"))[
                ..., 0
            ].byteswap()  # from B G R A, low in red
            packed >>= np.uint32(8)
            return packed
        normal = self._rgb(self._view(name), np.dtype(np.float32))
        normal -= np.float32(128.0)
        normal /= np.float32(127.0)
        return normal

    def close(self) -> None:
        """Give the buffer back."""
        self.camera.removeNode()
        self._device.discard(self._buffer)
