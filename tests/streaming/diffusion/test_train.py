"""Training: the same whether it was stopped or not, on the pairs that the folder names."""

import shutil
from collections import Counter
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
import torch.nn.functional as F

from streaming.diffusion import pairs
from streaming.diffusion.export import export
from streaming.diffusion.model import STYLES
from streaming.diffusion.train import Run, TrainConfig, cooled, first_turn, painted, train
from streaming.errors import LabelsMissing, PairsMissing, TrainingClash


def _quiet(_: str) -> None:
    pass


def _weights(run: Run) -> torch.Tensor:
    return torch.cat([p.detach().reshape(-1) for p in run.average.parameters()])


def test_a_run_stopped_and_continued_ends_with_the_same_weights(smoke: TrainConfig) -> None:
    whole = train(smoke, _quiet)
    parted = replace(smoke, out=smoke.out.with_name("parted"))
    stopped = Run(parted)
    stopped.config.out.mkdir()
    clips = pairs.find(parted.data, "train")
    stopped.model.base.data.copy_(first_turn(clips))
    stopped.average.base.data.copy_(stopped.model.base)
    stopped.advance(clips)
    stopped.save()
    again = train(parted, _quiet)
    assert again.step == whole.step == smoke.steps
    apart = (_weights(again) - _weights(whole)).abs().max()
    assert float(apart) < 1e-5, "rounding alone: a step without its momentum is 1e-3"
    assert float((_weights(stopped) - _weights(whole)).abs().max()) > 1e-4


def test_a_checkpoint_of_another_seed_is_refused(smoke: TrainConfig) -> None:
    train(smoke, _quiet)
    with pytest.raises(TrainingClash, match="new folder"):
        train(replace(smoke, seed=2), _quiet)


def test_a_run_leaves_checkpoint_log_and_sheet(smoke: TrainConfig) -> None:
    train(smoke, _quiet)
    assert (smoke.out / "checkpoint.pt").exists()
    assert len((smoke.out / "log.jsonl").read_text().splitlines()) == 2
    assert (smoke.out / "sheets" / "step-000004.png").read_bytes()[:4] == b"\x89PNG"


def test_training_comes_nearer_to_the_target(smoke: TrainConfig) -> None:
    longer = replace(smoke, steps=60, every=60)
    run = Run(longer)
    clips = pairs.find(longer.data, "train")
    losses = [run.advance(clips)["level"] for _ in range(60)]
    assert sum(losses[-10:]) < 0.8 * sum(losses[:10])


def test_the_first_turn_is_the_colour_change_itself(data: Path) -> None:
    turn = first_turn(pairs.find(data, "train"))
    assert turn.shape == (6, 9)
    gain, luma, bias = turn[0].chunk(3)  # the first style halves red
    assert torch.allclose(gain, torch.tensor([0.5, 1.0, 1.0]), atol=0.02)
    assert float(luma.abs().max()) < 0.02
    assert float(bias.abs().max()) < 0.01


def test_a_step_cuts_the_same_batch_again_and_another_step_another(data: Path) -> None:
    clips = pairs.find(data, "train")
    one, again = (pairs.cut(clips, 1, 7, 3, 32) for _ in range(2))
    assert torch.equal(one.source, again.source)
    assert torch.equal(one.place, again.place)
    assert not torch.equal(one.source, pairs.cut(clips, 1, 8, 3, 32).source)
    assert one.source.shape == (3, 2, 3, 64, 32)


def test_the_place_of_a_column_is_its_place_in_the_picture(data: Path) -> None:
    batch = pairs.cut(pairs.find(data, "train"), 1, 3, 8, 64)
    assert torch.equal(batch.place[:, 1, 0], torch.full((8, 16), -1.0))
    assert torch.allclose(batch.place[:, 0, 0].abs().max(dim=1).values, torch.ones(8))


def test_a_batch_at_another_size_shows_the_same_columns(data: Path) -> None:
    clips = pairs.find(data, "train")
    full, small = (pairs.cut(clips, 1, 4, 2, 64, side=side) for side in (0, 32))
    assert full.source.shape[-2:] == (64, 64)
    assert small.source.shape[-2:] == small.target.shape[-2:] == (32, 32)
    shrunk = F.avg_pool2d(full.target.flatten(0, 1), 2).view_as(small.target)
    assert torch.allclose(small.target, shrunk, atol=1e-5)
    ends = [
        batch.place[..., row, column] for batch in (full, small)
        for row in (0, -1) for column in (0, -1)
    ]  # fmt: skip
    assert torch.allclose(torch.stack(ends[:4]), torch.stack(ends[4:]))


def test_sizes_by_turns_are_learned_from_and_odd_ones_refused(smoke: TrainConfig) -> None:
    told: list[str] = []
    run = train(replace(smoke, sizes=(64, 32)), told.append)
    assert run.step == smoke.steps
    with pytest.raises(ValueError, match="not 40"):
        replace(smoke, sizes=(64, 40))


def test_a_spread_takes_as_many_of_each_style_from_all_over(data: Path) -> None:
    clips = pairs.find(data, "train")
    some = pairs.spread(clips, 12)
    assert len(set(some)) == len(some) == 12
    assert Counter(clip.style for clip in some) == dict.fromkeys(STYLES, 2)
    assert {clip.drive for clip in some} == {clip.drive for clip in clips}
    assert set(pairs.spread(clips, 600)) == set(clips)
    assert len(pairs.spread(clips, 2)) == 2


def test_splits_do_not_mix(data: Path) -> None:
    streets = {
        split: {clip.street for clip in pairs.find(data, split)}
        for split in ("train", "validation", "test")
    }
    assert streets["train"].isdisjoint(streets["validation"] | streets["test"])


def test_an_empty_folder_says_how_to_fill_it(tmp_path: Path) -> None:
    with pytest.raises(PairsMissing, match="diffusion data --out"):
        pairs.find(tmp_path, "train")


def test_the_rate_rises_holds_and_cools() -> None:
    shares = [cooled(step, 1000, 0.2) for step in (0, 49, 500, 900, 999)]
    assert shares[0] < shares[1] == shares[2] == 1.0
    assert shares[2] > shares[3] > shares[4] > 0.0


def test_labels_reach_the_picture_and_are_learned_from(smoke: TrainConfig, tmp_path: Path) -> None:
    folder = tmp_path / "told"
    shutil.copytree(smoke.data, folder)
    run = Run(replace(smoke, params=replace(smoke.params, labels=pairs.LABELS)))
    clips = pairs.find(folder, "train")
    before = run.model.stem.weight[:, -pairs.LABELS :].detach().clone()
    run.advance(clips)
    moved = (run.model.stem.weight[:, -pairs.LABELS :] - before).abs().amax((0, 2, 3))
    assert (moved[:4] > 0).all(), "nearness and normals"
    run.model.head.weight.data += 0.1
    painted_ = painted(run.model, clips[0])
    for path in folder.glob("drive-*/depth.npy"):
        np.save(path, np.load(path) + np.float16(30.0))
    assert not torch.allclose(painted(run.model, clips[0]), painted_)


def test_labels_lie_where_their_pixels_lie_also_in_a_mirrored_cut(data: Path) -> None:
    clips = pairs.find(data, "train")
    sides = set()
    for step in range(12):
        batch = pairs.cut(clips, 1, step, 1, 32, 1, labels=True)
        assert batch.labels is not None
        plane = batch.labels[0, 0, 0]
        found = []
        for clip in clips:
            whole = clip.labels()[:, 0]
            for turned in (False, True):
                there = whole.flip(2) if turned else whole
                for left in range(9):
                    if any(torch.allclose(f[:, left : left + 8], plane) for f in there):
                        found.append((left, turned))
        (left, turned) = found[0]
        across = torch.linspace(-1, 1, 16)[left if not turned else 0 :][:8]
        if not turned:
            assert torch.allclose(batch.place[0, 0, 0], across, atol=1e-6)
        sides.add(turned)
    assert sides == {False, True}


def test_pairs_without_labels_are_named(data: Path, tmp_path: Path) -> None:
    folder = tmp_path / "plain"
    shutil.copytree(data, folder)
    for path in folder.glob("drive-*/depth.npy"):
        path.unlink()
    with pytest.raises(LabelsMissing, match="--labels"):
        pairs.find(folder, "train")[0].labels()


def test_a_network_that_is_told_labels_is_not_exported(smoke: TrainConfig) -> None:
    told = replace(smoke, steps=1, every=1, params=replace(smoke.params, labels=pairs.LABELS))
    run = train(told, _quiet)
    with pytest.raises(ValueError, match="frames carry none"):
        export(run.path, smoke.out / "model", {}, _quiet)
