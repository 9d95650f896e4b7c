"""Whether what is streamed is what the whole clip would give, on this device, with its controls.

Each row holds two ways to the same picture against each other, with small random weights, and
beside it one that has a slip on purpose: it must show, or the row would prove nothing.
"""

from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor

from streaming.diffusion.wan.cache import Cache, Whole, causal_mask
from streaming.diffusion.wan.nano_vae import NanoAutoencoder, NanoStream
from streaming.diffusion.wan.paint import Batched, Fresh, Painter, Sampler, Sequential
from streaming.diffusion.wan.params import CacheParams, SampleParams, WanParams
from streaming.diffusion.wan.rope import angles
from streaming.diffusion.wan.transformer import Prompt, WanModel

SMALL = WanParams(dim=64, ffn_dim=128, heads=2, layers=4, text_dim=32, text_tokens=8, freq_dim=32)
GRID, FRAMES = (4, 6), 12
TOLERANCE, SHOWS = 1e-5, 1e-3
"""A pair may differ by so much in float32; a control must differ by more than the second."""
FAR = 10_000_000  # a latent's number: weeks into a stream


@dataclass(frozen=True, slots=True)
class Parity:
    """apart: largest difference, relative to the spread of the truth. slip: what the control does
    wrong, and how far that takes it.
    """

    what: str
    apart: float
    slip: str
    slipped: float

    @property
    def holds(self) -> bool:
        """Whether the pair agrees and the control does not."""
        return self.apart < TOLERANCE and self.slipped > SHOWS


class _Rig:
    """A small random model on a device, and a clip for it."""

    def __init__(self, device: str) -> None:
        self.device = torch.device(device)
        draw = torch.Generator().manual_seed(7)
        model = WanModel(SMALL)
        for name, value in model.named_parameters():
            drawn = torch.randn(value.shape, generator=draw)
            around = 1.0 if "norm" in name and name.endswith("weight") else 0.0
            value.data = drawn * 0.15 if value.dim() > 1 else around + drawn * 0.05
        self.model = model.eval().to(self.device)
        text = torch.randn(1, 8, 32, generator=draw).to(self.device)
        self.prompt: Prompt = self.model.prompt(text)
        shape = (1, SMALL.channels, FRAMES, 2 * GRID[0], 2 * GRID[1])
        self.x = torch.randn(shape, generator=draw).to(self.device)
        self.t = (torch.rand(1, FRAMES, generator=draw) * 1000).to(self.device)

    def whole(self, params: CacheParams, start: int = 0, late: int = 0) -> Tensor:
        """The clip under its mask. late: frames by which the timesteps are off."""
        turn = angles(range(start, start + FRAMES), *GRID, SMALL.head_dim, self.device)
        mask = causal_mask(FRAMES, GRID[0] * GRID[1], params).to(self.device)
        return self.model(self.x, self.t.roll(late, 1), self.prompt, Whole(turn, mask))

    def cached(self, params: CacheParams, start: int = 0, reset: int = FRAMES) -> Tensor:
        """Block by block. reset: from this frame on, latents are numbered five too low."""
        cache = Cache(SMALL, params, GRID, SMALL.layers, 1, torch.float32, self.device)
        out = []
        for i in range(0, FRAMES, params.block):
            j = i + params.block
            look = cache.look({0: range(start + i, start + j)})
            if i >= reset:
                times = [t - 5 if t >= reset else t for t in cache.slots[0].times()]
                look.turns = [(look._angles(range(i - 5, j - 5)), look._angles(times))]
            out.append(self.model(self.x[:, :, i:j], self.t[:, i:j], self.prompt, look))
        return torch.cat(out, 2)

    def painted(self, kind: Callable[..., Painter], rows: int) -> Tensor:
        """Nine blocks by a painter of two steps, their clean latents."""
        sample = SampleParams((700, 500))
        params = CacheParams(5, 2, 1, 0.2)
        cache = Cache(SMALL, params, GRID, SMALL.layers, rows, torch.float32, self.device)
        painter = kind(self.model, cache, Sampler(sample, 4), self.prompt)
        out = []
        for at in range(9):
            fresh = Fresh(self.x[0, :, at : at + 1], 0.8 if at == 0 else 0.74, 600 + at)
            out += painter.paint(fresh.latents, fresh.scale, None if at == 0 else fresh.first)
        return torch.cat([one.latents for one in [*out, *painter.flush()]], 1)


@torch.no_grad()
def rows(device: str = "cpu") -> list[Parity]:
    """Every pair and its control."""
    rig = _Rig(device)
    plain, sinks = CacheParams(64, 0, 1, -1), CacheParams(6, 3, 1, -1)
    blocks, fewer = CacheParams(8, 2, 3, -1), CacheParams(6, 2, 1, -1)
    truth, held = rig.whole(sinks), rig.cached(sinks)
    return [
        Parity("cache, everything kept, against the whole clip",
               _apart(rig.cached(plain), rig.whole(plain)), "timesteps a frame late",
               _apart(rig.cached(plain), rig.whole(plain, late=1))),
        Parity("cache, window 6 of which 3 sinks, against the masked clip", _apart(held, truth),
               "a sink too few", _apart(rig.cached(fewer), truth)),
        Parity("cache, blocks of 3 frames, window 8, against the masked clip",
               _apart(rig.cached(blocks), rig.whole(blocks)), "another mask",
               _apart(rig.cached(blocks), rig.whole(plain))),
        Parity(f"positions from {FAR:,} on, against those from 0",
               _apart(rig.cached(sinks, FAR), truth), "numbered anew, keys left as they were",
               _apart(rig.cached(sinks, reset=8), truth)),
        Parity("stream batch of 2 steps, against one step after the other",
               _apart(rig.painted(Batched, 2), rig.painted(Sequential, 2)),
               "one memory for both steps",
               _apart(rig.painted(Sequential, 1), rig.painted(Sequential, 2))),
        *_autoencoder(device),
    ]  # fmt: skip


def _autoencoder(device: str) -> list[Parity]:
    torch.manual_seed(3)
    net = NanoAutoencoder(16, 8, 8)
    for value in net.parameters():
        value.data = 0.1 * torch.randn(value.shape)
    net = net.to(device).eval()
    film = (torch.rand(3, 13, 32, 48, generator=torch.Generator().manual_seed(2)) * 2 - 1).to(
        device
    )
    spans = ((0, 1), (1, 9), (9, 13))
    stream = NanoStream(net)
    whole = stream.encode(film)
    frames = stream.decode(whole)
    stream.reset()
    parts = [stream.encode(film[:, a:b]) for a, b in spans]
    back = [stream.decode(whole[:, a:b]) for a, b in ((0, 1), (1, 3), (3, 4))]
    last = net.encode(film[None, :, 9:13].transpose(1, 2))[0].transpose(0, 1)
    cold = net.decode(whole[None, :, 3:4].transpose(1, 2))[0].transpose(0, 1).clamp(-1, 1)
    return [
        Parity("encoder chunk by chunk, against the whole clip",
               _apart(torch.cat(parts, 1), whole), "the past forgotten",
               _apart(last, whole[:, 3:4])),
        Parity("decoder chunk by chunk, against the whole clip",
               _apart(torch.cat(back, 1), frames), "the past forgotten",
               _apart(cold, frames[:, 9:13])),
    ]  # fmt: skip


def _apart(made: Tensor, truth: Tensor) -> float:
    return float((made - truth).abs().max() / truth.std())
