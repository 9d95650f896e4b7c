"""Clocks that jump, machines that sleep, disks that fill: what a recording says and does then."""

import os
import signal
import subprocess
import sys
import tempfile
import time
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest

from game.atlas.load import load as load_city
from game.dataset.page import clock_text
from game.play import screen
from game.play.drive import Drive
from game.play.prompt import style_named
from game.play.runner import drive_through
from game.play.tape import Tape
from game.session.clocks import Clocks
from game.session.format import CaptureProfile, InputEvent, TrackId
from game.session.reader import Session
from game.session.recover import recover
from game.session.replay import library_stage
from game.session.verify import verify
from game.session.writer import SessionWriter
from game.world.version import TICK_HZ
from scenarios.driver import Bot
from scenarios.load import load
from scenarios.model import digest
from scenarios.spawn import stage
from tests.game.test_drive import manifest_of

SIDE, SECOND = 96, 1_000_000_000
CAPTURE = CaptureProfile(width=SIDE, height=SIDE)


class Noise:
    """Stands for the window: grain that no encoder makes small."""

    def __init__(self) -> None:
        self._chance = np.random.default_rng(1)

    def capture(self, state):
        return self._chance.integers(0, 256, (SIDE, SIDE, 4), np.uint8)

    def present(self, picture, hud):
        pass


class Hands:
    """Three clocks that are set by hand."""

    def __init__(self) -> None:
        self.monotonic = self.boot = 5 * SECOND
        self.unix = 1_700_000_000 * SECOND

    def clocks(self, tick: int) -> Clocks:
        return Clocks(tick, lambda: self.monotonic, lambda: self.boot, lambda: self.unix)

    def live(self, seconds: float, slept: float = 0.0, jumped: float = 0.0) -> None:
        self.monotonic += round(seconds * SECOND)
        self.boot += round((seconds + slept) * SECOND)
        self.unix += round((seconds + slept + jumped) * SECOND)


@pytest.mark.parametrize(
    ("happens", "ticks", "said"),
    [
        ({"seconds": 1.0}, 60, {}),
        ({"seconds": 1.0, "jumped": -3600.0}, 60, {"jumped_ns": -3600 * SECOND}),
        ({"seconds": 1.0, "jumped": 7200.0}, 60, {"jumped_ns": 7200 * SECOND}),
        ({"seconds": 1.0, "slept": 900.0}, 60, {"slept_ns": 900 * SECOND}),
        ({"seconds": 4.0}, 60, {"lost_ns": 3 * SECOND}),
        ({"seconds": 0.5}, 60, {}),  # catching up
    ],
)
def test_each_thing_that_happens_to_time_has_its_name(happens, ticks, said):
    hands = Hands()
    clocks = hands.clocks(0)
    hands.live(1.0)
    assert clocks.note(60) is None
    hands.live(**happens)
    told = clocks.note(60 + ticks)
    assert (told or {}) == ({} if not said else {
        "monotonic_ns": hands.monotonic, "unix_ns": hands.unix, **said})  # fmt: skip
    hands.live(1.0)
    assert clocks.note(120 + ticks) is None


def test_the_clocks_are_told_once_a_minute():
    hands = Hands()
    clocks, told = hands.clocks(0), []
    for second in range(1, 181):
        hands.live(1.0)
        told.append(clocks.note(second * TICK_HZ) is not None)
    assert [i + 1 for i, each in enumerate(told) if each] == [60, 120, 180]


@pytest.fixture(scope="module")
def city():
    return load_city()


def drive_in(root: Path, city, log: Path | None = None):
    """A bot's drive whose recording lies under `root`."""
    scenario = load("oncoming-traffic")
    scene = stage(scenario, city, 3)
    manifest = manifest_of(city, scene, digest(scenario))
    writer = SessionWriter.create(root, manifest)
    ribbon = Tape(writer.folder, CAPTURE, "lossless", log) if log else None
    if ribbon is not None:
        ribbon.start()
        assert ribbon.ready()
    parts = (city, scene, Noise(), Bot(scene, city), style_named("noir"), 2)
    return Drive(*parts, writer=writer, tape=ribbon)


@pytest.mark.parametrize("jump_s", [-86_400, 3600])
def test_a_wall_clock_that_is_set_changes_nothing_but_is_told(city, tmp_path, monkeypatch, jump_s):
    drive = drive_in(tmp_path / "sessions", city)
    real = time.time_ns
    for tick in range(240):
        if tick == 90:
            monkeypatch.setattr(time, "time_ns", lambda: real() + jump_s * SECOND)
            monkeypatch.setattr(time, "time", lambda: (real() + jump_s * SECOND) / 1e9)
            drive._clocks._clocks = (*drive._clocks._clocks[:2], time.time_ns)
        drive.turn((InputEvent(0, time.monotonic_ns(), "t", tick, tick + 1, "key", "KeyW", 1.0),))
    drive.writer.finish()
    with Session.open(drive.writer.folder) as session:
        assert verify(session, city, library_stage).ok
        heard = [event.t_ns for event in session.inputs()]
        events = [e for e in session.events() if e["k"] == "clock"]
        assert heard == sorted(heard)
        assert heard[-1] - heard[0] < 600 * SECOND
        times = [event["t_ns"] for event in session.events() if "t_ns" in event]
        assert times == sorted(times)
    assert [event["tick"] for event in events] == [120]
    assert events[0]["jumped_ns"] == pytest.approx(jump_s * SECOND, abs=0.4 * SECOND)
    assert clock_text(events[0]).startswith("the wall clock was set by")


CHILD = """
import sys
from pathlib import Path
from tests.game import test_clocks as made

made.stopped_drive(Path(sys.argv[1]))
"""


def stopped_drive(root: Path) -> None:
    """The child: drives at real pace with a recorder until 6 s are lived; tells each second."""
    drive = drive_in(root, load_city(), root.parent / "tape.log")
    print(os.getpid(), flush=True)
    drive_through(
        drive, lambda drive: () if drive.state.tick < 6 * TICK_HZ else None, 0,
        lambda drive: print(drive.state.tick, flush=True),
    )  # fmt: skip
    drive.tape.close()
    drive.writer.finish()


@pytest.mark.heavy
@pytest.mark.skipif(not hasattr(signal, "SIGSTOP"), reason="stops a process as POSIX knows it")
def test_a_process_that_was_stopped_says_how_long_and_goes_on(city, tmp_path):
    child = subprocess.Popen(
        [sys.executable, "-c", CHILD, str(tmp_path / "sessions")], stdout=subprocess.PIPE,
        text=True, env={**os.environ, "PYTHONPATH": os.getcwd()},
    )  # fmt: skip
    pid = int(child.stdout.readline())
    told = child.stdout.readline(), child.stdout.readline()
    assert [int(each) for each in told] == [60, 120]
    os.kill(pid, signal.SIGSTOP)
    time.sleep(3.0)  # the test is about real time that passes
    os.kill(pid, signal.SIGCONT)
    child.stdout.read()
    child.stdout.close()
    assert child.wait() == 0
    folder = next((tmp_path / "sessions").iterdir())
    with Session.open(folder) as session:
        assert verify(session, city, library_stage).ok
        assert [state.tick for state in session.ticks()] == list(range(6 * TICK_HZ + 1))
        lost = [e["lost_ns"] for e in session.events() if e["k"] == "clock" and "lost_ns" in e]
        shown = [record.tick for record in session.frames(TrackId.SOURCE)]
        when = [record.t_ns for record in session.frames(TrackId.SOURCE)]
    assert 2 * SECOND < sum(lost) < 3600 * SECOND
    assert shown == sorted(set(shown)), "no picture stands for the time that was not lived"
    gaps = [b - a for a, b in pairwise(when)]
    assert max(gaps) > 2.5 * SECOND


@pytest.fixture
def small_disk():
    """A file system of 2 MB, in a folder that no other test run tidies up."""
    place = Path(tempfile.mkdtemp(prefix="small-disk-"))
    done = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=2m", "none", str(place)], capture_output=True
    ) if sys.platform == "linux" and os.geteuid() == 0 else None  # fmt: skip
    if done is None or done.returncode:
        place.rmdir()
        pytest.skip("needs root on Linux, to mount a file system of 2 MB")
    yield place
    subprocess.run(["umount", "--lazy", str(place)], check=True)
    place.rmdir()


@pytest.mark.heavy
def test_a_full_disk_ends_the_recording_and_not_the_drive(city, small_disk, tmp_path):
    drive = drive_in(small_disk / "sessions", city, tmp_path / "tape.log")
    full, until = 0, time.monotonic() + 240
    while not full and time.monotonic() < until:
        drive.turn(())
        if drive.tape.stopped():
            full = drive.state.tick
        elif drive.tape.gauges().waiting > 30:
            time.sleep(0.01)
    assert full
    assert drive.tape.stopped() == "No space left on device (pictures)"
    said = [chip.text for chip in screen._chips(drive)]
    assert said[0].startswith("recording stopped: No space left on device")
    with pytest.raises(OSError, match="No space"):  # the ticks find no room either
        (small_disk / "more").write_bytes(bytes(4 << 20))
    drive_on = drive.state.tick + 3 * TICK_HZ
    while drive.state.tick < drive_on:
        drive.turn(())
    assert drive.writer.stopped.startswith("No space left on device")
    drive.tape.close()
    assert drive.writer.finish() == {}
    folder = drive.writer.folder
    assert not [path.name for path in folder.iterdir() if path.name.endswith(".tmp")]
    (small_disk / "more").unlink()
    report = recover(folder)
    assert full <= report.ticks < drive_on
    with Session.open(folder) as session:
        assert verify(session, city, library_stage).ok
        assert len(session.frames(TrackId.SOURCE)) > 10
