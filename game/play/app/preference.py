"""How the program's own screens look, sound and begin: the settings section `app`."""

from dataclasses import dataclass

from game.errors import SettingsError
from game.view.screen.theme import HUD_SIZES, PALETTES, SCALINGS, TEXT_SIZES, Theme

OPENINGS = ("auto", "full", "short", "off")
PACES = ("30", "60", "display")


@dataclass(frozen=True, slots=True)
class AppSettings:
    """Screens, sound and what is easy on the eyes."""

    opening: str = "auto"
    """the terminal at the start: auto (full the first time, then short), full, short or off"""
    begin: str = "drive"
    """what comes after it: drive or menu"""
    size: int = 480
    """side of the window that the opening leaves [px], 320 .. 2160; any size can be drawn out"""
    full_screen: bool = False
    """stay on the whole screen after the opening"""
    frames: str = "60"
    """pictures a second on the screen: 30 (those that are captured), 60 (the game's own in between,
    where the machine has time for them) or display (60, each in step with the display)"""
    scaling: str = "smooth"
    """how a picture fills a larger window: smooth, sharp (costs a little) or pixels"""
    hud: str = "normal"
    """size of what is written over the picture: small, normal, large or huge"""
    text: str = "normal"
    """size of letters: small, normal, large or huge"""
    palette: str = "phosphor"
    """colours of screens: phosphor, amber, blue-orange, red-teal or contrast"""
    calm: bool = False
    """reduced flashes: no flicker, nothing flies, no shake"""
    shake: bool = True
    """the picture on the screen moves with the car; the recorded one never does"""
    sound: bool = True
    """the terminal and its break; engine, tyres, horn, sirens"""
    volume: int = 70
    """0 .. 100"""

    def __post_init__(self) -> None:
        for key, value, allowed in (
            ("opening", self.opening, OPENINGS),
            ("begin", self.begin, ("drive", "menu")),
            ("frames", self.frames, PACES),
            ("scaling", self.scaling, SCALINGS),
            ("hud", self.hud, tuple(HUD_SIZES)),
            ("text", self.text, tuple(TEXT_SIZES)),
            ("palette", self.palette, tuple(PALETTES)),
        ):
            if value not in allowed:
                why = f"'{value}' is not one of {', '.join(allowed)}"
                raise SettingsError(f"app.{key}", "value", why)
        if not 320 <= self.size <= 2160:
            raise SettingsError("app.size", "range", "must lie in 320 .. 2160 px")
        if not 0 <= self.volume <= 100:
            raise SettingsError("app.volume", "range", "must lie in 0 .. 100")

    @property
    def theme(self) -> Theme:
        """The look of all screens."""
        return Theme(self.palette, TEXT_SIZES[self.text], self.calm)
