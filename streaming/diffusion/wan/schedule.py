"""The rectified flow's noise levels, and one step along it, in float64 on any device.

The network predicts v = noise - clean. Formulae: Wan 2.1's flow matching scheduler, and the
stochastic few-step sampler of distribution matching distillation.
"""

from dataclasses import dataclass
from functools import lru_cache

import torch
from torch import Tensor

TABLE = 1000


@lru_cache(maxsize=8)
def sigmas(shift: float) -> tuple[float, ...]:
    """Noise level of each of the 1,000 table entries, falling; its timestep is 1,000 times it."""
    levels = (1 - i / TABLE for i in range(TABLE))
    return tuple(shift * u / (1 + (shift - 1) * u) for u in levels)


def sigma(timestep: float, shift: float) -> float:
    """The table's noise level whose timestep is nearest; about timestep / 1000."""
    return min(sigmas(shift), key=lambda level: abs(1000 * level - timestep))


def clean(x: Tensor, velocity: Tensor, level: float) -> Tensor:
    """The clean latent that (x, velocity) at noise `level` point to, same shape and dtype as x."""
    return (x.double() - level * velocity.double()).to(x.dtype)


def noised(latent: Tensor, noise: Tensor, level: float) -> Tensor:
    """`latent` with `level` of noise, 0..1; the same shape and dtype."""
    return ((1 - level) * latent.double() + level * noise.double()).to(latent.dtype)


def noise_for(shape: torch.Size, seed: int, chunk: int, step: int, like: Tensor) -> Tensor:
    """Normal noise that (seed, chunk, step) alone decide, so that no schedule changes a stream.

    Drawn on the processor in float32: the same numbers on every device.
    """
    generator = torch.Generator().manual_seed((seed * 1_000_003 + chunk) * 31 + step)
    drawn = torch.randn(shape, generator=generator, dtype=torch.float32)
    return drawn.to(like.device, like.dtype)


@dataclass(slots=True)
class MotionNoise:
    """Noise scale that falls with motion: still pictures bear more repainting than moving ones.

    s' = 0.9 (s0 - 0.1 d) + 0.1 s, with d the largest frame-to-frame RMS difference of the chunk
    over 0.2, at most 1; pixels in -1..1 (StreamDiffusionV2, arXiv 2511.07399). The first chunk
    takes s0. Remembers the last frame.
    """

    start: float
    scale: float = 0.0
    last: Tensor | None = None

    def next(self, frames: Tensor) -> tuple[float, int | None]:
        """Scale and first timestep for a chunk of frames [T, 3, H, W]; None: the list's own."""
        previous, self.last = self.last, frames[-1:].clone()
        if previous is None:
            self.scale = self.start
            return self.scale, None
        difference = frames.float() - torch.cat([previous, frames[:-1]]).float()
        rms = difference.square().mean(dim=(1, 2, 3)).sqrt().max().item()
        return self.moved(min(rms / 0.2, 1.0))

    def moved(self, motion: float) -> tuple[float, int]:
        """Scale and first timestep for a motion of 0..1, after the first chunk."""
        self.scale = 0.9 * (self.start - 0.1 * motion) + 0.1 * self.scale
        return self.scale, int(1000 * self.scale) - 100
