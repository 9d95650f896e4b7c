"""One stream over several processes: each holds its share of the blocks and of the memory, no more.

    rank 0: noise, embed, own layers --tokens--> rank 1 ... --tokens--> last rank: head, sampler
       ^                                                                             |
       +----------------- blocks of the stream, one step further --------------------+

Every row carries its number and step, and what happens to it is decided from them alone; so no
block is lost at the start or the end. `lead` runs on rank 0, `follow` on the others, over any
torch.distributed backend (gloo on processors, NCCL on cards).
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

import torch
import torch.distributed as dist
from torch import Tensor

from streaming.diffusion.wan.cache import Cache
from streaming.diffusion.wan.paint import Block, Painted, Sampler, spans, stacked
from streaming.diffusion.wan.transformer import Prompt, Tokens, WanModel

_STOP = -1


@dataclass(frozen=True, slots=True)
class Fresh:
    """A block to paint: latents [C, latents, H, W], noise scale and first timestep."""

    latents: Tensor
    scale: float
    first: int | None


@dataclass(frozen=True, slots=True)
class Share:
    """What a rank computes with: its layers, their memory, the prompt's keys for them."""

    model: WanModel
    cache: Cache
    sampler: Sampler
    prompt: Prompt

    @property
    def apart(self) -> bool:
        """Whether every step has a memory of its own (stream batch)."""
        return len(self.cache.slots) > 1

    def through(
        self, tokens: Tokens, blocks: list[Block], renewed: list[int] | None = None
    ) -> tuple[Tokens, list[int]]:
        """Own layers over rows of tokens, one for each block.

        renewed: the sink that each row gives up, -1 for none, as rank 0 decided; None on rank 0.
        """
        rows = {block.step if self.apart else 0: block for block in blocks}
        out = self.model.through(tokens, self.prompt, self.cache.look(spans(rows)))
        if renewed is None:
            renewed = [self._faded(row, block) for row, block in rows.items()]
        for row, sink in zip(rows, renewed, strict=True):
            if sink >= 0:
                self.cache.renew(row, sink)
        return out, renewed

    def _faded(self, row: int, block: Block) -> int:
        last = self.apart or block.step == len(block.timesteps) - 1
        sink = self.cache.faded(row) if last else None
        return -1 if sink is None else sink


@torch.no_grad()
def lead(wire: "Wire", share: Share, fresh: Iterable[Fresh]) -> Iterator[Painted]:
    """Rank 0: paint `fresh` and yield what is finished, in order; then stop the other ranks.

    With a memory a step, as many batches are in flight as there are ranks; else one block at a
    time, every step of it, before the next (least delay).
    """
    room = wire.ranks if share.apart else 1
    flight, number, returned, coming = 0, 0, list[Block](), iter(fresh)
    while True:
        batch, returned = returned, []
        new = next(coming, None) if share.apart or not batch else None
        if new is not None:
            batch.insert(0, share.sampler.begin(number, new.latents, new.scale, new.first))
            number += 1
        if batch:
            x, timestep = stacked(batch)
            tokens, renewed = share.through(share.model.enter(x, timestep), batch)
            wire.send_tokens(batch, renewed, tokens)
            flight += 1
        elif not flight:
            break
        if flight == room or not batch:
            blocks = wire.receive_blocks()
            flight -= 1
            yield from (Painted(block.number, block.x) for block in blocks if block.done)
            returned = [block for block in blocks if not block.done]
    wire.stop()


@torch.no_grad()
def follow(wire: "Wire", share: Share) -> None:
    """The other ranks, until rank 0 stops them."""
    while (received := wire.receive_tokens()) is not None:
        blocks, renewed, tokens = received
        tokens, _ = share.through(tokens, blocks, renewed)
        if not share.model.ends:
            wire.send_tokens(blocks, renewed, tokens)
            continue
        for block, velocity in zip(blocks, share.model.leave(tokens), strict=True):
            share.sampler.advance(block, velocity)
        wire.send_blocks(blocks)
    if wire.after != 0:
        wire.stop()


class Wire:
    """Tagged messages to the next rank and from the one before; sends overlap with computing.

    dtype: of tokens. Latents, time and modulations travel in float32.
    """

    def __init__(self, dtype: torch.dtype, device: torch.device | str = "cpu") -> None:
        self.rank, self.ranks = dist.get_rank(), dist.get_world_size()
        self.before, self.after = (self.rank - 1) % self.ranks, (self.rank + 1) % self.ranks
        self.dtype, self.device = dtype, torch.device(device)
        self._sending: list[tuple[dist.Work | None, Tensor]] = []

    def send_tokens(self, blocks: list[Block], renewed: list[int], tokens: Tokens) -> None:
        """To the next rank, with the blocks of the stream that they belong to (see Share)."""
        told = [*self._told(blocks, tokens), self._whole(renewed)]
        self._post([*told, tokens.x, tokens.time.float(), tokens.mod])

    def receive_tokens(self) -> tuple[list[Block], list[int], Tokens] | None:
        """From the rank before; None: stop."""
        head = self._take_head()
        if head is None:
            return None
        blocks, (rows, frames, *grid) = self._take_blocks(head), head[:4]
        renewed: list[int] = self._take((rows,), torch.int64).tolist()
        count = frames * grid[0] * grid[1]
        x = self._take((rows, count, head[7]), self.dtype)
        time = self._take((rows, frames, head[7]), torch.float32)
        mod = self._take((rows, frames, 6, head[7]), torch.float32)
        return blocks, renewed, Tokens(x, time, mod, (frames, grid[0], grid[1]))

    def send_blocks(self, blocks: list[Block]) -> None:
        """Back to rank 0, each one step further."""
        self._post(self._told(blocks, None))

    def receive_blocks(self) -> list[Block]:
        """On rank 0, from the last rank."""
        head = self._take_head()
        return [] if head is None else self._take_blocks(head)

    def stop(self) -> None:
        """Tell the next rank that nothing comes any more, and wait until it knows."""
        self._post([self._whole([_STOP] + [0] * 9)])
        self._wait()

    def _told(self, blocks: list[Block], tokens: Tokens | None) -> list[Tensor]:
        x = torch.stack([block.x for block in blocks]).float()
        rows, channels, frames, height, width = x.shape
        grid, dim = (tokens.grid[1:], tokens.x.shape[2]) if tokens else ((0, 0), 0)
        steps = len(blocks[0].timesteps)
        head = [rows, frames, *grid, channels, height, width, dim, steps, 0]
        tags = [[block.number, block.step, *block.timesteps] for block in blocks]
        return [self._whole(head), self._whole(tags), x]

    def _take_head(self) -> list[int] | None:
        head: list[int] = self._take((10,), torch.int64).tolist()
        return None if head[0] == _STOP else head

    def _take_blocks(self, head: list[int]) -> list[Block]:
        rows, frames, _, _, channels, height, width, _, steps, _ = head
        tags = self._take((rows, 2 + steps), torch.int64).tolist()
        x = self._take((rows, channels, frames, height, width), torch.float32)
        return [
            Block(number, x[i], tuple(timesteps), step)
            for i, (number, step, *timesteps) in enumerate(tags)
        ]

    def _whole(self, numbers: list[int] | list[list[int]]) -> Tensor:
        return torch.tensor(numbers, dtype=torch.int64, device=self.device)

    def _take(self, shape: tuple[int, ...], dtype: torch.dtype) -> Tensor:
        into = torch.empty(shape, dtype=dtype, device=self.device)
        dist.recv(into, self.before)
        return into

    def _post(self, tensors: list[Tensor]) -> None:
        self._wait()
        ready = [tensor.contiguous() for tensor in tensors]
        self._sending = [(dist.isend(tensor, self.after), tensor) for tensor in ready]

    def _wait(self) -> None:
        for work, _ in self._sending:
            if work is not None:
                work.wait()
        self._sending = []
