"""What the player runs: equal to the network that was trained, checked before it is loaded."""

import json
import logging
import shutil
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from streaming.backends.filter import Filter
from streaming.backends.table import make, warmed
from streaming.backends.tiny import CHOICES, TURN, Choice, Tiny
from streaming.backends.tiny_files import CARD, GRAPH, SIZES, read_card
from streaming.backends.tiny_planes import ONE, ZERO, Planes
from streaming.diffusion.export import again, export, read_net, weights_of
from streaming.diffusion.model import TinyParams, place_of
from streaming.diffusion.train import Run, TrainConfig
from streaming.errors import WeightsBad

PARAMS = TinyParams((8, 8, 8, 8))
FRAME = np.random.default_rng(0).integers(0, 255, (96, 128, 4), np.uint8)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("model")
    torch.manual_seed(3)
    run = Run(TrainConfig(out, out, params=PARAMS))
    for weight in run.average.parameters():  # all different, and as a file holds them
        weight.data = (weight.data + 0.01 * torch.randn(weight.shape)).half().float()
    run.save()
    export(run.path, out, {"note": "for tests"}, lambda _: None)
    return out


@pytest.fixture
def tiny(folder: Path) -> Tiny:
    made = Tiny(read_card(folder), budget_ms=1e9)
    made.choice = Choice(256, 1)
    return made


def test_the_graph_paints_what_the_network_paints(folder: Path, tiny: Tiny) -> None:
    """Of a frame of its own size, which nothing scales."""
    frame = np.random.default_rng(4).integers(0, 255, (256, 256, 4), np.uint8)
    net = read_net(folder / "checkpoint.pt")
    styled = tiny.painter().style(frame, "", 5, "neon")
    noise = np.random.default_rng(5).standard_normal((1, 3, 64, 64), np.float32)
    style = torch.eye(6)[list(tiny.card.styles).index("neon")][None]
    picture = torch.from_numpy(frame[..., 2::-1].copy()).permute(2, 0, 1)[None] / 255
    with torch.no_grad():
        painted, _, _ = net(
            picture, torch.from_numpy(noise), torch.ones(1, 1), style,
            torch.zeros(1, net.kept, 64, 64), place_of(torch.zeros(1, 1, 64, 64)),
        )  # fmt: skip
    wanted = (painted * 255).clamp(0, 255)[0].permute(1, 2, 0).numpy()
    assert styled.shape == frame.shape
    assert styled.dtype == np.uint8
    assert (styled[..., 3] == 255).all()
    apart = np.abs(styled[..., 2::-1].astype(float) - wanted)
    assert apart.max() < 3.0  # its own detail passes by a gain in parts of ONE


@pytest.mark.parametrize(("height", "width", "size"), [(96, 128, 64), (130, 98, 256), (64, 64, 64)])
def test_what_is_laid_over_a_frame_is_gain_times_it_plus_the_change(
    height: int, width: int, size: int
) -> None:
    planes = Planes(height, width, size)
    frame = np.random.default_rng(1).integers(0, 255, (height, width, 4), np.uint8)
    small = planes.shrink(frame)
    assert small.shape == (1, 3, size, size)
    mean = frame[..., 2::-1].mean(axis=(0, 1))
    assert np.abs(small[0].mean(axis=(1, 2)) - mean).max() < 1.5
    change = np.full((1, 3, size, size), ZERO, np.int32)
    gain = np.full((1, 1, size // 4, size // 4), ONE, np.int32)
    assert np.array_equal(planes.lay(change, gain)[..., :3], frame[..., :3])
    change[0, 0] += 60  # red
    change[0, 2] -= 300
    laid = planes.lay(change, gain // 2)
    half = frame.astype(int) // 2
    assert np.array_equal(laid[..., 2], half[..., 2] + 60)
    assert np.array_equal(laid[..., 1], half[..., 1])
    assert not laid[..., 0].any(), "below black is black"
    bright = planes.lay(change + 600, gain * 2)
    assert (bright[..., 1] == 255).all(), "above white is white"


def test_graphs_drawn_anew_hold_the_same_weights_and_paint_the_same(
    folder: Path, tmp_path: Path
) -> None:
    before, after = folder / GRAPH, tmp_path / GRAPH
    card = again(folder, tmp_path, lambda _: None)
    own, new = weights_of(before), weights_of(after)
    assert own.keys() == new.keys()
    assert all(torch.equal(own[name], new[name]) for name in own)
    assert card["note"] == "for tests"
    pictures = []
    for place in (folder, tmp_path):
        made = Tiny(read_card(place), budget_ms=1e9)
        made.choice = Choice(256, 1)
        pictures.append(made.painter().style(FRAME, "", 5, "neon"))
    assert np.array_equal(pictures[0], pictures[1])


def test_small_sizes_may_have_a_graph_of_their_own(folder: Path, tmp_path: Path) -> None:
    run = Run(TrainConfig(tmp_path, tmp_path, params=PARAMS))
    for weight in run.average.parameters():
        weight.data = weight.data + 0.05 * torch.randn(weight.shape)
    run.save()
    card = export(folder / "checkpoint.pt", tmp_path / "two", {}, lambda _: None, run.path)
    assert [each["sizes"] for each in card["files"].values()] == [[480, 320], [256, 224]]
    two, one = read_card(tmp_path / "two"), read_card(folder)
    assert two.graph(480) == two.graph(320) == one.graph(256)
    assert two.graph(256) == two.graph(224) != one.graph(256)
    again(tmp_path / "two", tmp_path / "anew", lambda _: None)
    assert read_card(tmp_path / "anew").files == two.files
    with pytest.raises(WeightsBad, match="no graph for 64 px"):
        two.graph(64)


def test_every_size_and_step_count_paints(tiny: Tiny) -> None:
    assert {choice.size for choice in CHOICES} == set(SIZES)
    assert [c.cost for c in CHOICES] == sorted((c.cost for c in CHOICES), reverse=True)
    for choice in CHOICES:
        tiny.choice = choice
        assert tiny.painter().style(FRAME, "", 0, "day").shape == FRAME.shape


def test_the_second_frame_remembers_the_first_and_a_new_player_does_not(tiny: Tiny) -> None:
    painter = tiny.painter()
    first, second = (painter.style(FRAME, "", 0, "day") for _ in range(2))
    assert not np.array_equal(first, second)
    assert np.array_equal(tiny.painter().style(FRAME, "", 0, "day"), first)


def test_a_style_turns_within_a_second_and_never_jumps(tiny: Tiny) -> None:
    painter = tiny.painter()
    painter.style(FRAME, "", 0, "day")
    night = list(tiny.card.styles).index("night")
    shares = [painter._toward("day")[0, night]]
    shares += [painter._toward("night")[0, night] for _ in range(30)]
    assert float(np.diff(shares).max()) <= 1.6 / TURN
    assert (np.diff(shares) >= 0).all()
    assert shares[-1] == 1.0
    assert shares.index(1.0) <= TURN


def test_a_changed_byte_is_refused(folder: Path, tmp_path: Path) -> None:
    copy = tmp_path / "copy"
    shutil.copytree(folder, copy)
    path = copy / GRAPH
    data = bytearray(path.read_bytes())
    data[len(data) // 2] ^= 1
    path.write_bytes(bytes(data))
    card = read_card(copy)
    with pytest.raises(WeightsBad, match="checksum"):
        card.graph(256)
    assert read_card(folder).graph(256)
    path.unlink()
    with pytest.raises(WeightsBad, match="No such file"):
        card.graph(320)


def test_no_card_or_half_a_card_is_refused(folder: Path, tmp_path: Path) -> None:
    with pytest.raises(WeightsBad, match="card"):
        read_card(tmp_path)
    told = json.loads((folder / CARD).read_text())
    del told["files"]
    (tmp_path / CARD).write_text(json.dumps(told))
    with pytest.raises(WeightsBad, match="not a card"):
        read_card(tmp_path)


def test_it_takes_the_finest_choice_that_keeps_the_budget(folder: Path) -> None:
    clock = iter(np.arange(0.0, 1e4, 0.5))  # half a second between any two looks
    slow = Tiny(read_card(folder), budget_ms=18.0, now=lambda: float(next(clock)))
    slow.warm(64, 64)
    assert (slow.choice.size, slow.choice.steps) == (224, 1)
    assert "does not hold" in slow.told()
    fast = Tiny(read_card(folder), budget_ms=18.0, now=lambda: 0.0)
    fast.warm(64, 64)
    assert (fast.choice.size, fast.choice.steps) == (480, 2)
    assert "480 px, 2 steps" in fast.told()


def test_a_long_run_of_slow_frames_makes_it_coarser(folder: Path) -> None:
    tiny = Tiny(read_card(folder), budget_ms=10.0)
    tiny.choice = CHOICES[0]
    for _ in range(44):
        tiny.took(40.0)
    tiny.took(5.0)
    assert tiny.choice == CHOICES[0]
    for _ in range(45):
        tiny.took(40.0)
    assert tiny.choice == CHOICES[1]


def test_without_the_runtime_the_filter_paints_and_one_line_says_so(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setitem(sys.modules, "onnxruntime", None)
    with caplog.at_level(logging.WARNING):
        assert isinstance(make("tiny"), Filter)
    assert len(caplog.records) == 1
    assert "onnxruntime" in caplog.text


def test_the_bundled_network_is_whole_small_and_knows_every_style() -> None:
    card = read_card()
    assert len({card.graph(size) for size in SIZES}) <= 2
    assert sum(each["bytes"] for each in card.files.values()) <= 12_000_000
    from streaming.backends.filter import STYLES

    assert set(card.styles) == set(STYLES)


@pytest.mark.parametrize(("ms", "kind"), [(19.0, Filter), (17.0, Tiny)])
def test_where_it_is_too_slow_the_filter_paints_and_one_line_says_so(
    folder: Path,
    caplog: pytest.LogCaptureFixture,
    monkeypatch: pytest.MonkeyPatch,
    ms: float,
    kind: type,
) -> None:
    tiny = Tiny(read_card(folder), gives_way=True)
    tiny.choice = replace(CHOICES[-1], ms=ms)
    monkeypatch.setattr(tiny, "warm", lambda height, width: None)  # it has measured itself
    with caplog.at_level(logging.WARNING):
        assert isinstance(warmed(tiny, 64, 64), kind)
    told = ["too slow here (224 px, 1 step, 19 ms" in record.message for record in caplog.records]
    assert told == ([True] if kind is Filter else [])
    asked_for = Tiny(read_card(folder))
    asked_for.choice = tiny.choice
    monkeypatch.setattr(asked_for, "warm", lambda height, width: None)
    assert warmed(asked_for, 64, 64) is asked_for
