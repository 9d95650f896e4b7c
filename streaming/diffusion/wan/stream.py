"""Frames in with their ticks, painted frames out with the same ticks: the whole way of one stream.

Owns how frames become chunks and how a prompt fades into the next. Every frame that went in comes
out once, in order; which frames go in at all is the intake's affair (see intake.py).
"""

from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from streaming.diffusion.wan.paint import Fresh, Painted, Painter
from streaming.diffusion.wan.params import FRAMES_PER_LATENT, CacheParams, SampleParams
from streaming.diffusion.wan.schedule import MotionNoise
from streaming.diffusion.wan.transformer import Prompt
from streaming.diffusion.wan.vae import Autoencoder, standard


@dataclass(frozen=True, slots=True)
class Out:
    """A painted frame [3, H, W] in -1..1 and the tick of the frame that it was painted over."""

    tick: int
    frame: Tensor


class Stream:
    """One player's stream. vae and painter are its own: both carry what was before."""

    def __init__(
        self,
        vae: Autoencoder,
        painter: Painter,
        cache: CacheParams,
        sample: SampleParams,
    ) -> None:
        self.vae, self.painter, self.block, self.sample = vae, painter, cache.block, sample
        self._noise = MotionNoise(sample.noise)
        self._waiting: list[tuple[int, Tensor]] = []
        self._ticks: deque[int] = deque()
        self._fade: deque[Prompt] = deque()
        self._started = False

    @property
    def wanted(self) -> int:
        """Frames that the next chunk takes: one less than a whole block's at first plus one."""
        whole = FRAMES_PER_LATENT * self.block
        return whole if self._started else whole - FRAMES_PER_LATENT + 1

    @property
    def under_way(self) -> int:
        """Frames that went in and have not come out."""
        return len(self._ticks) + len(self._waiting)

    def push(self, tick: int, frame: Tensor) -> list[Out]:
        """A frame [3, H, W] in -1..1; what is finished with it, often nothing."""
        self._waiting.append((tick, frame))
        if len(self._waiting) < self.wanted:
            return []
        ticks, frames = zip(*self._waiting, strict=True)
        self._waiting = []
        return self._chunk(ticks, torch.stack(frames, 1))

    def flush(self) -> list[Out]:
        """The end: what is under way, finished; a chunk cut short is filled with its last frame."""
        out: list[Out] = []
        if self._waiting:
            short = self.wanted - len(self._waiting)
            ticks = [tick for tick, _ in self._waiting]
            frames = [frame for _, frame in self._waiting]
            self._waiting = []
            out += self._chunk(ticks, torch.stack(frames + frames[-1:] * short, 1))
        out += self.give_out(self.painter.flush())
        self._ticks.clear()
        return out

    def forget(self) -> tuple[int, ...]:
        """Begin anew after a failure, with the prompt of before; ticks that will not come out."""
        lost = (*self._ticks, *(tick for tick, _ in self._waiting))
        self.vae.reset()
        self.painter.reset()
        self._noise = MotionNoise(self.sample.noise)
        self._ticks.clear()
        self._waiting, self._started = [], False
        return lost

    def say(self, prompts: list[Prompt]) -> None:
        """Go over to a prompt: one of `prompts` for each coming chunk, the last one stays."""
        self._fade = deque(prompts)

    def take_in(self, ticks: Sequence[int], frames: Tensor) -> Fresh:
        """A whole chunk [3, wanted, H, W] to what the painter takes; now it is under way."""
        self._started = True
        self._ticks.extend(ticks)
        if self._fade:
            self.painter.prompt = self._fade.popleft()
        scale, first = self._noise.next(frames.transpose(0, 1))
        return Fresh(self._taken(self.vae.encode(frames)), scale, first)

    def _chunk(self, ticks: Sequence[int], frames: Tensor) -> list[Out]:
        fresh = self.take_in(ticks, frames)
        return self.give_out(self.painter.paint(fresh.latents, fresh.scale, fresh.first))

    def give_out(self, finished: list[Painted]) -> list[Out]:
        """Frames of painted blocks, each with its tick."""
        out = []
        for block in finished:
            frames = self.vae.decode(self._given(block.latents))
            known = min(frames.shape[1], len(self._ticks))
            out += [Out(self._ticks.popleft(), frames[:, i]) for i in range(known)]
        return out

    def _taken(self, latents: Tensor) -> Tensor:
        """The encoder's latents as the checkpoint was trained to take them."""
        if self.vae.normalised == self.sample.normalise:
            return latents
        return standard(latents, back=self.vae.normalised)

    def _given(self, latents: Tensor) -> Tensor:
        """The checkpoint's latents, always of unit spread, as the decoder takes them."""
        return latents if self.vae.normalised else standard(latents, back=True)


def fade(
    prompt: Callable[[Tensor], Prompt], before: Tensor, after: Tensor, chunks: int
) -> list[Prompt]:
    """Prompts from one text embedding to another in equal parts, the last wholly the new one."""
    return [prompt(torch.lerp(before, after, (i + 1) / chunks)) for i in range(max(chunks, 1))]
