"""What the Graphics page says of this machine and of the capture. Pure: names in, rows out.

Knows which renderers draw with the processor alone, and what a player can do about that.
"""

from game.session.format import CaptureProfile
from game.view.screen.model import Button, Note, Row, Screen
from game.world.version import TICK_HZ

_SOFTWARE = ("llvmpipe", "softpipe", "swrast", "swiftshader", "gdi generic", "basic render",
             "software")  # fmt: skip

_ADVICE = (
    Button("card", "There is a card in this machine", lines=(
        "Install its driver and start again. Linux: Mesa, or the maker's own; Windows and macOS: "
        "the system's update; a virtual machine: switch 3D on.",)),
    Button("none", "There is none", lines=(
        "A window of 480, smooth pictures, 30 a second, and no other program beside it leave the "
        "most time for driving.",)),
)  # fmt: skip
RENDERER = "renderer"
"""The row that leads to `page`."""


def is_software(family: str) -> bool:
    """Whether the renderer of this name draws with the processor, without a graphics card."""
    return any(name in family.lower() for name in _SOFTWARE)


def head(
    family: str, capture: CaptureProfile, told: str = "", tone: str = "dim"
) -> tuple[Row, ...]:
    """What stands over the page: what came of the last change, or that the capture stays as it is;
    and which renderer was found, behind which is what that means."""
    software = is_software(family)
    text = "! The processor draws, no card" if software else "✓ A graphics card draws"
    what = Button(RENDERER, text, _short(family), tone="warn" if software else "good")
    return (Note(told or kept(capture), tone), what)


def _short(family: str) -> str:
    """A renderer's name without what follows in brackets or after a slash."""
    return family.split("(")[0].split("/")[0].strip()


def page(family: str) -> Screen:
    """Which renderer draws, and what can be done where it is a slow one."""
    rows: tuple[Row, ...] = (
        Note("The renderer found here:", "dim"),
        Note(family, "accent"),
        Note(""),
    )
    if is_software(family):
        told = "No graphics card was found, or its driver is missing: the processor draws alone."
        rows += (Note(told, "warn"), *_ADVICE)
    else:
        rows += (Note("A graphics card draws: every setting of this page is open to it."),)
    return Screen("What draws here", rows, foot="Esc back")


def kept(capture: CaptureProfile) -> str:
    """That nothing chosen here changes what is recorded, in plain words."""
    rate = TICK_HZ // capture.every_ticks
    return (
        "All of this but the edges is for your eyes. What is recorded and dreamt stays as defined: "
        f"{capture.width} by {capture.height} pixels, {rate} a second, without HUD, shake "
        "or scaling."
    )
