"""What the kiosk costs and how fast its parts come back; and the package, where one was built."""

import json
import os
import signal
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import psutil

from game.kiosk.flash import FlashGuard
from game.kiosk.keeper import SPARE, Keeper
from game.kiosk.machine import Mode
from game.kiosk.screens import Card, View, draw
from game.kiosk.soak import RULES, run_soak
from game.kiosk.tally import LIMIT_S
from game.processes import Supervisor
from game.settings import KioskSettings, PathSettings, ServerSettings, Settings
from game.view.screen.canvas import Canvas
from game.view.screen.theme import Theme

BUILT = Path(__file__).resolve().parents[2] / "build" / "desktop"
FRAMES = 300
KILLS = 3


def _row(name: str, value: float, unit: str, against: str = "", ratio: float | None = None) -> Any:
    return {"name": name, "value": round(value, 3), "unit": unit, "against": against,
            "ratio": None if ratio is None else round(ratio, 3)}  # fmt: skip


def rows() -> list[dict[str, Any]]:
    """All of them."""
    return [*_screens(), *_returns(), *_soak(), *_package()]


def _screens() -> list[dict[str, Any]]:
    """CPU time of a frame's share of the kiosk: laying a screen out, and keeping it calm."""
    chance = np.random.default_rng(1)
    pictures = [chance.integers(0, 255, (480, 480, 4), np.uint8) for _ in range(8)]
    guard, began = FlashGuard(), time.process_time()
    for frame in range(FRAMES):
        guard.tame(pictures[frame % 8], frame * 33)
    calm = (time.process_time() - began) / FRAMES * 1000
    card = Card("Free drive", "That was a drive", 180.0, "ABCDE-" * 5, "example.org/c")
    began = time.process_time()
    for _ in range(FRAMES):
        draw(View(Mode.CLAIM, card=card), Canvas.of(1920, 1080), Theme())
    laid = (time.process_time() - began) / FRAMES * 1000
    return [
        _row("kiosk: flash guard, 480x480", calm, "CPU-ms a picture"),
        _row("kiosk: laying a screen out", laid, "CPU-ms a frame"),
    ]


def _returns() -> list[dict[str, Any]]:
    """From a killed booth to its next screen and to the bot's next picture, headless, without a
    stream: by the booth that stands by, and from nothing where there is none.
    """
    found = []
    for spare in (True, False):
        screens, pictures, spent = [], [], []
        for screen, picture, cpu in _killed(spare):
            screens.append(screen)
            pictures.append(picture)
            spent.append(cpu)
        by = "stand-by" if spare else "cold start"
        found += [
            _row(f"kiosk: a killed booth's next screen, {by}", max(screens), "s, worst",
                 f"<= {LIMIT_S:.0f} s", max(screens) / LIMIT_S),
            _row(f"kiosk: the bot drives again, {by}", max(pictures), "s, worst",
                 f"<= {LIMIT_S:.0f} s", max(pictures) / LIMIT_S),
            _row(f"kiosk: processor for it, {by}", max(spent), "CPU-s, worst"),
        ]  # fmt: skip
    return found


def _killed(spare: bool) -> Iterator[tuple[float, float, float]]:
    """Kill the booth some times; seconds to its screen and to its picture, processor seconds."""
    with tempfile.TemporaryDirectory() as folder:
        settings = Settings(
            paths=PathSettings(data=Path(folder)), rewards=ServerSettings(url="off"),
            kiosk=KioskSettings(spare=spare),
        )  # fmt: skip
        settings = replace(settings, stream=replace(settings.stream, url="off"))
        with Supervisor(Path(folder) / "logs") as children:
            keeper = Keeper(settings, children, RULES, "offscreen")
            keeper.start()
            for _ in range(KILLS if spare else 1):
                _turn_until(keeper, lambda: bool(keeper.spool.told("booth").get("opened")))
                if spare:
                    keeper.turn()
                    _turn_until(keeper, children.services[SPARE].is_ready)
                before = _spent(children.services[SPARE].pid) if spare else 0.0
                os.kill(children.services["booth"].pid, signal.SIGKILL)
                began = time.monotonic()
                _turn_until(keeper, lambda: keeper.restarts.get("booth") is not None)
                children.services["booth"].ready()
                screen = time.monotonic() - began
                _turn_until(keeper, lambda: bool(keeper.spool.told("booth").get("opened")))
                cpu = _spent(children.services["booth"].pid) - before
                keeper.restarts.clear()
                yield screen, time.monotonic() - began, cpu


def _turn_until(keeper: Keeper, done: Callable[[], bool]) -> None:
    while not done():
        keeper.turn()
        time.sleep(0.02)


def _spent(pid: int) -> float:
    used = psutil.Process(pid).cpu_times()
    return float(used.user + used.system)


def _soak() -> list[dict[str, Any]]:
    """A short soak; `kiosk soak` is the long one."""
    settings = Settings(kiosk=KioskSettings(drive="scenarios"))
    report = run_soak(settings, 12, 1, 1, lambda _: None)
    back = [each for times in report.back_s.values() for each in times]
    return [
        _row("kiosk soak: visitors", report.visitors, f"in {report.seconds:.0f} s"),
        _row("kiosk soak: traces of earlier visitors", len(report.traces), "", "0"),
        _row("kiosk soak: a killed part is back", max(back, default=0.0), "s, worst",
             f"<= {LIMIT_S:.0f} s", max(back, default=0.0) / LIMIT_S),
    ]  # fmt: skip


def _package() -> list[dict[str, Any]]:
    """Sizes and start of the package that `packaging/desktop/build.py` left; nothing without it."""
    told = BUILT / "dist" / "build.json"
    if not told.is_file():
        return []
    built = json.loads(told.read_text(encoding="utf-8"))
    found = [_row("package: unpacked", built["folder_bytes"] / 1e6, "MB")]
    found += [_row(f"package: {n}", size / 1e6, "MB") for n, size in built["files"].items()]
    program = BUILT / "frozen" / "scale-diffusion" / "scale-diffusion"
    times = []
    for _ in range(5):
        began = time.monotonic()
        subprocess.run([str(program), "--version"], check=True, capture_output=True)
        times.append(time.monotonic() - began)
    return [*found, _row("package: start to its version", min(times), "s")]
