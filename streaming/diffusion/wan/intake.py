"""Which frames a slow model takes: the newest, never a growing line.

Frames are dropped before they enter the stream, so each one that enters comes out; a pause between
neighbours is what the noise controller sees as motion.
"""

from collections import deque
from dataclasses import dataclass
from typing import Generic, TypeVar

Item = TypeVar("Item")


@dataclass(frozen=True, slots=True)
class Arrived(Generic[Item]):
    """A frame with its tick and when it came, seconds of any steady clock."""

    tick: int
    frame: Item
    at: float


class Intake(Generic[Item]):
    """Holds at most `room` frames; one more drops the oldest. dropped counts them."""

    def __init__(self, room: int) -> None:
        if room < 1:
            raise ValueError("an intake needs room for one frame")
        self._waiting: deque[Arrived[Item]] = deque()
        self.room, self.dropped = room, 0

    def __len__(self) -> int:
        return len(self._waiting)

    def put(self, tick: int, frame: Item, now: float) -> None:
        """A frame has come."""
        if len(self._waiting) == self.room:
            self._waiting.popleft()
            self.dropped += 1
        self._waiting.append(Arrived(tick, frame, now))

    def take(self, count: int) -> list[Arrived[Item]]:
        """The oldest `count` frames held, or none while there are fewer."""
        if len(self._waiting) < count:
            return []
        return [self._waiting.popleft() for _ in range(count)]

    def flush(self) -> int:
        """Forget what waits (the prompt or the player changed); how many frames that were."""
        gone = len(self._waiting)
        self._waiting.clear()
        self.dropped += gone
        return gone

    def age(self, now: float) -> float:
        """How long the oldest frame has waited, in seconds; 0 when none does."""
        return now - self._waiting[0].at if self._waiting else 0.0
