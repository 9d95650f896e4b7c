"""A long stream, as fast as it goes: whether memory and latency stay flat and its state sound.

Goes through the engine as a player's frames do, without the network. A row for each simulated
minute; at the end the memory is held against itself: its slots, its numbers, and the next block
painted once where it stands and once with all positions brought back to the start.
"""

import copy
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np
import psutil
import torch

from streaming.diffusion.wan.cache import Cache
from streaming.diffusion.wan.engine import Engine
from streaming.diffusion.wan.lane import Lane
from streaming.diffusion.wan.paint import Block, Sequential, told, velocities
from streaming.diffusion.wan.rig import Rig
from streaming.frames import Pixels

FPS = 30
TURNS = 4096  # frames after which the style changes
_FILM = 48  # different frames, shown over and over


@dataclass(frozen=True, slots=True)
class Minute:
    """cpu_ms: of a chunk. latent: number of the newest. memory_mb: of the process."""

    minute: int
    frames: int
    cpu_ms_p50: float
    cpu_ms_p95: float
    memory_mb: float
    latent: int


@dataclass(frozen=True, slots=True)
class Soundness:
    """faults: what is wrong, () where nothing is. shifted: relative difference of the next block
    when all positions are brought back by as many latents as have passed.
    """

    faults: tuple[str, ...]
    shifted: float
    latent: int


def endure(
    rig: Rig, minutes: float, say: Callable[[Minute], None], shape: tuple[int, int] = (0, 0)
) -> tuple[list[Minute], Soundness]:
    """Stream `minutes` of 30 frames a second. shape: of the frames, the card's size by default."""
    engine = Engine(rig)
    engine._thread = engine  # type: ignore[assignment]  # turns are taken here, in order
    lane = engine.open(lambda: None)
    frames = _film(*(shape if all(shape) else (rig.card.height, rig.card.width)))
    rows: list[Minute] = []
    spent: list[float] = []
    came, total, process = 0, round(minutes * 60 * FPS), psutil.Process()
    for took, out in _chunks(engine, lane, frames, total):
        spent.append(took * 1e3)
        came += out
        if came >= total or came >= (len(rows) + 1) * 60 * FPS:
            spent.sort()
            row = Minute(len(rows) + 1, came, spent[len(spent) // 2], spent[int(len(spent) * 0.95)],
                         process.memory_info().rss / 1e6, _cache(lane).newest)  # fmt: skip
            rows.append(row)
            spent = []
            say(row)
    return rows, soundness(rig, lane)


def soundness(rig: Rig, lane: Lane) -> Soundness:
    """What the memory holds against what it should hold."""
    cache, painter = _cache(lane), lane.stream.painter
    assert isinstance(painter, Sequential)
    params, faults = cache.params, []
    held, last = cache.slots[0].held, cache.newest
    rolling = set(range(max(params.sinks, last + 1 - (params.window - params.sinks)), last + 1))
    if params.renew_below < 0 and held[: params.sinks] != list(range(params.sinks)):
        faults.append(f"sinks are {held[: params.sinks]}")
    if set(held[params.sinks :]) != rolling:
        faults.append(f"rolling slots are {sorted(held[params.sinks :])}, not {sorted(rolling)}")
    for name, store in (("keys", cache.keys), ("values", cache.values)):
        if not bool(torch.isfinite(store).all()):
            faults.append(f"{name} are not finite")
    shifted = _shifted(rig, painter, last + 1)
    if not shifted < 1e-3:
        faults.append(f"the next block differs by {shifted:.1e} when positions are brought back")
    return Soundness(tuple(faults), shifted, last)


def _shifted(rig: Rig, painter: Sequential, latent: int) -> float:
    """The next block's velocity where it stands, against all positions moved back alike."""
    size = painter.cache.params.block
    by = latent - latent % size - size * painter.cache.params.window
    shape = (rig.card.params.channels, size, rig.card.height // 8, rig.card.width // 8)
    x = torch.randn(shape, generator=torch.Generator().manual_seed(1)).to(rig.device)
    made = []
    for back in (0, max(by, 0) // size * size):
        cache = copy.deepcopy(painter.cache)
        cache.slots[0].held = [number - back for number in cache.slots[0].held]
        block = Block((latent - back) // size, x.clone(), painter.sampler.params.timesteps)
        with torch.no_grad():
            made.append(velocities(rig.model, cache, told(painter), {0: block}).float())
    return float((made[0] - made[1]).abs().max() / made[0].std())


def _chunks(
    engine: Engine, lane: Lane, frames: list[Pixels], total: int
) -> Iterator[tuple[float, int]]:
    """CPU seconds and frames that came out, for every chunk; the tail that fills none is left."""
    at = 0
    while at < total:
        count = lane.stream.wanted
        lane.frame_s = 0.0
        # of a whole chunk: a change pushes out what waits
        style = "night" if at // TURNS % 2 else "day"
        for tick in range(at, at + count):
            lane.put(2 * tick, frames[tick % len(frames)], "", 0, style)
        assert lane._text is not None
        lane._text.result()
        begin = time.process_time()
        engine.turn()
        out = lane.take()
        took = time.process_time() - begin
        if [one.tick for one in out] != [2 * t for t in range(at, at + count)]:
            raise RuntimeError(f"ticks {[one.tick for one in out]} came for frames from {at}")
        at += count
        yield took, len(out)


def _cache(lane: Lane) -> Cache:
    painter = lane.stream.painter
    assert isinstance(painter, Sequential)
    return painter.cache


def _film(height: int, width: int) -> list[Pixels]:
    y, x = np.mgrid[0:height, 0:width]
    film = []
    for at in range(_FILM):
        turn = 2 * np.pi * at / _FILM
        red = 120 + 100 * np.sin(x / 7 + turn)
        green = 110 + 80 * np.cos(y / 5 - turn)
        blue = 128 + 90 * np.sin((x + y) / 11 + 2 * turn)
        film.append(np.stack([blue, green, red, np.full_like(red, 255)], -1).astype(np.uint8))
    return film
