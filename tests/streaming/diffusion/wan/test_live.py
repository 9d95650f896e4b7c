"""One live stream over several processes: the pictures of one, and an end when one of them dies."""

import os
import time
from pathlib import Path
from typing import Any

import numpy as np
import pytest

torch = pytest.importorskip("torch", reason="the diffusion extra is not installed")

import torch.multiprocessing as mp  # noqa: E402

from streaming.diffusion.wan.backend import Wan  # noqa: E402
from streaming.diffusion.wan.card import read_card  # noqa: E402
from streaming.diffusion.wan.errors import BadOption, RankLost  # noqa: E402
from streaming.diffusion.wan.lane import Lane  # noqa: E402
from streaming.diffusion.wan.live import Chain, take_part  # noqa: E402
from streaming.diffusion.wan.params import CacheParams, SampleParams  # noqa: E402
from tests.streaming.diffusion.wan.folder import write_folder  # noqa: E402
from tests.streaming.diffusion.wan.test_backend import frame  # noqa: E402
from tests.streaming.diffusion.wan.test_paint import free_port  # noqa: E402

STYLES = ("day", "day", "night", "night", "night", "night")


def played(backend: Wan, seed: int) -> np.ndarray:
    """A player comes, changes the prompt in the middle, and leaves."""
    painter = backend.painter()
    out = []
    for number, style in enumerate(STYLES):
        frames = [frame(10 * number + i) for i in range(painter.chunk)]
        out += painter.put_through(frames, "", seed + number // 4, style)
    painter.close()
    return np.stack(out)


def joined(rank: int, port: int) -> None:
    """What torchrun does for a process."""
    torch.set_num_threads(1)
    told = {"RANK": rank, "WORLD_SIZE": 2, "MASTER_ADDR": "127.0.0.1", "MASTER_PORT": port}
    os.environ.update({name: str(value) for name, value in told.items()})
    os.environ["TORCHELASTIC_RUN_ID"] = "test"


def serving(rank: int, port: int, folder: Path, out: str) -> None:
    joined(rank, port)
    if rank:
        take_part(read_card(folder), "cpu")
        return
    backend = Wan(folder, "cpu")
    assert len(backend.rig.model.blocks) == 3
    two = [played(backend, seed) for seed in (3, 8)]  # the second finds no trace of the first
    lane = backend.open(lambda: None)
    with pytest.raises(BadOption, match="only 1 can play"):
        backend.open(lambda: None)
    lane.close()
    backend.close()
    assert backend.chain is not None
    assert backend.chain.lost is None
    np.savez(out, *two)


@pytest.mark.heavy
@pytest.mark.parametrize("clean", [False, True])
def test_two_ranks_serve_the_pictures_of_one(tmp_path: Path, clean: bool) -> None:
    sample = SampleParams((300, 150), 0.4, normalise=True, clean_pass=clean)
    write_folder(tmp_path, sample=sample, cache=CacheParams(4, 1, 1, renew_below=0.99))
    mp.spawn(serving, (free_port(), tmp_path, str(tmp_path / "out.npz")), nprocs=2)
    found, alone = np.load(tmp_path / "out.npz"), Wan(tmp_path, "cpu")
    for name, seed in (("arr_0", 3), ("arr_1", 8)):
        wanted = played(alone, seed)
        assert np.abs(found[name].astype(int) - wanted).max() <= 1
    assert not np.array_equal(found["arr_0"], found["arr_1"])  # control: the seed shows
    alone.close()


def orphaned(rank: int, port: int, folder: Path, playing: bool, told: Any) -> None:
    joined(rank, port)
    if rank:
        told.put(os.getpid())
        take_part(read_card(folder), "cpu")
        return
    backend = Wan(folder, "cpu")
    lost: list[Exception] = []
    backend.watch(lost.append)
    played(backend, 0)
    lane: Lane | None = backend.open(lambda: None) if playing else None
    other, tick = told.get(timeout=300), 0
    os.kill(other, 9)
    until = time.monotonic() + 300
    while not lost and time.monotonic() < until:
        tick += 1
        if lane is not None:
            lane.put(tick, frame(tick), "", 0, "day")
        time.sleep(0.01)
    backend.close()
    assert isinstance(lost[0], RankLost)
    os._exit(7)  # before anybody ends us for the other's death


@pytest.mark.heavy
@pytest.mark.parametrize("playing", [True, False])
def test_a_rank_that_dies_is_missed(tmp_path: Path, playing: bool) -> None:
    write_folder(tmp_path)
    told = mp.get_context("spawn").Queue()
    ranks = mp.spawn(
        orphaned, (free_port(), tmp_path, playing, told), nprocs=2, join=False
    ).processes
    ranks[0].join(300)
    ranks[1].join(300)
    assert (ranks[0].exitcode, ranks[1].exitcode) == (7, -9)


def test_the_line_of_it_is_for_people() -> None:
    said = "[/a/b.cc:537] Read error [127.0.0.1]:49388: Connection reset by peer. This may be ..."
    assert "is gone (Read error Connection reset by peer); torchrun" in str(RankLost(2, said))


def test_a_stream_batch_is_refused(tmp_path: Path) -> None:
    with pytest.raises(BadOption, match="sequential"):
        Chain(write_folder(tmp_path, mode="batched"), "cpu")
