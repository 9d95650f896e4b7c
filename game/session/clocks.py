"""What the clocks did while a session was recorded: jumps, sleep, time in which nothing was lived.

Nothing is timed by the wall clock, so none of this changes a recording; it only says, in events of
the kind `clock`, what happened to the time around it.
"""

import time
from collections.abc import Callable
from dataclasses import dataclass

from game.world.version import TICK_HZ

MINUTE_TICKS = 60 * TICK_HZ
NOTABLE_NS = 500_000_000
"""Smaller differences between clocks are told with the reading of the minute only [ns]."""


def since_boot_ns() -> int:
    """Like the monotonic clock, but it goes on while the machine sleeps, where there is one."""
    clock = getattr(time, "CLOCK_BOOTTIME", None)
    return time.clock_gettime_ns(clock) if clock is not None else time.monotonic_ns()


@dataclass(frozen=True, slots=True)
class Reading:
    """All clocks at one tick [ns]."""

    tick: int
    monotonic: int
    boot: int
    unix: int


class Clocks:
    """Compares the clocks once a second. Make it at the first tick."""

    def __init__(
        self,
        tick: int,
        monotonic: Callable[[], int] = time.monotonic_ns,
        boot: Callable[[], int] = since_boot_ns,
        unix: Callable[[], int] = time.time_ns,
    ) -> None:
        self._clocks = monotonic, boot, unix
        self._last = self._told = self._read(tick)

    def _read(self, tick: int) -> Reading:
        monotonic, boot, unix = (clock() for clock in self._clocks)
        return Reading(tick, monotonic, boot, unix)

    def note(self, tick: int) -> dict[str, int] | None:
        """Fields of an event, once a minute and where something happened since the last call.

        lost_ns: time in which no tick was lived though the machine ran; slept_ns: in which it
        slept; jumped_ns: by which the wall clock was set, back is below zero. Only these three
        are left out where they are too small to matter.
        """
        last, now = self._last, self._read(tick)
        self._last = now
        went = now.monotonic - last.monotonic
        found = {
            "lost_ns": went - (now.tick - last.tick) * 1_000_000_000 // TICK_HZ,
            "slept_ns": (now.boot - last.boot) - went,
            "jumped_ns": (now.unix - last.unix) - (now.boot - last.boot),
        }
        # ticks that catch up after a short stutter come early: that is no time lost
        found["lost_ns"] = max(0, found["lost_ns"])
        notable = {name: value for name, value in found.items() if abs(value) >= NOTABLE_NS}
        if not notable and now.tick - self._told.tick < MINUTE_TICKS:
            return None
        self._told = now
        return {"monotonic_ns": now.monotonic, "unix_ns": now.unix, **notable}
