"""Rotary positions in time, rows and columns. Angles are computed, never looked up: no stream ends.

The split of a head (time gets what rows and columns leave) and theta: Wan 2.1.
"""

from collections.abc import Sequence

import torch
from torch import Tensor

_THETA = 10_000.0


def split(head_dim: int) -> tuple[int, int, int]:
    """Width of time, rows and columns within a head: 44, 42, 42 of 128."""
    side = 2 * (head_dim // 6)
    return head_dim - 2 * side, side, side


def angles(
    frames: Sequence[int], rows: int, columns: int, head_dim: int, device: torch.device
) -> Tensor:
    """Unit complex numbers [1, len(frames) * rows * columns, head_dim / 2], tokens in that order.

    Positions may be any integers: float64 turns a position of a billion as exactly as one of 3.
    """
    time, height, width = split(head_dim)
    parts = [
        _turn(torch.tensor(frames, dtype=torch.float64), time)[:, None, None],
        _turn(torch.arange(rows, dtype=torch.float64), height)[None, :, None],
        _turn(torch.arange(columns, dtype=torch.float64), width)[None, None, :],
    ]
    shape = (len(frames), rows, columns)
    whole = torch.cat([part.expand(*shape, part.shape[-1]) for part in parts], dim=-1)
    turned = torch.polar(torch.ones_like(whole), whole)
    return turned.reshape(1, len(frames) * rows * columns, head_dim // 2).to(device)


def rotate(x: Tensor, by: Tensor) -> Tensor:
    """x [B, tokens, heads, head_dim] turned by angles [B or 1, tokens, head_dim / 2]; dtype kept.

    Neighbouring channels are a pair. Computed in float32 or better.
    """
    wide = x.double() if x.dtype == torch.float64 else x.float()
    pairs = torch.view_as_complex(wide.unflatten(-1, (-1, 2)).contiguous())
    turned = pairs * by.to(pairs.dtype)[:, :, None]
    return torch.view_as_real(turned).flatten(-2).to(x.dtype)


def _turn(positions: Tensor, width: int) -> Tensor:
    exponents = torch.arange(0, width, 2, dtype=torch.float64) / width
    return torch.outer(positions, _THETA**-exponents)
