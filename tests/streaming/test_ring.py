"""Shared picture memory: newest wins, nothing lost while there is room, either side may die."""

import multiprocessing
import os
import signal
import time
from collections.abc import Iterator
from functools import partial
from multiprocessing.connection import Connection
from pathlib import Path

import numpy as np
import pytest

from streaming import shm
from streaming.errors import RingMissing, RingNoSpace
from streaming.frames import EncodedFrame, pack_encoded, unpack_encoded
from streaming.ring import FifoRing, LatestRing, sweep
from tests.waiting import wait_for

SPAWN = multiprocessing.get_context("spawn")


def is_beyond(ring: LatestRing, tick: int) -> bool:
    return ring.latest_tick > tick


def picture(value: int) -> np.ndarray:
    return np.full((48, 48, 4), value % 251, np.uint8)


@pytest.fixture
def latest() -> Iterator[LatestRing]:
    with LatestRing.create("test-latest", 48, 48, 4) as ring:
        yield ring


@pytest.fixture
def fifo() -> Iterator[FifoRing]:
    with FifoRing.create("test-fifo", 4096, slots=8) as ring:
        yield ring


def keep_putting(ring: LatestRing, first: int) -> None:
    tick = first
    while True:
        ring.put(tick, tick, picture(tick))
        tick += 1


def keep_pushing(ring: FifoRing) -> None:
    tick = 0
    while True:
        if ring.push(tick.to_bytes(8, "little") * 512, kind=1, tick=tick, t_ns=0):
            tick += 1


def keep_getting(ring: LatestRing) -> None:
    while True:
        ring.get(-1)


def peek_and_hang(ring: FifoRing, pipe: Connection) -> None:
    ring.peek()
    pipe.send("peeked")
    time.sleep(1000)


def test_the_newest_picture_wins(latest: LatestRing) -> None:
    for tick in (2, 4, 6):
        latest.put(tick, tick * 10, picture(tick))
    frame = latest.get(after_tick=2)
    assert frame is not None
    assert (frame.tick, frame.t_ns, int(frame.pixels[0, 0, 0])) == (6, 60, 6)
    assert latest.get(after_tick=6) is None


def test_a_wrong_shape_is_refused(latest: LatestRing) -> None:
    with pytest.raises(ValueError, match="does not fit"):
        latest.put(0, 0, np.zeros((48, 47, 4), np.uint8))


def test_a_copy_stays_what_it_was(latest: LatestRing) -> None:
    latest.put(1, 0, picture(1))
    frame = latest.get()
    for tick in range(2, 9):
        latest.put(tick, 0, picture(tick))
    assert frame is not None
    assert (frame.pixels == 1).all()


@pytest.mark.flow
def test_no_torn_picture_and_a_killed_writer_is_replaced(latest: LatestRing) -> None:
    seen = 0
    for first in (0, 1_000_000):
        child = SPAWN.Process(target=keep_putting, args=(latest, first))
        child.start()
        wait_for(partial(is_beyond, latest, first))
        for _ in range(300):
            frame = latest.get(-1)
            if frame is not None:
                seen += 1
                assert (frame.pixels == frame.tick % 251).all()
        assert child.pid is not None
        os.kill(child.pid, signal.SIGKILL)
        child.join()
    latest.put(2_000_000, 0, picture(9))
    frame = latest.get(1_999_999)
    assert frame is not None
    assert (frame.pixels == 9).all()
    assert seen > 100


@pytest.mark.flow
def test_a_killed_reader_takes_no_memory_away(latest: LatestRing) -> None:
    child = SPAWN.Process(target=keep_getting, args=(latest,))
    child.start()
    latest.put(1, 0, picture(1))
    assert child.pid is not None
    os.kill(child.pid, signal.SIGKILL)
    child.join()
    again = LatestRing.attach(latest.name)
    frame = again.get()
    again.close()
    assert frame is not None
    assert frame.tick == 1


def test_a_full_fifo_refuses_and_counts(fifo: FifoRing) -> None:
    assert all(fifo.push(b"x", kind=1, tick=t, t_ns=0) for t in range(8))
    assert not fifo.push(b"x", kind=1, tick=8, t_ns=0)
    assert not fifo.push(bytes(4097), kind=1, tick=9, t_ns=0)
    assert fifo.dropped == 2
    popped = [fifo.pop() for _ in range(9)]
    assert [item.tick for item in popped if item] == list(range(8))
    assert popped[-1] is None


def test_payloads_come_back_as_they_were(fifo: FifoRing) -> None:
    frame = EncodedFrame(7, b"\x10\x02\x00abc", True, 99, prompt=3, seed=5)
    assert fifo.push(pack_encoded(frame), kind=2, tick=7, t_ns=11)
    item = fifo.pop()
    assert item is not None
    assert (item.kind, item.tick, item.t_ns) == (2, 7, 11)
    assert unpack_encoded(item.data) == frame
    with pytest.raises(ValueError, match="cut short"):
        unpack_encoded(b"abc")


@pytest.mark.flow
def test_a_reader_killed_inside_pop_leaves_the_slot_to_the_next(fifo: FifoRing) -> None:
    for tick in range(3):
        fifo.push(b"abc", kind=1, tick=tick, t_ns=0)
    ours, theirs = SPAWN.Pipe()
    child = SPAWN.Process(target=peek_and_hang, args=(fifo, theirs))
    child.start()
    assert ours.recv() == "peeked"
    assert child.pid is not None
    os.kill(child.pid, signal.SIGKILL)
    child.join()
    other = FifoRing.attach(fifo.name)
    assert [item.tick for item in iter(other.pop, None)] == [0, 1, 2]
    other.close()


@pytest.mark.flow
def test_a_writer_killed_at_any_moment_leaves_whole_payloads_in_order(fifo: FifoRing) -> None:
    child = SPAWN.Process(target=keep_pushing, args=(fifo,))
    child.start()
    expected = 0
    while expected < 400:
        item = fifo.pop()
        if item is None:
            continue
        assert item.tick == expected
        assert item.data == expected.to_bytes(8, "little") * 512
        expected += 1
    assert child.pid is not None
    os.kill(child.pid, signal.SIGKILL)
    child.join()
    left = list(iter(fifo.pop, None))
    assert [item.tick for item in left] == list(range(expected, expected + len(left)))
    assert fifo.push(b"new", kind=1, tick=9, t_ns=0)
    item = fifo.pop()
    assert item is not None
    assert item.data == b"new"


def test_a_ring_larger_than_the_room_is_refused_whole() -> None:
    with pytest.raises(RingNoSpace, match="MiB free"):
        FifoRing.create("test-huge", 1 << 40, slots=60)
    assert not list(shm.folder().glob(f"scale-diffusion-{os.getpid()}-test-huge*"))


def test_a_missing_ring_and_a_foreign_file_are_named() -> None:
    with pytest.raises(RingMissing, match="is gone"):
        LatestRing.attach(f"scale-diffusion-{os.getpid()}-never-made")
    with FifoRing.create("test-kind", 16, slots=2) as ring, pytest.raises(RingMissing):
        LatestRing.attach(ring.name)


def make_and_die(name: str) -> None:
    LatestRing.create(name, 8, 8, 4)
    os.kill(os.getpid(), signal.SIGKILL)


@pytest.mark.flow
def test_sweep_takes_dead_owners_files_and_keeps_the_living(latest: LatestRing) -> None:
    child = SPAWN.Process(target=make_and_die, args=("orphan",))
    child.start()
    child.join()
    orphan = f"scale-diffusion-{child.pid}-orphan"
    assert (shm.folder() / orphan).exists()
    assert orphan in sweep()
    assert (shm.folder() / latest.name).exists()


def test_a_reused_process_id_does_not_keep_a_dead_owners_file(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    real = shm.start_time
    monkeypatch.setattr(shm, "start_time", lambda pid: real(pid) - 1)
    ring = LatestRing.create("test-reused", 8, 8, 4)  # made by an earlier bearer of this id
    monkeypatch.undo()
    assert ring.name in sweep()
    ring.close()


def test_closing_the_owner_removes_the_file() -> None:
    ring = LatestRing.create("test-close", 8, 8, 4)
    path: Path = shm.folder() / ring.name
    assert path.exists()
    ring.close()
    ring.close()
    assert not path.exists()


def test_closing_while_somebody_looks_at_it_fails_nobody() -> None:
    ring = FifoRing.create("test-looked-at", 4096, slots=8)
    ring.push(b"kept", kind=1, tick=1, t_ns=0)
    looked_at = ring._bytes[:64]  # as the frames of an interrupted push keep it
    ring.close()
    with pytest.raises(RingMissing):
        FifoRing.attach("test-looked-at")
    assert looked_at.any()  # it is still there for them
