"""Films offline: as many frames out as in, the same alone and over ranks; what files are."""

import multiprocessing
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

torch = pytest.importorskip("torch", reason="the diffusion extra is not installed")

import torch.distributed as dist  # noqa: E402
import torch.multiprocessing as mp  # noqa: E402

from streaming.diffusion.wan import flops, precision  # noqa: E402
from streaming.diffusion.wan.card import read_card  # noqa: E402
from streaming.diffusion.wan.expected import cases, expected  # noqa: E402
from streaming.diffusion.wan.inspect import inspect, needed  # noqa: E402
from streaming.diffusion.wan.judge import Recomputed, _with, through  # noqa: E402
from streaming.diffusion.wan.offline import Alone, Ranks, Shot  # noqa: E402
from streaming.diffusion.wan.paint import Sampler  # noqa: E402
from streaming.diffusion.wan.params import CacheParams, SampleParams  # noqa: E402
from streaming.diffusion.wan.precision import costs  # noqa: E402
from streaming.diffusion.wan.rig import Rig  # noqa: E402
from tests.streaming.diffusion.wan.folder import write_folder  # noqa: E402
from tests.streaming.diffusion.wan.test_paint import free_port  # noqa: E402

TWO = SampleParams((300, 150), 0.4, normalise=True)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    torch.set_num_threads(1)
    return write_folder(tmp_path_factory.mktemp("card"), sample=TWO).folder


def film(count: int) -> list[Shot]:
    draw = np.random.default_rng(1)
    style = ["day"] * 9 + ["night"] * count
    return [
        Shot(2 * i, draw.integers(0, 255, (40, 48, 4), np.uint8), "", style[i])
        for i in range(count)
    ]


@pytest.mark.parametrize("mode", ["sequential", "batched"])
@pytest.mark.parametrize("count", [1, 14])
def test_as_many_frames_come_out_as_went_in(folder: Path, mode: str, count: int) -> None:
    card = replace(read_card(folder), mode=mode)
    out = list(Alone(card, "cpu").paint(film(count)))
    assert [tick for tick, _ in out] == [2 * i for i in range(count)]
    assert all(pixels.shape == (40, 48, 4) for _, pixels in out)


def torn(shots: list[Shot]) -> Iterator[Shot]:
    yield from shots[:7]
    raise OSError("torn")


def rank_main(rank: int, port: int, folder: Path, out: str) -> None:
    torch.set_num_threads(1)
    store = dist.TCPStore("127.0.0.1", port, 2, rank == 0)
    whole = dist.init_process_group

    def joined(kind: str) -> None:
        whole(kind, store=store, rank=rank, world_size=2)

    dist.init_process_group = joined  # type: ignore[assignment]  # what torchrun's variables do
    ranks = Ranks(read_card(folder), "cpu")
    assert len(ranks.rig.model.blocks) == 3
    if ranks.leads:
        with pytest.raises(OSError, match="torn"):  # a film that breaks off harms no other
            list(ranks.paint(torn(film(9))))
        found = [list(ranks.paint(film(9), seed)) for seed in (3, 4)]
        np.savez(out, *[np.stack([p for _, p in one]) for one in found])
        left = ranks.paint(film(9))  # given up in the middle
        next(left)
    else:
        ranks.serve()
    ranks.close()


@pytest.mark.heavy
def test_two_ranks_paint_the_film_of_one(folder: Path, tmp_path: Path) -> None:
    out = tmp_path / "film.npz"
    mp.spawn(rank_main, (free_port(), folder, str(out)), nprocs=2)
    alone = Alone(read_card(folder), "cpu")
    found = np.load(out)
    for name, seed in (("arr_0", 3), ("arr_1", 4)):
        wanted = np.stack([p for _, p in alone.paint(film(9), seed)])
        assert np.abs(found[name].astype(int) - wanted).max() <= 1
    assert not np.array_equal(found["arr_0"], found["arr_1"])  # control: the seed shows


def test_with_and_without_a_cache_the_film_is_the_same(folder: Path) -> None:
    rig = Rig(read_card(folder), "cpu")
    source = np.stack([shot.pixels[..., :3] for shot in film(25)])
    cached = through(rig, rig.stream(), source, "day").astype(int)
    plain = through(rig, _with(rig, Recomputed(rig, Sampler(TWO, 0))), source, "day")
    assert np.abs(cached - plain).max() <= 1
    short = replace(rig.card, cache=CacheParams(2, 0, 1, -1))
    other = Rig(short, "cpu")
    assert np.abs(cached - through(other, other.stream(), source, "day")).max() > 1  # control


def test_ways_to_run_smaller_cost_what_their_bits_say(folder: Path) -> None:
    rows = {r.way: r for r in costs(read_card(folder), 9, ("bfloat16", "int8", "fp8"), str)}
    assert rows["float32"].rms == 0
    assert 0 < rows["int8"].rms < rows["fp8"].rms < 20
    assert rows["int8"].weights_mb < 0.5 * rows["float32"].weights_mb
    assert not any(row.why for row in rows.values())


def test_a_compiler_that_does_not_end_is_given_up_and_leaves_nobody(folder: Path) -> None:
    (plain, row) = costs(read_card(folder), 5, ("compile",), str, patience_s=0.0)
    assert not plain.why
    assert row.why == "not done in 0 s (--patience gives it more)"
    assert multiprocessing.active_children() == []


@pytest.mark.heavy
def test_a_way_measured_in_a_process_of_its_own_makes_the_same_film(folder: Path) -> None:
    apart = precision._apart(read_card(folder), 5, "cpu", 280.0)
    assert np.array_equal(apart.film, precision._made(read_card(folder), 5, "cpu").film)


def test_a_card_is_told_from_a_folder_and_faults_are_named(folder: Path, tmp_path: Path) -> None:
    seen = inspect(folder)
    assert seen.runs
    assert "nano transformer, nano autoencoder, 32x32, steps: 2" in seen.what
    kinds = [line.split(": ")[1] for line in seen.details]
    assert kinds == ["transformer", "nano autoencoder", "style table"]
    alone = inspect(folder / "transformer.safetensors")
    assert (alone.what, alone.runs) == ("transformer, nano", True)
    assert not inspect(tmp_path / "nothing.pth").runs
    torch.save({"generator": {"a": torch.zeros(2)}}, tmp_path / "other.pt")
    assert "unknown" in inspect(tmp_path / "other.pt").what
    torch.save({"a": Path("b")}, tmp_path / "code.pt")
    assert "would run code" in inspect(tmp_path / "code.pt").why


def test_a_missing_key_is_named(folder: Path, tmp_path: Path) -> None:
    from safetensors.torch import load_file, save_file

    state = load_file(folder / "transformer.safetensors")
    state.pop("blocks.3.ffn.0.bias")
    save_file(state, tmp_path / "cut.safetensors")
    seen = inspect(tmp_path / "cut.safetensors")
    assert not seen.runs
    assert "1 keys are missing, such as blocks.3.ffn.0.bias" in seen.why


def test_memory_needed_follows_the_formula(folder: Path) -> None:
    card = replace(read_card(folder), model="1.3b", width=832, height=480, cache=CacheParams())
    assert needed(card, 2) == pytest.approx((2.84e9 + 1.73e9) * 1.35, rel=0.02)


def test_the_expected_table_agrees_with_the_published_limits() -> None:
    rows = {(r.model, r.width, r.steps, r.autoencoder): r for r in expected()}
    assert len(rows) == len(cases()) == 24
    assert rows["1.3b", 832, 2, "wan"].limit_fps == pytest.approx(113, rel=0.02)
    assert rows["1.3b", 832, 2, "tiny"].limit_fps == pytest.approx(277, rel=0.02)
    assert rows["1.3b", 832, 2, "wan"].goal_fps == 40
    assert flops.peak_of("H100") == 989.4e12
