"""Long runs: every pair right over 20,000 frames and bad lines, nothing grows, nothing is left."""

import dataclasses
import gc
import logging
import time
from pathlib import Path

import psutil
import pytest

from streaming.gauges import Percentiles
from streaming.measure import CASES, Case
from streaming.peer import PeerConfig
from streaming.peer_process import PeerProcess, PeerThread
from streaming.server import ServerConfig
from tests.streaming.rig import Game, ServerProcess, rings
from tests.waiting import wait_for

pytestmark = [pytest.mark.network, pytest.mark.flow]

log = logging.getLogger(__name__)
MIB = 1 << 20


def _read(game: Game) -> int:
    return sum(code is not None for code in game.styled.copy().values())


def paired(case: Case, frames: int) -> tuple[int, int, int]:
    """Stream `frames` pictures over a line; (pictures read, wrong ones, encoded frames back)."""
    here = case.line and dataclasses.replace(case.line, seed=case.line.seed + 1)
    config = ServerConfig(backend="identity", impairment=case.line, work_s=case.work_s)
    server = ServerProcess(config)
    try:
        with rings() as made:
            peer = PeerConfig(server.url, "pairs", impairment=here)
            child = PeerProcess(peer, made.source, made.styled, made.encoded)
            game = Game(made)
            child.start()
            game.start()
            wait_for(lambda: len(game.styled) > 0, what="a first frame")
            first = game.put
            wait_for(lambda: game.put >= first + frames, 10 * frames)
            wait_for(lambda: len(game.encoded) >= 20 and _read(game) >= 5, what="pictures back")
            child.stop()
            game.stop()
            ticks = [frame.tick for frame in game.encoded]
            assert ticks == sorted(set(ticks))
            assert set(ticks) <= set(game.ticks)
            read = {t: code for t, code in game.styled.items() if code is not None}
            wrong = sum(code != tick & 0xFFFF for tick, code in read.items())
            return len(read), wrong, len(ticks)
    finally:
        server.stop()


@pytest.mark.parametrize("name", ["2 % loss", "50 ms jitter, reordered"])
def test_a_hundred_pairs_over_a_bad_line_are_right(name: str) -> None:
    read, wrong, back = paired(CASES[name], 100)
    assert wrong == 0
    assert back >= read > 0  # a busy machine shows fewer pictures, never wrong ones


@pytest.mark.slow
@pytest.mark.timeout(1800)
@pytest.mark.parametrize("name", list(CASES))
def test_no_pair_of_twenty_thousand_has_a_wrong_tick(name: str) -> None:
    read, wrong, back = paired(CASES[name], 20_000 // len(CASES))
    log.warning("pairs case=%s read=%d wrong=%d back=%d", name, read, wrong, back)
    assert wrong == 0
    assert read > 500


def size_of(pid: int) -> tuple[int, int, int]:
    """Threads, descriptors and private memory [byte] of a process."""
    process = psutil.Process(pid)
    return process.num_threads(), process.num_fds(), process.memory_full_info().uss


@pytest.mark.slow
@pytest.mark.timeout(3600)
def test_a_thousand_reconnects_leave_nothing_behind(tmp_path: Path) -> None:
    rounds = 1000
    server = ServerProcess(ServerConfig(backend="identity", journal=tmp_path))
    me = psutil.Process().pid
    seen: list[tuple[tuple[int, int, int], tuple[int, int, int]]] = []
    with rings() as made:
        game = Game(made)
        game.start()
        for number in range(rounds + 1):
            config = PeerConfig(server.url, f"again-{number}")
            child = PeerThread(config, made.source, made.styled, made.encoded)
            newest = made.styled.count
            child.start()
            wait_for(lambda at=newest: made.styled.count > at, what="a frame")  # type: ignore[misc]
            child.stop()
            game.styled.clear()
            game.encoded.clear()
            if number % (rounds // 10) == 0:
                wait_for(lambda: psutil.Process().num_threads() <= 3 + 2, what="threads ended")
                gc.collect()
                seen.append((size_of(me), size_of(server.ready_pid)))
                log.warning("reconnects n=%d client=%s server=%s", number, *seen[-1])
        game.stop()
    server.stop()
    for before, after in zip(seen[1], seen[-1], strict=True):
        assert after[0] <= before[0] + 1, "threads"
        assert after[1] <= before[1] + 2, "descriptors"
        assert after[2] <= before[2] + 32 * MIB, "memory"


@pytest.mark.slow
@pytest.mark.timeout(1800)
def test_ten_minutes_grow_neither_latency_nor_memory(tmp_path: Path) -> None:
    minutes = 10
    server = ServerProcess(ServerConfig(backend="identity", journal=tmp_path))
    with rings() as made:
        config = PeerConfig(server.url, "soak")
        child = PeerProcess(config, made.source, made.styled, made.encoded)
        game = Game(made)
        child.start()
        game.start()
        wait_for(lambda: child.gauges().connected)
        trips: list[Percentiles] = []
        sizes = []
        for minute in range(minutes + 1):
            until = time.monotonic() + 60
            wait_for(lambda end=until: time.monotonic() > end)  # type: ignore[misc]
            trips.append(child.gauges().round_trip_ms)
            sizes.append((size_of(child.pid or 0), size_of(server.ready_pid)))
            back = len(game.encoded)
            game.styled = {max(game.styled): game.styled[max(game.styled)]}
            game.encoded = game.encoded[-10:]
            log.warning(
                "soak minute=%d back=%d trip=%s sizes=%s", minute, back, trips[-1], sizes[-1]
            )
        child.stop()
        game.stop()
    server.stop()
    early, late = sorted(t.p50 for t in trips[1:4])[1], sorted(t.p50 for t in trips[-3:])[1]
    assert late < 2 * early + 500, "a queue that grows for ten minutes is longer by far"
    for before, after in zip(sizes[1], sizes[-1], strict=True):
        assert after[0] <= before[0]
        assert after[1] <= before[1]
        assert after[2] <= before[2] + 24 * MIB
