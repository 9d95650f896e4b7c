"""Whole films through a card's network: as many frames come out as went in, each with its tick.

Alone, or over several processes that torchrun started, each with its share of the blocks. On a
card, encoding, painting and decoding of neighbouring chunks may run side by side.
"""

from collections.abc import Callable, Generator, Iterable, Iterator
from dataclasses import dataclass
from functools import partial
from typing import Any

import torch
import torch.distributed as dist
from torch import Tensor

from streaming.diffusion.wan.balance import shares
from streaming.diffusion.wan.card import Card
from streaming.diffusion.wan.distributed import Share, Wire, follow, join, lead
from streaming.diffusion.wan.lane import FADE, to_pixels, to_tensor
from streaming.diffusion.wan.paint import Fresh, Painted, Sampler
from streaming.diffusion.wan.rig import Rig
from streaming.diffusion.wan.stream import Out, Stream, fade
from streaming.frames import Pixels


@dataclass(frozen=True, slots=True)
class Shot:
    """A frame of a film. pixels: (height, width, 4) BGRA. prompt, style: in force at its tick."""

    tick: int
    pixels: Pixels
    prompt: str = ""
    style: str = ""


class Alone:
    """One process. Every film begins with an empty memory. overlap: see Stages."""

    def __init__(self, card: Card, device: str = "", overlap: bool = False) -> None:
        self.rig = Rig(card, device)
        self.leads = True
        self._stages = Stages(self.rig.device if overlap else torch.device("cpu"))

    def paint(self, shots: Iterable[Shot], seed: int = 0) -> Iterator[tuple[int, Pixels]]:
        """Tick and picture of every shot, in order."""
        stream = self.rig.stream(seed)
        stages, last = self._stages, None
        shape = (0, 0)
        for fresh, shape in chunks(self.rig, stream, shots, stages):
            made = stages.run("paint", partial(_painted, stream, fresh), "encode")
            out = stages.run("decode", partial(stream.give_out, made), "paint")
            if last is not None:
                yield from _shown(last, shape)
            last = out  # shown a chunk later, so that the next one is on its way when we wait
        stages.wait()
        yield from _shown(last or [], shape)
        yield from _shown(stream.give_out(stream.painter.flush()), shape)

    def close(self) -> None:
        """Nothing to say."""


class Ranks:
    """One of several processes under torchrun: gloo on processors, NCCL on cards.

    Rank 0 encodes, decodes and holds the first blocks; the others call `serve`. A film keeps the
    prompt of its first shot.
    """

    def __init__(self, card: Card, device: str = "") -> None:
        rank, count, device = join(device)
        self.leads = rank == 0
        self.rig = Rig(card, device, *shares(card.params.layers, count)[rank])
        self.wire = Wire(self.rig.dtype, self.rig.device)
        self._film: Generator[Painted, None, None] | None = None

    def paint(self, shots: Iterable[Shot], seed: int = 0) -> Iterator[tuple[int, Pixels]]:
        """As Alone; on rank 0."""
        coming = iter(shots)
        first = next(coming, None)
        if first is None:
            return
        stream = self.rig.stream(seed)
        self._tell(self.rig.embedding(first.prompt, first.style), seed)
        shapes: list[tuple[int, int]] = []

        def fresh() -> Iterator[Fresh]:
            whole = _chained(first, coming)
            for new, shape in chunks(self.rig, stream, whole, Stages(torch.device("cpu"))):
                shapes.append(shape)
                yield new

        self._film = lead(self.wire, self._share(seed), fresh())
        for done in self._film:
            yield from _shown(stream.give_out([done]), shapes[-1])

    def serve(self) -> None:
        """Ranks above 0: take part in films until rank 0 closes."""
        while self._hear():
            follow(self.wire, self._share(self._seed))

    def close(self) -> None:
        """Rank 0: no more films, and no more of this one. All: leave the group."""
        if self._film is not None:
            self._film.close()
        if self.wire.lost:
            return
        if self.leads:
            dist.broadcast(torch.tensor([0, 0], device=self.rig.device), 0)
        dist.barrier()
        dist.destroy_process_group()

    def _share(self, seed: int) -> Share:
        rows = len(self.rig.card.sample.timesteps) if self.rig.card.mode == "batched" else 1
        with torch.no_grad():
            prompt = self.rig.model.prompt(self._text)
        return Share(self.rig.model, self.rig.cache(rows), Sampler(self.rig.card.sample, seed),
                     prompt)  # fmt: skip

    def _tell(self, text: Tensor, seed: int) -> None:
        self._text, self._seed = text.float().contiguous(), seed
        dist.broadcast(torch.tensor([1, seed], device=self.rig.device), 0)
        dist.broadcast(self._text, 0)

    def _hear(self) -> bool:
        told = torch.zeros(2, dtype=torch.int64, device=self.rig.device)
        dist.broadcast(told, 0)
        if not int(told[0]):
            return False
        params = self.rig.card.params
        self._text = torch.empty(1, params.text_tokens, params.text_dim, device=self.rig.device)
        dist.broadcast(self._text, 0)
        self._seed = int(told[1])
        return True


class Stages:
    """CUDA streams for stages of the work, so that they overlap; on a processor, one by one."""

    def __init__(self, device: torch.device) -> None:
        on_card = device.type == "cuda"
        self._streams: dict[str, Any] = {
            name: torch.cuda.Stream(device) for name in ("encode", "paint", "decode") if on_card
        }

    def run(self, name: str, act: Callable[[], Any], after: str = "") -> Any:
        """The result of `act`, run once the stage `after` has done what it has got."""
        own = self._streams.get(name)
        if own is None:
            return act()
        if after:
            own.wait_stream(self._streams[after])
        with torch.cuda.stream(own):
            made = act()
        for tensor in _tensors(made):
            for other in self._streams.values():
                tensor.record_stream(other)
        return made

    def wait(self) -> None:
        """Until everything is done."""
        for stream in self._streams.values():
            stream.synchronize()


def launched() -> bool:
    """Whether torchrun started this process."""
    return dist.is_available() and dist.is_torchelastic_launched()


def chunks(
    rig: Rig, stream: Stream, shots: Iterable[Shot], stages: Stages
) -> Iterator[tuple[Fresh, tuple[int, int]]]:
    """What the painter takes, chunk by chunk, and the shape of its frames.

    A new prompt begins with the next chunk. The last chunk is filled with its last frame.
    """
    waiting: list[Shot] = []
    wish: tuple[str, str] | None = None
    text: Tensor | None = None
    for shot in _and_none(shots):
        if shot is not None:
            waiting.append(shot)
        if not waiting or (shot is not None and len(waiting) < stream.wanted):
            continue
        asked = waiting[-1].prompt, waiting[-1].style
        if asked != wish:
            wanted = rig.embedding(*asked)
            with torch.no_grad():
                told = fade(rig.model.prompt, wanted if text is None else text, wanted,
                            1 if text is None else FADE)  # fmt: skip
            stream.say(told)
            wish, text = asked, wanted
        ticks = [one.tick for one in waiting]
        pixels = [one.pixels for one in waiting]
        pixels += pixels[-1:] * (stream.wanted - len(pixels))
        waiting = []

        def encode(ticks: list[int] = ticks, pixels: list[Pixels] = pixels) -> Fresh:
            return stream.take_in(ticks, to_tensor(pixels, rig))

        yield stages.run("encode", encode), (pixels[0].shape[0], pixels[0].shape[1])


def _painted(stream: Stream, fresh: Fresh) -> list[Painted]:
    return stream.painter.paint(fresh.latents, fresh.scale, fresh.first)


def _shown(out: list[Out], shape: tuple[int, int]) -> Iterator[tuple[int, Pixels]]:
    pictures = to_pixels([one.frame for one in out], shape)
    yield from zip((one.tick for one in out), pictures, strict=True)


def _tensors(made: Any) -> Iterator[Tensor]:
    for one in made if isinstance(made, list) else [made]:
        for name in ("latents", "frame"):
            if hasattr(one, name):
                yield getattr(one, name)


def _and_none(shots: Iterable[Shot]) -> Iterator[Shot | None]:
    yield from shots
    yield None


def _chained(first: Shot, coming: Iterator[Shot]) -> Iterator[Shot]:
    yield first
    yield from coming
