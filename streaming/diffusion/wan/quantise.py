"""Linear layers whose weights are kept in eight bits: int8 anywhere, fp8 on cards that have it.

int8: one scale for each output channel, computed in the layer's own dtype; halves or quarters the
memory, not the time. fp8: weights and inputs in float8_e4m3fn through the card's own product, one
scale a row each; needs a compute capability of 8.9 or more.
"""

from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from streaming.diffusion.wan.errors import BadOption

FP8 = torch.float8_e4m3fn
_LARGEST = 448.0  # of float8_e4m3fn
_KEPT = ("time_", "head", "text_embedding")  # small or delicate: left as they are


class Int8Linear(nn.Module):
    """x [..., in] to [..., out]; weight int8 [out, in], scale [out, 1]."""

    weight: Tensor
    scale: Tensor

    def __init__(self, linear: nn.Linear) -> None:
        super().__init__()
        wide = linear.weight.data.float()
        scale = wide.abs().amax(1, keepdim=True).clamp_min(1e-12) / 127
        self.register_buffer("weight", (wide / scale).round().to(torch.int8))
        self.register_buffer("scale", scale.to(linear.weight.dtype))
        self.bias = linear.bias

    def forward(self, x: Tensor) -> Tensor:
        """The product, with the weights widened on the way."""
        return F.linear(x, self.weight.to(x.dtype) * self.scale.to(x.dtype), self.bias)


class Fp8Linear(nn.Module):
    """x [..., in] to [..., out]; weight float8 [out, in], one scale a row of either side."""

    weight: Tensor
    scale: Tensor

    def __init__(self, linear: nn.Linear) -> None:
        super().__init__()
        wide = linear.weight.data.float()
        scale = wide.abs().amax(1, keepdim=True).clamp_min(1e-12) / _LARGEST
        self.register_buffer("weight", (wide / scale).to(FP8))
        self.register_buffer("scale", scale)
        self.bias = linear.bias

    def forward(self, x: Tensor) -> Tensor:
        """By the card's fp8 product; elsewhere the same numbers, slowly (for measuring error)."""
        rows = x.flatten(0, -2)
        own = rows.float().abs().amax(1, keepdim=True).clamp_min(1e-12) / _LARGEST
        small = (rows.float() / own).to(FP8)
        if x.is_cuda:
            out: Any = torch._scaled_mm(
                small, self.weight.t(), own, self.scale.t().contiguous(), out_dtype=torch.bfloat16
            )
        else:
            out = (small.float() * own) @ (self.weight.float() * self.scale).t()
        out = out.to(x.dtype).unflatten(0, x.shape[:-1])
        return out if self.bias is None else out + self.bias


def able(way: str, device: torch.device) -> str:
    """Why this way of keeping weights cannot run on a device; '' where it can."""
    if way != "fp8" or device.type == "cpu":
        return ""
    if device.type != "cuda":
        return "fp8 weights need an NVIDIA card"
    major, minor = torch.cuda.get_device_capability(device)
    if (major, minor) >= (8, 9):
        return ""
    return f"fp8 needs a card of compute capability 8.9, this one has {major}.{minor}; use int8"


def quantise(model: nn.Module, way: str, device: torch.device) -> nn.Module:
    """Replace the linear layers of the blocks. BadOption where the device cannot."""
    if way == "none":
        return model
    if why := able(way, device):
        raise BadOption(why)
    kind = Int8Linear if way == "int8" else Fp8Linear
    for name, module in list(model.named_modules()):
        for child, layer in list(module.named_children()):
            if isinstance(layer, nn.Linear) and not f"{name}.{child}".lstrip(".").startswith(_KEPT):
                setattr(module, child, kind(layer))
    return model
