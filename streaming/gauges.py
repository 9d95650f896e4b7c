"""What the stream is doing, in numbers for the HUD, the report and the benchmarks."""

import dataclasses
import json
import time
from collections import deque
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field

READING_BYTES = 4096
WINDOW_S = 10.0
STATES = ("starting", "connecting", "queued", "streaming", "stalled", "reconnecting", "refused")


@dataclass(frozen=True, slots=True)
class Percentiles:
    """Of a set of times [ms]; all zero when there were none."""

    p50: float = 0.0
    p95: float = 0.0
    p99: float = 0.0

    @classmethod
    def of(cls, samples: Iterable[float]) -> "Percentiles":
        """Nearest rank, so each value was really measured."""
        ordered = sorted(samples)
        if not ordered:
            return cls()
        last = len(ordered) - 1
        return cls(*(round(ordered[round(q * last)], 3) for q in (0.50, 0.95, 0.99)))


@dataclass(frozen=True, slots=True)
class Gauges:
    """One reading. Counts run since the peer started; rates and times cover the last ten seconds.

    round_trip_ms: from the picture's capture until its styled picture can be shown. state: one of
    STATES; connected means frames are coming back. dropped: source pictures skipped because newer
    ones were there or the stream ended: with those sent, all that were drawn. lost: encoded frames
    that the recorder's ring had no room for. foreign: frames with a tick never sent. bitrate
    [bit/s]: as received. backend: as the server names it. stages: median [ms] of each part of the
    way, see `stages`. line_loss: share of packets lost on the way there, line_ms: round trip of
    the line alone. sending [bit/s]: allowed by the rate control. exact: pairs are, else
    `confidence` tells. seed: the scenario's, once the server released it.
    """

    state: str = "starting"
    connected: bool = False
    round_trip_ms: Percentiles = field(default_factory=Percentiles)
    sent: int = 0
    returned: int = 0
    dropped: int = 0
    lost: int = 0
    foreign: int = 0
    reconnects: int = 0
    fps_in: float = 0.0
    fps_out: float = 0.0
    bitrate: int = 0
    queue_position: int = 0
    backend: str = ""
    detail: str = ""
    connect_ms: float = 0.0
    cpu_s: float = 0.0
    stages: dict[str, float] = field(default_factory=dict)
    line_loss: float = 0.0
    line_ms: float = 0.0
    sending: int = 0
    exact: bool = True
    confidence: float = 1.0
    seed: int = -1


class Meter:
    """Samples of the last ten seconds. now: seconds, monotonic."""

    def __init__(self, now: Callable[[], float] = time.monotonic) -> None:
        self._now = now
        self._samples: deque[tuple[float, float]] = deque(maxlen=2000)

    def add(self, value: float) -> None:
        """Note one sample now."""
        self._samples.append((self._now(), value))

    def values(self) -> list[float]:
        """The samples that are still fresh."""
        since = self._now() - WINDOW_S
        while self._samples and self._samples[0][0] < since:
            self._samples.popleft()
        return [value for _, value in self._samples]

    def rate(self) -> float:
        """Samples per second, over the time that the fresh ones span."""
        count = len(self.values())
        span = self._now() - self._samples[0][0] if count else 0.0
        return count / span if span > 0.5 else 0.0

    def sum_rate(self) -> float:
        """Sum of the fresh values per second."""
        values = self.values()
        span = self._now() - self._samples[0][0] if values else 0.0
        return sum(values) / span if span > 0.5 else 0.0


def pack_gauges(gauges: Gauges) -> bytes:
    """A reading as READING_BYTES bytes of JSON, padded with blanks."""
    told = dataclasses.asdict(dataclasses.replace(gauges, detail=gauges.detail[:300]))
    return json.dumps(told).encode("ascii").ljust(READING_BYTES)


def unpack_gauges(data: bytes) -> Gauges:
    """Inverse of pack_gauges."""
    told = json.loads(data)
    return Gauges(**{**told, "round_trip_ms": Percentiles(**told["round_trip_ms"])})
