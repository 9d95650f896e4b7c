"""What each way to store the game's pictures costs, on pictures of a real drive at full look.

    python -m tests.bench.encoders [--frames 360] [--scenario NAME]

Processor time a picture with the conversion in it, disk, and nearness after decoding in RGB. The
encodings in force are `game.session.track`; the others are what they were chosen from.
"""

import argparse
import time
from collections.abc import Iterator
from fractions import Fraction

import av
import numpy as np
from av.video.reformatter import VideoReformatter
from numpy.typing import NDArray

from game.atlas.load import load as load_city
from game.session.format import CaptureProfile
from game.session.track import CHECK, LOSSLESS, NEAR_LOSSLESS, Encoding, open_encoder
from game.view.window import Window
from game.world.step import step
from game.world.version import TICK_HZ
from scenarios.cases import case
from scenarios.driver import Bot
from scenarios.free import free_at

PLACE = "West 42nd Street & 7th Avenue"
_NUMBERS = ("x264-params", "psy=0:aq-mode=0")
_SKIP = 240  # ticks driven, ticks left out, in turn: more of the street in as many pictures


def near(preset: str, crf: int, *more: tuple[str, str]) -> Encoding:
    """A near-lossless encoding to compare with."""
    return Encoding("libx264", "yuv444p", (("preset", preset), ("crf", str(crf)), *more))


CANDIDATES: tuple[tuple[str, Encoding, int], ...] = (
    ("near-lossless, in force", NEAR_LOSSLESS, 1),
    ("veryfast crf 22 psy=0 aq=0", near("veryfast", 22, _NUMBERS), 1),
    ("superfast crf 18", near("superfast", 18), 1),
    ("veryfast crf 18", near("veryfast", 18), 1),
    ("veryfast crf 19 psy=0 aq=0", near("veryfast", 19, _NUMBERS), 1),
    ("veryfast crf 20 psy=0 aq=0", near("veryfast", 20, _NUMBERS), 1),
    ("superfast crf 20 psy=0 aq=0", near("superfast", 20, _NUMBERS), 1),
    ("faster crf 20 psy=0 aq=0", near("faster", 20, _NUMBERS), 1),
    ("lossless, in force", LOSSLESS, 1),
    ("lossless superfast", Encoding("libx264rgb", "bgr0", CHECK.options), 1),
    ("check frame, in force", CHECK, TICK_HZ // 2),
)


def pictures(count: int, name: str = "") -> NDArray[np.uint8]:
    """(count, h, w, 4) BGRA of a bot's drive, every second tick, in pieces of four seconds."""
    city, capture = load_city(), CaptureProfile()
    staged = case(name or free_at(city, PLACE).name, city, 5)
    window, bot, state = Window(city, capture, "offscreen"), Bot(staged, city), staged.state
    found = np.empty((count, capture.height, capture.width, 4), np.uint8)
    at = 0
    while at < count:
        state = step(city, state, bot.controls(state))
        if state.tick % 2 == 0 and state.tick // _SKIP % 2 == 0:
            found[at] = window.capture(state)
            at += 1
    window.close()
    return found


def packets(shots: NDArray[np.uint8], encoding: Encoding) -> Iterator[tuple[bytes, float]]:
    """Encoded bytes of each picture and the processor seconds that it took."""
    height, width = shots.shape[1:3]
    encoder, reformatter = open_encoder(width, height, encoding), VideoReformatter()
    for index, shot in enumerate(shots):
        before = time.process_time()
        picture = av.VideoFrame(width, height, "bgr0")
        picture.planes[0].update(shot)
        if encoding.pixels != "bgr0":
            picture = reformatter.reformat(picture, format=encoding.pixels, threads=1)
        picture.pts, picture.time_base = 2 * index, Fraction(1, TICK_HZ)
        data = b"".join(bytes(each) for each in encoder.encode(picture))
        yield data, time.process_time() - before


def row(name: str, shots: NDArray[np.uint8], encoding: Encoding, every: int) -> str:
    """One line of the table. every: pictures of the drive for one that is stored."""
    decoder = av.CodecContext.create("h264", "r")
    decoder.thread_count = 1
    size, spent, apart = 0, 0.0, []
    chosen = shots[::every]
    for shot, (data, seconds) in zip(chosen, packets(chosen, encoding), strict=True):
        size, spent = size + len(data), spent + seconds
        for frame in decoder.decode(av.Packet(data)):
            rgb = frame.to_ndarray(format="rgb24").astype(np.float32)
            apart.append(float(((rgb - shot[..., 2::-1]) ** 2).mean()))
    disk = size / len(chosen) * TICK_HZ / 2 / every * 3600 / 1e9
    nearness = "exact" if not any(apart) else f"{_db(np.mean(apart)):.2f}"
    worst = "" if not any(apart) else f"{_db(max(apart)):.2f}"
    return f"{name:30} {spent / len(chosen) * 1e3:8.2f} {disk:8.3f} {nearness:>8} {worst:>8}"


def _db(error: float) -> float:
    return float(10 * np.log10(255**2 / error))


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(prog="python -m tests.bench.encoders")
    parser.add_argument("--frames", type=int, default=360)
    parser.add_argument("--scenario", default="")
    options = parser.parse_args()
    shots = pictures(options.frames, options.scenario)
    print(f"{'encoding':30} {'CPU ms':>8} {'GB/h':>8} {'PSNR dB':>8} {'worst':>8}")
    for name, encoding, every in CANDIDATES:
        print(row(name, shots, encoding, every), flush=True)


if __name__ == "__main__":
    main()
