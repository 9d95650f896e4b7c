"""Latents in, painted latents out, block by block: the few-step sampler over the rolling memory.

Sequential takes every step of a block before the next block (least delay). Batched takes one step
of several blocks at once (most frames). Noise is decided by (seed, block, step) alone, so both give
the same stream when each step has a memory of its own.
"""

from dataclasses import dataclass
from typing import Protocol

import torch
from torch import Tensor

from streaming.diffusion.wan.cache import Cache
from streaming.diffusion.wan.errors import BadOption
from streaming.diffusion.wan.params import SampleParams
from streaming.diffusion.wan.schedule import clean, noise_for, noised, sigma
from streaming.diffusion.wan.transformer import Prompt, WanModel


@dataclass(slots=True)
class Block:
    """A block under way. number: of the block; x: [C, latents, H, W]; timesteps: one a step."""

    number: int
    x: Tensor
    timesteps: tuple[int, ...]
    step: int = 0

    @property
    def timestep(self) -> int:
        """Of the step that comes next."""
        return self.timesteps[self.step]

    @property
    def done(self) -> bool:
        """Whether every step is taken."""
        return self.step == len(self.timesteps)


@dataclass(frozen=True, slots=True)
class Painted:
    """A finished block: its number and latents [C, latents, H, W]."""

    number: int
    latents: Tensor


class Painter(Protocol):
    """paint takes the next block's latents; scale and first: of the noise controller."""

    def paint(self, latents: Tensor, scale: float, first: int | None) -> list[Painted]: ...

    def flush(self) -> list[Painted]: ...


class Sampler:
    """What the steps of a block are, shared by every way to run them."""

    def __init__(self, params: SampleParams, seed: int) -> None:
        self.params, self.seed = params, seed

    def begin(self, number: int, latents: Tensor, scale: float, first: int | None) -> Block:
        """Noise a block; float32 from here on.

        first replaces the list's first timestep and never falls to the next.
        """
        timesteps = self.params.timesteps
        if first is not None:
            floor = timesteps[1] + 1 if len(timesteps) > 1 else 1
            timesteps = (max(first, floor), *timesteps[1:])
        latents = latents.float()
        noise = noise_for(latents.shape, self.seed, number, 0, latents)
        return Block(number, noised(latents, noise, scale), timesteps)

    def advance(self, block: Block, velocity: Tensor) -> None:
        """Take the step that `velocity` was computed for; the last one leaves clean latents."""
        shift = self.params.shift
        x = clean(block.x, velocity.to(block.x.dtype), sigma(block.timestep, shift))
        block.step += 1
        if not block.done:
            noise = noise_for(x.shape, self.seed, block.number, block.step, x)
            x = noised(x, noise, sigma(block.timestep, shift))
        block.x = x


class Sequential:
    """Every step of a block, then the next block.

    The cache has one row, or one a step (then it gives what Batched gives).
    """

    def __init__(self, model: WanModel, cache: Cache, sampler: Sampler, prompt: Prompt) -> None:
        _check(cache, sampler.params)
        self.model, self.cache, self.sampler, self.prompt = model, cache, sampler, prompt
        self._number = 0

    @torch.no_grad()
    def paint(self, latents: Tensor, scale: float, first: int | None) -> list[Painted]:
        """See Painter: the block itself, finished."""
        block = self.sampler.begin(self._number, latents, scale, first)
        apart = len(self.cache.slots) > 1
        while not block.done:
            row = block.step if apart else 0
            velocity = velocities(self.model, self.cache, self.prompt, {row: block})[0]
            self.sampler.advance(block, velocity)
            if apart:
                self.cache.settle(row)
        if self.sampler.params.clean_pass:
            clean_block = Block(block.number, block.x, (0,))
            velocities(self.model, self.cache, self.prompt, {0: clean_block})
        if not apart:
            self.cache.settle(0)
        self._number += 1
        return [Painted(block.number, block.x)]

    def flush(self) -> list[Painted]:
        """Nothing is ever under way."""
        return []


class Batched:
    """One step of as many blocks as there are steps in one pass; row j of the cache is step j.

    A block comes out len(timesteps) - 1 calls after it went in; flush brings the rest.
    """

    def __init__(self, model: WanModel, cache: Cache, sampler: Sampler, prompt: Prompt) -> None:
        _check(cache, sampler.params)
        if len(cache.slots) != len(sampler.params.timesteps):
            raise BadOption("a stream batch needs one cache row for each step")
        self.model, self.cache, self.sampler, self.prompt = model, cache, sampler, prompt
        self._number = 0
        self._under_way: list[Block] = []

    def paint(self, latents: Tensor, scale: float, first: int | None) -> list[Painted]:
        """See Painter: the block that finishes with this one's first step, if any."""
        self._under_way.append(self.sampler.begin(self._number, latents, scale, first))
        self._number += 1
        return self._tick()

    def flush(self) -> list[Painted]:
        """Finish every block under way, in order."""
        finished = []
        while self._under_way:
            finished += self._tick()
        return finished

    @torch.no_grad()
    def _tick(self) -> list[Painted]:
        rows = {block.step: block for block in sorted(self._under_way, key=lambda b: b.step)}
        made = velocities(self.model, self.cache, self.prompt, rows)
        for (row, block), velocity in zip(rows.items(), made, strict=True):
            self.sampler.advance(block, velocity)
            self.cache.settle(row)
        finished = [Painted(block.number, block.x) for block in self._under_way if block.done]
        self._under_way = [block for block in self._under_way if not block.done]
        return finished


def velocities(model: WanModel, cache: Cache, prompt: Prompt, rows: dict[int, Block]) -> Tensor:
    """One pass over {cache row: block}: velocities [rows, C, latents, H, W] in that order."""
    x, timestep = stacked(list(rows.values()))
    return model(x, timestep, prompt, cache.look(spans(rows)))


def stacked(blocks: list[Block]) -> tuple[Tensor, Tensor]:
    """Latents [rows, C, latents, H, W] and timesteps [rows, latents] of blocks."""
    x = torch.stack([block.x for block in blocks])
    told = torch.tensor([float(block.timestep) for block in blocks], device=x.device)
    return x, told[:, None].expand(-1, x.shape[2])


def spans(rows: dict[int, Block]) -> dict[int, range]:
    """Which latents of the stream each row's block is."""
    count = {row: block.x.shape[1] for row, block in rows.items()}
    return {
        row: range(block.number * count[row], (block.number + 1) * count[row])
        for row, block in rows.items()
    }


def _check(cache: Cache, params: SampleParams) -> None:
    rows, steps = len(cache.slots), len(params.timesteps)
    if rows not in (1, steps):
        raise BadOption(f"a cache of {rows} rows serves neither one stream nor {steps} steps")
    if params.clean_pass and rows > 1:
        raise BadOption("a clean pass needs one memory for all steps; take away one of the two")
