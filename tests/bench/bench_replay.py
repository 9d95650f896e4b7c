"""What it costs to live a drive again: by simulation, and as every channel of its pictures."""

import contextlib
import shutil
import tempfile
import time
from pathlib import Path
from typing import Any

from game.atlas.load import load as load_city
from game.dataset.camera import Camera
from game.dataset.piece import EVERY_CHANNEL, Wanted
from game.dataset.pool import Workers
from game.dataset.render import render
from game.session.format import CaptureProfile, Driver, Manifest
from game.session.ids import new_id
from game.session.protocols import CHANNELS
from game.session.reader import Session
from game.session.replay import library_stage, replay
from game.session.share import share
from game.session.writer import SessionWriter
from game.world.city import City
from game.world.version import TICK_HZ, WORLD_VERSION
from scenarios.cases import case, case_digest
from scenarios.driver import Bot
from scenarios.free import free_at
from scenarios.run import drive

QUIET, LIVING = "oncoming-traffic", "West 42nd Street & 7th Avenue"
LIVING_TICKS = 600
WORKERS = 2


def _recorded(root: Path, city: City, name: str, ticks: int) -> tuple[Path, float]:
    """A bot's drive, and seconds of processor time for each tick written."""
    staged = case(name, city, 5)
    manifest = Manifest(
        session=new_id(), created="2026-01-01T00:00:00Z", build="bench",
        world_version=WORLD_VERSION, pack=city.name, pack_digest=city.digest,
        scenario=name, scenario_digest=case_digest(name), seed=5, tick_hz=TICK_HZ,
        driver=Driver("bot", "calm"), backend="none", capture=CaptureProfile(),
    )  # fmt: skip
    writer = SessionWriter.create(root, manifest)
    states: list[Any] = []

    class Enough(Exception):
        pass

    def take(state: Any) -> None:
        states.append(state)
        if len(states) > ticks:
            raise Enough

    with contextlib.suppress(Enough):
        drive(staged, city, Bot(staged, city), take)
    began = time.process_time()
    for state in states:
        writer.tick(state)
    spent = time.process_time() - began
    writer.finish()
    return writer.folder, spent / len(states)


def _row(
    name: str, value: float, unit: str, against: str = "", ratio: float | None = None
) -> dict[str, Any]:
    return {"name": name, "value": round(value, 3), "unit": unit, "against": against,
            "ratio": None if ratio is None else round(ratio, 3)}  # fmt: skip


def _replayed(root: Path, city: City, name: str, label: str, goal: float) -> list[dict[str, Any]]:
    folder, cost = _recorded(root, city, name, LIVING_TICKS)
    with Session.open(folder) as session:
        staged = library_stage(session.manifest, city)
        steps = len(session.controls())
        began = time.process_time()
        for _ in replay(session, city, staged):
            pass
        speed = steps / TICK_HZ / (time.process_time() - began)
        began = time.process_time()
        for _ in session.ticks():
            pass
        reading = (time.process_time() - began) / steps * 1e3
        share(session, root / "it.drive")
    size = (folder / "ticks.bin").stat().st_size / steps
    return [
        _row(f"replay, {label}", speed, "times real time of CPU", f"goal {goal:g}", speed / goal),
        _row(f"ticks.bin, {label}", size, "B/tick"),
        _row(f"ticks.bin, {label}", size * TICK_HZ * 3600 / 1e9, "GB/h"),
        _row(f"write a tick, {label}", cost * 1e3, "ms of CPU"),
        _row(f"read a stored state, {label}", reading, "ms of CPU"),
        _row(f"shared file, {label}", (root / "it.drive").stat().st_size / (steps / TICK_HZ),
             "B a second of a bot's drive"),
    ]  # fmt: skip


def _rendered(root: Path, folder: Path) -> list[dict[str, Any]]:
    """All channels at 480x480, 30 pictures a second, in WORKERS processes; opening included."""
    found = []
    for name, channels in (("all channels", CHANNELS), ("all channels and boxes", EVERY_CHANNEL)):
        wanted = Wanted(channels, 2, (480, 480), Camera())
        began = time.perf_counter()
        made = next(render([folder], root / name.replace(" ", "-"), wanted, Workers(WORKERS)))
        seconds = time.perf_counter() - began
        speed = made.pictures / 30 / seconds
        limit = 1.0 if channels == CHANNELS else None
        found.append(
            _row(f"render, {name}, 480x480, {WORKERS} processes, opening included", speed,
                 "times real time", "goal 1" if limit else "", speed if limit else None)
        )  # fmt: skip
    return found


def rows() -> list[dict[str, Any]]:
    """Rows of the bench table. Rendering is wall time: run it on a quiet machine."""
    root = Path(tempfile.mkdtemp(prefix="bench-replay-"))
    try:
        city = load_city()
        found = _replayed(root, city, QUIET, "city none", 200.0)
        found += _replayed(root, city, free_at(city, LIVING).name, "full city", 10.0)
        folder, _ = _recorded(root, city, QUIET, 3600)
        return found + _rendered(root, folder)
    finally:
        shutil.rmtree(root)
