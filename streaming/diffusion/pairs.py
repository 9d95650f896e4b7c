"""Reads a folder of training pairs and cuts batches from it, the same ones for the same step.

The folder's layout is that of `diffusion data`; nothing is loaded before it is cut.
"""

import json
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from streaming.diffusion.model import FOLD, STYLES
from streaming.errors import PairsMissing

Pixels = NDArray[np.uint8]


@dataclass(frozen=True, slots=True)
class Clip:
    """One clip in one style."""

    drive: Path
    row: int
    column: int
    style: str
    street: str

    def source(self) -> Pixels:
        """(frames, h, w, 3) RGB."""
        return np.asarray(np.load(self.drive / "source.npy", mmap_mode="r")[self.row])

    def target(self) -> Pixels:
        """(frames, h, w, 3) RGB."""
        return np.asarray(np.load(self.drive / "target.npy", mmap_mode="r")[self.row, self.column])

    def kinds(self) -> Pixels:
        """(frames, h, w) train ids."""
        return np.asarray(np.load(self.drive / "kinds.npy", mmap_mode="r")[self.row])

    def flow(self) -> NDArray[np.float16]:
        """(frames - 1, h, w, 2) [px]; held-out clips alone have it."""
        return np.asarray(np.load(self.drive / "flow.npy", mmap_mode="r")[self.row])


@dataclass(frozen=True, slots=True)
class Batch:
    """source, target (b, frames, 3, h, w) in 0..1; style (b, styles); place (b, 2, h/4, w/4)."""

    source: Tensor
    target: Tensor
    style: Tensor
    place: Tensor


def find(folder: Path, split: str) -> tuple[Clip, ...]:
    """All clips of a split. Raises PairsMissing where there are none."""
    found: list[Clip] = []
    for drive in sorted(folder.glob("drive-*[0-9]")):
        told = json.loads((drive / "meta.json").read_text("utf-8"))
        for row, clip in enumerate(told["clips"]):
            if clip["split"] == split:
                found += [
                    Clip(drive, row, column, style, clip["street"])
                    for column, style in enumerate(clip["styles"])
                ]
    if not found:
        raise PairsMissing(folder, split)
    return tuple(found)


def cut(clips: tuple[Clip, ...], seed: int, step: int, batch: int, width: int) -> Batch:
    """The batch of one step: columns of `width` [px] over the full height, some mirrored."""
    draw = np.random.default_rng((seed, step))
    sources, targets, styles, places = [], [], [], []
    for _ in range(batch):
        clip = clips[int(draw.integers(len(clips)))]
        source, target = clip.source(), clip.target()
        full = source.shape[2]
        left = int(draw.integers((full - width) // FOLD + 1)) * FOLD
        order = slice(None) if draw.random() < 0.5 else slice(None, None, -1)
        across = np.linspace(-1, 1, full // FOLD, dtype=np.float32)
        across = across[left // FOLD : (left + width) // FOLD]
        down = np.linspace(-1, 1, source.shape[1] // FOLD, dtype=np.float32)
        if draw.random() < 0.5:
            source, target, across = source[:, :, ::-1], target[:, :, ::-1], across
            left = full - width - left
            across = -across[::-1]
        sources.append(source[order, :, left : left + width])
        targets.append(target[order, :, left : left + width])
        styles.append(STYLES.index(clip.style))
        places.append(np.stack(np.broadcast_arrays(across[None, :], down[:, None])))
    noise = draw.normal(0.0, draw.uniform(0.0, 2.0), np.stack(sources).shape).astype(np.float32)
    return Batch(
        pictures(np.stack(sources) + noise),
        pictures(np.stack(targets)),
        one_hot(styles),
        torch.from_numpy(np.stack(places)),
    )


def pictures(pixels: NDArray[np.generic]) -> Tensor:
    """(..., h, w, 3) 0..255 as (..., 3, h, w) float 0..1."""
    moved = np.ascontiguousarray(np.moveaxis(pixels, -1, -3)).astype(np.float32)
    return torch.from_numpy(moved) / 255.0


def one_hot(styles: list[int]) -> Tensor:
    """(b, styles)."""
    return torch.eye(len(STYLES))[styles]
