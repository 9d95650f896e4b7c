"""Rectified flow in one or two steps: noise is mixed into the small picture, x0 is predicted."""

from collections.abc import Callable

import torch
from torch import Tensor

STEPS: dict[int, tuple[float, ...]] = {1: (1.0,), 2: (1.0, 0.5)}
"""Flow times by number of steps; 1 is pure noise."""

Predict = Callable[[Tensor, Tensor], Tensor]


def mixed(clean: Tensor, noise: Tensor, time: Tensor) -> Tensor:
    """x_t = (1 - t) x0 + t noise. time (b, 1)."""
    t = time[:, :, None, None]
    return (1 - t) * clean + t * noise


def times(batch: int, generator: torch.Generator) -> Tensor:
    """Training times (b, 1): pure noise more than half the time, as most steps start there."""
    drawn = torch.rand(batch, 1, generator=generator)
    pure = torch.rand(batch, 1, generator=generator) < 0.6
    return torch.where(pure, torch.ones_like(drawn), 0.2 + 0.8 * drawn)


def denoise(predict: Predict, noises: tuple[Tensor, ...], steps: int) -> Tensor:
    """The clean small picture. predict(x_t, time) gives x0; one noise for each step."""
    clean: Tensor | None = None
    for noise, at in zip(noises, STEPS[steps], strict=False):
        time = torch.full((noise.shape[0], 1), at)
        x = noise if clean is None else mixed(clean, noise, time)
        clean = predict(x, time)
    assert clean is not None
    return clean
