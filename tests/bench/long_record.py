"""Ten minutes of 30 pairs/s beside a game at full look: are pairs dropped, what does it cost?

    python -m tests.bench.long_record [--minutes 10] [--mode near-lossless|lossless]

Drives and draws the living city in this process as `play` does, in real time, its pictures going to
the recorder process with styled frames of 2.5 Mbit/s beside them. Prints one table; exits with 1
where a pair was dropped or the lossless mode did not give back what was drawn. It works in real
time, so it is no part of `make bench`.
"""

import argparse
import os
import shutil
import sys
import tempfile
import time
from pathlib import Path

import numpy as np

from game.atlas.load import load as load_city
from game.recorder.process import Recorder, encoded_ring, source_ring
from game.session.format import CaptureProfile, Driver, Manifest, TrackId
from game.session.ids import new_id
from game.session.reader import Session
from game.session.writer import SessionWriter
from game.view.window import Window
from game.world.step import step
from game.world.version import TICK_HZ, WORLD_VERSION
from scenarios.cases import case, case_digest
from scenarios.driver import Bot
from scenarios.free import free_at
from streaming.frames import EncodedFrame, pack_encoded

PLACE = "West 42nd Street & 7th Avenue"
STYLED_BYTES = 2_500_000 // 8 // 30
KEPT = 20


def main() -> None:
    """Record, then say what came of it."""
    parser = argparse.ArgumentParser(prog="python -m tests.bench.long_record")
    parser.add_argument("--minutes", type=float, default=10.0)
    parser.add_argument("--mode", default="near-lossless", choices=["near-lossless", "lossless"])
    parser.add_argument("--scenario", default="")
    options = parser.parse_args()
    root = Path(tempfile.mkdtemp(prefix="long-record-"))
    try:
        sys.exit(record(root, options.minutes, options.mode, options.scenario))
    finally:
        shutil.rmtree(root)


def record(root: Path, minutes: float, mode: str, name: str) -> int:
    """Exit code of one run."""
    city, capture = load_city(), CaptureProfile()
    name = name or free_at(city, PLACE).name
    staged = case(name, city, 5)
    window, bot = Window(city, capture, "offscreen"), Bot(staged, city)
    manifest = Manifest(
        session=new_id(), created="2026-01-01T00:00:00Z", build="bench",
        world_version=WORLD_VERSION, pack=city.name, pack_digest=city.digest, scenario=name,
        scenario_digest=case_digest(name), seed=5, tick_hz=TICK_HZ, driver=Driver("bot", "calm"),
        backend="none", capture=capture, source_codec=mode, renderer=window.family,
    )  # fmt: skip
    writer = SessionWriter.create(root, manifest)
    kept: dict[int, np.ndarray] = {}
    label = f"long-{os.getpid()}"
    with source_ring(capture, f"{label}-s") as source, encoded_ring(f"{label}-e") as encoded:
        recorder = Recorder(writer.folder, capture, source, encoded, mode=mode)
        recorder.start()
        recorder.ready()
        state, late, began, cpu = staged.state, 0, time.perf_counter(), time.process_time()
        writer.tick(state)
        total = round(minutes * 60 * TICK_HZ)
        while state.tick < total:
            state = step(city, state, bot.controls(state))
            writer.tick(state)
            if state.tick % 2 == 0:
                picture = window.capture(state)
                now = time.monotonic_ns()
                source.push(picture.data.cast("B"), kind=0, tick=state.tick, t_ns=now)
                frame = EncodedFrame(state.tick, os.urandom(STYLED_BYTES), state.tick == 2, now)
                encoded.push(pack_encoded(frame), kind=2, tick=state.tick, t_ns=now)
                if state.tick % (total // KEPT // 2 * 2 or 2) == 0:
                    kept[state.tick] = picture[..., 2::-1].copy()
            ahead = state.tick / TICK_HZ - (time.perf_counter() - began)
            late += ahead < -0.1 and state.tick % TICK_HZ == 0
            time.sleep(max(0.0, ahead))
        seconds = time.perf_counter() - began
        spent = time.process_time() - cpu
        gauges = recorder.stop(60.0)
        window.close()
    writer.finish()
    return _say(writer.folder, mode, gauges, kept, (seconds, spent, late, total))


def _say(folder: Path, mode: str, gauges, kept, clock) -> int:  # type: ignore[no-untyped-def]
    seconds, spent, late, total = clock
    load = os.getloadavg()[1]
    disk = sum(path.stat().st_size for path in folder.iterdir())
    hours = total / TICK_HZ / 3600
    with Session.open(folder) as session:
        pairs = len(session.pairs())
        there = {record.tick for record in session.frames(TrackId.SOURCE)}
        same = [
            tick in there and bool((session.picture(TrackId.SOURCE, tick) == picture).all())
            for tick, picture in kept.items()
        ]
    for what, value in (
        ("mode", mode), ("asked for [min]", f"{total / TICK_HZ / 60:.1f}"),
        ("took [min]", f"{seconds / 60:.2f}"), ("seconds that ran late", late),
        ("pairs", f"{pairs} of {total // 2}"),
        ("refused by a full ring", gauges.dropped_source + gauges.dropped_styled),
        ("load of the machine", f"{load:.1f} on {os.cpu_count()} cores"),
        ("recorder, share of a core", f"{gauges.cpu_s / seconds:.1%}"),
        ("game process, share of a core", f"{spent / seconds:.1%}"),
        ("disk [GB/h]", f"{disk / hours / 1e9:.2f}"),
        *((path.name, f"{path.stat().st_size / hours / 1e9:.3f} GB/h")
          for path in sorted(folder.iterdir()) if path.suffix in (".mkv", ".bin", ".jsonl")),
        ("pictures bit-identical", f"{sum(same)} of {len(same)}" if mode == "lossless" else "-"),
    ):  # fmt: skip
        print(f"{what:32} {value}")
    whole = pairs == total // 2 and not gauges.failed
    return 0 if whole and (mode != "lossless" or all(same)) else 1


if __name__ == "__main__":
    main()
