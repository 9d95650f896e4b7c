"""Schedules, memories and processes change when a block is painted, never what it becomes."""

import socket

import pytest

torch = pytest.importorskip("torch", reason="the diffusion extra is not installed")

import torch.multiprocessing as mp  # noqa: E402

from streaming.diffusion.wan.balance import rebalance, shares  # noqa: E402
from streaming.diffusion.wan.cache import Cache  # noqa: E402
from streaming.diffusion.wan.distributed import Fresh, Share, Wire, follow, lead  # noqa: E402
from streaming.diffusion.wan.errors import BadOption  # noqa: E402
from streaming.diffusion.wan.paint import Batched, Sampler, Sequential  # noqa: E402
from streaming.diffusion.wan.params import CacheParams, SampleParams  # noqa: E402
from tests.streaming.diffusion.wan.conftest import SMALL, small_model, small_text  # noqa: E402

GRID, BLOCKS = (2, 3), 9
MEMORY = CacheParams(5, 2, 1, renew_below=0.2)


def fresh(blocks: int = BLOCKS) -> list[Fresh]:
    generator = torch.Generator().manual_seed(11)
    shape = (16, MEMORY.block, 2 * GRID[0], 2 * GRID[1])
    made = [Fresh(torch.randn(shape, generator=generator), 0.8, None)]
    while len(made) < blocks:
        made.append(Fresh(torch.randn(shape, generator=generator), 0.74, 600 + len(made)))
    return made


def cache_of(model, rows: int) -> Cache:
    layers = model.last - model.first
    return Cache(SMALL, MEMORY, GRID, layers, rows, torch.float32)


def painted(kind, model, prompt, sample: SampleParams, rows: int) -> list:
    painter = kind(model, cache_of(model, rows), Sampler(sample, seed=4), prompt)
    out = [done for new in fresh() for done in painter.paint(new.latents, new.scale, new.first)]
    return out + painter.flush()


def farthest(a: list, b: list) -> float:
    assert [one.number for one in a] == [one.number for one in b] == list(range(BLOCKS))
    return max((x.latents - y.latents).abs().max().item() for x, y in zip(a, b, strict=True))


@pytest.mark.parametrize("count", [1, 2, 3])
def test_stream_batch_equals_steps_with_a_memory_each(model, prompt, count: int) -> None:
    sample = SampleParams((700, 500, 300)[:count])
    one_by_one = painted(Sequential, model, prompt, sample, count)
    assert farthest(painted(Batched, model, prompt, sample, count), one_by_one) < 1e-5


def test_control_one_memory_for_all_steps_differs(model, prompt) -> None:
    sample = SampleParams((700, 500))
    shared = painted(Sequential, model, prompt, sample, 1)
    assert farthest(shared, painted(Sequential, model, prompt, sample, 2)) > 1e-3


def test_a_clean_pass_changes_what_later_blocks_remember(model, prompt) -> None:
    plain = painted(Sequential, model, prompt, SampleParams((700,)), 1)
    kept = painted(Sequential, model, prompt, SampleParams((700,), clean_pass=True), 1)
    assert torch.equal(plain[0].latents, kept[0].latents)
    assert farthest(plain, kept) > 1e-3


def test_a_reset_memory_repeats_itself_to_the_bit(model, prompt) -> None:
    cache = cache_of(model, 1)
    runs = []
    for _ in range(3):
        cache.reset()
        painter = Sequential(model, cache, Sampler(SampleParams((700, 500)), 4), prompt)
        runs.append([painter.paint(n.latents, n.scale, n.first)[0].latents for n in fresh()])
    assert all(torch.equal(a, b) for a, b in zip(runs[0], runs[2], strict=True))


def test_impossible_memories_are_refused(model, prompt) -> None:
    sampler = Sampler(SampleParams((700, 500)), 0)
    with pytest.raises(BadOption):
        Batched(model, cache_of(model, 1), sampler, prompt)
    with pytest.raises(BadOption):
        Sequential(model, cache_of(model, 3), sampler, prompt)


def rank_main(rank: int, ranks: int, port: int, rows: int, clean: bool, out: str) -> None:
    torch.set_num_threads(1)
    store = torch.distributed.TCPStore("127.0.0.1", port, ranks, rank == 0)
    torch.distributed.init_process_group("gloo", store=store, rank=rank, world_size=ranks)
    with torch.no_grad():
        model = small_model(*shares(SMALL.layers, ranks)[rank])
        sampler = Sampler(SampleParams((700, 500), clean_pass=clean), seed=4)
        share = Share(model, cache_of(model, rows), sampler, model.prompt(small_text()))
    wire = Wire(torch.float32)
    if rank:
        follow(wire, share)
    else:
        torch.save([(p.number, p.latents) for p in lead(wire, share, fresh())], out)
    torch.distributed.barrier()
    torch.distributed.destroy_process_group()


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@pytest.mark.heavy
@pytest.mark.parametrize(
    ("ranks", "rows", "clean"), [(2, 1, False), (2, 1, True), (2, 2, False), (4, 2, False)]
)
def test_ranks_equal_one_process(
    model, prompt, tmp_path, ranks: int, rows: int, clean: bool
) -> None:
    out = tmp_path / "painted.pt"
    mp.spawn(rank_main, (ranks, free_port(), rows, clean, str(out)), nprocs=ranks)
    found = torch.load(out, weights_only=True)
    kind = Sequential if rows == 1 else Batched
    alone = painted(kind, model, prompt, SampleParams((700, 500), clean_pass=clean), rows)
    assert [number for number, _ in found] == list(range(BLOCKS))
    for (_, latents), one in zip(found, alone, strict=True):
        assert (latents - one.latents).abs().max().item() < 1e-5


@pytest.mark.parametrize(("layers", "ranks"), [(30, 1), (30, 4), (40, 7)])
def test_shares_cover_every_layer_once(layers: int, ranks: int) -> None:
    parts = shares(layers, ranks)
    assert [i for first, last in parts for i in range(first, last)] == list(range(layers))
    assert max(b - a for a, b in parts) - min(b - a for a, b in parts) <= 1


def test_balance_takes_from_the_slow_and_keeps_the_sum() -> None:
    """Rank 0 also encodes for 4 s, the last decodes for 8 s; a block takes 1 s everywhere."""
    counts = [8, 8, 8, 8]
    for _ in range(5):
        block_s = [float(n) for n in counts]
        total_s = [counts[0] + 4.0, counts[1], counts[2], counts[3] + 8.0]
        counts = rebalance(counts, block_s, total_s)
        assert sum(counts) == 32
        assert min(counts) >= 1
    assert counts == [7, 11, 11, 3]
    assert sorted(rebalance([2, 1, 1], [2.0, 1.0, 1.0], [90.0, 1.0, 1.0])) == [1, 1, 2]
