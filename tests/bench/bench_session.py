"""What recording costs: the tick on the frame path, the recorder's share of a core, the disk."""

import os
import shutil
import tempfile
import time
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from game.atlas.load import load as load_city
from game.recorder.deck import Count, Deck, RecorderConfig
from game.session.format import CaptureProfile, Driver, Manifest
from game.session.ids import new_id
from game.session.reader import Session
from game.session.replay import library_stage, replay
from game.session.writer import SessionWriter
from game.world.state import WorldState
from game.world.version import TICK_HZ, WORLD_VERSION
from scenarios.driver import Bot
from scenarios.load import load
from scenarios.model import digest
from scenarios.run import drive
from scenarios.spawn import stage
from streaming.frames import EncodedFrame, pack_encoded
from streaming.ring import FifoRing
from tests.bench.encoders import pictures

SIDE = 480
PAIRS = 150
PAIRS_PER_S = 30
STYLED_BYTES = 2_500_000 // 8 // PAIRS_PER_S
GOAL_SHARE, GOAL_GB = 20.0, 3.0


def _row(
    name: str, value: float, unit: str, against: str = "", limit: float | None = None
) -> dict[str, Any]:
    ratio = None if limit is None else round(value / limit, 3)
    return {"name": name, "value": round(value, 3), "unit": unit, "against": against,
            "ratio": ratio}  # fmt: skip


def _recorder(
    root: Path, mode: str, shots: NDArray[np.uint8], states: float
) -> list[dict[str, Any]]:
    """Processor time and bytes of one mode, ring to disk, styled frames of 2.5 Mbit/s beside it.

    shots: (n, h, w, 4) of a drive at full look. states: what inputs and ticks take [GB/h].
    """
    folder = root / mode
    folder.mkdir()
    label = f"bench-{os.getpid()}-{mode}"
    with (
        FifoRing.create(f"{label}-s", SIDE * SIDE * 4, 8) as source,
        FifoRing.create(f"{label}-e", 1 << 18, 8) as encoded,
    ):
        config = RecorderConfig(folder, SIDE, SIDE, source.name, encoded.name, mode)
        counters = [0] * len(Count)
        deck = Deck(config, source, encoded, counters)
        spent = 0.0
        for index, picture in enumerate(shots):
            source.push(picture.data.cast("B"), kind=0, tick=2 * index)
            frame = EncodedFrame(2 * index, os.urandom(STYLED_BYTES), index == 0, index)
            encoded.push(pack_encoded(frame), kind=2, tick=2 * index)
            before = time.process_time()
            deck.step()
            spent += time.process_time() - before
        deck.close()
    ms = spent / len(shots) * 1e3
    hour = PAIRS_PER_S * 3600 / len(shots) / 1e9
    tracks = {p.name.partition("-")[0]: p.stat().st_size * hour for p in folder.glob("*.mkv")}
    disk = counters[Count.BYTES] * hour + states
    goal = mode == "near-lossless"
    return [
        *(_row(f"recorder, {mode}: {name} track", size, "GB/h") for name, size in tracks.items()),
        _row(f"recorder, {mode}: CPU a pair", ms, "ms"),
        _row(f"recorder, {mode}: share of a core", ms * PAIRS_PER_S / 10, "%",
             "goal 20 %" if goal else "", GOAL_SHARE if goal else None),
        _row(f"recorder, {mode}: disk with states", disk, "GB/h", "goal 3 GB/h" if goal else "",
             GOAL_GB if goal else None),
    ]  # fmt: skip


def _writer(root: Path) -> list[dict[str, Any]]:
    """A bot's drive recorded, then replayed from its inputs."""
    city, scenario = load_city(), load("oncoming-traffic")
    staged = stage(scenario, city, 5)
    manifest = Manifest(
        session=new_id(), created="2026-01-01T00:00:00Z", build="bench",
        world_version=WORLD_VERSION, pack=city.name, pack_digest=city.digest,
        scenario=scenario.id, scenario_digest=digest(scenario), seed=5, tick_hz=TICK_HZ,
        driver=Driver("bot", "calm"), backend="none", capture=CaptureProfile(),
    )  # fmt: skip
    states: list[WorldState] = []
    drive(staged, city, Bot(staged, city), states.append)
    writer = SessionWriter.create(root, manifest)
    costs = []
    for state in states:
        before = time.perf_counter()
        writer.tick(state)
        costs.append(time.perf_counter() - before)
    writer.finish()
    size = (writer.folder / "ticks.bin").stat().st_size + (
        writer.folder / "inputs.jsonl"
    ).stat().st_size
    before = time.perf_counter()
    with Session.open(writer.folder) as session:
        ticks = sum(1 for _ in replay(session, city, library_stage(manifest, city)))
    speed = ticks / (time.perf_counter() - before)
    return [
        _row("session: write a tick, median", float(np.median(costs)) * 1e6, "us"),
        _row("session: write a tick, p99", float(np.percentile(costs, 99)) * 1e6, "us"),
        _row("session: inputs and ticks", size / len(states) * 216_000 / 1e9, "GB/h"),
        _row("session: replay", speed, "ticks/s", "10 times real time", 600.0),
    ]


def rows() -> list[dict[str, Any]]:
    """Rows of the bench table."""
    root = Path(tempfile.mkdtemp(prefix="bench-session-"))
    try:
        shots = pictures(PAIRS)
        found = _writer(root)
        states = next(row["value"] for row in found if row["unit"] == "GB/h")
        for mode in ("near-lossless", "lossless"):
            found += _recorder(root, mode, shots, states)
        return found
    finally:
        shutil.rmtree(root)
