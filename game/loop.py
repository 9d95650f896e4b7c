"""When the next tick is due. Owns pacing only; the world never sees a clock."""

from collections.abc import Callable

from game.world.version import TICK_HZ

_TICK_NS = 1_000_000_000 // TICK_HZ


class Pacer:
    """Turns a monotonic clock into due ticks: real time, never faster, catching up when late.

    After a gap longer than `forgive_ns` (a sleeping laptop) the lost time is dropped, not raced.
    """

    def __init__(self, now_ns: Callable[[], int], forgive_ns: int = 1_000_000_000) -> None:
        self._now = now_ns
        self._forgive = forgive_ns
        self._start = now_ns()
        self._done = 0
        self.forgiven_ns = 0

    def due(self) -> int:
        """Number of ticks to run now, counted as done."""
        elapsed = self._now() - self._start
        count = elapsed * TICK_HZ // 1_000_000_000 - self._done
        late = count * _TICK_NS
        if late > self._forgive:
            self._start += late
            self.forgiven_ns += late
            count = 1
            self._start -= _TICK_NS
        self._done += count
        return count

    def rest(self) -> None:
        """Forget the time that has passed since the last due tick: somebody paused."""
        self._start = self._now() - self._done * 1_000_000_000 // TICK_HZ

    def wait_s(self) -> float:
        """Seconds until the next tick is due, 0.0 when it already is."""
        at = self._start + (self._done + 1) * 1_000_000_000 // TICK_HZ
        return max(0.0, (at - self._now()) / 1e9)
