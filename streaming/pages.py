"""What a server tells those who look after it: numbers for Prometheus, a page for people, health.

Reads; changes nothing. Names no session, no player and no key.
"""

import html
import time
from collections import Counter, deque
from typing import Any

import psutil

from streaming.gauges import Percentiles


class Tally:
    """Counts of one server since it started. Seats add what they did when they end."""

    def __init__(self) -> None:
        self.began = time.monotonic()
        self.served = self.malformed = self.candidates_dropped = 0
        self.frames = self.skipped = self.bytes = self.keys = 0
        self.refused: Counter[str] = Counter()
        self.times_ms: deque[float] = deque(maxlen=2000)

    def frame(self, took_ms: float, size: int) -> None:
        """A frame has gone out: time from received to sent, bytes."""
        self.frames += 1
        self.bytes += size
        self.times_ms.append(took_ms)


_HELP = {
    "sd_up_seconds": ("gauge", "Since the server started."),
    "sd_seats": ("gauge", "Players that may stream at once."),
    "sd_players": ("gauge", "Players that stream now."),
    "sd_waiting": ("gauge", "Players in the queue."),
    "sd_served_total": ("counter", "Seats taken."),
    "sd_refused_total": ("counter", "Visits refused, by reason."),
    "sd_malformed_total": ("counter", "Messages that were not understood."),
    "sd_candidates_dropped_total": ("counter", "ICE candidates at addresses not to be called."),
    "sd_frames_total": ("counter", "Frames sent."),
    "sd_frames_skipped_total": ("counter", "Frames passed over for newer ones."),
    "sd_bytes_total": ("counter", "Encoded bytes sent."),
    "sd_frame_ms": ("gauge", "From a frame's last packet in to its bitstream out, recent frames."),
    "sd_backend_painted_total": ("counter", "Pictures that the backend painted."),
    "sd_backend_passed_total": ("counter", "Pictures that went back unstyled."),
    "sd_backend_failures_total": ("counter", "Times that the backend failed or hung."),
    "sd_backend_busy_seconds_total": ("counter", "Time spent in the backend."),
    "sd_backend_down": ("gauge", "1 while pictures pass unstyled."),
    "process_resident_memory_bytes": ("gauge", "Memory of the server process."),
    "process_threads": ("gauge", "Threads of the server process."),
    "process_open_fds": ("gauge", "Descriptors of the server process."),
}


def metrics(server: Any) -> dict[str, list[tuple[str, float]]]:
    """Every number by name, each with its labels ('' for none)."""
    tally, painter, process = server.tally, server.painter, psutil.Process()
    times = Percentiles.of(tally.times_ms)
    with process.oneshot():
        memory, threads = process.memory_info().rss, process.num_threads()
        descriptors = process.num_fds() if hasattr(process, "num_fds") else 0
    single = {
        "sd_up_seconds": round(time.monotonic() - tally.began, 1),
        "sd_seats": server.config.players,
        "sd_players": len(server.book),
        "sd_waiting": server.book.waiting,
        "sd_served_total": tally.served,
        "sd_malformed_total": tally.malformed,
        "sd_candidates_dropped_total": tally.candidates_dropped,
        "sd_frames_total": tally.frames,
        "sd_frames_skipped_total": tally.skipped,
        "sd_bytes_total": tally.bytes,
        "sd_backend_painted_total": painter.painted,
        "sd_backend_passed_total": painter.passed,
        "sd_backend_failures_total": painter.failures,
        "sd_backend_busy_seconds_total": round(painter.busy_s, 3),
        "sd_backend_down": int(bool(painter.down)),
        "process_resident_memory_bytes": memory,
        "process_threads": threads,
        "process_open_fds": descriptors,
    }
    found: dict[str, list[tuple[str, float]]] = {k: [("", float(v))] for k, v in single.items()}
    found["sd_refused_total"] = [
        (f'reason="{why}"', float(count)) for why, count in sorted(tally.refused.items())
    ] or [("", 0.0)]
    found["sd_frame_ms"] = [
        (f'quantile="{q}"', value)
        for q, value in (("0.5", times.p50), ("0.95", times.p95), ("0.99", times.p99))
    ]
    return found


def prometheus(server: Any) -> str:
    """The numbers in Prometheus' text format, version 0.0.4."""
    found, lines = metrics(server), []
    for name, (kind, text) in _HELP.items():
        lines += [f"# HELP {name} {text}", f"# TYPE {name} {kind}"]
        for labels, value in found[name]:
            lines.append(f"{name}{{{labels}}} {value:g}" if labels else f"{name} {value:g}")
    return "\n".join(lines) + "\n"


def page(server: Any) -> str:
    """The numbers for people; refreshes itself."""
    rows = "".join(
        f"<tr><td>{html.escape(_HELP[name][1])} {html.escape(labels)}</td>"
        f"<td style='text-align:right'>{value:,.6g}</td></tr>"
        for name in _HELP
        for labels, value in metrics(server)[name]
    )
    state = f"passes pictures unstyled: {server.painter.down}" if server.painter.down else "works"
    return (
        "<!doctype html><html lang='en'><head><meta charset='utf-8'>"
        "<meta http-equiv='refresh' content='5'><title>stream server</title>"
        "<style>body{font:15px sans-serif;margin:2em}td{padding:2px 12px}</style></head><body>"
        f"<h1>Stream server</h1><p>Backend {html.escape(server.backend.model)} "
        f"{html.escape(state)}.</p><table>{rows}</table>"
        "<p><a href='/health'>health</a> · <a href='/metrics'>metrics</a></p></body></html>"
    )
