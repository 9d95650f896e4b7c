"""The recorder process: stores what it is given, survives its own death and its parent's."""

import hashlib
import os
import random
import signal
import subprocess
import sys
import time
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest

from game.recorder.deck import Count, Deck, RecorderConfig
from game.recorder.process import Recorder
from game.session.format import CaptureProfile, Driver, Manifest, Pairing, TrackId
from game.session.ids import new_id
from game.session.reader import Session
from game.session.recover import recover
from game.session.track import segments
from game.session.verify import _video
from game.session.writer import SessionWriter
from game.world.entity import EntityState
from game.world.state import WorldState
from streaming.frames import EncodedFrame, pack_encoded
from streaming.ring import FifoRing

pytestmark = pytest.mark.heavy

SIDE = 96
CAPTURE = CaptureProfile(width=SIDE, height=SIDE)


def picture(tick: int) -> np.ndarray:
    bgra = np.full((SIDE, SIDE, 4), 255, np.uint8)
    bgra[..., 0] = np.arange(SIDE)
    bgra[..., 1] = np.arange(SIDE)[:, None]
    bgra[..., 2] = tick % 251
    return bgra


def stream(count: int) -> list[EncodedFrame]:
    """A VP8 stream as it comes from a peer, one key frame at its start."""
    encoder = av.CodecContext.create("libvpx", "w")
    encoder.width = encoder.height = SIDE
    encoder.pix_fmt, encoder.time_base, encoder.bit_rate = "yuv420p", Fraction(1, 60), 500_000
    encoder.options = {"deadline": "realtime", "cpu-used": "8", "lag-in-frames": "0", "g": "9999"}
    frames = []
    for index in range(count):
        frame = av.VideoFrame.from_ndarray(picture(2 * index), format="bgra")
        frame = frame.reformat(format="yuv420p")
        frame.pts = 2 * index
        for packet in encoder.encode(frame):
            key = bool(packet.is_keyframe)
            frames.append(EncodedFrame(2 * index, bytes(packet), key, 1000 + index))
    return frames


def session_at(root: Path) -> SessionWriter:
    manifest = Manifest(
        session=new_id(), created="2026-11-22T18:00:00Z", build="t", world_version=1, pack="p",
        pack_digest="", scenario="s", scenario_digest="", seed=1, tick_hz=60,
        driver=Driver("bot", "t"), backend="filter", capture=CAPTURE,
    )  # fmt: skip
    writer = SessionWriter.create(root, manifest)
    writer.tick(WorldState(0, 1, EntityState(0, "sedan", 0.0, 0.0, 0.0, 0.0)))
    return writer


@pytest.fixture
def rings():
    label = f"test-{os.urandom(4).hex()}"
    source = FifoRing.create(f"{label}-s", SIDE * SIDE * 4, 60)
    encoded = FifoRing.create(f"{label}-e", 1 << 16, 120)
    yield source, encoded
    source.close()
    encoded.close()


def push(rings, frame: EncodedFrame) -> None:
    source, encoded = rings
    while len(source) > 50 or len(encoded) > 100:
        time.sleep(0.002)
    assert source.push(picture(frame.tick).data.cast("B"), kind=0, tick=frame.tick, t_ns=5)
    assert encoded.push(pack_encoded(frame), kind=2, tick=frame.tick, t_ns=5)


def test_stores_every_picture_and_every_byte(tmp_path, rings):
    writer, frames = session_at(tmp_path), stream(90)
    recorder = Recorder(writer.folder, CAPTURE, *rings)
    recorder.start()
    assert recorder.ready()
    for frame in frames:
        push(rings, frame)
    gauges = recorder.stop()
    assert (gauges.source, gauges.styled, gauges.check) == (90, 90, 3)
    assert gauges.dropped_source == gauges.dropped_styled == gauges.failed == gauges.waiting == 0
    assert gauges.cpu_s > 0
    writer.finish()
    with Session.open(writer.folder) as session:
        assert len(session.pairs()) == 90
        for frame in frames:
            assert session.encoded(TrackId.STYLED, frame.tick) == frame.data
        assert (session.picture(TrackId.CHECK, 60) == picture(60)[..., 2::-1]).all()
        assert not list(_video(session))


def test_lossless_mode_gives_back_what_was_drawn(tmp_path, rings):
    writer = session_at(tmp_path)
    config = RecorderConfig(writer.folder, SIDE, SIDE, rings[0].name, mode="lossless")
    deck = Deck(config, rings[0], None, [0] * len(Count))
    for tick in range(0, 40, 2):
        rings[0].push(picture(tick).data.cast("B"), kind=0, tick=tick)
        assert deck.step() == 1
    deck.close()
    writer.finish()
    with Session.open(writer.folder) as session:
        assert session.tracks() == (TrackId.SOURCE,)
        for tick, rgb in session.pictures(TrackId.SOURCE):
            assert (rgb == picture(tick)[..., 2::-1]).all()


def test_killed_again_and_again_it_loses_at_most_four_frames(tmp_path, rings):
    writer, frames, chance = session_at(tmp_path), stream(240), random.Random(3)
    recorder = Recorder(writer.folder, CAPTURE, *rings)
    recorder.start()
    assert recorder.ready()
    kill_at = {40, 90, 150, 200}
    for index, frame in enumerate(frames):
        push(rings, frame)
        time.sleep(0.002)
        if index in kill_at:
            time.sleep(chance.random() * 0.02)
            os.kill(recorder.pid, signal.SIGKILL)
            while recorder.alive():
                time.sleep(0.001)
            assert recorder.revive()
    gauges = recorder.stop()
    assert gauges.restarts == 4
    writer.finish()
    assert len(segments(writer.folder)[TrackId.SOURCE]) >= 2
    with Session.open(writer.folder) as session:
        assert not list(_video(session))
        assert len(session.pairs()) >= 240 - 4 * 4
        # the stream has one key frame: all of it must decode, across segments, to the same pictures
        decoder = av.CodecContext.create("vp8", "r")
        want = [decoder.decode(av.Packet(f.data))[0].to_ndarray(format="rgb24") for f in frames]
        styled = dict(session.pictures(TrackId.STYLED))
        assert len(styled) == 240
        assert all((styled[2 * i] == rgb).all() for i, rgb in enumerate(want))


def test_after_a_loss_frames_are_kept_but_not_paired(tmp_path, rings):
    writer, frames = session_at(tmp_path), stream(10)
    config = RecorderConfig(writer.folder, SIDE, SIDE, rings[0].name)
    deck = Deck(config, *rings, [0] * len(Count))
    assert rings[1].push(pack_encoded(frames[0]), kind=2, tick=0)
    deck.step()
    assert not rings[1].push(bytes(1 << 17), kind=2, tick=2)  # too large: dropped and counted
    for frame in frames[2:4]:
        rings[1].push(pack_encoded(frame), kind=2, tick=frame.tick)
    deck.step()
    fresh = EncodedFrame(20, frames[0].data, True, time.monotonic_ns() + 1)
    rings[1].push(pack_encoded(fresh), kind=2, tick=20)
    deck.step()
    deck.close()
    writer.finish()
    with Session.open(writer.folder) as session:
        pairing = [record.pairing for record in session.frames(TrackId.STYLED)]
    assert pairing == [Pairing.EXACT, Pairing.NONE, Pairing.NONE, Pairing.EXACT]


def test_a_full_disk_stops_the_pictures_and_empties_the_rings(tmp_path, rings, monkeypatch):
    writer, frames = session_at(tmp_path), stream(20)
    config = RecorderConfig(writer.folder, SIDE, SIDE, rings[0].name)
    counters = [0] * len(Count)
    deck = Deck(config, *rings, counters)

    def full(fd: int, data: bytes) -> int:
        return os.write(fd, data[: len(data) // 2])

    for index, frame in enumerate(frames):
        push(rings, frame)
        if index == 10:
            deck._pictures._segment._file._write = full
        deck.step()
    deck.close()
    assert counters[Count.STOPPED] == 28
    assert len(rings[0]) == len(rings[1]) == 0
    writer.finish()
    with Session.open(writer.folder) as session:
        assert len(session.frames(TrackId.SOURCE)) == 10
        assert not list(_video(session))


PARENT = """
import os, sys, time
from pathlib import Path
from game.recorder.process import Recorder
from game.session.format import CaptureProfile
from streaming.ring import FifoRing

if __name__ == "__main__":
    folder, side, count = Path(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3])
    source = FifoRing.create("orphan", side * side * 4, 60)
    recorder = Recorder(folder, CaptureProfile(width=side, height=side), source)
    recorder.start()
    recorder.ready()
    for index in range(count):
        source.push(bytes([index % 256]) * (side * side * 4), kind=0, tick=2 * index)
    print(recorder.pid, source.name, flush=True)
    time.sleep(60)
"""


@pytest.mark.skipif(not Path("/proc").exists(), reason="watches the child in /proc")
def test_it_outlives_a_killed_parent_only_to_drain(tmp_path):
    writer = session_at(tmp_path)
    script = tmp_path / "parent.py"
    script.write_text(PARENT)
    parent = subprocess.Popen(
        [sys.executable, str(script), str(writer.folder), str(SIDE), "55"],
        stdout=subprocess.PIPE, text=True, env={**os.environ, "PYTHONPATH": os.getcwd()},
    )  # fmt: skip
    try:
        pid, ring = parent.stdout.readline().split()
    finally:
        parent.kill()
        parent.wait()
        parent.stdout.close()
    until = time.monotonic() + 120
    while Path(f"/proc/{pid}").exists() and time.monotonic() < until:
        time.sleep(0.02)
    assert not Path(f"/proc/{pid}").exists()
    (Path("/dev/shm") / ring).unlink(missing_ok=True)
    writer.close()
    report = recover(writer.folder)
    with Session.open(writer.folder) as session:
        records = session.frames(TrackId.SOURCE)
        assert [r.tick for r in records] == list(range(0, 110, 2))
        data = session.encoded(TrackId.SOURCE, 108)
        assert hashlib.sha256(data).digest() == records[-1].sha256
    assert report.end["recovered"] is True


class Killed(BaseException):
    """As sudden as a signal."""


def dies(*_: object, **__: object) -> None:
    raise Killed


@pytest.mark.parametrize("where", ["encoder", "segment", "table"])
def test_whatever_instant_it_dies_at_nothing_is_lost_or_stored_twice(tmp_path, rings, where):
    writer, frames = session_at(tmp_path), stream(6)
    config = RecorderConfig(writer.folder, SIDE, SIDE, rings[0].name, mode="lossless")
    counters = [0] * len(Count)
    for track in ("_styled", "_pictures"):
        deck = Deck(config, *rings, counters)
        for frame in frames[:3] if track == "_styled" else frames[3:]:
            push(rings, frame)
        if track == "_pictures":
            deck.step()
        if where == "encoder":
            setattr(deck, track, type("Dead", (), {"put": dies, "close": lambda self: None})())
        elif where == "segment":
            deck._guarded = dies
        else:
            deck._table.put = dies
        with pytest.raises(Killed):
            deck._step_styled() if track == "_styled" else deck._step_source()
        for file in (deck._table, deck._pictures, deck._styled):
            file.close()
    deck = Deck(config, *rings, counters)
    while deck.step():
        pass
    deck.close()
    writer.finish()
    with Session.open(writer.folder) as session:
        ticks = [frame.tick for frame in frames]
        assert [r.tick for r in session.frames(TrackId.STYLED)] == ticks
        assert [r.tick for r in session.frames(TrackId.SOURCE)] == ticks
        assert not list(_video(session))
        assert len(list(session.pictures(TrackId.STYLED))) == 6


def test_a_slow_recorder_is_waited_for_as_long_as_it_stores_something(rings, tmp_path, monkeypatch):
    class Slow:
        """Takes one item from the ring each time that anybody waits for it."""

        exitcode, killed, now = 0, False, 5.0

        def monotonic(self) -> float:
            return self.now

        def join(self, seconds: float | None = None) -> None:
            if seconds is not None and len(rings[0]):
                self.now += 15.0
                rings[0].pop()

        def is_alive(self) -> bool:
            return len(rings[0]) > 0 and not self.killed

        def kill(self) -> None:
            self.killed = True

        def close(self) -> None:
            pass

    recorder = Recorder(tmp_path, CAPTURE, rings[0])
    for tick in range(0, 40, 2):
        rings[0].push(picture(tick).data.cast("B"), kind=0, tick=tick)
    recorder._process = slow = Slow()
    monkeypatch.setattr("game.recorder.process.time", slow)
    assert recorder.stop(timeout_s=20.0).waiting == 0
    assert slow.now == 5.0 + 20 * 15.0, "far longer than the time-out"
    assert not slow.killed
