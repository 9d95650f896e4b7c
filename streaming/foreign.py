"""Frames of a server that does not say which picture they were made from: held until guessed.

Owns the estimator and the few encoded frames that wait for their picture. Everything it hands on
is estimated and carries how sure it is.
"""

from collections import deque
from dataclasses import dataclass
from typing import Any

import numpy as np

from streaming.estimate import Estimator, Match
from streaming.frames import Frame

HELD = 64
_UNSEEN = 0.5  # what a frame that was not looked at keeps of its neighbour's confidence


@dataclass(frozen=True, slots=True)
class Held:
    """An encoded frame that waits. received_ns: monotonic."""

    timestamp: int
    data: bytes
    codec: str
    received_ns: int


class Foreign:
    """One link's worth of guessing. Ask for `decoded` in the order of the stream."""

    def __init__(self, fps: int = 30) -> None:
        self._estimator = Estimator(fps)
        self._held: deque[Held] = deque(maxlen=HELD)
        self._sent: deque[tuple[int, int]] = deque(maxlen=512)

    @property
    def confidence(self) -> float:
        """Of the last second."""
        return self._estimator.confidence

    def sent(self, frame: Frame, now_ns: int) -> None:
        """A picture goes out."""
        self._sent.append((frame.tick, now_ns))
        self._estimator.sent(frame.tick, now_ns / 1e9, frame.pixels)

    def encoded(self, timestamp: int, data: bytes, codec: str, now_ns: int) -> None:
        """A frame came; it waits until a picture at or after its timestamp was looked at."""
        self._held.append(Held(timestamp, data, codec, now_ns))

    def decoded(self, frame: Any, now_ns: int) -> tuple[Match | None, list[tuple[Held, Match]]]:
        """The match of this picture, and every held frame up to it with its own."""
        plane = frame.planes[0]
        luma = np.frombuffer(plane, np.uint8).reshape(-1, plane.line_size)
        luma = luma[: frame.height, : frame.width]
        came = next((h.received_ns for h in self._held if h.timestamp == frame.pts), now_ns)
        match = self._estimator.returned(came / 1e9, luma)
        done: list[tuple[Held, Match]] = []
        while self._held and self._held[0].timestamp <= frame.pts:
            held = self._held.popleft()
            own = match if held.timestamp == frame.pts else self._by_delay(held, match)
            if own is not None:
                done.append((held, own))
        return match, done

    def _by_delay(self, held: Held, match: Match | None) -> Match | None:
        """For a frame that was passed over: the picture sent the usual time before it came."""
        if match is None or not self._sent:
            return None
        wanted = held.received_ns - int(match.delay_s * 1e9)
        tick, _ = min(self._sent, key=lambda sent: abs(sent[1] - wanted))
        return Match(tick, match.confidence * _UNSEEN, match.delay_s)
