"""The window before and beside the city: full screen or not, screens drawn in it, what it hears.

Owns the display's one window, its stage and its devices. `Window` drives a city through the same
one. Knows nothing of any city and keeps no clock.
"""

import time
from collections.abc import Callable, Mapping

import numpy as np
from numpy.typing import NDArray
from panda3d.core import WindowProperties

from game.view.device import Device, open_screen
from game.view.devices import Devices
from game.view.hud import Hud
from game.view.keys import BINDINGS, Deed
from game.view.present import Stage
from game.view.screen.canvas import Canvas, Marks
from game.view.screen.model import Event

_NOTHING = Hud()


class Front:
    """One window on the display. Make it with `open_front`."""

    def __init__(self, device: Device, now: Callable[[], int] = time.monotonic_ns) -> None:
        self.device = device
        self.stage = Stage(device)
        self._now = now
        self.devices = Devices(device.host, now)
        self._gone = False

    @property
    def closed(self) -> bool:
        """True once the player has closed the window, or `close` was called."""
        return self._gone or bool(self.device.host.isClosed())

    @property
    def size(self) -> tuple[int, int]:
        """Width and height [px]."""
        return self.stage.size

    @property
    def canvas(self) -> Canvas:
        """The window in points."""
        return Canvas.of(*self.size)

    def bind(self, bindings: Mapping[str, Deed] = BINDINGS) -> None:
        """Listen for these keys while somebody drives."""
        self.devices = Devices(self.device.host, self._now, bindings)

    def listen(self, on: bool) -> None:
        """Begin or end taking keys and pointer for a screen instead of for driving."""
        self.devices.listen(on)

    def events(self) -> list[Event]:
        """What was done to the screen since the last call; only while listening."""
        if self.closed:
            return []
        self.devices.poll()
        return self.devices.heard(self.canvas)

    def put(self, name: str, picture: NDArray[np.uint8]) -> None:
        """Hold a BGRA picture for the sprites of that name."""
        self.stage.paper.put(name, picture)

    def show(
        self, marks: Marks, picture: NDArray[np.uint8] | None = None, hud: Hud = _NOTHING
    ) -> None:
        """Draw marks over a BGRA picture (None keeps the last) and its HUD."""
        if not self.closed:
            self.stage.show(picture, hud, marks)

    def blank(self) -> None:
        """Forget the picture behind the screens."""
        self.stage.blank()

    def look(self) -> NDArray[np.uint8]:
        """What the window shows now, (h, w, 4) BGRA, top row first."""
        return self.stage.look()

    def full_screen(self, on: bool, size: tuple[int, int]) -> None:
        """Cover the display, or be a window of this size [px] in the middle of it."""
        wide = self.device.pipe.getDisplayWidth() or size[0]
        high = self.device.pipe.getDisplayHeight() or size[1]
        wanted = WindowProperties()
        wanted.setUndecorated(on)
        wanted.setFullscreen(on)
        if on:
            wanted.setOrigin(0, 0)
            wanted.setSize(wide, high)
        else:
            wanted.setOrigin(max(0, (wide - size[0]) // 2), max(0, (high - size[1]) // 2))
            wanted.setSize(*size)
        self.device.host.requestProperties(wanted)
        self.device.engine.openWindows()

    def cursor(self, shown: bool) -> None:
        """Show or hide the pointer."""
        wanted = WindowProperties()
        wanted.setCursorHidden(not shown)
        self.device.host.requestProperties(wanted)

    def close(self) -> None:
        """Give the window back; a second call does nothing."""
        if self._gone:
            return
        self._gone = True
        self.stage.close()
        self.device.close()


def open_front(title: str, width: int, height: int, in_step: bool = False) -> Front | None:
    """A window on the display [px], None where there is no display. in_step: see `open_screen`."""
    device = open_screen(title, width, height, in_step)
    return Front(device) if device is not None else None
