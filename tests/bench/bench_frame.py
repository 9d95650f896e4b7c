"""The game's frame time without a stream, with it in a process of its own, and in a thread."""

import gc
import time
from typing import Any

import numpy as np

from game.atlas.load import load as load_city
from game.play.drive import Drive
from game.play.link import Link
from game.play.prompt import styles
from game.play.runner import wait_for_stream
from game.session.format import CaptureProfile
from game.view.window import Window
from game.world.city import City
from game.world.version import TICK_HZ
from scenarios.driver import Bot
from scenarios.load import load as load_scenario
from scenarios.spawn import stage
from streaming.measure import machine, server
from streaming.server import ServerConfig

SECONDS = 12.0
SCENARIO = "busy-intersection"


def turns(city: City, window: Window, link: Link | None, seconds: float) -> list[float]:
    """Drive in real time; what each tick with a picture took [ms]."""
    scene = stage(load_scenario(SCENARIO), city, 1)
    every = CaptureProfile().every_ticks
    drive = Drive(city, scene, window, Bot(scene, city), styles()[0], every, link=link)
    wait_for_stream(drive, 10.0)
    took: list[float] = []
    due = time.perf_counter()
    for tick in range(1, int(seconds * TICK_HZ)):
        due = max(due + 1 / TICK_HZ, time.perf_counter() - 0.1)
        time.sleep(max(0.0, due - time.perf_counter()))
        begin = time.perf_counter()
        drive.turn()
        if tick % every == 0 and tick > TICK_HZ:
            took.append((time.perf_counter() - begin) * 1000)
    return took


def rows(seconds: float = SECONDS) -> list[dict[str, Any]]:
    """p50 and p95 of the frame time [ms] in each mode; against: without a stream."""
    city, told, out = load_city(), machine(), []
    gc.freeze()
    window = Window(city, CaptureProfile(), "offscreen")
    plain: dict[str, float] = {}
    try:
        with server(ServerConfig(backend="identity")) as (ready, _):
            for mode in ("none", "process", "thread"):
                link = None
                if mode != "none":
                    url = f"ws://127.0.0.1:{ready.port}"
                    thread = mode == "thread"
                    link = Link(url, f"bench-{mode}", {}, CaptureProfile(), None, thread=thread)
                    link.start()
                took = turns(city, window, link, seconds)
                trip = link.gauges().round_trip_ms if link is not None else None
                if link is not None:
                    link.close()
                for name, q in (("p50", 50), ("p95", 95)):
                    value = float(np.percentile(took, q))
                    against = plain.setdefault(name, value) if mode == "none" else plain[name]
                    out.append(_row(f"frame.{mode}.{name}", value, against, told))
                if trip is not None:
                    out.append(_row(f"frame.{mode}.round_trip.p50", trip.p50, None, told))
    finally:
        window.close()
    return out


def _row(name: str, value: float, against: float | None, told: str) -> dict[str, Any]:
    ratio = round(value / against, 3) if against else None
    return {
        "name": name,
        "value": round(value, 3),
        "unit": "ms",
        "against": None if against is None else round(against, 3),
        "ratio": ratio,
        "machine": told,
    }
