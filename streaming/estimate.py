"""Which source picture a returned one was made from, where the other side does not say.

Compares how the edges of both move, and follows the delay between them. Owns a few seconds of
small edge maps; keeps no picture and knows no network. Every answer carries how sure it is.
"""

import math
from collections import deque
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from streaming.frames import Pixels

SIDE = 64
"""Cells a side of an edge map."""
MEMORY_S = 0.4
"""How long a map has to stay the same to count as the background [s]."""
WEIGHT = 0.1
"""Independent observations that one cell is worth: its neighbours show the same edges."""
FLOOR = 0.04
"""Share of a still picture's change that is coding noise, against the map's own energy."""
_LEAK = 2e-3  # how likely the delay has jumped anywhere since the last frame
_SPREAD = (0.02, 0.10, 0.76, 0.10, 0.02)  # how it drifts, in frames

Map = NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class Match:
    """tick: of the source picture. confidence: that it is at most one frame off, 0 to 1.

    delay_s: from sending it until it was back.
    """

    tick: int
    confidence: float
    delay_s: float


def edges(pixels: Pixels, side: int = SIDE) -> Map:
    """Strength of the edges in (h, w, 4) BGRA or (h, w) luma, as side * side values around 1.

    Sign, colour and contrast are taken out: a style changes them and leaves the outlines.
    """
    plane: Any = pixels[..., 1] if pixels.ndim == 3 else pixels
    small = _shrunk(plane, side + 1)
    across = np.abs(small[1:, 1:] - small[1:, :-1])
    down = np.abs(small[1:, 1:] - small[:-1, 1:])
    strength = across + down
    level = float(strength.mean()) + 0.5
    out: Map = np.sqrt(strength / level).astype(np.float32).reshape(-1)
    return out


def _shrunk(plane: NDArray[np.uint8], side: int) -> Map:
    """Means of side * side cells; what does not divide evenly is cut off at the far edges."""
    high, wide = plane.shape[0] // side, plane.shape[1] // side
    if high == 0 or wide == 0:
        raise ValueError(f"a picture of {plane.shape} is too small for {side} cells a side")
    cut = plane[: high * side, : wide * side]
    rows = np.add.reduceat(cut, np.arange(0, high * side, high), 0, np.uint16)
    cells = np.add.reduceat(rows, np.arange(0, wide * side, wide), 1, np.uint32)
    out: Map = (cells / np.float32(high * wide)).astype(np.float32)
    return out


class _Change:
    """Takes the background out of a stream of maps: what stays the same tells nothing."""

    def __init__(self) -> None:
        self._mean: Map | None = None
        self._at = 0.0

    def of(self, found: Map, at_s: float) -> Map:
        """`found` less what the maps before it had in common."""
        if self._mean is None:
            self._mean, self._at = found.copy(), at_s
        change: Map = found - self._mean
        share = 1.0 - math.exp(-max(at_s - self._at, 0.0) / MEMORY_S)
        self._mean += np.float32(share) * change
        self._at = at_s
        return change


class Estimator:
    """Feed it every picture sent and every picture returned, in their order.

    fps: of what is sent. reach_s: the longest delay that is looked for.
    """

    def __init__(self, fps: int = 30, reach_s: float = 3.0) -> None:
        self._period = 1.0 / fps
        self._slots = math.ceil(reach_s * fps) + 2
        self._maps = np.zeros((self._slots, SIDE * SIDE), np.float32)
        self._energy = np.zeros(self._slots, np.float32)
        self._ticks = np.full(self._slots, -1, np.int64)
        self._times = np.full(self._slots, -1e9)
        self._count = 0
        self._there, self._back = _Change(), _Change()
        self._belief = np.full(self._slots, 1.0 / self._slots)
        self._recent: deque[Match] = deque(maxlen=fps)

    @property
    def delay_s(self) -> float:
        """Median delay of the last second's matches, 0 before the first [s]."""
        delays = sorted(match.delay_s for match in self._recent)
        return delays[len(delays) // 2] if delays else 0.0

    @property
    def confidence(self) -> float:
        """Mean confidence of the last second's matches."""
        found = [match.confidence for match in self._recent]
        return sum(found) / len(found) if found else 0.0

    def sent(self, tick: int, at_s: float, pixels: Pixels) -> None:
        """A picture went out. at_s: monotonic. Ticks and times rise."""
        slot = self._count % self._slots
        change = self._there.of(edges(pixels), at_s)
        self._maps[slot] = change
        self._energy[slot] = float(change @ change)
        self._ticks[slot], self._times[slot] = tick, at_s
        self._count += 1

    def returned(self, at_s: float, pixels: Pixels) -> Match | None:
        """The picture that came back at `at_s` and its likely source; None before any was sent."""
        ages = at_s - self._times
        usable = np.flatnonzero((ages >= 0.0) & (ages < (self._slots - 1) * self._period))
        change = self._back.of(edges(pixels), at_s)
        if len(usable) == 0:
            return None
        usable = usable[np.argsort(self._times[usable])]
        ages, ticks = ages[usable], self._ticks[usable]
        chance = self._expected(ages)
        evidence = self._likelihood(change, usable)
        weight = np.log(chance + 1e-30) + evidence
        weight = np.exp(weight - weight.max())
        weight /= weight.sum()
        best = int(weight.argmax())
        near = np.abs(self._times[usable] - self._times[usable[best]]) < 1.5 * self._period
        match = Match(int(ticks[best]), float(weight[near].sum()), float(ages[best]))
        self._learn(ages, weight)
        self._recent.append(match)
        return match

    def _expected(self, ages: NDArray[np.float64]) -> NDArray[np.float64]:
        """How likely each delay is, from the frames before."""
        spread = np.convolve(self._belief, _SPREAD, "same")
        spread = (1.0 - _LEAK) * spread / spread.sum() + _LEAK / self._slots
        out: NDArray[np.float64] = np.interp(
            ages / self._period, np.arange(self._slots, dtype=float), spread
        )
        return out

    def _likelihood(self, change: Map, usable: NDArray[np.int64]) -> NDArray[np.float64]:
        """Log-likelihood of each source, gain and noise of the style left open."""
        floor = FLOOR * SIDE * SIDE
        theirs = float(change @ change)
        along = self._maps[usable] @ change
        fit = along / np.sqrt((self._energy[usable] + floor) * (theirs + floor))
        fit = np.clip(fit, 0.0, 0.999)
        out: NDArray[np.float64] = -0.5 * WEIGHT * SIDE * SIDE * np.log1p(-fit * fit)
        return out

    def _learn(self, ages: NDArray[np.float64], weight: NDArray[np.float64]) -> None:
        """Move the belief about the delay to what this frame showed."""
        belief = np.full(self._slots, 1e-9)
        place = ages / self._period
        low = np.minimum(place.astype(np.int64), self._slots - 2)
        part = place - low
        np.add.at(belief, low, weight * (1.0 - part))
        np.add.at(belief, low + 1, weight * part)
        self._belief = belief / belief.sum()
