"""Where a frame's time goes: encode, uplink, backend, downlink, decode. Shown beside the picture.

Owns the points in time of the frames on their way. The server tells two of its own; its clock is
set against ours by assuming that the quickest packet takes as long there as back.
"""

import time
from collections import OrderedDict, deque
from collections.abc import Callable
from typing import TypeVar

STAGES = ("encode", "uplink", "backend", "downlink", "decode", "show")
REMEMBERED = 256
WINDOW = 90  # frames that a reading covers
CLOCK_WINDOW = 300  # frames that the clocks are compared over

T = TypeVar("T")
Times = tuple[int, int, int]
"""tick, when the server had received it, when it sent the styled one [ns of its clock]."""


class StageClock:
    """One peer's frames. now: monotonic nanoseconds."""

    def __init__(self, now: Callable[[], int] = time.monotonic_ns) -> None:
        self._now = now
        self._out: OrderedDict[int, tuple[int, int]] = OrderedDict()  # drawn, encoded
        self._in: OrderedDict[int, tuple[int, int]] = OrderedDict()  # received, decoded
        self._came: OrderedDict[int, int] = OrderedDict()
        self._way: deque[tuple[int, int]] = deque(maxlen=CLOCK_WINDOW)  # up, down: raw [ns]
        self._split: deque[tuple[int, int]] = deque(maxlen=WINDOW)  # up raw, down raw
        self._own: deque[tuple[int, int, int]] = deque(maxlen=WINDOW)  # encode, all between, decode
        self._backend: deque[int] = deque(maxlen=WINDOW)

    def sent(self, tick: int, drawn_ns: int) -> None:
        """Its encoded frame is handed to the line now."""
        _keep(self._out, tick, (drawn_ns, self._now()))

    def received(self, tick: int) -> None:
        """Its styled frame is here, encoded."""
        _keep(self._came, tick, self._now())

    def decoded(self, tick: int) -> None:
        """Its styled picture can be shown."""
        came = self._came.get(tick)
        if came is None or tick not in self._out or tick in self._in:
            return
        now = self._now()
        _keep(self._in, tick, (came, now))
        drawn, encoded = self._out[tick]
        self._own.append((encoded - drawn, came - encoded, now - came))

    def told(self, frames: list[Times]) -> None:
        """What the server says of frames that it has sent."""
        for tick, received, sent in frames:
            if tick not in self._out or tick not in self._in:
                continue
            ways = (received - self._out[tick][1], self._in[tick][0] - sent)
            self._way.append(ways)
            self._split.append(ways)
            self._backend.append(sent - received)

    def reading(self) -> dict[str, float]:
        """Median [ms] of each stage of the last seconds; without a server's word, no split.

        Then `uplink` holds all that happens between sending and receipt.
        """
        if not self._own:
            return {}
        encode, between, decode = (_median([own[i] for own in self._own]) for i in range(3))
        if not self._split:
            return _ms({"encode": encode, "uplink": between, "decode": decode})
        offset = (min(up for up, _ in self._way) - min(down for _, down in self._way)) / 2
        up = _median([way[0] for way in self._split]) - offset
        down = _median([way[1] for way in self._split]) + offset
        backend = _median(list(self._backend))
        parts = {"encode": encode, "uplink": up, "backend": backend, "downlink": down}
        return _ms({**parts, "decode": decode})


def pack_times(frames: list[Times]) -> str:
    """As it travels in an `sd.times` message."""
    return " ".join(f"{tick},{received},{sent}" for tick, received, sent in frames)


def unpack_times(text: str) -> list[Times]:
    """Inverse of pack_times. What is no list of times is ()."""
    try:
        rows = [tuple(int(part) for part in row.split(",")) for row in text.split()]
    except ValueError:
        return []
    return [(row[0], row[1], row[2]) for row in rows if len(row) == 3]


def _keep(store: OrderedDict[int, T], tick: int, value: T) -> None:
    store[tick] = value
    while len(store) > REMEMBERED:
        store.popitem(last=False)


def _median(values: list[int]) -> float:
    return float(sorted(values)[len(values) // 2])


def _ms(parts: dict[str, float]) -> dict[str, float]:
    return {name: round(max(value, 0.0) / 1e6, 2) for name, value in parts.items()}
