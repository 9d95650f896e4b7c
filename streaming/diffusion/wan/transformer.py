"""Wan 2.1's transformer, read from the top down, with its memory handed in.

Parameter names are those of the original checkpoints. What attends to what is the memory's affair
(see cache.py): the model gives it queries, keys and values before any rotation. Owns no state.
"""

from dataclasses import dataclass
from typing import Protocol

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from streaming.diffusion.wan.params import PATCH, WanParams


class Memory(Protocol):
    """What self-attention sees: all tensors [B, tokens, heads, head_dim]."""

    def attend(self, layer: int, q: Tensor, k: Tensor, v: Tensor) -> Tensor: ...


@dataclass(frozen=True, slots=True, eq=False)
class Prompt:
    """Keys and values of a text for each layer held, [1, text tokens, heads, head_dim].

    text: the embedding that they were made of, for who holds other layers.
    """

    keys: tuple[Tensor, ...]
    values: tuple[Tensor, ...]
    text: Tensor | None = None


@dataclass(frozen=True, slots=True)
class Tokens:
    """A chunk on its way through the blocks.

    x: [B, frames * rows * columns, dim]. time: [B, frames, dim]. mod: [B, frames, 6, dim], float32.
    grid: frames, rows and columns of tokens.
    """

    x: Tensor
    time: Tensor
    mod: Tensor
    grid: tuple[int, int, int]


class WanModel(nn.Module):
    """The network of `params`; only blocks [first, last) when split over processes.

    The embeddings live where block 0 lives, the head where the last block lives.
    """

    def __init__(self, params: WanParams, first: int = 0, last: int | None = None) -> None:
        super().__init__()
        self.params, self.first = params, first
        self.last = params.layers if last is None else last
        dim = params.dim
        if self.starts:
            self.patch_embedding = nn.Conv3d(params.channels, dim, PATCH, PATCH)
            self.time_embedding = nn.Sequential(
                nn.Linear(params.freq_dim, dim), nn.SiLU(), nn.Linear(dim, dim)
            )
            self.time_projection = nn.Sequential(nn.SiLU(), nn.Linear(dim, 6 * dim))
        self.text_embedding = nn.Sequential(
            nn.Linear(params.text_dim, dim), nn.GELU("tanh"), nn.Linear(dim, dim)
        )
        self.blocks = nn.ModuleDict({str(i): Block(params) for i in range(first, self.last)})
        if self.ends:
            self.head = Head(params)

    @property
    def starts(self) -> bool:
        """Whether latents enter here."""
        return self.first == 0

    @property
    def ends(self) -> bool:
        """Whether velocities leave here."""
        return self.last == self.params.layers

    def forward(self, x: Tensor, timestep: Tensor, prompt: Prompt, memory: Memory) -> Tensor:
        """Velocity of latents x [B, C, frames, H, W] at timesteps [B, frames] of 0..1000."""
        return self.leave(self.through(self.enter(x, timestep), prompt, memory))

    def prompt(self, text: Tensor) -> Prompt:
        """Keys and values of a text embedding [1, text tokens, text_dim], zero where padded."""
        context = self.text_embedding(text.to(_dtype(self.text_embedding)))
        pairs = [block.cross_attn.remember(context) for block in self._blocks()]
        return Prompt(tuple(k for k, _ in pairs), tuple(v for _, v in pairs), text)

    def enter(self, x: Tensor, timestep: Tensor) -> Tokens:
        """Latents to tokens; one time embedding a frame, not one a token."""
        dtype = self.patch_embedding.weight.dtype
        patches = self.patch_embedding(x.to(dtype))
        grid = (patches.shape[2], patches.shape[3], patches.shape[4])
        waves = sinusoid(timestep, self.params.freq_dim)
        time = self.time_embedding(waves.to(_dtype(self.time_embedding)))
        mod = self.time_projection(time).unflatten(-1, (6, -1)).float()
        return Tokens(patches.flatten(2).transpose(1, 2), time, mod, grid)

    def through(self, tokens: Tokens, prompt: Prompt, memory: Memory) -> Tokens:
        """The blocks held here."""
        x = tokens.x
        for layer, block in enumerate(self._blocks()):
            text = prompt.keys[layer], prompt.values[layer]
            x = block(x, tokens.mod, text, memory, layer)
        return Tokens(x, tokens.time, tokens.mod, tokens.grid)

    def leave(self, tokens: Tokens) -> Tensor:
        """Tokens to velocities [B, C, frames, H, W], float32 or better."""
        return self.head(tokens.x, tokens.time, tokens.grid)

    def lower(self, dtype: torch.dtype) -> "WanModel":
        """Cast the weights that bear it; time, modulations and the affine norm stay float32."""
        self.to(dtype)
        for name, module in self.named_modules():
            if name.startswith("time_") or isinstance(module, nn.LayerNorm):
                module.float()
        for name, value in self.named_parameters():
            if name.endswith("modulation"):
                value.data = value.data.float()
        return self

    def _blocks(self) -> list["Block"]:
        return list(self.blocks.values())  # type: ignore[arg-type]


class Block(nn.Module):
    """Self-attention, attention to the text, feed-forward; the time scales, shifts and gates."""

    def __init__(self, params: WanParams) -> None:
        super().__init__()
        dim = params.dim
        self.self_attn = Attention(params)
        self.cross_attn = Attention(params)
        self.norm3 = nn.LayerNorm(dim, params.eps)
        self.ffn = nn.Sequential(
            nn.Linear(dim, params.ffn_dim), nn.GELU("tanh"), nn.Linear(params.ffn_dim, dim)
        )
        self.modulation = nn.Parameter(torch.randn(1, 6, dim) / dim**0.5)
        self.eps = params.eps

    def forward(
        self, x: Tensor, mod: Tensor, text: tuple[Tensor, Tensor], memory: Memory, layer: int
    ) -> Tensor:
        """x [B, tokens, dim], mod [B, frames, 6, dim], text keys and values; the shape of x."""
        shift, scale, gate, ff_shift, ff_scale, ff_gate = (self.modulation[:, None] + mod).unbind(2)
        q, k, v = self.self_attn.project(_shifted(_plain(x, self.eps), shift, scale).to(x.dtype))
        x = _gated(x, self.self_attn.gather(memory.attend(layer, q, k, v)), gate)
        x = x + self.cross_attn.look(self.norm3(x.to(self.norm3.weight.dtype)).to(x.dtype), text)
        turned = self.ffn(_shifted(_plain(x, self.eps), ff_shift, ff_scale).to(x.dtype))
        return _gated(x, turned, ff_gate)


class Attention(nn.Module):
    """Projections with queries and keys brought to unit size across heads."""

    def __init__(self, params: WanParams) -> None:
        super().__init__()
        dim, self.heads = params.dim, params.heads
        self.q, self.k = nn.Linear(dim, dim), nn.Linear(dim, dim)
        self.v, self.o = nn.Linear(dim, dim), nn.Linear(dim, dim)
        self.norm_q, self.norm_k = nn.RMSNorm(dim, params.eps), nn.RMSNorm(dim, params.eps)

    def project(self, x: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Queries, keys and values [B, tokens, heads, head_dim] of x [B, tokens, dim]."""
        q, k, v = self.norm_q(self.q(x)), self.norm_k(self.k(x)), self.v(x)
        return self._heads(q), self._heads(k), self._heads(v)

    def remember(self, context: Tensor) -> tuple[Tensor, Tensor]:
        """Keys and values of a text."""
        return self._heads(self.norm_k(self.k(context))), self._heads(self.v(context))

    def look(self, x: Tensor, text: tuple[Tensor, Tensor]) -> Tensor:
        """Attend to a text that every row shares."""
        k, v = (part.expand(x.shape[0], -1, -1, -1) for part in text)
        return self.gather(attention(self._heads(self.norm_q(self.q(x))), k, v))

    def gather(self, heads: Tensor) -> Tensor:
        """Back from heads to [B, tokens, dim]."""
        return self.o(heads.flatten(2))

    def _heads(self, x: Tensor) -> Tensor:
        return x.unflatten(-1, (self.heads, -1))


class Head(nn.Module):
    """Tokens to patches of velocity."""

    def __init__(self, params: WanParams) -> None:
        super().__init__()
        patch = PATCH[0] * PATCH[1] * PATCH[2]
        self.head = nn.Linear(params.dim, params.channels * patch)
        self.modulation = nn.Parameter(torch.randn(1, 2, params.dim) / params.dim**0.5)
        self.eps = params.eps

    def forward(self, x: Tensor, time: Tensor, grid: tuple[int, int, int]) -> Tensor:
        """x [B, tokens, dim], time [B, frames, dim]; [B, C, frames, 2 rows, 2 columns]."""
        shift, scale = (self.modulation[:, None] + time[:, :, None].float()).unbind(2)
        out = self.head(_shifted(_plain(x, self.eps), shift, scale).to(self.head.weight.dtype))
        patches = out.unflatten(1, grid).unflatten(-1, (*PATCH, -1))
        whole = patches.permute(0, 7, 1, 4, 2, 5, 3, 6)
        return whole.flatten(6, 7).flatten(4, 5).flatten(2, 3)


def attention(q: Tensor, k: Tensor, v: Tensor, mask: Tensor | None = None) -> Tensor:
    """Scaled dot products over [B, tokens, heads, head_dim]; mask: True where it may look."""
    q, k, v = q.transpose(1, 2), k.transpose(1, 2), v.transpose(1, 2)
    return F.scaled_dot_product_attention(q, k, v, attn_mask=mask).transpose(1, 2)


def sinusoid(timestep: Tensor, width: int) -> Tensor:
    """Cosines then sines of timesteps [B, frames] at falling rates; [B, frames, width]."""
    rates = torch.arange(width // 2, dtype=torch.float64, device=timestep.device) / (width // 2)
    waves = timestep.double()[..., None] * 10_000.0**-rates
    return torch.cat([waves.cos(), waves.sin()], dim=-1)


def _dtype(module: nn.Module) -> torch.dtype:
    return next(module.parameters()).dtype


def _plain(x: Tensor, eps: float) -> Tensor:
    wide = x if x.dtype == torch.float64 else x.float()
    return F.layer_norm(wide, (x.shape[-1],), eps=eps)


def _shifted(x: Tensor, shift: Tensor, scale: Tensor) -> Tensor:
    """x [B, tokens, dim] by a shift and scale [B, frames, dim] for each frame's tokens."""
    frames = x.unflatten(1, (shift.shape[1], -1))
    return (frames * (1 + scale[:, :, None]) + shift[:, :, None]).flatten(1, 2)


def _gated(x: Tensor, change: Tensor, gate: Tensor) -> Tensor:
    frames = change.unflatten(1, (gate.shape[1], -1)) * gate[:, :, None]
    return (x + frames.flatten(1, 2)).to(x.dtype)
