"""How much of the dreamt picture is on the screen: fades, faults, peeking, opacity.

Pure of any window or clock: ticks go in, a share comes out. The game's own picture is shown at once
when frames stay away, and the dreamt one fades in again only when they come steadily.
"""

from collections import deque

import numpy as np

from game.world.version import TICK_HZ
from streaming.frames import Pixels

STALE_TICKS = TICK_HZ * 9 // 20
"""Without a frame for so long the game's own picture is drawn: on screen within half a second."""
STEADY_FRAMES = 6
STEADY_TICKS = TICK_HZ // 2
"""So many frames within so long are a stream that is back."""
FADE_TICKS = 24
OPACITY_STEPS = 8


class Blend:
    """One drive's picture. raw, peek and opacity (1 .. OPACITY_STEPS) are the player's."""

    def __init__(self) -> None:
        self.raw = self.peek = False
        self.opacity = OPACITY_STEPS
        self._came: deque[int] = deque(maxlen=STEADY_FRAMES)
        self._faulted = False  # the first frame ever needs no proof
        self._begun = -1  # tick at which fading in began
        self._level = 0.0

    def came(self, tick: int) -> None:
        """A styled frame newer than the last arrived at `tick`."""
        self._came.append(tick)

    @property
    def faulted(self) -> bool:
        """Whether the stream broke off and is not steady again."""
        return self._faulted

    def share(self, tick: int) -> float:
        """Share of the styled picture at `tick`, 0 to 1."""
        self._step(tick)
        if self.raw or self.peek:
            return 0.0
        return self._level * self.opacity / OPACITY_STEPS

    def _step(self, tick: int) -> None:
        if not self._came:
            return
        if tick - self._came[-1] > STALE_TICKS:
            self._faulted, self._begun, self._level = True, -1, 0.0
            self._came = deque([self._came[-1]], maxlen=STEADY_FRAMES)
            return
        steady = len(self._came) == STEADY_FRAMES and tick - self._came[0] <= STEADY_TICKS
        if self._faulted and not steady:
            return
        if self._faulted:
            self._faulted, self._begun = False, tick
        self._level = 1.0 if self._begun < 0 else min(1.0, (tick - self._begun) / FADE_TICKS)

    def dim(self, by: int) -> None:
        """More (1) or less (-1) of the dreamt picture; never none, for that there is a key."""
        self.opacity = min(OPACITY_STEPS, max(1, self.opacity + by))


def mixed(drawn: Pixels, styled: Pixels, share: float) -> Pixels:
    """(h, w, 4) BGRA of `share` styled and the rest drawn; the ends are the arrays themselves."""
    part = round(share * 256)
    if part <= 0:
        return drawn
    if part >= 256:
        return styled
    out = drawn.astype(np.uint16)
    out *= 256 - part
    out += styled.astype(np.uint16) * np.uint16(part)
    out >>= 8
    return out.astype(np.uint8)
