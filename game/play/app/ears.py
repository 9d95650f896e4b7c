"""What the player hears: the speaker of one run of the program, its volume, and the siren's switch.

Owns when something sounds; how loud it is, `feel` and `siren` say.
"""

import logging
from collections.abc import Callable
from pathlib import Path

from game.play.app.feel import Heard
from game.play.app.preference import AppSettings
from game.play.app.siren import SIRENS, wails
from game.view.hud import Chip
from game.view.speaker import Speaker
from game.world.state import WorldState

log = logging.getLogger(__name__)


class Ears:
    """folder: where the generated sounds are kept. settings: as they are now."""

    def __init__(self, folder: Path, settings: Callable[[], AppSettings]) -> None:
        self._folder, self._settings = folder, settings
        self._speaker: Speaker | None = None
        self.siren = True
        """Whether the siren of one's own car is switched on."""

    @property
    def voice(self) -> Speaker | None:
        """The speaker, None where nothing is to be heard."""
        if not (self._settings().sound and self._settings().volume):
            return None
        if self._speaker is None:
            self._speaker = Speaker(self._folder)
            if self._speaker.silent:
                log.warning("app.silent why=%s", self._speaker.silent)
        return self._speaker

    @property
    def _volume(self) -> float:
        return self._settings().volume / 100.0

    def hum(self) -> Callable[[], None]:
        """Let the terminal be heard; what has to be called at every picture of it."""
        voice = self.voice
        if voice is None:
            return lambda: None
        voice.set("terminal", 0.35 * self._volume)
        return voice.step

    def shatter(self) -> Callable[[], None]:
        """The glass breaks; what has to be called at every picture of it."""
        voice = self.voice
        if voice is None:
            return lambda: None
        voice.hit(0.7 * self._volume, "glass")
        return voice.step

    def drive(self, state: WorldState, heard: Heard) -> None:
        """What a state sounds like."""
        voice = self.voice
        if voice is None:
            return
        volume = self._volume
        voice.set("engine", heard.engine * volume, heard.rate)
        for name in ("tyres", "horn"):
            voice.set(name, getattr(heard, name) * volume)
        audible = {wail.sound: wail for wail in wails(state, self.siren)}
        for name in SIRENS.values():
            if (wail := audible.get(name)) is None:
                voice.set(name, 0.0)
            else:
                voice.set(name, wail.loud * volume, wail.rate, wail.side)
        voice.hit(heard.blow * volume)
        voice.step()

    def chip(self, key: str) -> Chip:
        """What the HUD says of one's own siren. key: that switches it."""
        return Chip(f"siren {'on' if self.siren else 'off'} ({key.upper()})")

    def hush(self) -> None:
        """Silence, until something is to be heard again."""
        if self._speaker is not None:
            self._speaker.hush()

    def close(self) -> None:
        """Give the device back."""
        if self._speaker is not None:
            self._speaker.close()
