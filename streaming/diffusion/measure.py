"""How near two pictures are: PSNR and SSIM, on tensors (..., 3, h, w) in 0..1."""

import math

import torch
import torch.nn.functional as F
from torch import Tensor

_C1, _C2 = 0.01**2, 0.03**2


def psnr(one: Tensor, other: Tensor) -> float:
    """Peak signal over noise [dB], mean over pictures; 99 where they are equal."""
    error = (one - other).square().flatten(-3).mean(-1).clamp_min(10**-9.9)
    return float((-10 * torch.log10(error)).mean())


def ssim(one: Tensor, other: Tensor) -> float:
    """Structural similarity of luma, Gaussian window of 11 px and sigma 1.5, mean of all."""
    weights = torch.tensor([0.299, 0.587, 0.114])[:, None, None]
    a, b = ((x.reshape(-1, *x.shape[-3:]) * weights).sum(1, keepdim=True) for x in (one, other))
    line = torch.tensor([math.exp(-((i - 5) ** 2) / 4.5) for i in range(11)])
    line = line / line.sum()
    mean_a, mean_b = _smooth(a, line), _smooth(b, line)
    var_a = _smooth(a * a, line) - mean_a * mean_a
    var_b = _smooth(b * b, line) - mean_b * mean_b
    both = _smooth(a * b, line) - mean_a * mean_b
    top = (2 * mean_a * mean_b + _C1) * (2 * both + _C2)
    return float((top / ((mean_a**2 + mean_b**2 + _C1) * (var_a + var_b + _C2))).mean())


def _smooth(x: Tensor, line: Tensor) -> Tensor:
    return F.conv2d(F.conv2d(x, line.view(1, 1, 1, -1)), line.view(1, 1, -1, 1))
