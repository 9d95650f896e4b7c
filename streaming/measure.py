"""Measures a stream with pictures of its own, for `stream probe`, `stream bench` and the table.

Puts a moving synthetic street into the rings, as the game would, and counts what comes back. Shares
no code with the tests. Needs a server's address, or starts one beside it.
"""

import contextlib
import dataclasses
import multiprocessing
import os
import platform
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import psutil

from streaming.address import address_of
from streaming.errors import ServerRefused, ServerUnreachable, StreamingError, cause_of
from streaming.frames import Pixels, unpack_encoded
from streaming.gauges import Gauges, Percentiles
from streaming.impairment import Impairment
from streaming.peer import PeerConfig
from streaming.peer_process import PeerProcess
from streaming.ring import FifoRing, LatestRing
from streaming.server import Ready, ServerConfig, run_server

FPS = 30
LEAD_S = 1.0  # settled before the measuring begins
START_S = 20.0
AWAY_S = 4.0
"""So long is tried again after the first try that failed."""


@dataclass(frozen=True, slots=True)
class Measured:
    """One measurement. times [ms] and fps over at most its last ten seconds.

    returned: share of the pictures put that came back. cpu: of the peer's process, 1 = one core.
    stages: median [ms] of each part of the way. line_loss: share of packets lost on the way there,
    line_ms: round trip of the line alone. sending [bit/s]: what the rate control allows at the end.
    """

    round_trip_ms: Percentiles
    returned: float
    fps: float
    connect_ms: float
    first_frame_ms: float
    bitrate: int
    cpu: float
    server_cpu: float
    backend: str
    stages: dict[str, float] = field(default_factory=dict)
    line_loss: float = 0.0
    line_ms: float = 0.0
    sending: int = 0

    def row(self) -> dict[str, Any]:
        """As it stands in the JSON of `stream bench`."""
        times = self.round_trip_ms
        return {
            "p50": times.p50,
            "p95": times.p95,
            "p99": times.p99,
            "returned": round(self.returned, 4),
            "fps": self.fps,
            "connect_ms": self.connect_ms,
            "first_frame_ms": self.first_frame_ms,
            "cpu": round(self.cpu, 3),
            "server_cpu": round(self.server_cpu, 3),
        }


def machine() -> str:
    """This machine in a few words: processor, cores, load, Python."""
    model = platform.processor() or platform.machine()
    with contextlib.suppress(OSError, StopIteration):
        lines = Path("/proc/cpuinfo").read_text().splitlines()
        model = next(line for line in lines if line.startswith("model name")).partition(":")[2]
    load = f", load {os.getloadavg()[0]:.1f}" if hasattr(os, "getloadavg") else ""
    return f"{model.strip()}, {os.cpu_count()} cores{load}, Python {platform.python_version()}"


@contextmanager
def server(config: ServerConfig) -> Iterator[tuple[Ready, int]]:
    """A server in a process of its own while the context lasts, and its process id."""
    context = multiprocessing.get_context("spawn")
    ours, theirs = context.Pipe()
    process = context.Process(target=run_server, args=(config, theirs), daemon=True)
    process.start()
    theirs.close()
    try:
        ready = ours.recv() if ours.poll(START_S) else None
        if isinstance(ready, StreamingError):
            raise ready
        if not isinstance(ready, Ready):
            raise ServerUnreachable(config.host, f"did not start in {START_S:.0f} s")
        yield ready, process.pid or 0
    finally:
        ours.close()
        process.join(5)
        if process.is_alive():
            process.kill()
            process.join()


def measure(
    config: PeerConfig,
    seconds: float,
    side: int = 480,
    server_pid: int = 0,
    settle_s: float = LEAD_S,
) -> Measured:
    """Stream for `seconds` and tell how it went. Raises ServerUnreachable or ServerRefused."""
    label = f"measure-{os.urandom(3).hex()}"
    with (
        LatestRing.create(f"{label}-source", side, side) as source,
        LatestRing.create(f"{label}-styled", side, side) as styled,
        FifoRing.create(f"{label}-encoded", 1 << 19, slots=64) as encoded,
    ):
        peer = PeerProcess(config, source, styled, encoded)
        game = _Game(source, encoded, side)
        peer.start()
        game.start()
        began = time.monotonic()
        try:
            _wait(lambda: peer.gauges(), config.url)
            first_ms = (time.monotonic() - began) * 1000 - _spawned_ms(peer, began)
            time.sleep(settle_s)
            return _measured(peer, game, seconds, first_ms, server_pid)
        finally:
            game.stop()
            peer.stop()


def _spawned_ms(peer: PeerProcess, began: float) -> float:
    """How long the child took to be there at all: no part of connecting."""
    return max(0.0, (peer.spoke_at or began) - began) * 1000


def _wait(look: Callable[[], Gauges], url: str) -> None:
    deadline = time.monotonic() + START_S
    while not (gauges := look()).connected:
        if gauges.state == "refused":
            raise ServerRefused(address_of(url), cause_of(gauges.detail))
        if gauges.detail:
            deadline = min(deadline, time.monotonic() + AWAY_S)
        if time.monotonic() > deadline:
            raise ServerUnreachable(
                address_of(url), cause_of(gauges.detail) or "no picture came back"
            )
        time.sleep(0.02)


def _measured(
    peer: PeerProcess, game: "_Game", seconds: float, first_ms: float, server_pid: int
) -> Measured:
    before, first, began = peer.gauges(), game.tick, time.monotonic()
    busy = _cpu_s(server_pid)
    time.sleep(seconds)
    after, last, wall = peer.gauges(), game.tick, time.monotonic() - began
    server_busy = _cpu_s(server_pid) - busy
    game.pause()
    deadline = time.monotonic() + 1.5  # what is on its way still counts
    while game.newest < last and time.monotonic() < deadline:
        time.sleep(0.02)
    put = [tick for tick in game.put if first < tick <= last]
    back = sum(tick in game.back for tick in put)
    return Measured(
        after.round_trip_ms,
        back / max(len(put), 1),
        after.fps_in,
        after.connect_ms,
        round(first_ms, 1),
        after.bitrate,
        (after.cpu_s - before.cpu_s) / wall,
        server_busy / wall,
        after.backend,
        after.stages,
        after.line_loss,
        after.line_ms,
        after.sending,
    )


def _cpu_s(pid: int) -> float:
    with contextlib.suppress(psutil.Error):
        if pid:
            times = psutil.Process(pid).cpu_times()
            return float(times.user + times.system)
    return 0.0


class _Game(threading.Thread):
    """Puts a picture every 1/30 s, two ticks apart, and collects the ticks that come back."""

    def __init__(self, source: LatestRing, encoded: FifoRing, side: int) -> None:
        super().__init__(name="measured-game", daemon=True)
        self._source, self._encoded = source, encoded
        self._pictures = [street(i, side) for i in range(0, 60, 2)]
        self._over, self._paused = threading.Event(), threading.Event()
        self.tick, self.newest = 0, -1
        self.put: list[int] = []
        self.back: set[int] = set()

    def run(self) -> None:
        due = time.monotonic()
        while not self._over.wait(0.003):
            if time.monotonic() >= due and not self._paused.is_set():
                due = max(due + 1 / FPS, time.monotonic() - 1 / FPS)
                tick = self.tick + 2
                picture = self._pictures[tick // 2 % len(self._pictures)]
                self._source.put(tick, time.monotonic_ns(), picture)
                self.put.append(tick)
                self.tick = tick
            while (item := self._encoded.pop()) is not None:
                self.back.add(unpack_encoded(item.data).tick)
                self.newest = max(self.newest, item.tick)

    def pause(self) -> None:
        """Put no more; go on collecting."""
        self._paused.set()

    def stop(self) -> None:
        """End the thread."""
        self._over.set()
        self.join()


def street(tick: int, side: int = 480) -> Pixels:
    """A picture (side, side, 4) BGRA of a road that moves with the tick, detailed like the game."""
    y, x = np.mgrid[0:side, 0:side].astype(np.float32) / side
    depth = np.maximum(y - 0.45, 1e-3)
    lane = np.abs(((x - 0.5) / depth + 3) % 1.0 - 0.5)
    dash = (0.3 / depth + tick * 0.12) % 1.0 < 0.5
    road = 70 + 20 * np.sin(60 / depth + tick) * (depth > 0.02)
    windows = ((x * 40 + tick * 0.02) % 1 < 0.6) & ((y * 40) % 1 < 0.6)
    wall = 90 + 60 * windows + 30 * np.sin(x * 9 + tick * 0.05)
    out = np.full((side, side, 4), 255, np.uint8)
    ground = np.where((lane < 0.03) & dash, 230, road)
    for channel, tint in enumerate((1.1, 1.0, 0.9)):
        sky = 210 * tint - 100 * y
        above = np.where(y < 0.2 + 0.1 * np.sin(x * 20).round(), sky, wall * tint)
        out[..., channel] = np.clip(np.where(y > 0.45, ground, above), 0, 255)
    return out


@dataclass(frozen=True, slots=True)
class Case:
    """One row of `stream bench`. line: both directions, each with draws of its own.

    work_s: what the backend takes for a picture. settle_s: before the measuring begins.
    """

    line: Impairment | None = None
    work_s: float = 0.0
    settle_s: float = LEAD_S


_WAY = 0.01  # [s] each way, where a line is spoilt at all
CASES: dict[str, Case] = {
    "loopback": Case(),
    "2 % loss": Case(Impairment(loss=0.02, delay=_WAY, seed=2)),
    "5 % loss": Case(Impairment(loss=0.05, delay=_WAY, seed=2)),
    "10 % loss": Case(Impairment(loss=0.10, delay=_WAY, seed=2)),
    "50 ms jitter, reordered": Case(
        Impairment(delay=_WAY, jitter=0.05, reorder=True, seed=2), settle_s=2.0
    ),
    "1.5 Mbit/s pipe": Case(Impairment(delay=_WAY, rate=1_500_000, seed=2), settle_s=8.0),
    "1 s black-out": Case(Impairment(delay=_WAY, down_every=6.0, down_s=1.0, seed=2)),
    "50 ms backend": Case(work_s=0.05),
}


def compare(case: str, seconds: float, backend: str = "identity") -> dict[str, Any]:
    """One row of `stream bench`: our receiver and encoder, then the library's own."""
    row: dict[str, Any] = {"case": case}
    what = CASES[case]
    here = what.line and dataclasses.replace(what.line, seed=what.line.seed + 1)
    for name, patched in (("ours", True), ("stock", False)):
        config = ServerConfig(
            backend=backend, patched=patched, impairment=what.line, work_s=what.work_s
        )
        with server(config) as (ready, pid):
            url = f"ws://127.0.0.1:{ready.port}"
            peer = PeerConfig(url, "bench", patched=patched, impairment=here)
            try:
                seen = measure(peer, seconds, server_pid=pid, settle_s=what.settle_s)
                row[name] = seen.row()
            except ServerUnreachable as error:  # a stock line may never get a picture through
                row[name] = {"p50": 0.0, "p95": 0.0, "p99": 0.0, "returned": 0.0, "why": str(error)}
    return row
