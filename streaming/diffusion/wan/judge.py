"""How good a card's stream is on pairs that it never saw, with the memory and without its cache.

`stream`: as it is served. `recomputed`: no cache, the whole past put through the network again for
every block under the same mask; its quality must be the same. `no memory`: every block on its own,
which shows what the memory is worth. All with the same noise.
"""

import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import torch
from torch import Tensor

from streaming.diffusion.measure import psnr, ssim
from streaming.diffusion.pairs import Clip, pictures
from streaming.diffusion.wan.cache import Cache, Whole, causal_mask
from streaming.diffusion.wan.lane import to_pixels, to_tensor
from streaming.diffusion.wan.nano_train import played
from streaming.diffusion.wan.paint import Block, Painted, Sampler, Sequential, stacked, told
from streaming.diffusion.wan.params import CacheParams
from streaming.diffusion.wan.rig import Rig
from streaming.diffusion.wan.rope import angles
from streaming.diffusion.wan.stream import Stream
from streaming.diffusion.wan.transformer import Prompt


class Recomputed:
    """A painter without a cache: for each step, all blocks so far go through the network again.

    Each of them as it was in its own last pass, so that what is seen is what a cache would hold.
    The cost of a block grows with the length of the stream.
    """

    def __init__(self, rig: Rig, sampler: Sampler) -> None:
        self.rig, self.sampler = rig, sampler
        self.prompt: Prompt | None = None
        self.reset()

    def reset(self) -> None:
        """See Painter."""
        self._number = 0
        self._past: list[Tensor] = []
        self._told: list[int] = []

    def flush(self) -> list[Painted]:
        """Nothing is ever under way."""
        return []

    @torch.no_grad()
    def paint(self, latents: Tensor, scale: float, first: int | None) -> list[Painted]:
        """See Painter."""
        block = self.sampler.begin(self._number, latents, scale, first)
        while not block.done:
            x, told = block.x, block.timestep
            self.sampler.advance(block, self._velocity(block))
        self._past.append(x)
        self._told.append(told)
        self._number += 1
        return [Painted(block.number, block.x)]

    def _velocity(self, block: Block) -> Tensor:
        x, timestep = stacked([block])
        size, count = block.x.shape[1], self._number + 1
        whole = torch.cat([*(one[None] for one in self._past), x], 2)
        past = [float(told) for told in self._told for _ in range(size)]
        times = torch.cat([torch.tensor([past], device=x.device), timestep], 1)
        card = self.rig.card
        turn = angles(range(size * count), *card.grid, card.params.head_dim, x.device)
        mask = causal_mask(size * count, card.grid[0] * card.grid[1], card.cache).to(x.device)
        memory = Whole(turn, mask)
        return self.rig.model(whole, times, told(self), memory)[0, :, -size:]


@dataclass(frozen=True, slots=True)
class Score:
    """Means over clips: psnr [dB] and ssim against the target, s a clip. apart: largest
    difference [levels] to the stream as it is served.
    """

    psnr: float
    ssim: float
    seconds: float
    apart: float


def judge(
    rig: Rig, clips: tuple[Clip, ...], frames: int, say: Callable[[str], None], seed: int = 0
) -> dict[str, Score]:
    """Scores by way of painting, and of the source itself. Clips are played there and back."""
    ways: dict[str, Callable[[], Stream]] = {
        "stream": rig.stream,
        "recomputed": lambda: _with(rig, Recomputed(rig, Sampler(rig.card.sample, seed))),
        "no memory": lambda: _forgetful(rig),
    }
    found: dict[str, list[tuple[float, ...]]] = {name: [] for name in (*ways, "source")}
    for number, clip in enumerate(clips, 1):
        source, target = (played(raw, frames) for raw in (clip.source(), clip.target()))
        wanted = pictures(target)
        found["source"].append((*_near(source, wanted), 0.0, 0.0))
        served: Any = None
        for name, make in ways.items():
            begin = time.process_time()
            made = through(rig, make(), source, clip.style)
            took = time.process_time() - begin
            served = made if served is None else served
            apart = float(np.abs(made.astype(np.int16) - served).max())
            found[name].append((*_near(made, wanted), took, apart))
        say(f"{number} of {len(clips)} clips")
    return {name: Score(*(float(v) for v in _sums(rows))) for name, rows in found.items()}


def through(rig: Rig, stream: Stream, source: Any, style: str) -> Any:
    """A clip (frames, h, w, 3) RGB as the stream paints it, of the same shape."""
    with torch.no_grad():
        stream.painter.prompt = rig.model.prompt(rig.embedding("", style))
    out = []
    for tick, rgb in enumerate(source):
        whole = np.ascontiguousarray(np.dstack([rgb[..., ::-1], np.full(rgb.shape[:2], 255)]))
        out += stream.push(tick, to_tensor([whole.astype(np.uint8)], rig)[:, 0])
    out += stream.flush()
    assert [one.tick for one in out] == list(range(len(source)))
    shape = (source.shape[1], source.shape[2])
    return np.stack([p[..., 2::-1] for p in to_pixels([one.frame for one in out], shape)])


def _with(rig: Rig, painter: Any) -> Stream:
    return Stream(rig.autoencoder(), painter, rig.card.cache, rig.card.sample)


def _forgetful(rig: Rig) -> Stream:
    """A window of its own block alone."""
    alone = CacheParams(rig.card.cache.block, 0, rig.card.cache.block, -1)
    card = replace(rig.card, cache=alone)
    sampler, rows = Sampler(card.sample, 0), 1
    cache = Cache(card.params, alone, card.grid, card.params.layers, rows, rig.dtype, rig.device)
    painter = Sequential(rig.model, cache, sampler)
    return Stream(rig.autoencoder(), painter, alone, card.sample)


def _near(made: Any, wanted: Tensor) -> tuple[float, float]:
    own = pictures(made)
    return psnr(own, wanted), ssim(own, wanted)


def _sums(rows: list[tuple[float, ...]]) -> tuple[float, ...]:
    near, alike, took, apart = zip(*rows, strict=True)
    mean = [sum(column) / len(rows) for column in (near, alike, took)]
    return (*mean, max(apart))
