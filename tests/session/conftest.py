"""A small city, a small drive in it, and sessions made of it with real video."""

import functools
from collections.abc import Callable
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest

from game.session import framefile
from game.session.append import AppendFile
from game.session.format import FRAMES, CaptureProfile, Driver, InputEvent, Manifest, TrackId
from game.session.ids import new_id
from game.session.track import CHECK, NEAR_LOSSLESS, SourceTrack, StyledTrack
from game.session.writer import SessionWriter
from game.world.city import City, Footprint
from game.world.controls import Controls
from game.world.entity import EntityState, Kind
from game.world.state import Part, Track, WorldState
from game.world.step import begin, step
from game.world.version import TICK_HZ, WORLD_VERSION

SIDE = 96
CITY = City(
    name="block",
    digest="ab" * 32,
    latitude=40.75,
    longitude=-73.98,
    bounds=(-200.0, -200.0, 200.0, 200.0),
    footprints=(
        Footprint(0, (((-60.0, 12.0), (60.0, 12.0), (60.0, 40.0), (-60.0, 40.0)),), 30.0),
        Footprint(1, (((-60.0, -40.0), (60.0, -40.0), (60.0, -12.0), (-60.0, -12.0)),), 50.0),
    ),
    streets=(),
    lanes=(),
    junctions=(),
)


@dataclass(frozen=True)
class Start:
    """A stage as replay wants it."""

    state: WorldState


def start_of(manifest: Manifest, city: City) -> Start:
    track = Track((0.0, 120.0), (60.0, -60.0), (3.0, 3.0), (3.14, 3.14))
    oncoming = Part(
        id=1, name="van", kind=Kind.VEHICLE, body="van", track=track, profile=((0, 8.0),)
    )
    ego = EntityState(0, "sedan", -50.0, -3.0, 0.0, 5.0)
    return Start(begin(city, (oncoming,), ego, manifest.seed, manifest.scenario_digest))


def driven(tick: int) -> Controls:
    """Some steering, and full throttle now and then."""
    return Controls(steer=(tick // 7 % 5 - 2) * 120, throttle=700 if tick % 50 < 30 else 0)


def manifest_of(**changes: object) -> Manifest:
    fields: dict[str, object] = {
        "session": new_id(),
        "created": "2026-11-22T18:00:00Z",
        "build": "0.1.0",
        "world_version": WORLD_VERSION,
        "pack": CITY.name,
        "pack_digest": CITY.digest,
        "scenario": "block",
        "scenario_digest": "cd" * 32,
        "seed": 7,
        "tick_hz": TICK_HZ,
        "driver": Driver("bot", "test"),
        "backend": "filter",
        "capture": CaptureProfile(width=SIDE, height=SIDE),
        "clock": {"monotonic_ns": 1, "unix_ns": 2},
        "tracks": {"source": {"licence": "CC-BY-4.0"}},
    }
    return Manifest(**{**fields, **changes})  # type: ignore[arg-type]


def picture(tick: int, side: int = SIDE) -> np.ndarray:
    """BGRA, another one for each tick, with corners that tell up from down and red from blue."""
    y, x = np.mgrid[0:side, 0:side]
    bgra = np.empty((side, side, 4), np.uint8)
    bgra[..., 0] = x * 2
    bgra[..., 1] = y * 2
    bgra[..., 2] = (x + y + tick) % 256
    bgra[..., 3] = 255
    at = tick // 2 % (side - 16)
    bgra[20:36, at : at + 16, :3] = (10, 20, 240)
    return bgra


@functools.cache  # libvpx does not give the same bytes twice
def vp8(count: int, side: int = SIDE, gop: int = 1000) -> list[tuple[int, bytes, bool]]:
    """(tick, frame, key) of a real VP8 stream of `count` pictures, every second tick."""
    encoder = av.CodecContext.create("libvpx", "w")
    encoder.width = encoder.height = side
    encoder.pix_fmt, encoder.time_base, encoder.bit_rate = "yuv420p", Fraction(1, 60), 800_000
    encoder.options = {"deadline": "realtime", "cpu-used": "8", "lag-in-frames": "0", "g": str(gop)}
    out = []
    for index in range(count):
        frame = av.VideoFrame.from_ndarray(picture(2 * index, side), format="bgra")
        frame = frame.reformat(format="yuv420p")
        frame.pts = 2 * index
        out += [(2 * index, bytes(p), bool(p.is_keyframe)) for p in encoder.encode(frame)]
    return out


def film(folder: Path, ticks: int, styled: int | None = None) -> None:
    """Write all three tracks for `ticks` ticks (styled: this many frames fewer at the end)."""
    table = AppendFile(folder / FRAMES)
    table.put(framefile.header())
    source = SourceTrack(folder, SIDE, SIDE, NEAR_LOSSLESS)
    check = SourceTrack(folder, SIDE, SIDE, CHECK, TrackId.CHECK)
    styled_track = StyledTrack(folder, SIDE, SIDE)
    for tick, data, key in vp8((ticks + 1) // 2):
        table.put(framefile.encode(source.put(picture(tick), tick, tick * 1000)))
        if tick % 60 == 0:
            table.put(framefile.encode(check.put(picture(tick), tick, tick * 1000)))
        record = styled_track.put(data, tick, tick * 1000 + 7, key=key, prompt=0, seed=5)
        table.put(framefile.encode(record))
    for each in (source, check, styled_track, table):
        each.close()


@pytest.fixture
def city() -> City:
    return CITY


@pytest.fixture
def record(tmp_path: Path) -> Callable[..., Path]:
    """record(ticks=.., video=.., finish=..) drives and records; returns the folder."""

    def drive(ticks: int = 130, video: bool = False, finish: bool = True) -> Path:
        manifest = manifest_of()
        writer = SessionWriter.create(tmp_path / "sessions", manifest)
        state = start_of(manifest, CITY).state
        writer.event("prompt", 0, number=0, prompt="a street in autumn", style="film")
        writer.tick(state)
        for tick in range(ticks):
            controls = driven(tick)
            if tick % 10 == 0:
                writer.input(
                    InputEvent(0, tick, "panda", tick, tick + 1, "key", "KeyW", 1.0, "", False)
                )
            state = step(CITY, state, controls)
            writer.tick(state)
        if video:
            film(writer.folder, ticks)
            writer.shown(4, 9)
        if finish:
            writer.finish({"success": True, "collisions": state.collisions})
        else:
            writer.close()
        return writer.folder

    return drive
