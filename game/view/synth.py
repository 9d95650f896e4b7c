"""The sounds of the program, made of numbers: the terminal, breaking glass, and those of a drive.
Pure numpy.

Every loop ends where it begins, so that it can be played for ever without a click.
"""

import io
import wave

import numpy as np
from numpy.typing import NDArray

RATE = 22050
"""Samples a second."""
ENGINE_HZ = 30.0
"""Ignitions a second in the engine's loop at play rate 1 (900 turns a minute, four cylinders)."""

Wave = NDArray[np.float64]


def _time(seconds: float) -> Wave:
    return np.arange(round(RATE * seconds)) / RATE


def _noise(seconds: float, low: float, high: float, seed: int) -> Wave:
    """Noise between two frequencies [Hz] that repeats exactly after its length."""
    count = round(RATE * seconds)
    chance = np.random.default_rng(seed)
    spectrum = np.zeros(count // 2 + 1, complex)
    hertz = np.fft.rfftfreq(count, 1.0 / RATE)
    band = (hertz >= low) & (hertz <= high)
    spectrum[band] = np.exp(2j * np.pi * chance.random(int(band.sum())))
    return _even(np.fft.irfft(spectrum, count))


def _even(sound: Wave, peak: float = 0.9) -> Wave:
    return sound * (peak / max(float(np.abs(sound).max()), 1e-9))


def engine() -> Wave:
    """One second: ignitions with their overtones, one cylinder a little louder than the others."""
    t = _time(1.0)
    out = np.zeros_like(t)
    for order, loud in ((0.25, 0.18), (0.5, 0.45), (1, 1.0), (1.5, 0.35), (2, 0.55), (3, 0.3),
                        (4, 0.22), (6, 0.12), (8, 0.06)):  # fmt: skip
        hertz = round(ENGINE_HZ * order)  # whole periods in a second: the loop closes
        out += loud * np.sin(2 * np.pi * hertz * t + order)
    return _even(np.tanh(1.4 * out / 2.0) + 0.08 * _noise(1.0, 80, 900, 1))


def tyres() -> Wave:
    """A second of sliding rubber: noise around a few howling tones."""
    return _even(_noise(1.0, 500, 1400, 2) + 0.5 * _noise(1.0, 870, 930, 3))


def horn() -> Wave:
    """A second of two notes, a third apart, as cars have them."""
    t = _time(1.0)
    notes = [np.sin(2 * np.pi * hertz * t) for hertz in (400, 500)]
    return _even(np.asarray(sum(note + 0.3 * np.sign(note) for note in notes)))


def _swept(hertz: Wave, overtones: tuple[tuple[int, float], ...]) -> Wave:
    """A tone that follows `hertz` and whose last sample leads to its first."""
    phase = np.cumsum(hertz) / RATE
    phase *= np.round(phase[-1] + hertz[-1] / RATE) / (phase[-1] + hertz[0] / RATE)
    return _even(np.asarray(sum(loud * np.sin(2 * np.pi * n * phase) for n, loud in overtones)))


def wail() -> Wave:
    """Four seconds up and down between 600 and 1400 Hz, as ambulances do."""
    t = _time(4.0)
    return _swept(1000.0 - 400.0 * np.cos(2 * np.pi * t / 4.0), ((1, 1.0), (3, 0.25)))


def yelp() -> Wave:
    """A second of three quick sweeps between 650 and 1500 Hz, as police cars do."""
    t = _time(1.0)
    return _swept(1075.0 - 425.0 * np.cos(2 * np.pi * 3.0 * t), ((1, 1.0), (3, 0.3)))


def growl() -> Wave:
    """Six seconds of a driven siren that is wound up and runs down, 350 to 1150 Hz, as fire engines
    have them: many overtones, quick to rise and slow to fall."""
    share = _time(6.0) / 6.0
    up = np.where(share < 0.3, share / 0.3, (1.0 - share) / 0.7)
    height = 0.5 - 0.5 * np.cos(np.pi * up)
    return _swept(350.0 + 800.0 * height, ((1, 1.0), (2, 0.5), (3, 0.3), (4, 0.15)))


def impact() -> Wave:
    """Half a second of a dull blow and what rattles after it."""
    t = _time(0.5)
    blow = np.sin(2 * np.pi * 62.0 * t * np.exp(-3.0 * t)) * np.exp(-9.0 * t)
    return _even(blow + 0.6 * _noise(0.5, 200, 4000, 5) * np.exp(-22.0 * t))


def terminal() -> Wave:
    """Four seconds of an old screen: mains hum, a whine hardly heard, and relays that click."""
    t = _time(4.0)
    hum = sum(loud * np.sin(2 * np.pi * hertz * t)
              for hertz, loud in ((50, 1.0), (100, 0.6), (150, 0.25), (3125, 0.02)))  # fmt: skip
    out = 0.5 * np.asarray(hum) + 0.05 * _noise(4.0, 200, 1200, 6)
    click = _noise(0.03, 1500, 6000, 7) * np.exp(-220.0 * _time(0.03))
    for at in np.random.default_rng(8).choice(76, 26, replace=False):  # 19 a second could be
        first = round(RATE * (0.02 + at / 19.2))
        out[first : first + len(click)] += 0.35 * click
    return _even(out, 0.7)


def glass() -> Wave:
    """A second and a half of a pane that breaks: the blow, then pieces that ring and fall."""
    t = _time(1.5)
    chance = np.random.default_rng(9)
    out = 1.4 * _noise(1.5, 900, 9000, 10) * np.exp(-16.0 * t)
    for _ in range(70):
        first = round(len(t) * 0.75 * chance.random() ** 2)
        rest = t[: len(t) - first]
        ring = np.sin(2 * np.pi * chance.uniform(2200, 8500) * rest)
        fade = np.minimum(1.0, rest / 0.002) * np.exp(-chance.uniform(14, 45) * rest)
        out[first:] += chance.uniform(0.03, 0.22) * ring * fade
    return _even(out * np.minimum(1.0, (t[-1] - t) / 0.05))


SOUNDS = {"engine": engine, "tyres": tyres, "horn": horn, "impact": impact, "terminal": terminal,
          "glass": glass, "wail": wail, "yelp": yelp, "growl": growl}  # fmt: skip
"""Every sound by its name."""
AROUND = ("wail", "yelp", "growl")
"""What is heard from a side."""
ONCE = ("impact", "glass")
"""What is heard once; all others are loops."""


def wav(sound: Wave) -> bytes:
    """A sound as the bytes of a WAV file, 16 bits, one channel."""
    out = io.BytesIO()
    with wave.open(out, "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(RATE)
        file.writeframes((np.clip(sound, -1, 1) * 32767).astype("<i2").tobytes())
    return out.getvalue()
