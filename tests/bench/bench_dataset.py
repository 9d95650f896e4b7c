"""What data sets cost: export frames/s, and windows/s of the loader at random and in order."""

import shutil
import tempfile
import time
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np

from game.atlas.load import load as load_city
from game.dataset.job import Options, export
from game.dataset.quality import report
from game.dataset.video import GOP
from game.dataset.windows import Windows
from game.session import framefile
from game.session.append import AppendFile
from game.session.format import FRAMES, CaptureProfile, Driver, Manifest
from game.session.ids import new_id
from game.session.reader import Session
from game.session.track import NEAR_LOSSLESS, SourceTrack, StyledTrack
from game.session.writer import SessionWriter
from game.world.version import TICK_HZ, WORLD_VERSION
from scenarios.driver import Bot
from scenarios.load import load
from scenarios.model import digest
from scenarios.run import drive
from scenarios.spawn import stage
from tests.bench.bench_session import SIDE, canyon

FRAMES_MADE = 150
WINDOWS_READ = 60


def _vp8(pictures: list[Any]) -> list[tuple[bytes, bool]]:
    import av

    encoder = av.CodecContext.create("libvpx", "w")
    encoder.width = encoder.height = SIDE
    encoder.pix_fmt, encoder.time_base, encoder.bit_rate = (
        "yuv420p",
        Fraction(1, TICK_HZ),
        2_500_000,
    )
    encoder.options = {"deadline": "realtime", "cpu-used": "8", "lag-in-frames": "0"}
    found = []
    for index, picture in enumerate(pictures):
        frame = av.VideoFrame.from_ndarray(picture, format="bgra").reformat(format="yuv420p")
        frame.pts = 2 * index
        found += [(bytes(p), bool(p.is_keyframe)) for p in encoder.encode(frame)]
    return found


def _recorded(root: Path) -> Path:
    """A bot's drive with both films, 30 pairs a second."""
    city, scenario = load_city(), load("oncoming-traffic")
    staged = stage(scenario, city, 5)
    manifest = Manifest(
        session=new_id(), created="2026-01-01T00:00:00Z", build="bench",
        world_version=WORLD_VERSION, pack=city.name, pack_digest=city.digest,
        scenario=scenario.id, scenario_digest=digest(scenario), seed=5, tick_hz=TICK_HZ,
        driver=Driver("bot", "calm"), backend="filter", capture=CaptureProfile(),
        tracks={"source": {"licence": "CC-BY-4.0"}},
    )  # fmt: skip
    writer = SessionWriter.create(root, manifest)
    drive(staged, city, Bot(staged, city), writer.tick)
    count = min(FRAMES_MADE, writer.ticks // 2)
    pictures = [canyon(index) for index in range(count)]
    table = AppendFile(writer.folder / FRAMES)
    table.put(framefile.header())
    source = SourceTrack(writer.folder, SIDE, SIDE, NEAR_LOSSLESS)
    styled = StyledTrack(writer.folder, SIDE, SIDE)
    for index, (picture, (data, key)) in enumerate(zip(pictures, _vp8(pictures), strict=True)):
        table.put(framefile.encode(source.put(picture, 2 * index, index)))
        table.put(framefile.encode(styled.put(data, 2 * index, index, key=key)))
    for each in (source, styled, table):
        each.close()
    writer.finish()
    return writer.folder


def _row(
    name: str, count: float, cpu: float, unit: str, goal: float | None = None
) -> dict[str, Any]:
    value = count / cpu
    return {"name": name, "value": round(value, 1), "unit": unit,
            "against": f"goal {goal:g}" if goal else "",
            "ratio": round(value / goal, 3) if goal else None}  # fmt: skip


def rows() -> list[dict[str, Any]]:
    """Rows of the bench table, per second of one core's time (all decoders have one thread)."""
    root = Path(tempfile.mkdtemp(prefix="bench-dataset-"))
    try:
        folder = _recorded(root / "sessions")
        found = []
        for gop in (GOP, 10):
            out = root / f"g{gop}"
            began = time.process_time()
            result = export("lerobot", [folder], out, Options(gop=gop, salt=b"b" * 32))
            spent = time.process_time() - began
            unit = "pairs/s of CPU"
            found.append(_row(f"data set: export LeRobot, g={gop}", result.frames, spent, unit))
            found += _loader(out, gop)
        with Session.open(folder) as session:
            began = time.process_time()
            facts = report(session, load_city())
            spent = time.process_time() - began
        found.append(_row("data set: quality report", facts["pairs"], spent, "pairs/s of CPU"))
        return found
    finally:
        shutil.rmtree(root)


def _loader(out: Path, gop: int) -> list[dict[str, Any]]:
    found = []
    for length in (1, 8):
        windows = Windows(out, length)
        windows[0]
        order = np.random.default_rng(1).integers(0, len(windows), WINDOWS_READ)
        began = time.process_time()
        for index in order:
            windows[int(index)]
        spent = time.process_time() - began
        goal = 120.0 if (length, gop) == (1, GOP) else None
        name = f"data set: random windows of {length}, both tracks, g={gop}"
        found.append(_row(name, WINDOWS_READ, spent, "windows/s of CPU", goal))
    windows = Windows(out, 8, every=8)
    began = time.process_time()
    frames = sum(2 * len(window.action) for window in windows)
    spent = time.process_time() - began
    name = f"data set: frames in order, g={gop}"
    return [*found, _row(name, frames, spent, "frames/s of CPU", 450.0 if gop == GOP else None)]
