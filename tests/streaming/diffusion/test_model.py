"""The network's own rules: what it changes, what it carries, and the flow's identities."""

import pytest
import torch

from streaming.diffusion import flow
from streaming.diffusion.measure import psnr, ssim
from streaming.diffusion.model import STYLES, Tiny, TinyParams

PARAMS = TinyParams((8, 8, 8, 8))


def _inputs(net: Tiny, side: int = 64) -> tuple[torch.Tensor, ...]:
    made = torch.Generator().manual_seed(1)
    quarter = side // 4
    return (
        torch.rand(1, 3, side, side, generator=made),
        torch.randn(1, 3, quarter, quarter, generator=made),
        torch.ones(1, 1),
        torch.eye(len(STYLES))[:1],
        torch.zeros(1, net.kept, quarter, quarter),
    )


@pytest.fixture
def net() -> Tiny:
    torch.manual_seed(0)
    return Tiny(PARAMS).eval()


def test_what_is_kept_begins_with_the_small_picture(net: Tiny) -> None:
    with torch.no_grad():
        styled, gain, keep = net(*_inputs(net))
    small = torch.nn.functional.avg_pool2d(styled, 4) * 2 - 1
    assert torch.allclose(keep[:, :3], small, atol=1e-5)
    assert float(keep[:, 3:].abs().max()) <= 1.0
    assert gain.shape == (1, 1, 16, 16)


def test_without_detail_and_turn_the_base_alone_paints(net: Tiny) -> None:
    """A style whose base is the identity gives back the source: structure cannot get lost there."""
    with torch.no_grad():
        net.head.weight.zero_()
        assert net.head.bias is not None
        net.head.bias.zero_()
        net.base.copy_(torch.tensor([1.0] * 3 + [0.0] * 6))
        inputs = _inputs(net)
        styled, _, _ = net(*inputs)
    assert torch.allclose(styled, inputs[0], atol=1e-6)


def test_style_and_memory_reach_the_picture(net: Tiny) -> None:
    picture, noise, time, style, kept = _inputs(net)
    with torch.no_grad():
        plain, _, keep = net(picture, noise, time, style, kept)
        other, _, _ = net(picture, noise, time, torch.eye(len(STYLES))[1:2], kept)
        later, _, _ = net(picture, noise, time, style, keep)
    assert not torch.allclose(plain, other)
    assert not torch.allclose(plain, later)


def test_a_cut_with_its_place_is_seen_as_part_of_the_whole(net: Tiny) -> None:
    from streaming.diffusion.model import place_of

    picture, noise, time, style, kept = _inputs(net)
    whole = place_of(torch.zeros(1, 48, 16, 16))
    with torch.no_grad():
        told, _, _ = net(picture, noise, time, style, kept, whole)
        plain, _, _ = net(picture, noise, time, style, kept)
    assert torch.equal(told, plain)


def test_mixing_ends_at_the_picture_and_at_the_noise() -> None:
    clean, noise = torch.rand(2, 3, 4, 4), torch.randn(2, 3, 4, 4)
    assert torch.equal(flow.mixed(clean, noise, torch.zeros(2, 1)), clean)
    assert torch.equal(flow.mixed(clean, noise, torch.ones(2, 1)), noise)


def test_two_steps_start_from_noise_and_mix_the_first_answer_in_again() -> None:
    noises = torch.full((1, 3, 2, 2), 4.0), torch.full((1, 3, 2, 2), 8.0)
    asked: list[tuple[float, float]] = []

    def predict(x: torch.Tensor, time: torch.Tensor) -> torch.Tensor:
        asked.append((float(x[0, 0, 0, 0]), float(time[0, 0])))
        return torch.full_like(x, 2.0)

    assert float(flow.denoise(predict, noises, 2)[0, 0, 0, 0]) == 2.0
    assert asked == [(4.0, 1.0), (0.5 * 2.0 + 0.5 * 8.0, 0.5)]
    asked.clear()
    flow.denoise(predict, noises, 1)
    assert asked == [(4.0, 1.0)]


def test_measures_know_equal_pictures_and_known_errors() -> None:
    one = torch.rand(2, 3, 32, 32)
    assert psnr(one, one) == pytest.approx(99.0, abs=0.1)
    assert ssim(one, one) == pytest.approx(1.0, abs=1e-4)
    assert psnr(torch.zeros(1, 3, 8, 8), torch.full((1, 3, 8, 8), 0.1)) == pytest.approx(
        20, abs=0.01
    )
    assert ssim(one, 1 - one) < 0.2
