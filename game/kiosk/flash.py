"""Keeps a large screen from flashing: at most three flashes in any second, whatever is shown.

A flash is a pair of opposing changes of a tenth or more of relative luminance where the darker
picture is below 0.8 (WCAG 2.3.1, general flash, taken over the whole picture). Owns the pictures'
luminance of the last second; a change too many is mixed with what is on the screen.
"""

from collections import deque

import numpy as np
from numpy.typing import NDArray

SWING, BRIGHT = 0.1, 0.8
MOST_CHANGES = 6
"""Opposing changes in a second: three pairs."""
_STRIDE = 8
_LINEAR = (((np.arange(256) / 255.0 + 0.055) / 1.055) ** 2.4).astype(np.float32)
_LINEAR[:11] = np.arange(11) / 255.0 / 12.92
_HEADROOM = 0.9


def luminance(picture: NDArray[np.uint8]) -> float:
    """Relative luminance, 0 to 1, of a BGRA picture, from every eighth pixel both ways."""
    few = _LINEAR[picture[::_STRIDE, ::_STRIDE, :3]].mean(axis=(0, 1))
    return float(0.0722 * few[0] + 0.7152 * few[1] + 0.2126 * few[2])


class FlashGuard:
    """Ask it for every picture before it is shown. now_ms must not go back."""

    def __init__(self) -> None:
        self._changes: deque[int] = deque()
        self._turn = -1.0  # luminance at the last extreme
        self._way = 0
        self._shown: NDArray[np.uint8] | None = None
        self.held = 0

    def tame(self, picture: NDArray[np.uint8], now_ms: int) -> NDArray[np.uint8]:
        """The picture, or a mix of it and the last one where it would flash too often."""
        while self._changes and now_ms - self._changes[0] >= 1000:
            self._changes.popleft()
        value = luminance(picture)
        if self._shown is None or self._shown.shape != picture.shape or self._turn < 0:
            self._turn, self._shown = value, picture
            return picture
        if self._is_swing(value) and len(self._changes) >= MOST_CHANGES - 1:
            picture = self._mixed(self._shown, picture, value)
            value = luminance(picture)
            self.held += 1
        self._note(value, now_ms)
        self._shown = picture
        return picture

    def _is_swing(self, value: float) -> bool:
        """Whether showing `value` would be an opposing change."""
        far = abs(value - self._turn) >= SWING and min(value, self._turn) < BRIGHT
        return far and (value > self._turn) != (self._way > 0)

    def _note(self, value: float, now_ms: int) -> None:
        up = value > self._turn
        if self._is_swing(value):
            self._changes.append(now_ms)
            self._turn, self._way = value, 1 if up else -1
        elif (self._way > 0 and up) or (self._way < 0 and not up):
            self._turn = value  # further the same way: the extreme moves along

    def _mixed(
        self, last: NDArray[np.uint8], picture: NDArray[np.uint8], value: float
    ) -> NDArray[np.uint8]:
        """So much of the new picture that it stays within the swing of the last extreme."""
        share = 1.0
        for _ in range(8):
            share *= min(0.8, _HEADROOM * SWING / max(abs(value - self._turn), 1e-6))
            mixed = (last + share * (picture.astype(np.float32) - last)).astype(np.uint8)
            value = luminance(mixed)
            if not self._is_swing(value):
                return mixed
        return last
