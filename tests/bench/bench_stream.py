"""The stream in the bench table: round trip beside the library alone, ring cost, CPU share."""

import time
from typing import Any

import numpy as np

from streaming.measure import CASES, compare, machine, street
from streaming.ring import FifoRing, LatestRing

SECONDS = 10.0


def _row(
    name: str, value: float, unit: str, against: float | None = None, told: str = ""
) -> dict[str, Any]:
    ratio = round(value / against, 3) if against else None
    return {
        "name": name,
        "value": round(value, 4),
        "unit": unit,
        "against": against,
        "ratio": ratio,
        "machine": told,
    }


def ring_copy_ms(side: int = 480, times: int = 300) -> tuple[float, float]:
    """Median cost of one put and one get of a (side, side, 4) picture [ms]."""
    pixels = street(0, side)
    puts, gets = [], []
    with LatestRing.create("bench-ring", side, side) as ring:
        for tick in range(times):
            begin = time.perf_counter()
            ring.put(tick, 0, pixels)
            middle = time.perf_counter()
            ring.get(-1)
            puts.append(middle - begin)
            gets.append(time.perf_counter() - middle)
    return float(np.median(puts)) * 1000, float(np.median(gets)) * 1000


def fifo_ms(side: int = 480, times: int = 300) -> float:
    """Median cost of one push and pop of a raw picture [ms]."""
    pixels = memoryview(street(0, side))
    costs = []
    with FifoRing.create("bench-fifo", pixels.nbytes, slots=4) as ring:
        for tick in range(times):
            begin = time.perf_counter()
            ring.push(pixels, kind=1, tick=tick)
            ring.pop()
            costs.append(time.perf_counter() - begin)
    return float(np.median(costs)) * 1000


def rows(seconds: float = SECONDS) -> list[dict[str, Any]]:
    """Measured now, on this machine: ours against the library as it is, in one run."""
    told = machine()
    found = compare("loopback", seconds)
    ours, stock = found["ours"], found["stock"]
    put, get = ring_copy_ms()
    out = [
        _row(f"stream.round_trip.{p}", ours[p], "ms", stock[p] or None, told)
        for p in ("p50", "p95", "p99")
    ]
    out += [
        _row("stream.returned", ours["returned"], "share", stock["returned"] or None, told),
        _row("stream.peer.cpu", ours.get("cpu", 0.0), "cores", stock.get("cpu"), told),
        _row("stream.server.cpu", ours.get("server_cpu", 0.0), "cores", None, told),
        _row("stream.ring.put", put, "ms", None, told),
        _row("stream.ring.get", get, "ms", None, told),
        _row("stream.ring.fifo", fifo_ms(), "ms", None, told),
    ]
    for case in CASES:
        if case != "loopback":
            out += _case_rows(case, seconds, told)
    return out


def _case_rows(case: str, seconds: float, told: str) -> list[dict[str, Any]]:
    """A line or backend that is bad: round trip and what came back, beside the library's."""
    found = compare(case, seconds)
    ours, stock = found["ours"], found["stock"]
    rows_ = [
        _row(f"stream.{case}.{p}", ours[p], "ms", stock[p] or None, told)
        for p in ("p50", "p95", "p99")
    ]
    back = stock["returned"] or None
    return [*rows_, _row(f"stream.{case}.returned", ours["returned"], "share", back, told)]
