"""The last layer in closed form: nearer at once, below it nothing moves, other styles stay."""

from pathlib import Path

import pytest
import torch

from streaming.diffusion import pairs
from streaming.diffusion.fit import fit
from streaming.diffusion.measure import psnr
from streaming.diffusion.model import STYLES, Tiny, TinyParams
from streaming.diffusion.train import painted


def _quiet(_: str) -> None:
    pass


@pytest.fixture
def net() -> Tiny:
    torch.manual_seed(3)
    return Tiny(TinyParams((8, 8, 8, 8))).eval()


def _near(net: Tiny, clip: pairs.Clip) -> float:
    return psnr(painted(net, clip), pairs.pictures(clip.target()))


def test_it_finds_the_colour_change_that_the_pairs_were_made_with(net: Tiny, data: Path) -> None:
    """Each style halves one colour, which the last layer can say exactly."""
    unseen = [c for c in pairs.find(data, "test") if c.style in ("day", "night")][:2]
    before = [_near(net, clip) for clip in unseen]
    fit(net, pairs.find(data, "train"), _quiet, ridge=1e-6, styles=("day", "night"))
    after = [_near(net, clip) for clip in unseen]
    assert min(after) > 32.0
    assert min(new - old for new, old in zip(after, before, strict=True)) > 10.0


def test_nothing_but_the_styles_own_weights_moves(net: Tiny, data: Path) -> None:
    before = {name: value.clone() for name, value in net.state_dict().items()}
    fit(net, pairs.find(data, "train"), _quiet, styles=("rain",))
    moved = {n for n, value in net.state_dict().items() if not torch.equal(value, before[n])}
    assert moved == {"fine", "mix"}
    others = [at for at, style in enumerate(STYLES) if style != "rain"]
    assert torch.equal(net.fine[others], before["fine"][others])
    assert torch.equal(net.mix[others], before["mix"][others])


def test_a_strong_pull_leaves_the_picture_as_it_was(net: Tiny, data: Path) -> None:
    clip = pairs.find(data, "test")[0]
    before = painted(net, clip)
    fit(net, pairs.find(data, "train"), _quiet, ridge=1e6, styles=(clip.style,))
    assert float((painted(net, clip) - before).abs().max()) < 1e-2
