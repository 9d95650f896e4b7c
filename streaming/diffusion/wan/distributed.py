"""One stream over several processes: each holds its share of the blocks and of the memory, no more.

    rank 0: noise, embed, own layers --tokens--> rank 1 ... --tokens--> last rank: head, sampler
       ^                                                                             |
       +----------------- blocks of the stream, one step further --------------------+

Every row carries its number and step, and what happens to it is decided from them alone; so no
block is lost at the start or the end. `lead` runs on rank 0, `follow` on the others, over any
torch.distributed backend (gloo on processors, NCCL on cards).
"""

import contextlib
from collections.abc import Generator, Iterable, Iterator
from dataclasses import dataclass
from typing import Any

import torch
import torch.distributed as dist
from torch import Tensor

from streaming.diffusion.wan.cache import Cache
from streaming.diffusion.wan.errors import RankLost
from streaming.diffusion.wan.paint import CLEAN, Block, Fresh, Painted, Sampler, spans, stacked
from streaming.diffusion.wan.transformer import Prompt, Tokens, WanModel

_STOP, _WORD = -1, -2


@dataclass(frozen=True, slots=True, eq=False)
class Word:
    """What changes between blocks, for every rank. fresh: a stream begins, its memory is empty.

    seed: of its noise, None for the one before. text: embedding [1, tokens, text_dim] of its
    prompt, None for the one before.
    """

    fresh: bool = False
    seed: int | None = None
    text: Tensor | None = None


@dataclass(slots=True)
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

    def hear(self, word: Word) -> None:
        """Turn to what the next blocks are painted with."""
        if word.fresh:
            self.cache.reset()
        if word.seed is not None:
            self.sampler.seed = word.seed
        if word.text is not None:
            self.prompt = self.model.prompt(word.text)

    def again(self, block: Block) -> Block | None:
        """What goes round once more so that clean latents are remembered, if the card says so."""
        wanted = self.sampler.params.clean_pass and block.timesteps != CLEAN
        return Block(block.number, block.x, CLEAN) if wanted else None

    def _faded(self, row: int, block: Block) -> int:
        clean = self.sampler.params.clean_pass and block.timesteps != CLEAN
        last = self.apart or (block.step == len(block.timesteps) - 1 and not clean)
        sink = self.cache.faded(row) if last else None
        return -1 if sink is None else sink


@torch.no_grad()
def lead(wire: "Wire", share: Share, fresh: Iterable[Fresh]) -> Generator[Painted, None, None]:
    """Rank 0: paint `fresh` and yield what is finished, in order; at its end, or closed, stop the
    other ranks.

    With a memory a step, as many batches are in flight as there are ranks; else one block at a
    time, every step of it, before the next (least delay).
    """
    room = wire.ranks if share.apart else 1
    flight, number, returned, coming = 0, 0, list[Block](), iter(fresh)
    try:
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
                done = [block for block in blocks if block.done]
                yield from (Painted(o.number, o.x) for o in done if o.timesteps != CLEAN)
                returned = [block for block in blocks if not block.done]
                returned += [more for block in done if (more := share.again(block))]
    finally:  # the film may have broken off, or nobody wants the rest
        if not wire.lost:
            for _ in range(flight):
                wire.receive_blocks()
            wire.stop()


@torch.no_grad()
def follow(wire: "Wire", share: Share) -> None:
    """The other ranks, until rank 0 stops them."""
    while (received := wire.receive_tokens()) is not None:
        if isinstance(received, Word):
            share.hear(received)
            wire.send_word(received)
            continue
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

    dtype: of tokens. Latents, time and modulations travel in float32. All raise RankLost, and then
    `lost` is true, where another rank is gone.
    """

    def __init__(self, dtype: torch.dtype, device: torch.device | str = "cpu") -> None:
        self.rank, self.ranks = dist.get_rank(), dist.get_world_size()
        self.before, self.after = (self.rank - 1) % self.ranks, (self.rank + 1) % self.ranks
        self.dtype, self.device = dtype, torch.device(device)
        self._sending: list[tuple[dist.Work | None, Tensor]] = []
        self.lost = False

    def send_tokens(self, blocks: list[Block], renewed: list[int], tokens: Tokens) -> None:
        """To the next rank, with the blocks of the stream that they belong to (see Share)."""
        told = [*self._told(blocks, tokens), self._whole(renewed)]
        self._post([*told, tokens.x, tokens.time.float(), tokens.mod])

    def receive_tokens(self) -> tuple[list[Block], list[int], Tokens] | Word | None:
        """From the rank before; None: stop."""
        head = self._take_head()
        if head is None:
            return None
        if head[0] == _WORD:
            return self._take_word(head)
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

    def tell(self, word: Word) -> None:
        """On rank 0: to every other rank, and wait until all have heard it."""
        self.send_word(word)
        if (head := self._take_head()) is not None:
            self._take_word(head)

    def send_word(self, word: Word) -> None:
        """To the next rank."""
        shape = word.text.shape[1:] if word.text is not None else (0, 0)
        seed = (0, 0) if word.seed is None else (1, word.seed)
        head = self._whole([_WORD, int(word.fresh), *seed, *shape, 0, 0, 0, 0])
        self._post([head] if word.text is None else [head, word.text.float()])

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

    def _take_word(self, head: list[int]) -> Word:
        _, fresh, known, seed, *shape = head[:6]
        text = self._take((1, shape[0], shape[1]), torch.float32) if shape[0] else None
        return Word(bool(fresh), seed if known else None, text)

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
        with self._minding():
            dist.recv(into, self.before)
        return into

    def _post(self, tensors: list[Tensor]) -> None:
        self._wait()
        ready = [tensor.contiguous() for tensor in tensors]
        with self._minding():
            self._sending = [(dist.isend(tensor, self.after), tensor) for tensor in ready]

    def _wait(self) -> None:
        with self._minding():
            for work, _ in self._sending:
                if work is not None:
                    work.wait()
        self._sending = []

    @contextlib.contextmanager
    def _minding(self) -> Iterator[None]:
        try:
            yield
        except Exception as error:  # gloo and NCCL raise several kinds
            self.lost = True
            raise RankLost(self.ranks, str(error)) from error


def join(device: str, **more: Any) -> tuple[int, int, str]:
    """Meet the others that torchrun started: rank, how many there are, and the device to be on."""
    kind = torch.device(device or ("cuda" if torch.cuda.is_available() else "cpu")).type
    dist.init_process_group("nccl" if kind == "cuda" else "gloo", **more)
    rank, count = dist.get_rank(), dist.get_world_size()
    if kind == "cuda":
        torch.cuda.set_device(dist.get_node_local_rank(fallback_rank=rank))
        device = f"cuda:{torch.cuda.current_device()}"
    return rank, count, device
