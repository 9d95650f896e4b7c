"""What a stream remembers: one ring of latents with sinks, for every layer and row at once.

Keys are kept as they were before rotation and turned when they are looked at. So positions can be
counted on for ever or numbered anew, and nothing drifts: a stored bfloat16 key is never rotated
twice. One object, one reset.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import torch
import torch.nn.functional as F
from torch import Tensor

from streaming.diffusion.wan.params import CacheParams, WanParams
from streaming.diffusion.wan.rope import angles, rotate
from streaming.diffusion.wan.transformer import attention


@dataclass(slots=True)
class Slots:
    """Which latent stands in which slot of one row. Sinks are slots 0 to sinks - 1."""

    params: CacheParams
    held: list[int] = field(default_factory=list)  # the latent's number, by slot

    def place(self, latents: Sequence[int]) -> list[int]:
        """Slots for a block of latents; again the same for a block that is here already."""
        return [self._one(latent, latents) for latent in latents]

    def times(self) -> list[int]:
        """Position in time of every filled slot, for the rotation."""
        if self.params.positions == "absolute":
            return list(self.held)
        rolling = sorted(self.held[self.params.sinks :])
        first = min(len(self.held), self.params.sinks)
        ranks = {latent: first + i for i, latent in enumerate(rolling)}
        return [*range(first), *(ranks[latent] for latent in self.held[first:])]

    def _one(self, latent: int, block: Sequence[int]) -> int:
        rolling = range(self.params.sinks, len(self.held))
        for slot in (*rolling, *range(min(self.params.sinks, len(self.held)))):
            if self.held[slot] == latent:
                return slot
        if len(self.held) < self.params.window:
            self.held.append(latent)
            return len(self.held) - 1
        slot = min((s for s in rolling if self.held[s] not in block), key=self.held.__getitem__)
        self.held[slot] = latent
        return slot


class Cache:
    """Keys and values [layers, rows, window * tokens, heads, head_dim] of `rows` streams or steps.

    tokens: (rows, columns) of one latent. Memory in bytes:
    2 * layers * rows * window * tokens * dim * size of dtype.
    """

    def __init__(
        self,
        wan: WanParams,
        params: CacheParams,
        grid: tuple[int, int],
        layers: int,
        rows: int = 1,
        dtype: torch.dtype = torch.bfloat16,
        device: torch.device | str = "cpu",
    ) -> None:
        self.wan, self.params, self.grid = wan, params, grid
        self.tokens = grid[0] * grid[1]
        shape = (layers, rows, params.window * self.tokens, wan.heads, wan.head_dim)
        self.keys = torch.zeros(shape, dtype=dtype, device=device)
        self.values = torch.zeros(shape, dtype=dtype, device=device)
        self.slots = [Slots(params) for _ in range(rows)]

    @property
    def bytes(self) -> int:
        """What the tensors take."""
        return self.keys.nbytes + self.values.nbytes

    @property
    def newest(self) -> int:
        """Number of the newest latent of the first row; -1 where there is none."""
        return max(self.slots[0].held, default=-1)

    def reset(self) -> None:
        """Forget everything, in every row."""
        self.keys.zero_()
        self.values.zero_()
        self.slots = [Slots(self.params) for _ in self.slots]

    def look(self, blocks: Mapping[int, Sequence[int]]) -> "Look":
        """One pass over {row: latents of its block}, in the order of the batch."""
        return Look(self, blocks)

    def settle(self, row: int) -> int | None:
        """After a block's last pass: renew the sink that is least like it; which one, or None."""
        sink = self.faded(row)
        if sink is not None:
            self.renew(row, sink)
        return sink

    def faded(self, row: int) -> int | None:
        """The sink to renew, by the first layer's keys and values: what a latent looks like.

        Only filled sinks are asked, and only a latent beyond them can replace one. Where layers
        are spread over processes, the one with the first layer decides for all.
        """
        held, sinks = self.slots[row].held, self.params.sinks
        if self.params.renew_below < 0 or not 0 < sinks < len(held):
            return None
        likeness = [self._like(row, sink) for sink in range(sinks)]
        worst = min(range(sinks), key=likeness.__getitem__)
        return worst if likeness[worst] < self.params.renew_below else None

    def renew(self, row: int, sink: int) -> None:
        """Put the newest latent in the place of a sink, in every layer held here."""
        into = self._span(sink)
        for store in (self.keys, self.values):
            store[:, row, into] = store[:, row, self._newest(row)].clone()
        self.slots[row].held[sink] = max(self.slots[row].held)

    def _like(self, row: int, sink: int) -> float:
        spans = self._span(sink), self._newest(row)
        cosines = []
        for store in (self.keys, self.values):
            means = [store[0, row, span].float().mean(0).flatten() for span in spans]
            cosines.append(F.cosine_similarity(means[0], means[1], dim=0))
        return float((cosines[0] + cosines[1]) / 2)

    def _newest(self, row: int) -> slice:
        held, sinks = self.slots[row].held, self.params.sinks
        return self._span(max(range(sinks, len(held)), key=held.__getitem__))

    def _span(self, slot: int) -> slice:
        return slice(slot * self.tokens, (slot + 1) * self.tokens)


class Look:
    """A pass: writes its block's keys and values into the ring and attends to all of the row.

    Within a block every latent sees every other; the ring holds nothing later. So there is no mask.
    """

    def __init__(self, cache: Cache, blocks: Mapping[int, Sequence[int]]) -> None:
        self.cache, self.rows = cache, list(blocks)
        self.places = [cache.slots[row].place(latents) for row, latents in blocks.items()]
        self.filled = [len(cache.slots[row].held) * cache.tokens for row in self.rows]
        self.turns = []
        for row, places in zip(self.rows, self.places, strict=True):
            times = cache.slots[row].times()
            whole = self._angles(times)
            self.turns.append((self._angles([times[slot] for slot in places]), whole))
        self.together = len(set(self.filled)) == 1 and self._stacked()

    def attend(self, layer: int, q: Tensor, k: Tensor, v: Tensor) -> Tensor:
        """See transformer.Memory; batch entry i is row `rows[i]`."""
        for i in range(len(self.rows)):
            self._write(layer, i, k, v)
        if self.together:
            turns = [torch.cat([turn[part] for turn in self.turns]) for part in (0, 1)]
            rows = slice(self.rows[0], self.rows[-1] + 1)
            return self._attend(layer, rows, self.filled[0], q, turns[0], turns[1])
        parts = [
            self._attend(layer, slice(row, row + 1), self.filled[i], q[i : i + 1], *self.turns[i])
            for i, row in enumerate(self.rows)
        ]
        return torch.cat(parts)

    def _stacked(self) -> bool:
        return self.rows == list(range(self.rows[0], self.rows[0] + len(self.rows)))

    def _angles(self, times: Sequence[int]) -> Tensor:
        cache = self.cache
        return angles(times, *cache.grid, cache.wan.head_dim, cache.keys.device)

    def _write(self, layer: int, i: int, k: Tensor, v: Tensor) -> None:
        tokens = self.cache.tokens
        for n, slot in enumerate(self.places[i]):
            into, taken = slice(slot * tokens, (slot + 1) * tokens), slice(n * tokens, None)
            self.cache.keys[layer, self.rows[i], into] = k[i, taken][:tokens]
            self.cache.values[layer, self.rows[i], into] = v[i, taken][:tokens]

    def _attend(
        self, layer: int, rows: slice, filled: int, q: Tensor, mine: Tensor, all_: Tensor
    ) -> Tensor:
        keys = rotate(self.cache.keys[layer, rows, :filled], all_)
        values = self.cache.values[layer, rows, :filled]
        return attention(rotate(q, mine).to(q.dtype), keys.to(q.dtype), values.to(q.dtype))


class Together:
    """One pass of several streams, each with a memory of its own: batch entry i is looks[i]'s."""

    def __init__(self, looks: Sequence[Look]) -> None:
        self.looks = looks

    def attend(self, layer: int, q: Tensor, k: Tensor, v: Tensor) -> Tensor:
        """See transformer.Memory."""
        parts = [
            look.attend(layer, q[i : i + 1], k[i : i + 1], v[i : i + 1])
            for i, look in enumerate(self.looks)
        ]
        return torch.cat(parts)


class Whole:
    """Memory of a whole clip at once, under a mask: the truth that the ring is tested against.

    mask: [tokens, tokens], True where a query (row) may look; None: everywhere.
    """

    def __init__(self, turn: Tensor, mask: Tensor | None = None) -> None:
        self.turn, self.mask = turn, mask

    def attend(self, layer: int, q: Tensor, k: Tensor, v: Tensor) -> Tensor:
        """See transformer.Memory."""
        return attention(rotate(q, self.turn), rotate(k, self.turn), v, self.mask)


def causal_mask(frames: int, tokens: int, params: CacheParams) -> Tensor:
    """Which token of a clip may look at which, as a full ring without renewal would have it."""
    frame = torch.arange(frames).repeat_interleave(tokens)
    block = frame // params.block
    past = block[None, :] <= block[:, None]
    oldest = (block + 1) * params.block - (params.window - params.sinks)
    return past & ((frame[None, :] >= oldest[:, None]) | (frame[None, :] < params.sinks))
