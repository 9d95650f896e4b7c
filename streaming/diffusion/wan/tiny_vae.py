"""The tiny autoencoder for Wan's latents: about a fiftieth of the work, a little of the detail.

Shapes and names are those of the public `taew2_1` weights (TAEHV, MIT licence); the streaming is
ours: every memory block carries its last input, so nothing is decoded twice.
"""

import copy

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from streaming.diffusion.wan.vae import chunks

_WIDTHS = (256, 128, 64, 64)  # of the decoder, from latents to pixels
_TRIM = 3  # frames that the first latent would give before its own


class MemoryBlock(nn.Module):
    """A residual block that sees the frame before: inputs [T, C, H, W] in order."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.conv = nn.Sequential(
            nn.Conv2d(2 * width, width, 3, padding=1),
            nn.ReLU(),
            nn.Conv2d(width, width, 3, padding=1),
            nn.ReLU(),
            nn.Conv2d(width, width, 3, padding=1),
        )
        self.last: Tensor | None = None

    def forward(self, x: Tensor) -> Tensor:
        """x after what came before it; zeros before the first."""
        before = torch.zeros_like(x[:1]) if self.last is None else self.last
        past = torch.cat([before, x[:-1]])
        self.last = x[-1:].detach()
        return F.relu(self.conv(torch.cat([x, past], 1)) + x)


class Pool(nn.Module):
    """`stride` frames to one."""

    def __init__(self, width: int, stride: int) -> None:
        super().__init__()
        self.stride = stride
        self.conv = nn.Conv2d(width * stride, width, 1, bias=False)

    def forward(self, x: Tensor) -> Tensor:
        """[T, C, H, W] to [T / stride, C, H, W]."""
        return self.conv(x.unflatten(0, (-1, self.stride)).flatten(1, 2))


class Grow(nn.Module):
    """One frame to `stride`."""

    def __init__(self, width: int, stride: int) -> None:
        super().__init__()
        self.stride = stride
        self.conv = nn.Conv2d(width, width * stride, 1, bias=False)

    def forward(self, x: Tensor) -> Tensor:
        """[T, C, H, W] to [T * stride, C, H, W]."""
        return self.conv(x).unflatten(1, (self.stride, -1)).flatten(0, 1)


class Soft(nn.Module):
    """Bounds latents without a corner: 3 tanh(x / 3)."""

    def forward(self, x: Tensor) -> Tensor:
        """The same shape."""
        return torch.tanh(x / 3) * 3


class TinyAutoencoder(nn.Module):
    """See vae.Autoencoder. One instance is one stream. Latents are normalised by nature."""

    normalised = True

    def __init__(self, channels: int = 16) -> None:
        super().__init__()
        self.encoder = _encoder(channels)
        self.decoder = _decoder(channels)
        self._encoded = self._decoded = 0

    def twin(self) -> "TinyAutoencoder":
        """One more stream over the same weights, from a reset on."""
        shared = {id(weight): weight for weight in self.parameters()}
        other = copy.deepcopy(self, shared)
        other.reset()
        return other

    def reset(self) -> None:
        """Start a new clip both ways."""
        self._encoded = self._decoded = 0
        for module in self.modules():
            if isinstance(module, MemoryBlock):
                module.last = None

    @torch.no_grad()
    def encode(self, frames: Tensor) -> Tensor:
        """See vae.Autoencoder. The first frame is shown four times, for it alone is a latent."""
        first = self._encoded == 0
        chunks(frames.shape[1], first)
        weight = next(self.encoder.parameters())
        x = (frames.transpose(0, 1).to(weight.dtype) + 1) / 2
        if first:
            x = torch.cat([x[:1].expand(3, -1, -1, -1), x])
        self._encoded += frames.shape[1]
        return self.encoder(x).transpose(0, 1)

    @torch.no_grad()
    def decode(self, latents: Tensor) -> Tensor:
        """See vae.Autoencoder; frames in -1..1."""
        weight = next(self.decoder.parameters())
        x = self.decoder(latents.transpose(0, 1).to(weight.dtype))
        if self._decoded == 0:
            x = x[_TRIM:]
        self._decoded += latents.shape[1]
        return (x.clamp(0, 1) * 2 - 1).transpose(0, 1)


def _encoder(channels: int) -> nn.Sequential:
    layers: list[nn.Module] = [nn.Conv2d(3, 64, 3, padding=1), nn.ReLU()]
    for stride in (2, 2, 1):
        layers += [Pool(64, stride), nn.Conv2d(64, 64, 3, stride=2, padding=1, bias=False)]
        layers += [MemoryBlock(64) for _ in range(3)]
    return nn.Sequential(*layers, nn.Conv2d(64, channels, 3, padding=1))


def _decoder(channels: int) -> nn.Sequential:
    layers: list[nn.Module] = [Soft(), nn.Conv2d(channels, _WIDTHS[0], 3, padding=1), nn.ReLU()]
    for i, stride in enumerate((1, 2, 2)):
        layers += [MemoryBlock(_WIDTHS[i]) for _ in range(3)]
        layers += [nn.Upsample(scale_factor=2), Grow(_WIDTHS[i], stride)]
        layers += [nn.Conv2d(_WIDTHS[i], _WIDTHS[i + 1], 3, padding=1, bias=False)]
    return nn.Sequential(*layers, nn.ReLU(), nn.Conv2d(_WIDTHS[3], 3, 3, padding=1))
