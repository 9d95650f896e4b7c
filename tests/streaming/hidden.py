"""A server that hides its delay, without a network: real pictures of a drive, painted and coded."""

from dataclasses import dataclass

import numpy as np

from game.atlas.load import load
from game.session.format import CaptureProfile
from game.view.window import Window
from game.world.step import step
from scenarios.driver import Bot
from scenarios.load import load as load_scenario
from scenarios.spawn import stage
from streaming.backends.filter import Filter
from streaming.codec import TickDecoder, TickEncoder, picture_of
from streaming.estimate import Estimator
from streaming.frames import Pixels

BITRATE = 1_500_000


@dataclass(frozen=True)
class Driven:
    """Pictures of a drive. speeds [m/s]."""

    ticks: list[int]
    speeds: list[float]
    pictures: list[Pixels]


@dataclass(frozen=True)
class Guess:
    """One returned picture: how far off [frames], how sure, how fast the car was [m/s]."""

    error: float
    confidence: float
    speed: float


def drive(scenario: str, frames: int, side: int, skip: int = 0, seed: int = 1) -> Driven:
    """Let the bot drive and draw every second tick, after `skip` of them."""
    city = load()
    case = stage(load_scenario(scenario), city, seed)
    bot, state = Bot(case, city), case.state
    window = Window(city, CaptureProfile(width=side, height=side), "offscreen")
    out = Driven([], [], [])
    try:
        while len(out.ticks) < frames:
            state = step(city, state, bot.controls(state))
            if state.tick % 2 == 0 and state.tick > 2 * skip:
                out.ticks.append(state.tick)
                out.speeds.append(state.ego.speed)
                out.pictures.append(window.capture(state))
    finally:
        window.close()
    return out


def foreign_look(pixels: Pixels, rng: np.random.Generator) -> Pixels:
    """Harder than any filter: inverted colours, softened, and texture that flickers."""
    half = (255 - pixels[..., [1, 2, 0]].astype(np.int16)) // 2
    soft = half + np.roll(half, 3, 1)
    cell = max(1, pixels.shape[0] // 60)
    cells = (pixels.shape[0] // cell + 1, pixels.shape[1] // cell + 1, 3)
    noise = rng.normal(0, 22, cells).repeat(cell, 0).repeat(cell, 1)
    mixed = soft * 0.8 + 30 + noise[: pixels.shape[0], : pixels.shape[1]]
    alpha = np.full(pixels.shape[:2], 255, np.uint8)
    return np.ascontiguousarray(np.dstack([np.clip(mixed, 0, 255).astype(np.uint8), alpha]))


def over_the_line(ticks: list[int], pictures: list[Pixels]) -> list[tuple[int, Pixels]]:
    """What a VP8 line makes of pictures: (tick, BGRA)."""
    encoder, decoder = TickEncoder(BITRATE), TickDecoder()
    out = []
    for tick, picture in zip(ticks, pictures, strict=True):
        data = encoder.compress(picture_of(picture, tick))
        for frame in decoder.decode("vp8", tick * 1500, data):
            out.append((tick, frame.to_ndarray(format="bgra")))
    return out


def guesses(
    driven: Driven,
    look: str,
    *,
    delay_s: float = 0.285,
    jitter_s: float = 0.02,
    lost: float = 0.05,
    jump: tuple[float, float] = (1e9, 0.0),
    settle_s: float = 1.5,
    seed: int = 1,
) -> list[Guess]:
    """Send it all there and back and guess every pair. jump: (from when, by how much) [s]."""
    rng, painter = np.random.default_rng(seed), Filter()
    up = [one for one in over_the_line(driven.ticks, driven.pictures) if rng.random() >= lost]
    painted = [
        foreign_look(p, rng) if look == "foreign" else painter.style(p, "", 0, look) for _, p in up
    ]
    back = over_the_line([tick for tick, _ in up], painted)
    start, last = driven.ticks[0] / 60, 0.0
    events: list[tuple[float, int, int]] = [(t / 60, 0, i) for i, t in enumerate(driven.ticks)]
    for i, (tick, _) in enumerate(back):
        delay = delay_s + (jump[1] if tick / 60 - start > jump[0] else 0.0)
        last = max(last + 0.003, tick / 60 + max(0.03, rng.normal(delay, jitter_s)))
        events.append((last, 1, i))
    speed = dict(zip(driven.ticks, driven.speeds, strict=True))
    estimator, out = Estimator(30), []
    for at, kind, i in sorted(events):
        if kind == 0:
            estimator.sent(driven.ticks[i], at, driven.pictures[i])
            continue
        tick, picture = back[i]
        match = estimator.returned(at, picture)
        if match is not None and at - start > settle_s:
            out.append(Guess(abs(match.tick - tick) / 2, match.confidence, speed[tick]))
    return out
