"""What the player runs: equal to the network that was trained, checked before it is loaded."""

import json
import logging
import shutil
import sys
from pathlib import Path

import numpy as np
import pytest
import torch

from streaming.backends.filter import Filter
from streaming.backends.table import make
from streaming.backends.tiny import CHOICES, TURN, Choice, Tiny
from streaming.backends.tiny_files import CARD, SIZES, graph_name, read_card
from streaming.diffusion.export import Streamed, export, load_net
from streaming.diffusion.model import TinyParams
from streaming.diffusion.train import Run, TrainConfig
from streaming.errors import WeightsBad

PARAMS = TinyParams((8, 8, 8, 8))
FRAME = np.random.default_rng(0).integers(0, 255, (96, 128, 4), np.uint8)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("model")
    torch.manual_seed(3)
    run = Run(TrainConfig(out, out, params=PARAMS))
    for weight in run.average.parameters():  # as a file holds them, so that the two compare
        weight.data = weight.data.half().float()
    run.save()
    export(run.path, out, {"note": "for tests"}, lambda _: None)
    return out


@pytest.fixture
def tiny(folder: Path) -> Tiny:
    made = Tiny(read_card(folder), budget_ms=1e9)
    made.choice = Choice(256, 1)
    return made


def test_the_graph_paints_what_the_network_paints(folder: Path, tiny: Tiny) -> None:
    net = load_net(torch.load(folder / "checkpoint.pt", weights_only=True))
    styled = tiny.painter().style(FRAME, "", 5, "neon")
    noise = np.random.default_rng(5).standard_normal((1, 3, 64, 64), np.float32)
    style = torch.eye(6)[list(tiny.card.styles).index("neon")][None]
    with torch.no_grad():
        wanted, _ = Streamed(net, 256)(
            torch.from_numpy(FRAME), torch.from_numpy(noise), torch.ones(1, 1), style,
            torch.zeros(1, net.kept, 64, 64),
        )  # fmt: skip
    assert styled.shape == FRAME.shape
    assert styled.dtype == np.uint8
    assert (styled[..., 3] == 255).all()
    apart = np.abs(styled.astype(int) - wanted.numpy().astype(int))
    assert apart.max() <= 1


def test_every_size_and_step_count_paints(tiny: Tiny) -> None:
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
    path = copy / graph_name(256)
    data = bytearray(path.read_bytes())
    data[len(data) // 2] ^= 1
    path.write_bytes(bytes(data))
    card = read_card(copy)
    with pytest.raises(WeightsBad, match="checksum"):
        card.graph(256)
    assert card.graph(320)
    path.unlink()
    with pytest.raises(WeightsBad, match="No such file"):
        card.graph(256)


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
    assert (slow.choice.size, slow.choice.steps) == (256, 1)
    assert "does not hold" in slow.told()
    fast = Tiny(read_card(folder), budget_ms=18.0, now=lambda: 0.0)
    fast.warm(64, 64)
    assert (fast.choice.size, fast.choice.steps) == (480, 1)
    assert "480 px, 1 step" in fast.told()


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
    assert sum(len(card.graph(size)) for size in SIZES) <= 12_000_000
    from streaming.backends.filter import STYLES

    assert set(card.styles) == set(STYLES)
