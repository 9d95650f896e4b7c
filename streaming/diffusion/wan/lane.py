"""One player's frames at the engine: which enter, with which prompt, and what has come out.

Latest wins before a chunk is taken; once taken, every frame comes out. Where the engine is slower
than the frames come, they are thinned evenly, so that motion stays even. A new prompt pushes out
what waits with the old one, and fades in over chunks.
"""

import threading
from collections.abc import Callable
from concurrent.futures import Future
from dataclasses import dataclass

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from streaming.backends.base import Finished
from streaming.diffusion.wan.intake import Intake
from streaming.diffusion.wan.rig import Rig
from streaming.diffusion.wan.stream import Stream, fade
from streaming.frames import Pixels

FADE = 3
"""Chunks over which one prompt becomes the next: 0.4 s at 30 frames/s."""
_TICKS_HZ = 60.0
_SLACK = 0.4  # of the distance between frames, for ticks that are no multiple of it


@dataclass(frozen=True, slots=True)
class Chunk:
    """Frames that are painted together. frames: [3, T, H, W] on the device."""

    ticks: tuple[int, ...]
    shapes: tuple[tuple[int, int], ...]
    frames: Tensor
    seed: int


class Lane:
    """See backends.base.PictureStream. wake: tells the engine that something has come.

    The engine calls full, chunk, came and failed from its own thread.
    """

    def __init__(
        self,
        rig: Rig,
        stream: Stream,
        ask: Callable[[str, str], "Future[Tensor]"],
        wake: Callable[[], None],
        ready: Callable[[], None],
        leave: Callable[["Lane"], None],
    ) -> None:
        self.rig, self.stream = rig, stream
        self._ask, self._wake, self._ready, self._leave = ask, wake, ready, leave
        self._lock = threading.Lock()
        self._intake: Intake[Pixels] = Intake(max(stream.wanted, 4 * rig.card.cache.block))
        self._wish: tuple[str, str] | None = None
        self._seed = 0
        self._text: Future[Tensor] | None = None
        self._heard: Future[Tensor] | None = None
        self._shown: Tensor | None = None
        self._out: list[Finished] = []
        self._due, self._thinned = 0.0, 0
        self.closed, self.served = False, 0.0
        self.frame_s = 0.0  # that the engine takes for a frame of this player; the engine's

    @property
    def dropped(self) -> int:
        """Frames that never entered."""
        return self._intake.dropped + self._thinned

    def put(self, tick: int, frame: Pixels, prompt: str, seed: int, style: str = "") -> None:
        """See PictureStream."""
        with self._lock:
            if self._wish != (prompt, style):
                self._wish = prompt, style
                self._text = self._ask(prompt, style)
                self._intake.flush()
            self._seed = seed
            if tick < self._due:
                self._thinned += 1
                return
            apart = self.frame_s * _TICKS_HZ
            self._due = max(self._due, tick - _SLACK * apart) + apart
            self._intake.put(tick, frame, 0.0)
        self._wake()

    def take(self) -> list[Finished]:
        """See PictureStream."""
        with self._lock:
            out, self._out = self._out, []
        return out

    def close(self) -> None:
        """See PictureStream; its memory is given back once the engine is done with it."""
        self.closed = True
        self._leave(self)

    def full(self) -> bool:
        """Whether a chunk can be taken: its frames are there, and the words are understood."""
        known = self._text is not None and self._text.done()
        return known and not self.closed and len(self._intake) >= self.stream.wanted

    def chunk(self) -> Chunk:
        """The frames of the next chunk, and the words that they came with."""
        with self._lock:
            taken, seed = self._intake.take(self.stream.wanted), self._seed
            self._heard = self._text
        frames = to_tensor([one.frame for one in taken], self.rig)
        shapes = tuple((one.frame.shape[0], one.frame.shape[1]) for one in taken)
        return Chunk(tuple(one.tick for one in taken), shapes, frames, seed)

    def hear(self) -> None:
        """Turn to the prompt of the chunk, if it is another. Raises what reading it raised."""
        assert self._heard is not None
        wanted = self._heard.result()
        if wanted is self._shown:
            return
        before = wanted if self._shown is None else self._shown
        chunks = 1 if self._shown is None else FADE
        self.stream.say(fade(self.rig.model.prompt, before, wanted, chunks))
        self._shown = wanted

    def came(self, finished: list[Finished]) -> None:
        """Hand on what is painted, or is not."""
        with self._lock:
            self._out += finished
        self._ready()


def to_tensor(frames: list[Pixels], rig: Rig) -> Tensor:
    """BGRA pictures as [3, T, H, W] in -1..1 at the card's size, on its device."""
    card = rig.card
    parts = []
    for frame in frames:
        raw = torch.from_numpy(np.ascontiguousarray(frame[..., 2::-1])).to(rig.device)
        parts.append(scaled(raw.permute(2, 0, 1)[None].float(), card.height, card.width))
    return torch.cat(parts).transpose(0, 1) / 127.5 - 1


def to_pixels(frames: list[Tensor], shape: tuple[int, int]) -> list[Pixels]:
    """Frames [3, H, W] in -1..1 as (height, width, 4) BGRA of `shape`; one copy from the device."""
    if not frames:
        return []
    levels = scaled((torch.stack(frames).float() + 1) * 127.5, *shape).round().clamp(0, 255)
    rgb = levels.to(torch.uint8).permute(0, 2, 3, 1).cpu().numpy()
    out = np.full((len(frames), *shape, 4), 255, np.uint8)
    out[..., :3] = rgb[..., ::-1]
    return list(out)


def scaled(pictures: Tensor, height: int, width: int) -> Tensor:
    """[N, 3, h, w] at another size: means of areas where it shrinks, else smooth."""
    if pictures.shape[-2:] == (height, width):
        return pictures
    if pictures.shape[-2] >= height and pictures.shape[-1] >= width:
        return F.interpolate(pictures, (height, width), mode="area")
    return F.interpolate(pictures, (height, width), mode="bicubic", align_corners=False)
