"""The graphics library: loads it once, opens a screen window or a hidden host, makes buffers on it.

Owns the only PRC page of the program. Knows nothing of cities; refuses to guess the environment.
"""

import sys
from dataclasses import dataclass
from functools import cache
from itertools import count
from typing import Any

from panda3d.core import (
    ConfigVariableBool,
    CullBinManager,
    ExecutionEnvironment,
    FrameBufferProperties,
    GraphicsEngine,
    GraphicsPipe,
    GraphicsPipeSelection,
    WindowProperties,
    loadPrcFileData,
)

from game.errors import MissingPart

_PRC = """
window-type none
load-display
aux-display
egl-device-index 0
audio-library-name null
sync-video 0
textures-power-2 none
gl-coordinate-system default
state-cache 1
notify-level-device fatal
notify-level-egldisplay fatal
notify-level-x11display fatal
notify-level-display error
notify-level-pnmtext warning
"""
_HEADLESS = ("p3headlessgl", "pandagl")  # the first is only in the Linux wheel
_numbers = count()
_hidden: "list[Device]" = []  # the one open hidden context, once for each who holds it
_REMEDY = "install them with: apt-get install libgl1 libegl1"
_TITLE_BAR = 64  # pixels of a display that a window of ours leaves free


@cache
def configure() -> None:
    """Load the PRC page and the draw order, once in a process."""
    loadPrcFileData("scale-diffusion", _PRC)
    bins = CullBinManager.getGlobalPtr()
    for sort, name, kind in (
        (11, "actors", CullBinManager.BT_fixed),
        (12, "props", CullBinManager.BT_front_to_back),  # each program in one go: to change
        (13, "shops", CullBinManager.BT_front_to_back),  # it costs more than drawing a tile
        (14, "walls", CullBinManager.BT_front_to_back),
        (15, "roofs", CullBinManager.BT_front_to_back),
        (16, "beneath", CullBinManager.BT_fixed),
        (17, "mirrored", CullBinManager.BT_front_to_back),
        (18, "mirrored_shops", CullBinManager.BT_front_to_back),
        (19, "ground", CullBinManager.BT_fixed),
        (20, "sky", CullBinManager.BT_fixed),
        (22, "shade", CullBinManager.BT_fixed),
    ):
        bins.addBin(name, kind, sort)


@cache
def _pipe(library: str) -> Any | None:
    """The pipe of one display library, or None where it does not load or finds no display."""
    configure()
    pipe = GraphicsPipeSelection.getGlobalPtr().makeModulePipe(library)
    return pipe if pipe is not None and pipe.isValid() else None


def frame_buffer(aux: int = 0) -> Any:
    """8-bit colour and 24-bit depth, with `aux` further 8-bit planes, never multisampled."""
    properties = FrameBufferProperties()
    properties.setRgbaBits(8, 8, 8, 8)
    properties.setDepthBits(24)
    properties.setMultisamples(0)
    properties.setAuxRgba(aux)
    return properties


@dataclass(frozen=True, slots=True)
class Device:
    """One open graphics context. host: the window, or the hidden buffer that all others share.

    number: of the context in this process. A shader program keeps the matrices that it was last
    fed, whichever context did it, so each context needs programs of its own.
    """

    engine: Any
    pipe: Any
    host: Any
    on_screen: bool
    number: int

    @property
    def family(self) -> str:
        """The renderer as the driver names it, 'llvmpipe (LLVM 15.0.6, 256 bits)'."""
        return str(self.host.getGsg().getDriverRenderer())

    def make_buffer(self, name: str, width: int, height: int, aux: int) -> Any:
        """A framebuffer object [px] on this context. Raises MissingPart where it is refused."""
        made = self.engine.makeOutput(
            self.pipe,
            name,
            -10,
            frame_buffer(aux),
            WindowProperties.size(width, height),
            GraphicsPipe.BFRefuseWindow,
            self.host.getGsg(),
            self.host,
        )
        if made is None:
            raise MissingPart(
                f"the graphics driver refuses a {width}x{height} buffer with {aux} label planes",
                "update the driver, or use the software renderer: "
                "apt-get install libgl1-mesa-dri libegl1",
            )
        made.setActive(False)  # drawn only when its own picture is asked for
        return made

    def discard(self, output: Any) -> None:
        """Give one buffer back."""
        output.clearRenderTextures()
        self.engine.removeWindow(output)

    def close(self) -> None:
        """Give the host back; every buffer must have gone before, of all who share it."""
        if self in _hidden:
            _hidden.remove(self)
        if self not in _hidden:
            self.engine.removeWindow(self.host)


def _open(library: str, properties: Any, flags: int, on_screen: bool) -> Device | None:
    pipe = _pipe(library)
    if pipe is None:
        return None
    engine = GraphicsEngine.getGlobalPtr()
    buffer = frame_buffer()
    if on_screen:
        buffer.setBackBuffers(1)  # a single-buffered window is never shown by some drivers
        properties.setSize(*_fitting(properties.getSize(), pipe))
    host = engine.makeOutput(pipe, "host", 0, buffer, properties, flags)
    if host is None:
        return None
    engine.openWindows()
    if host.getGsg() is None or not host.isValid():
        engine.removeWindow(host)
        return None
    host.setActive(False)
    return Device(engine, pipe, host, on_screen, next(_numbers))


def _fitting(size: tuple[int, int], pipe: Any) -> tuple[int, int]:
    """Width and height [px] that leave room for a title bar on this display, in the same shape."""
    wide, high = pipe.getDisplayWidth(), pipe.getDisplayHeight() - _TITLE_BAR
    if wide <= 0 or high <= 0:
        return size[0], size[1]  # the display does not tell
    share = min(1.0, wide / size[0], high / size[1])
    return int(size[0] * share), int(size[1] * share)


def open_hidden() -> Device:
    """The context without a screen, one for all. Raises MissingPart where there is no OpenGL."""
    if _hidden:
        _hidden.append(_hidden[0])
        return _hidden[0]
    for library in _HEADLESS:
        device = _open(library, WindowProperties.size(16, 16), GraphicsPipe.BFRefuseWindow, False)
        if device is not None:
            _hidden.append(device)
            return device
    raise MissingPart("no OpenGL library can be loaded to draw with", _REMEDY)


def open_screen(title: str, width: int, height: int, in_step: bool = False) -> Device | None:
    """A window on the display [px], or None where there is no display.

    in_step: each picture waits for the display to begin another one, so that none is torn.

    Under X11 the library takes the machine's first display where none is named; somebody else's
    screen is not ours to open windows on.
    """
    if sys.platform == "linux" and not ExecutionEnvironment.getEnvironmentVariable("DISPLAY"):
        return None
    configure()
    ConfigVariableBool("sync-video").setValue(in_step)
    properties = WindowProperties.size(width, height)
    properties.setTitle(title)
    return _open("pandagl", properties, GraphicsPipe.BFRequireWindow, True)
