"""One class for the window on a screen and for the headless target.

Captures are drawn into an off-screen buffer of the fixed profile, from the state alone; the window
only presents. Owns the device, the scene and the capture target; refuses to keep any clock.
"""

import time
from collections.abc import Callable, Mapping
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from game.errors import MissingPart
from game.session.format import CaptureProfile
from game.view.camera import Eye, eye
from game.view.capture import Target
from game.view.device import Device, open_hidden, open_screen
from game.view.devices import Devices
from game.view.front import Front
from game.view.hud import Hud
from game.view.keys import Deed, RawInput
from game.view.present import Stage
from game.view.scene import Scene
from game.view.screen.canvas import Canvas, Marks
from game.world.city import City
from game.world.state import WorldState

Mode = Literal["auto", "window", "offscreen"]
Over = Callable[[Canvas], Marks]
_FIRST_SIZE = (960, 960)


class Window:
    """mode auto: a window where there is a display, else off-screen. Raises MissingPart without GL.

    family: the renderer's name. has_screen: whether somebody can see it. closed: whether the
    player has closed it (never true off-screen). front: the window to drive in, where one is open;
    scene: made for it, where there is one.
    """

    def __init__(
        self,
        city: City,
        profile: CaptureProfile,
        mode: Mode = "auto",
        title: str = "Scale Diffusion",
        now: Callable[[], int] = time.monotonic_ns,
        front: Front | None = None,
        scene: Scene | None = None,
    ) -> None:
        self.front = front
        self._device = _open(mode, title) if front is None else front.device
        self.has_screen = self._device.on_screen
        self.family = self._device.family
        self._scene = scene or Scene(city, profile, self._device.number)
        self._target = Target(
            self._device, self._scene, profile, profile.width, profile.height, labels=False
        )
        self._target.rehearse()
        self._stage: Stage | None = front.stage if front is not None else None
        self._devices: Devices | None = front.devices if front is not None else None
        if self.has_screen and front is None:
            self._stage, self._devices = Stage(self._device), Devices(self._device.host, now)
        self._gone = False

    @property
    def closed(self) -> bool:
        """True once the player has closed the window, or `close` was called."""
        return self._gone or (self.has_screen and self._device.host.isClosed())

    def poll(self) -> list[RawInput]:
        """Events of bound controls since the last poll; none off-screen."""
        if self._devices is None or self.closed:
            return []
        return self._devices.poll()

    def bind(self, bindings: Mapping[str, Deed], mouse_pace: int = 0) -> None:
        """Listen for these keys instead of the usual ones. mouse_pace: see `Devices`."""
        if self._devices is not None:
            before = self._devices
            self._devices = Devices(self._device.host, time.monotonic_ns, bindings, mouse_pace)
            self._devices.take_over(before)
            if self.front is not None:
                self.front.devices = self._devices

    def type(self, on: bool) -> None:
        """Begin or end taking keys as text instead of as driving."""
        if self._devices is not None:
            self._devices.type(on)

    def typed(self) -> list[str]:
        """What was typed since the last call: characters, or enter, escape, backspace."""
        return self._devices.typed() if self._devices is not None else []

    def capture(self, state: WorldState) -> NDArray[np.uint8]:
        """The picture of a state: uint8 (h, w, 4) BGRA, top row first, a fresh copy."""
        return self.capture_from(eye(state), state)

    def capture_from(self, view: Eye, state: WorldState) -> NDArray[np.uint8]:
        """The same from an eye of one's own: for watching, never for a recording."""
        self._scene.pose(state, view, aspect=self._target.width / self._target.height)
        self._target.draw(view)
        return self._target.bgra()

    def redraw(self, edges: str) -> None:
        """Capture with such edges from now on, hard or smooth; a session is drawn with one kind."""
        self._target.edges = edges

    def present(
        self, picture: NDArray[np.uint8] | None, hud: Hud, over: Over | None = None
    ) -> None:
        """Show a BGRA picture (captured or styled; None keeps the last) under the HUD.

        over: what is drawn on top of it, for a canvas of the window's size; never captured.
        """
        if self._stage is not None and not self.closed:
            marks = over(Canvas.of(*self._stage.size)) if over is not None else ()
            self._stage.show(picture, hud, marks)

    def close(self) -> None:
        """Give window, buffers and geometry back; a second call does nothing."""
        if self._gone:
            return
        self._gone = True
        self._target.close()
        if self._stage is not None and self.front is None:
            self._stage.close()
        self._scene.close()
        if self.front is None:  # whoever opened the window closes it
            self._device.close()


def _open(mode: Mode, title: str) -> Device:
    if mode in ("auto", "window"):
        device = open_screen(title, *_FIRST_SIZE)
        if device is not None:
            return device
        if mode == "window":
            raise MissingPart(
                "there is no display to open a window on",
                "start it from a desktop session, or draw without one: --set play.window=offscreen",
            )
    return open_hidden()
