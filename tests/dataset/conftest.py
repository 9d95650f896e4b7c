"""Small sessions with real films, one of them with a gap, and options to export them with."""

import functools
from dataclasses import replace
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest

from game.dataset.job import Options
from game.session import framefile
from game.session.append import AppendFile
from game.session.format import FRAMES, CaptureProfile, InputEvent, Pairing, TrackId
from game.session.track import CHECK, NEAR_LOSSLESS, SourceTrack, StyledTrack
from game.session.writer import SessionWriter
from game.world.entity import EntityState, Kind
from game.world.state import Part, Track
from game.world.step import begin, step
from tests.session import conftest as made

SIDE, TICKS = 96, 120
GAP = 62
"""The tick whose styled frame found no source frame."""
WALLET = "3euKCdJ5NKeq9boGTRwzh6Y9Hy3aMpsgo1AmD2gST7Se"


def picture(tick: int) -> np.ndarray:
    """BGRA that tells its tick: eight squares, black or white, spell the number of the frame."""
    y, x = np.mgrid[0:SIDE, 0:SIDE]
    bgra = np.stack([x, y, (x + y) // 2, np.full_like(x, 255)], axis=-1).astype(np.uint8)
    for bit in range(8):
        bgra[64:88, bit * 12 : bit * 12 + 12, :3] = 255 * (tick // 2 >> bit & 1)
    return bgra


def tick_seen(rgb: np.ndarray) -> int:
    """The tick that a picture tells."""
    bits = [rgb[70:82, bit * 12 + 3 : bit * 12 + 9].mean() > 127 for bit in range(8)]
    return 2 * sum(1 << bit for bit, on in enumerate(bits) if on)


@functools.cache
def vp8(count: int) -> list[tuple[int, bytes, bool]]:
    """(tick, frame, key) of a VP8 stream of pictures, every second tick."""
    encoder = av.CodecContext.create("libvpx", "w")
    encoder.width = encoder.height = SIDE
    encoder.pix_fmt, encoder.time_base, encoder.bit_rate = "yuv420p", Fraction(1, 60), 800_000
    encoder.options = {"deadline": "realtime", "cpu-used": "8", "lag-in-frames": "0", "g": "1000"}
    out = []
    for tick in range(0, 2 * count, 2):
        frame = av.VideoFrame.from_ndarray(picture(tick), format="bgra").reformat(format="yuv420p")
        frame.pts = tick
        out += [(tick, bytes(p), bool(p.is_keyframe)) for p in encoder.encode(frame)]
    return out


def record(
    root: Path, seed: int = 7, payee: str = WALLET, east: float = 0.0, **more: object
) -> Path:
    """Drive TICKS ticks with an oncoming van, record every track, return the folder."""
    manifest = made.manifest_of(
        seed=seed, payee=payee, capture=CaptureProfile(width=SIDE, height=SIDE), **more
    )
    x = east - 50.0
    track = Track((0.0, 110.0), (x + 110.0, x), (3.0, 3.0), (3.14159, 3.14159))
    van = Part(id=1, name="van", kind=Kind.VEHICLE, body="van", track=track, profile=((0, 8.0),))
    ego = EntityState(0, "sedan", x, -3.0, 0.0, 5.0)
    state = begin(made.CITY, (van,), ego, seed, manifest.scenario_digest)
    writer = SessionWriter.create(root, manifest)
    writer.event("prompt", 0, number=0, prompt="a street in autumn", style="film")
    writer.tick(state)
    for tick in range(TICKS):
        if tick % 10 == 0:
            writer.input(InputEvent(0, 5000 + tick, "panda", tick, tick + 1, "key", "KeyW", 1.0))
        state = step(made.CITY, state, made.driven(tick))
        writer.tick(state)
    _film(writer.folder)
    writer.shown(4, 9)
    writer.finish({"success": True, "tick": 100, "collisions": state.collisions})
    return writer.folder


def _film(folder: Path) -> None:
    table = AppendFile(folder / FRAMES)
    table.put(framefile.header())
    source = SourceTrack(folder, SIDE, SIDE, NEAR_LOSSLESS)
    check = SourceTrack(folder, SIDE, SIDE, CHECK, TrackId.CHECK)
    styled = StyledTrack(folder, SIDE, SIDE)
    for tick, data, key in vp8((TICKS + 1) // 2):
        table.put(framefile.encode(source.put(picture(tick), tick, 9000 + tick * 1000)))
        if tick % 60 == 0:
            table.put(framefile.encode(check.put(picture(tick), tick, tick * 1000)))
        pairing = Pairing.NONE if tick == GAP else Pairing.EXACT
        frame = styled.put(data, tick, tick * 1000, key=key, prompt=0, pairing=pairing)
        table.put(framefile.encode(frame))
    for each in (source, check, styled, table):
        each.close()


@pytest.fixture(scope="session")
def sessions(tmp_path_factory) -> list[Path]:
    """Two drives of one player at one place, and a third that shares nothing with them."""
    root = tmp_path_factory.mktemp("made") / "sessions"
    return [
        record(root),
        record(root, seed=8),
        record(root, seed=9, payee="", claim="claim-of-another", east=3000.0),
    ]


@pytest.fixture
def options() -> Options:
    return replace(Options(), salt=bytes(range(32)))
