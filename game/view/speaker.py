"""Plays the sounds of `synth` through Panda's OpenAL; where there is no audio it is silent.

Owns the audio device. What is to be heard, `game.play.app.feel` says.
"""

import os
import sys
from math import sqrt
from pathlib import Path
from typing import Any

from panda3d.core import AudioManager, AudioSound, Filename, loadPrcFileData

from game.view.synth import AROUND, ONCE, SOUNDS, wav

_LIBRARY = "audio-library-name p3openal_audio"
_EAR = (0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 1.0, 0.0, 0.0, 0.0, 1.0)
"""Where the listener is, how it moves, where it looks, and which way is up."""


class Speaker:
    """folder: where the generated sounds are kept as files. Never raises for want of a device."""

    def __init__(self, folder: Path) -> None:
        self.silent = ""
        """Why nothing can be heard, '' where it can."""
        self._sounds: dict[str, Any] = {}
        self._manager: Any = None
        try:
            self._open(folder)
        except (OSError, RuntimeError) as error:
            self.silent = f"{type(error).__name__}: {error}"

    def _open(self, folder: Path) -> None:
        if not _may_sound():
            self.silent = "no audio device"
            return
        loadPrcFileData("scale-diffusion-sound", _LIBRARY)
        manager = AudioManager.createAudioManager()
        if manager is None or not manager.isValid():
            self.silent = "no audio device"
            return
        folder.mkdir(parents=True, exist_ok=True)
        for name, make in SOUNDS.items():
            path = folder / f"{name}-1.wav"
            if not path.is_file():
                part = path.with_suffix(".part")
                part.write_bytes(wav(make()))
                part.replace(path)
            sound = manager.getSound(Filename.fromOsSpecific(str(path)), name in AROUND)
            sound.setLoop(name not in ONCE)
            self._sounds[name] = sound
        manager.audio3dSetListenerAttributes(*_EAR)
        manager.audio3dSetDropOffFactor(0.0)  # distance is told as loudness, Doppler as rate
        self._manager = manager

    def set(self, name: str, volume: float, rate: float = 1.0, side: float = 0.0) -> None:
        """Let a loop be heard: volume 0 (stops it) to 1, rate 1 as it was made, side -1 left to
        1 right, of those that are heard from around."""
        sound = self._sounds.get(name)
        if sound is None:
            return
        playing = sound.status() == AudioSound.PLAYING
        if volume <= 0.004:
            if playing:
                sound.stop()
            return
        sound.setVolume(min(volume, 1.0))
        sound.setPlayRate(rate)
        if name in AROUND:
            sound.set3dAttributes(side, sqrt(max(0.0, 1.0 - side * side)), 0.0, 0.0, 0.0, 0.0)
        if not playing:
            sound.play()

    def hit(self, volume: float, name: str = "impact") -> None:
        """One of those that are heard once, now."""
        sound = self._sounds.get(name)
        if sound is not None and volume > 0.0:
            sound.setVolume(min(volume, 1.0))
            sound.play()

    def step(self) -> None:
        """To be called at every picture."""
        if self._manager is not None:
            self._manager.update()

    def hush(self) -> None:
        """Silence, until the next `set`."""
        for sound in self._sounds.values():
            sound.stop()

    def close(self) -> None:
        """Give the device back."""
        self.hush()
        self._sounds.clear()
        if self._manager is not None:
            self._manager.shutdown()
            self._manager = None


def _may_sound() -> bool:
    """Whether to ask OpenAL: without cards and sound servers it floods the terminal."""
    if not sys.platform.startswith("linux"):
        return True
    own = Path(f"/run/user/{os.getuid()}")
    return any(p.exists() for p in (Path("/dev/snd"), own / "pulse", own / "pipewire-0"))
