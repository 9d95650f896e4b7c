"""One live stream over several processes: rank 0 serves, the others hold their blocks and wait.

    rank 0: engine thread --word, tokens--> rank 1 ... --> last rank --word, blocks--> rank 0

A block at a time, every step of it, before the next. What changes between blocks (prompt, seed, a
stream that begins) goes round as a word before the block that it is for; while nobody plays, an
empty word goes round every few seconds, so that a process that died is missed.
"""

import contextlib
import logging
import signal
from collections.abc import Callable, Iterator
from datetime import timedelta

import torch
from torch import Tensor

from streaming.diffusion.wan.balance import shares
from streaming.diffusion.wan.cache import Cache
from streaming.diffusion.wan.card import Card
from streaming.diffusion.wan.distributed import Share, Wire, Word, follow, join
from streaming.diffusion.wan.errors import BadOption, RankLost
from streaming.diffusion.wan.paint import CLEAN, Block, Painted, Sampler, stacked, told
from streaming.diffusion.wan.rig import Rig
from streaming.diffusion.wan.transformer import Prompt, WanModel

log = logging.getLogger(__name__)

BEAT_S = 3.0
"""Between empty words while nobody plays."""
_PATIENCE = timedelta(seconds=600)  # that a rank may take for a block: kernels are compiled in it

Lost = Callable[[RankLost], None]


class Chain:
    """Rank 0's hold of the others. Only the engine's thread may paint, and none once it is over.

    lost: why it broke, once it did. watch: told so, from any thread.
    """

    def __init__(self, card: Card, device: str = "") -> None:
        if card.mode != "sequential":
            raise BadOption(
                'several processes serve one block at a time; put "mode": "sequential" on the card'
            )
        self.lost: RankLost | None = None
        self.watch: Lost = lambda error: None
        self.holder: Chained | None = None
        self.rig, self.wire = _joined(card, device)
        self.rig.kind = self._painter

    @contextlib.contextmanager
    def minding(self) -> Iterator[None]:
        """Around what is sent or awaited. Raises RankLost, at once where one was lost before."""
        if self.lost is not None:
            raise self.lost
        try:
            yield
        except RankLost as error:
            self.lost = error
            self.watch(error)
            raise

    def beat(self) -> None:
        """While nobody plays: are all there?"""
        with contextlib.suppress(RankLost), self.minding():
            self.wire.tell(Word())

    def close(self) -> None:
        """Send the others home."""
        with contextlib.suppress(RankLost), self.minding():
            self.wire.stop()

    def _painter(self, model: WanModel, cache: Cache, sampler: Sampler) -> "Chained":
        return Chained(self, model, cache, sampler)


class Chained:
    """A Painter whose blocks go round the ring (see paint.Painter)."""

    def __init__(self, chain: Chain, model: WanModel, cache: Cache, sampler: Sampler) -> None:
        self.chain, self.model, self.cache, self.sampler = chain, model, cache, sampler
        self.prompt: Prompt | None = None
        self._told: tuple[Prompt, int] | None = None
        self._number = 0

    @torch.no_grad()
    def paint(self, latents: Tensor, scale: float, first: int | None) -> list[Painted]:
        """The block itself, finished. Raises RankLost."""
        share = Share(self.model, self.cache, self.sampler, told(self))
        self._tell(share.prompt)
        block = self.sampler.begin(self._number, latents, scale, first)
        while not block.done:
            block = self._round(share, block)
        if self.sampler.params.clean_pass:
            self._round(share, Block(block.number, block.x, CLEAN))
        self._number += 1
        return [Painted(block.number, block.x)]

    def flush(self) -> list[Painted]:
        """Nothing is ever under way."""
        return []

    def reset(self) -> None:
        """See Painter; the other ranks hear of it with the next block."""
        self.cache.reset()
        self._number = 0
        if self.chain.holder is self:
            self.chain.holder = None

    def _tell(self, prompt: Prompt) -> None:
        """What the other ranks do not know yet."""
        fresh = self.chain.holder is not self
        if fresh:
            self.cache.reset()
            self._number, self._told = 0, None
            self.chain.holder = self
        if self._told != (prompt, self.sampler.seed):
            with self.chain.minding():
                self.chain.wire.tell(Word(fresh, self.sampler.seed, prompt.text))
            self._told = prompt, self.sampler.seed

    def _round(self, share: Share, block: Block) -> Block:
        x, timestep = stacked([block])
        tokens, renewed = share.through(share.model.enter(x, timestep), [block])
        with self.chain.minding():
            self.chain.wire.send_tokens([block], renewed, tokens)
            return self.chain.wire.receive_blocks()[0]


def take_part(card: Card, device: str = "") -> None:
    """Ranks above 0: until rank 0 is done. Raises RankLost.

    Signals that end a server are rank 0's to answer; it tells the others.
    """
    for sign in (signal.SIGINT, signal.SIGTERM):
        signal.signal(sign, signal.SIG_IGN)
    rig, wire = _joined(card, device)
    share = Share(rig.model, rig.cache(1), Sampler(card.sample, 0), Prompt((), ()))
    follow(wire, share)


def _joined(card: Card, device: str) -> tuple[Rig, Wire]:
    rank, count, device = join(device, timeout=_PATIENCE)
    if count > card.params.layers:
        raise BadOption(f"{count} processes for {card.params.layers} blocks; take fewer")
    rig = Rig(card, device, *shares(card.params.layers, count)[rank])
    log.info("wan.rank rank=%d of=%d blocks=%d", rank, count, len(rig.model.blocks))
    return rig, Wire(rig.dtype, rig.device)
