"""A small causal autoencoder of this project's own, for the nano configuration on a processor.

The same interface and the same accounting of frames as Wan's: the first frame is a latent of its
own, then four are one, each latent covers 8x8 pixels. What a latent holds is a projection of its
8x8x4 pixels, fitted outright (principal components), and what a small network that sees the past
adds to it, learnt.
"""

from collections.abc import Callable
from dataclasses import dataclass, field

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from streaming.diffusion.wan.params import FRAMES_PER_LATENT, PIXELS_PER_LATENT
from streaming.diffusion.wan.vae import chunks

_FOLD = 4
_PATCH = 3 * PIXELS_PER_LATENT**2 * FRAMES_PER_LATENT


@dataclass(slots=True)
class NanoState:
    """What one stream carries: the last input of each memory, and what has passed."""

    last: dict[int, Tensor] = field(default_factory=dict)
    encoded: int = 0
    decoded: int = 0


class Remember(nn.Module):
    """A residual block on [B, T, C, H, W] that sees the step before; zeros before the first."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.mix = nn.Conv2d(2 * width, width, 3, padding=1)
        self.out = nn.Conv2d(width, width, 3, padding=1)
        nn.init.zeros_(self.out.weight)

    def forward(self, x: Tensor, state: NanoState | None) -> Tensor:
        """The same shape. state None: a whole clip."""
        last = state.last.get(id(self)) if state is not None else None
        before = torch.cat([torch.zeros_like(x[:, :1]) if last is None else last, x[:, :-1]], 1)
        if state is not None:
            state.last[id(self)] = x[:, -1:].detach()
        return x + _each(self.out, F.relu(_each(self.mix, torch.cat([x, before], 2))))


class NanoAutoencoder(nn.Module):
    """The weights, shared by every stream (see NanoStream). near, deep: channels at 1/4 and 1/8."""

    def __init__(self, channels: int = 16, near: int = 32, deep: int = 64) -> None:
        super().__init__()
        colours = 3 * _FOLD**2
        self.fold = nn.Conv2d(colours, near, 3, padding=1)
        self.down = nn.Conv2d(FRAMES_PER_LATENT * near, deep, 3, stride=2, padding=1)
        self.seen = nn.ModuleList([Remember(deep) for _ in range(2)])
        self.latent = nn.Conv2d(deep, channels, 1)
        self.unlatent = nn.Conv2d(channels, deep, 1)
        self.shown = nn.ModuleList([Remember(deep) for _ in range(3)])
        self.grow = nn.Conv2d(deep, FRAMES_PER_LATENT * near, 1)
        self.fine = nn.ModuleList([nn.Conv2d(near, near, 3, padding=1) for _ in range(3)])
        self.unfold = nn.Conv2d(near, colours, 3, padding=1)
        self.project = nn.Conv2d(_PATCH, channels, 1)
        self.restore = nn.Conv2d(channels, _PATCH, 1)
        for zero in (self.latent, self.unfold):
            nn.init.zeros_(zero.weight)
            nn.init.zeros_(self._bias(zero))

    def encode(self, frames: Tensor, state: NanoState | None = None) -> Tensor:
        """[B, 4n, 3, H, W] in -1..1 to [B, n, C, H/8, W/8]."""
        x = F.relu(_each(self.fold, F.pixel_unshuffle(frames, _FOLD)))
        x = x.unflatten(1, (-1, FRAMES_PER_LATENT)).flatten(2, 3)
        x = F.relu(_each(self.down, x))
        for block in self.seen:
            x = block(x, state)
        return _each(self.latent, x) + _each(self.project, patches(frames))

    def decode(self, latents: Tensor, state: NanoState | None = None) -> Tensor:
        """[B, n, C, h, w] to [B, 4n, 3, 8h, 8w]."""
        plain = _each(self.restore, latents).unflatten(2, (FRAMES_PER_LATENT, -1)).flatten(1, 2)
        x = F.relu(_each(self.unlatent, latents))
        for block in self.shown:
            x = block(x, state)
        x = _each(self.grow, x).unflatten(2, (FRAMES_PER_LATENT, -1)).flatten(1, 2)
        x = _each(lambda flat: F.interpolate(flat, scale_factor=2.0), x)
        first, *rest = self.fine
        x = F.relu(_each(first, x))
        x = x + _each(rest[1], F.relu(_each(rest[0], x)))
        more = F.pixel_shuffle(_each(self.unfold, x), _FOLD)
        return F.pixel_shuffle(plain, PIXELS_PER_LATENT) + more

    @torch.no_grad()
    def fit(self, samples: Tensor) -> None:
        """Take the principal components of patches [N, 768]; latents get a spread of one."""
        mean = samples.mean(0)
        values, vectors = torch.linalg.eigh(torch.cov((samples - mean).T))
        count = self.project.out_channels
        spread, base = values[-count:].clamp_min(1e-8).sqrt(), vectors[:, -count:]
        self.project.weight.copy_((base / spread).T[..., None, None])
        self._bias(self.project).copy_(-(mean @ base) / spread)
        self.restore.weight.copy_((base * spread)[..., None, None])
        self._bias(self.restore).copy_(mean)

    @staticmethod
    def _bias(layer: nn.Conv2d) -> Tensor:
        assert layer.bias is not None
        return layer.bias


class NanoStream:
    """See vae.Autoencoder: one stream over shared weights. Latents are normalised by nature."""

    normalised = True

    def __init__(self, net: NanoAutoencoder) -> None:
        self.net = net
        self.reset()

    def reset(self) -> None:
        """Start a new clip both ways."""
        self._state = NanoState()

    @torch.no_grad()
    def encode(self, frames: Tensor) -> Tensor:
        """See vae.Autoencoder. The first frame is shown four times, for it alone is a latent."""
        state = self._state
        chunks(frames.shape[1], state.encoded == 0)
        x = frames.transpose(0, 1).to(self.net.fold.weight.dtype)
        if state.encoded == 0:
            x = torch.cat([x[:1].expand(FRAMES_PER_LATENT - 1, -1, -1, -1), x])
        state.encoded += frames.shape[1]
        return self.net.encode(x[None], state)[0].transpose(0, 1)

    @torch.no_grad()
    def decode(self, latents: Tensor) -> Tensor:
        """See vae.Autoencoder; frames in -1..1."""
        state = self._state
        x = self.net.decode(latents.transpose(0, 1)[None].to(self.net.fold.weight.dtype), state)[0]
        x = x[FRAMES_PER_LATENT - 1 :] if state.decoded == 0 else x
        state.decoded += latents.shape[1]
        return x.clamp(-1, 1).transpose(0, 1)


def patches(frames: Tensor) -> Tensor:
    """[B, 4n, 3, H, W] as [B, n, 768, H/8, W/8], the frames of a latent one after the other."""
    small = F.pixel_unshuffle(frames, PIXELS_PER_LATENT)
    return small.unflatten(1, (-1, FRAMES_PER_LATENT)).flatten(2, 3)


def _each(layer: Callable[[Tensor], Tensor], x: Tensor) -> Tensor:
    """A picture layer on every step of [B, T, C, H, W]."""
    return layer(x.flatten(0, 1)).unflatten(0, x.shape[:2])
