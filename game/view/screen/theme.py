"""How screens look: colours by their meaning, and the size of their letters. Pure data.

Every palette keeps good, warning and bad apart for its readers, and no screen says a thing by
colour alone. `contrast` of ink on ground is at least 7 in all of them (WCAG 2 level AAA).
"""

from dataclasses import dataclass

from game.view.screen.canvas import Colour

TEXT_SIZES = {"small": 0.85, "normal": 1.0, "large": 1.25, "huge": 1.5}
"""Sizes of letters by name; every screen fits at each of them."""
HUD_SIZES = {"small": 0.75, "normal": 1.0, "large": 1.3, "huge": 1.6}
"""Sizes of the letters over the picture of a drive."""
SCALINGS = ("smooth", "sharp", "pixels")
"""How a picture fills a window that is larger than it: mixed, by a spline that keeps edges, not."""


@dataclass(frozen=True, slots=True)
class Palette:
    """Colours by meaning."""

    ground: Colour
    panel: Colour
    focus: Colour
    edge: Colour
    ink: Colour
    dim: Colour
    accent: Colour
    good: Colour
    warn: Colour
    bad: Colour


def _rgb(text: str, opacity: float = 1.0) -> Colour:
    red, green, blue = (int(text[i : i + 2], 16) / 255.0 for i in (0, 2, 4))
    return red, green, blue, opacity


PALETTES: dict[str, Palette] = {
    "phosphor": Palette(
        ground=_rgb("050b08", 0.94), panel=_rgb("0c1a13", 0.92), focus=_rgb("1a432e", 0.98),
        edge=_rgb("3f8f66"), ink=_rgb("c9f5dc"), dim=_rgb("93c4a7"), accent=_rgb("6dffb0"),
        good=_rgb("6dffb0"), warn=_rgb("ffd24a"), bad=_rgb("ff8a70"),
    ),
    "amber": Palette(
        ground=_rgb("0c0803", 0.94), panel=_rgb("1c1408", 0.92), focus=_rgb("4d310a", 0.98),
        edge=_rgb("a9752a"), ink=_rgb("ffe6bd"), dim=_rgb("c9a77a"), accent=_rgb("ffb84d"),
        good=_rgb("9be38a"), warn=_rgb("ffd24a"), bad=_rgb("ff8a70"),
    ),
    "blue-orange": Palette(  # told apart without red and green (Okabe and Ito's hues)
        ground=_rgb("060a10", 0.94), panel=_rgb("101926", 0.92), focus=_rgb("1a3a5a", 0.98),
        edge=_rgb("5a8fbf"), ink=_rgb("eaf2fa"), dim=_rgb("a8bccf"), accent=_rgb("56b4e9"),
        good=_rgb("56b4e9"), warn=_rgb("f0e442"), bad=_rgb("ff9a3c"),
    ),
    "red-teal": Palette(  # told apart without blue and yellow
        ground=_rgb("080a0b", 0.94), panel=_rgb("141a1c", 0.92), focus=_rgb("143d40", 0.98),
        edge=_rgb("4f9da0"), ink=_rgb("eef6f6"), dim=_rgb("aebfc0"), accent=_rgb("5fd6d6"),
        good=_rgb("5fd6d6"), warn=_rgb("ffb3c1"), bad=_rgb("ff8a8a"),
    ),
    "contrast": Palette(
        ground=_rgb("000000"), panel=_rgb("000000"), focus=_rgb("003a78"), edge=_rgb("ffffff"),
        ink=_rgb("ffffff"), dim=_rgb("e0e0e0"), accent=_rgb("ffff00"), good=_rgb("ffffff"),
        warn=_rgb("ffff00"), bad=_rgb("ffb0a0"),
    ),
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Theme:
    """text: factor of every letter. calm: no flicker, no flash, nothing flies."""

    palette: str = "phosphor"
    text: float = 1.0
    calm: bool = False

    @property
    def colours(self) -> Palette:
        """The palette itself."""
        return PALETTES[self.palette]

    def tone(self, tone: str) -> Colour:
        """The colour of plain, dim, accent, good, warn or bad text."""
        return getattr(self.colours, "ink" if tone == "plain" else tone)  # type: ignore[no-any-return]


def contrast(one: Colour, other: Colour) -> float:
    """Contrast of two opaque colours, 1 to 21, as WCAG 2 defines it."""
    bright, dark = sorted((_luminance(one), _luminance(other)), reverse=True)
    return (bright + 0.05) / (dark + 0.05)


def _luminance(colour: Colour) -> float:
    parts = (c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in colour[:3])
    red, green, blue = parts
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue
