"""Nothing is lost: torn tails at every byte, kill -9 at random moments, a disk that fills up."""

import os
import random
import resource
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from game.errors import SessionBusy, SessionCorrupt
from game.session import matroska
from game.session.append import write_whole
from game.session.format import END, FRAMES, INPUTS, TICKS, TrackId
from game.session.reader import Session
from game.session.recover import delete, recover
from game.session.track import segment_path
from game.session.verify import verify
from game.session.writer import SessionWriter
from game.world.step import step

from . import conftest as made
from . import torture

pytestmark = pytest.mark.heavy


@pytest.mark.parametrize("name", [TICKS, INPUTS, FRAMES, "styled-0000.mkv"])
def test_torn_at_every_byte_of_the_last_record(record, city, name):
    folder = record(20, video=True, finish=False)
    path = folder / name
    whole = {p.name: p.read_bytes() for p in folder.iterdir()}
    size = _last_record(folder, name)
    for cut in range(1, size, max(1, size // 97)):
        for other, data in whole.items():
            (folder / other).write_bytes(data)
        (folder / END).unlink(missing_ok=True)
        os.truncate(path, len(whole[name]) - cut)
        report = recover(folder)
        assert report.ticks == (20 if name == TICKS else 21)
        assert report.cut.get(name, 0) == size - cut
        with Session.open(folder) as session:
            checked = verify(session, city, made.start_of)
            assert checked.ok, checked.problems
            assert checked.pairs == (9 if name == "styled-0000.mkv" else 10)
        assert recover(folder).sealed_before


def _last_record(folder: Path, name: str) -> int:
    data = (folder / name).read_bytes()
    if name == INPUTS:
        return len(data) - data.rfind(b"\n", 0, -1) - 1
    with Session.open(folder) as session:
        if name == TICKS:
            return len(data) - session.ticks()._starts[-1]
        if name == FRAMES:
            from game.session.framefile import RECORD_BYTES

            return RECORD_BYTES
        return session.frames(TrackId.STYLED)[-1].size + matroska._HEAD.size


DRIVE = """
import sys
from pathlib import Path
from tests.session import conftest as made
from game.session.format import InputEvent
from game.session.writer import SessionWriter
from game.world.step import step

manifest = made.manifest_of()
writer = SessionWriter.create(Path(sys.argv[1]), manifest)
state = made.start_of(manifest, made.CITY).state
writer.tick(state)
while True:
    writer.input(InputEvent(0, 1, "panda", state.tick, state.tick + 1, "key", "KeyA", 1.0))
    state = step(made.CITY, state, made.driven(state.tick))
    writer.tick(state)
    print(state.tick, flush=True)
"""


@pytest.mark.skipif(os.name == "nt", reason="kill -9 as Linux and macOS know it")
def test_killed_at_random_moments_no_tick_is_lost(tmp_path, city):
    chance = random.Random(11)
    for turn in range(4):
        root = tmp_path / str(turn)
        drive = subprocess.Popen(
            [sys.executable, "-c", DRIVE, str(root)], stdout=subprocess.PIPE, text=True
        )
        for _ in range(chance.randrange(30, 200)):
            told = drive.stdout.readline()
        folder = next(root.iterdir())
        with pytest.raises(SessionBusy):
            recover(folder)
        time.sleep(chance.random() * 0.01)
        os.kill(drive.pid, signal.SIGKILL)
        rest = drive.stdout.read().split("\n")
        drive.wait()
        drive.stdout.close()
        told = [line for line in rest if line][-1] if any(rest) else told
        report = recover(folder)
        assert report.ticks >= int(told) + 1
        with Session.open(folder) as session:
            checked = verify(session, city, made.start_of)
            assert checked.ok, checked.problems
            assert len(session.inputs()) >= int(told)


@pytest.mark.slow
@pytest.mark.skipif(os.name == "nt", reason="kill -9 as Linux and macOS know it")
def test_either_process_killed_while_both_record():
    """The long version: python -m tests.session.torture --kills 200."""
    found = [each for _, each in torture.turns(4, seed=2, jobs=2)]
    assert all(each.fine for each in found), torture.table(found)


def test_a_full_disk_stops_recording_and_leaves_it_sound(tmp_path, city):
    """A real limit of the system: writes come back short, then fail."""
    child = os.fork()
    if child == 0:  # a process of its own, so that the limit ends with it
        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
        resource.setrlimit(resource.RLIMIT_FSIZE, (20_000, 20_000))
        manifest = made.manifest_of()
        writer = SessionWriter.create(tmp_path, manifest)
        state = made.start_of(manifest, city).state
        for tick in range(200):
            writer.tick(state)
            state = step(city, state, made.driven(tick))
        stopped = writer.stopped
        writer.close()
        os._exit(0 if stopped and state.tick == 200 else 9)
    assert os.waitpid(child, 0)[1] == 0
    folder = next(tmp_path.iterdir())
    report = recover(folder)
    assert 20 < report.ticks < 190
    assert TICKS not in report.cut
    with Session.open(folder) as session:
        assert verify(session, city, made.start_of).ok


def test_a_stopped_writer_says_why(tmp_path, city):
    def fails(fd: int, data: bytes) -> int:
        raise OSError(28, "No space left on device")

    manifest = made.manifest_of()
    writer = SessionWriter.create(tmp_path, manifest, write=fails)
    writer.tick(made.start_of(manifest, city).state)
    assert writer.stopped == "No space left on device (ticks.bin)"
    writer.event("gauges", 0, sent=1)
    writer.close()


def test_lost_frame_table_is_made_again(record, city):
    folder = record(60, video=True, finish=False)
    with Session.open(folder) as session:
        before = {t: [(r.tick, r.sha256) for r in session.frames(t)] for t in session.tracks()}
    (folder / FRAMES).unlink()
    report = recover(folder)
    assert report.frames.added == sum(len(each) for each in before.values())
    with Session.open(folder) as session:
        after = {t: [(r.tick, r.sha256) for r in session.frames(t)] for t in session.tracks()}
        assert after == before
        assert verify(session, city, made.start_of).ok


def test_delete_takes_sessions_only(record, tmp_path):
    folder = record(5)
    with pytest.raises(SessionCorrupt):
        delete(tmp_path)
    delete(folder)
    assert not folder.exists()
    assert not list(folder.parent.iterdir())


def test_whole_files_replace_at_once(tmp_path):
    path = tmp_path / "a.json"
    write_whole(path, b"1")
    write_whole(path, b"2")
    assert path.read_bytes() == b"2"
    assert [p.name for p in tmp_path.iterdir()] == ["a.json"]
    assert segment_path(tmp_path, 3, 1).name == "styled2-0001.mkv"
