"""Latents in, painted latents out, block by block: the few-step sampler over the rolling memory.

Sequential takes every step of a block before the next block (least delay). Batched takes one step
of several blocks at once (most frames). Noise is decided by (seed, block, step) alone, so both give
the same stream when each step has a memory of its own.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

import torch
from torch import Tensor

from streaming.diffusion.wan.cache import Cache, Together
from streaming.diffusion.wan.errors import BadOption
from streaming.diffusion.wan.params import SampleParams
from streaming.diffusion.wan.schedule import clean, noise_for, noised, sigma
from streaming.diffusion.wan.transformer import Prompt, WanModel

CLEAN = (0,)
"""Timesteps of a clean pass: the block goes through once more and stays as it is."""


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


@dataclass(frozen=True, slots=True)
class Fresh:
    """A block to paint: latents [C, latents, H, W], noise scale and first timestep (or the list's).

    The last two are the noise controller's.
    """

    latents: Tensor
    scale: float
    first: int | None


class Painter(Protocol):
    """paint takes the next block's latents; scale and first: of the noise controller.

    prompt: of the blocks to come; it must be there before the first. reset: forget all, what is
    under way too.
    """

    prompt: Prompt | None
    sampler: "Sampler"

    def paint(self, latents: Tensor, scale: float, first: int | None) -> list[Painted]: ...

    def flush(self) -> list[Painted]: ...

    def reset(self) -> None: ...


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

    def __init__(
        self, model: WanModel, cache: Cache, sampler: Sampler, prompt: Prompt | None = None
    ) -> None:
        _check(cache, sampler.params)
        self.model, self.cache, self.sampler, self.prompt = model, cache, sampler, prompt
        self._number = 0

    @torch.no_grad()
    def paint(self, latents: Tensor, scale: float, first: int | None) -> list[Painted]:
        """See Painter: the block itself, finished."""
        return [paint_together(self.model, [self], [Fresh(latents, scale, first)])[0]]

    def begin(self, fresh: Fresh) -> Block:
        """The next block; the same one again until `end`."""
        return self.sampler.begin(self._number, fresh.latents, fresh.scale, fresh.first)

    def row(self, block: Block) -> int:
        """Of the cache, for the block's next step."""
        return block.step if len(self.cache.slots) > 1 else 0

    def stepped(self, block: Block, velocity: Tensor) -> None:
        """Take a step."""
        row = self.row(block)
        self.sampler.advance(block, velocity)
        if len(self.cache.slots) > 1:
            self.cache.settle(row)

    def end(self, block: Block) -> Painted:
        """The block is finished, and remembered."""
        if len(self.cache.slots) == 1:
            self.cache.settle(0)
        self._number += 1
        return Painted(block.number, block.x)

    def flush(self) -> list[Painted]:
        """Nothing is ever under way."""
        return []

    def reset(self) -> None:
        """See Painter."""
        self.cache.reset()
        self._number = 0


@torch.no_grad()
def paint_together(
    model: WanModel, painters: Sequence[Sequential], fresh: Sequence[Fresh]
) -> list[Painted]:
    """A block of each of several streams, every step of all in one pass; each as if it were alone.

    Nothing counts before the end: where this fails, the same blocks may be painted again. (A sink
    that was renewed between the steps of a memory each stays renewed.)
    """
    blocks = [painter.begin(new) for painter, new in zip(painters, fresh, strict=True)]
    prompt = together([told(painter) for painter in painters])
    while not blocks[0].done:
        made = _pass(model, painters, blocks, prompt)
        for painter, block, velocity in zip(painters, blocks, made, strict=True):
            painter.stepped(block, velocity)
    if painters[0].sampler.params.clean_pass:
        _pass(model, painters, [Block(b.number, b.x, CLEAN) for b in blocks], prompt)
    return [painter.end(block) for painter, block in zip(painters, blocks, strict=True)]


def _pass(
    model: WanModel, painters: Sequence[Sequential], blocks: list[Block], prompt: Prompt
) -> Tensor:
    x, timestep = stacked(blocks)
    looks = [
        painter.cache.look(spans({painter.row(block): block}))
        for painter, block in zip(painters, blocks, strict=True)
    ]
    return model(x, timestep, prompt, looks[0] if len(looks) == 1 else Together(looks))


def told(painter: Painter) -> Prompt:
    """The prompt of the blocks to come. Raises RuntimeError where nobody has said one."""
    if painter.prompt is None:
        raise RuntimeError("a stream is told its prompt before its first block")
    return painter.prompt


def together(prompts: Sequence[Prompt]) -> Prompt:
    """One prompt with a row for each of `prompts`; the prompt itself where all are the same."""
    first = prompts[0]
    if all(prompt is first for prompt in prompts):
        return first
    return Prompt(
        tuple(torch.cat(layer) for layer in zip(*(p.keys for p in prompts), strict=True)),
        tuple(torch.cat(layer) for layer in zip(*(p.values for p in prompts), strict=True)),
    )


class Batched:
    """One step of as many blocks as there are steps in one pass; row j of the cache is step j.

    A block comes out len(timesteps) - 1 calls after it went in; flush brings the rest.
    """

    def __init__(
        self, model: WanModel, cache: Cache, sampler: Sampler, prompt: Prompt | None = None
    ) -> None:
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

    def reset(self) -> None:
        """See Painter."""
        self.cache.reset()
        self._number, self._under_way = 0, []

    @torch.no_grad()
    def _tick(self) -> list[Painted]:
        rows = {block.step: block for block in sorted(self._under_way, key=lambda b: b.step)}
        made = velocities(self.model, self.cache, told(self), rows)
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
