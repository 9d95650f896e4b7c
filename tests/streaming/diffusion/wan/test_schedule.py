"""Sigma table, sampler step and noise controller against tables worked by hand."""

import pytest

torch = pytest.importorskip("torch", reason="the diffusion extra is not installed")

from streaming.diffusion.wan.errors import BadOption  # noqa: E402
from streaming.diffusion.wan.params import CacheParams, SampleParams, steps  # noqa: E402
from streaming.diffusion.wan.schedule import (  # noqa: E402
    MotionNoise,
    clean,
    noise_for,
    noised,
    sigma,
    sigmas,
)


def test_table_of_levels() -> None:
    table = sigmas(8.0)
    assert len(table) == 1000
    assert table[0] == 1.0
    assert table[500] == pytest.approx(8 * 0.5 / (1 + 7 * 0.5))
    assert list(table) == sorted(table, reverse=True)
    assert sigmas(1.0)[250] == pytest.approx(0.75)


@pytest.mark.parametrize("timestep", [700, 601, 500, 400])
def test_nearest_level_is_about_a_thousandth(timestep: int) -> None:
    assert abs(1000 * sigma(timestep, 8.0) - timestep) < 1.3 + (timestep < 500)


def test_clean_undoes_noise_when_the_velocity_is_right() -> None:
    latent, noise = torch.randn(2, 3, 4, 4).double(), torch.randn(2, 3, 4, 4).double()
    mixed = noised(latent, noise, 0.7)
    assert torch.allclose(clean(mixed, noise - latent, 0.7), latent, atol=1e-12)
    assert not torch.allclose(clean(mixed, noise - latent, 0.6), latent, atol=1e-3)


def test_noise_hangs_on_seed_chunk_and_step_alone() -> None:
    like = torch.zeros(4)
    drawn = [noise_for(like.shape, s, c, n, like) for s, c, n in ((1, 2, 0), (1, 2, 1), (1, 3, 0))]
    assert torch.equal(drawn[0], noise_for(like.shape, 1, 2, 0, like))
    assert not torch.equal(drawn[0], drawn[1])
    assert not torch.equal(drawn[0], drawn[2])


def still(value: float, frames: int = 4) -> torch.Tensor:
    return torch.full((frames, 3, 4, 4), value)


def test_noise_falls_with_motion() -> None:
    """s0 = 0.8: the first chunk has the list's own; stillness keeps 700; then d = 1 for ever."""
    noise = MotionNoise(0.8)
    assert noise.next(still(0.0)) == (0.8, None)
    assert noise.next(still(0.0)) == (pytest.approx(0.8), 700)
    assert noise.next(still(0.9)) == (pytest.approx(0.71), 610)
    assert noise.moved(1.0)[0] == pytest.approx(0.701)
    assert [noise.moved(1.0)[1] for _ in range(3)][-1] == 600


def test_motion_counts_across_chunks_and_is_clipped() -> None:
    noise = MotionNoise(0.8)
    noise.next(still(0.0))
    half, _ = noise.next(still(0.1))  # RMS 0.1 between the chunks alone: d = 0.5
    assert half == pytest.approx(0.9 * (0.8 - 0.05) + 0.08)
    noise = MotionNoise(0.8)
    noise.next(still(-1.0))
    assert noise.next(still(1.0))[0] == pytest.approx(0.71)


@pytest.mark.parametrize("count", [1, 2, 3, 4])
def test_step_lists(count: int) -> None:
    assert steps(count) == (700, 500, 400, 200)[:count]


@pytest.mark.parametrize(
    "make",
    [
        lambda: steps(5),
        lambda: SampleParams(timesteps=(500, 700)),
        lambda: SampleParams(timesteps=()),
        lambda: SampleParams(noise=0.05),
        lambda: CacheParams(window=3, sinks=3),
        lambda: CacheParams(block=0),
    ],
)
def test_impossible_options_say_what_would_do(make) -> None:
    with pytest.raises(BadOption):
        make()
