"""Not AI: a strong colour grade with bloom and vignette, the same for the same picture and style.

For tests and for the demo until a network is there. Structure stays where it was. Owns the table of
styles; a style is named outright, or is the first one that the prompt's words mention.
"""

import hashlib
import re
import time
from dataclasses import astuple, dataclass
from functools import cache, lru_cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from streaming.backends.base import Backend, PlayerPainter
from streaming.frames import Pixels

VERSION = 1
_BITS = 6  # of each colour channel in the lookup table
_CELL = 8  # pixels a side of a bloom cell


@dataclass(frozen=True, slots=True)
class Grade:
    """One look. Colours are BGR in 0..1; saturation and contrast 1 = untouched.

    shadows and lights are blended in by darkness and brightness. glow: bloom strength. edge: how
    much light is left in the corners.
    """

    exposure: float
    contrast: float
    saturation: float
    shadows: tuple[float, float, float]
    lights: tuple[float, float, float]
    tint: float
    glow: float
    edge: float


STYLES: dict[str, Grade] = {
    "day": Grade(1.08, 1.25, 1.45, (0.32, 0.16, 0.08), (0.72, 0.95, 1.0), 0.22, 0.35, 0.78),
    "dusk": Grade(0.86, 1.28, 1.35, (0.38, 0.12, 0.22), (0.35, 0.68, 1.0), 0.45, 0.55, 0.62),
    "night": Grade(0.58, 1.25, 1.15, (0.26, 0.10, 0.03), (0.75, 0.88, 1.0), 0.42, 0.90, 0.50),
    "rain": Grade(0.74, 1.18, 0.70, (0.30, 0.24, 0.16), (0.95, 0.90, 0.82), 0.40, 0.50, 0.60),
    "noir": Grade(0.90, 1.65, 0.00, (0.02, 0.02, 0.02), (1.0, 1.0, 1.0), 0.10, 0.40, 0.45),
    "neon": Grade(0.62, 1.45, 1.90, (0.55, 0.02, 0.30), (0.95, 0.45, 1.0), 0.50, 1.10, 0.55),
}


def style_of(prompt: str, style: str = "") -> str:
    """The style that is painted: `style` itself if known, else the prompt's first, else day."""
    if style in STYLES:
        return style
    words = re.findall(r"[a-z]+", prompt.lower())
    return next((word for word in words if word in STYLES), "day")


class Filter:
    """The `filter` backend. Holds one lookup table for each style used, 1 MB each."""

    name = "filter"

    def __init__(self) -> None:
        told = repr([(name, astuple(grade)) for name, grade in STYLES.items()])
        digest = hashlib.sha256(f"{VERSION} {told}".encode()).hexdigest()
        self.model = f"filter/{digest[:16]}"

    def warm(self, height: int, width: int) -> None:
        """Build every table, so that the first frame is as fast as the others."""
        blank = np.zeros((height, width, 4), np.uint8)
        for name in STYLES:
            self.style(blank, "", 0, name)

    def style(self, frame: Pixels, prompt: str, seed: int, style: str = "") -> Pixels:
        """Paint a (height, width, 4) BGRA picture. The seed changes nothing here."""
        name = style_of(prompt, style)
        grade = STYLES[name]
        graded = _lookup(name)[_index(frame)].view(np.uint8).reshape(frame.shape)
        light = graded.astype(np.uint16)
        light *= _vignette(frame.shape[0], frame.shape[1], grade.edge)
        light >>= 8
        light += _bloom(graded, grade.glow)
        np.minimum(light, 255, out=light)
        return light.astype(np.uint8)

    def painter(self) -> "Filter":
        """Itself: nothing is remembered."""
        return self

    def told(self) -> str:
        """Nothing was chosen."""
        return ""


class Identity:
    """The `identity` backend: gives back what it got, for measuring and for barcodes."""

    name = "identity"
    model = "identity/1"
    passes = True

    def warm(self, height: int, width: int) -> None:
        """Nothing to do."""

    def style(self, frame: Pixels, prompt: str, seed: int, style: str = "") -> Pixels:
        """The same picture."""
        return frame

    def painter(self) -> "Identity":
        """Itself: nothing is remembered."""
        return self

    def told(self) -> str:
        """Nothing was chosen."""
        return ""


class Slow:
    """Another backend that takes `seconds` longer for each picture: for measurements."""

    passes = False

    def __init__(self, inner: Backend, seconds: float) -> None:
        self._inner, self._seconds = inner, seconds
        self.name, self.model = inner.name, inner.model

    def warm(self, height: int, width: int) -> None:
        """As the other."""
        self._inner.warm(height, width)

    def style(self, frame: Pixels, prompt: str, seed: int, style: str = "") -> Pixels:
        """As the other, later."""
        return _late(self._inner, self._seconds, frame, prompt, seed, style)

    def painter(self) -> "SlowPainter":
        """One player's, with what it remembers."""
        return SlowPainter(self._inner.painter(), self._seconds)

    def told(self) -> str:
        """As the other."""
        return self._inner.told()


class SlowPainter:
    """Another painter that takes `seconds` longer for each picture."""

    def __init__(self, inner: PlayerPainter, seconds: float) -> None:
        self._inner, self._seconds = inner, seconds

    def style(self, frame: Pixels, prompt: str, seed: int, style: str = "") -> Pixels:
        """As the other, later."""
        return _late(self._inner, self._seconds, frame, prompt, seed, style)


def _late(
    inner: PlayerPainter, seconds: float, frame: Pixels, prompt: str, seed: int, style: str
) -> Pixels:
    time.sleep(seconds)
    return inner.style(frame, prompt, seed, style)


def _index(frame: Pixels) -> NDArray[np.uint32]:
    """Cell of the lookup table for each pixel: six bits each of blue, green and red."""
    packed: NDArray[np.uint32] = np.ascontiguousarray(frame).view(np.uint32)[..., 0]
    index: NDArray[np.uint32] = np.bitwise_and(packed >> np.uint32(2), np.uint32(0x3F))
    index |= np.bitwise_and(packed >> np.uint32(4), np.uint32(0xFC0))
    index |= np.bitwise_and(packed >> np.uint32(6), np.uint32(0x3F000))
    return index


@cache
def _lookup(name: str) -> NDArray[np.uint32]:
    """BGRA of every graded colour, as one 32-bit number each, blue lowest in the index."""
    grade = STYLES[name]
    side = 1 << _BITS
    levels = (np.arange(side) * (256 // side) + 2) / 255.0
    red, green, blue = np.meshgrid(levels, levels, levels, indexing="ij")
    colour = np.stack([blue, green, red], axis=-1).reshape(-1, 3)
    luma = (colour @ np.array([0.114, 0.587, 0.299]))[:, None]
    colour = luma + (colour - luma) * grade.saturation
    tint = np.array(grade.shadows) * (1 - luma) + np.array(grade.lights) * luma
    colour = colour * (1 - grade.tint) + tint * (0.35 + luma) * grade.tint
    pivot = 0.42 * grade.exposure
    colour = (colour * grade.exposure - pivot) * grade.contrast + pivot
    colour = np.clip(colour, 0.0, 1.0)
    colour = colour * colour * (3 - 2 * colour) * 0.45 + colour * 0.55
    out = np.full((side**3, 4), 255, np.uint8)
    out[:, :3] = np.rint(colour * 255)
    return out.view(np.uint32)[:, 0]


@lru_cache(maxsize=16)
def _vignette(height: int, width: int, edge: float) -> NDArray[np.uint16]:
    y = np.linspace(-1, 1, height)[:, None]
    x = np.linspace(-1, 1, width)[None, :]
    fall = np.clip((x * x + y * y) / 2, 0, 1)
    mask = np.rint(256 * (1 - (1 - edge) * fall * fall)).astype(np.uint16)
    return np.repeat(mask[:, :, None], 4, axis=2)


def _bloom(graded: Pixels, glow: float) -> NDArray[np.uint16]:
    """Light that spills from bright cells, (height, width, 4); the alpha channel spills none."""
    height, width = graded.shape[:2]
    rows, columns = -(-height // _CELL), -(-width // _CELL)
    cells = graded[:: _CELL // 2, :: _CELL // 2].astype(np.int32)
    cells = cells[: rows * 2 : 2, : columns * 2 : 2]
    spill = np.maximum(cells - 150, 0) * int(glow * 64) >> 6
    spill[..., 3] = 0
    for axis in (0, 1, 0, 1):
        spill = (_shifted(spill, -1, axis) + 2 * spill + _shifted(spill, 1, axis)) >> 2
    wide = _smooth(spill.astype(np.uint16), 1, width)
    return _smooth(wide, 0, height)


def _shifted(cells: NDArray[Any], by: int, axis: int) -> NDArray[Any]:
    """The neighbours `by` further along an axis; the border repeats."""
    last = cells.shape[axis] - 1
    out: NDArray[Any] = np.take(cells, np.clip(np.arange(last + 1) + by, 0, last), axis)
    return out


def _smooth(cells: NDArray[np.uint16], axis: int, size: int) -> NDArray[np.uint16]:
    """Stretch along one axis by linear steps of an eighth of a cell."""
    near = np.repeat(cells, _CELL, axis=axis)
    far = np.repeat(_shifted(cells, 1, axis), _CELL, axis=axis)
    shape = [1, 1, 1]
    shape[axis] = near.shape[axis]
    step: NDArray[Any] = np.arange(near.shape[axis], dtype=np.uint16).reshape(shape) % _CELL
    mixed: NDArray[np.uint16] = near * (_CELL - step) + far * step
    out = mixed >> np.uint16(3)
    return out[:size] if axis == 0 else out[:, :size]
