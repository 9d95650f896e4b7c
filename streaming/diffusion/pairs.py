"""Reads a folder of training pairs and cuts batches from it, the same ones for the same step.

The folder's layout is that of `diffusion data`; nothing is loaded before it is cut.
"""

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
import torch.nn.functional as F
from numpy.typing import NDArray
from torch import Tensor

from streaming.diffusion.model import FOLD, STYLES
from streaming.errors import LabelsMissing, PairsMissing

Pixels = NDArray[np.uint8]
_CLASSES = 19  # Cityscapes' train ids; what has none is in no class
_NEAR = 20.0  # where nearness is a half [m]
LABELS = 1 + 3 + _CLASSES
"""Planes of `Clip.labels`."""


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

    def labels(self) -> Tensor:
        """(frames, LABELS, h / 4, w / 4): nearness, normal and class, each fold's mean.

        Raises LabelsMissing where the pairs were made without.
        """
        try:
            depth, normal = (
                torch.from_numpy(
                    np.load(self.drive / f"{name}.npy", mmap_mode="r")[self.row].copy()
                )
                for name in ("depth", "normal")
            )
        except FileNotFoundError as error:
            raise LabelsMissing(self.drive.parent) from error
        kinds = torch.from_numpy(self.kinds().astype(np.int64))
        classes = F.one_hot(kinds.clamp(max=_CLASSES), _CLASSES + 1)[..., :_CLASSES]
        planes = torch.cat([_NEAR / (_NEAR + depth.float()[..., None]), normal.float() / 127,
                            classes.float()], -1)  # fmt: skip
        return F.avg_pool2d(planes.permute(0, 3, 1, 2), FOLD)

    def flow(self) -> NDArray[np.float16]:
        """(frames - 1, h, w, 2) [px]; held-out clips alone have it."""
        return np.asarray(np.load(self.drive / "flow.npy", mmap_mode="r")[self.row])


@dataclass(frozen=True, slots=True)
class Batch:
    """source, target (b, frames, 3, h, w) in 0..1; style (b, styles); place (b, 2, h/4, w/4).

    labels (b, frames, LABELS, h/4, w/4), where they were asked for.
    """

    source: Tensor
    target: Tensor
    style: Tensor
    place: Tensor
    labels: Tensor | None = None


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


def evenly(clips: Sequence[Clip], most: int) -> Sequence[Clip]:
    """At most so many, from all over."""
    return clips[:: max(1, len(clips) // most)][:most]


def spread(clips: tuple[Clip, ...], most: int) -> tuple[Clip, ...]:
    """At most so many, of each style as many as of the others, each style's evenly spread."""
    each = max(1, most // len(STYLES))
    by_style = ([clip for clip in clips if clip.style == style] for style in STYLES)
    return tuple(clip for own in by_style for clip in evenly(own, each))[:most]


def whole_folds(sizes: Iterable[int]) -> None:
    """Raises ValueError for a side that the network cannot take."""
    if odd := [size for size in sizes if size < 32 or size % 32]:
        raise ValueError(f"sizes are in steps of 32 px, not {odd[0]}")


def cut(
    clips: tuple[Clip, ...], seed: int, step: int, batch: int, width: int, frames: int = 2,
    labels: bool = False, side: int = 0,
) -> Batch:  # fmt: skip
    """The batch of one step: columns of `width` [px] over the full height, some mirrored.

    The source is given another exposure and tint and some noise, as other cards and codecs do.
    side: height that columns are scaled to [px], their width rounded to 32; 0 leaves them.
    """
    draw = np.random.default_rng((seed, step))
    sources, targets, styles, places = [], [], [], []
    tints, planes = [], []
    for _ in range(batch):
        clip = clips[int(draw.integers(len(clips)))]
        source, target = clip.source(), clip.target()
        tints.append(np.exp(draw.normal(0.0, 0.05) + draw.normal(0.0, 0.015, 3)))
        full = source.shape[2]
        left = int(draw.integers((full - width) // FOLD + 1)) * FOLD
        order = np.resize(np.arange(len(source))[:: draw.choice((1, -1))], frames)
        across = np.linspace(-1, 1, full // FOLD, dtype=np.float32)
        across = across[left // FOLD : (left + width) // FOLD]
        down = np.linspace(-1, 1, source.shape[1] // FOLD, dtype=np.float32)
        turned = False
        if draw.random() < 0.5:
            source, target, across = source[:, :, ::-1], target[:, :, ::-1], across
            left, turned = full - width - left, True
            across = -across[::-1]
        if labels:  # normals stay those of the world, which the light is of
            told = clip.labels().flip(3) if turned else clip.labels()
            cut_ = told[..., left // FOLD : (left + width) // FOLD]
            planes.append(cut_[torch.from_numpy(order.copy())])
        sources.append(source[:, :, left : left + width][order])
        targets.append(target[:, :, left : left + width][order])
        styles.append(STYLES.index(clip.style))
        places.append(np.stack(np.broadcast_arrays(across[None, :], down[:, None])))
    tinted = np.stack(sources) * np.array(tints, np.float32)[:, None, None, None]
    captured, wanted = (_scaled(p, side) for p in (tinted, np.stack(targets)))
    noise = draw.standard_normal(captured.shape, np.float32) * np.float32(draw.uniform(0.0, 2.0))
    place = torch.from_numpy(np.stack(places))
    quarter = captured.shape[2] // FOLD, captured.shape[3] // FOLD
    return Batch(
        pictures(np.clip(captured + noise, 0, 255)),
        pictures(wanted),
        one_hot(styles),
        F.interpolate(place, quarter, mode="bilinear", align_corners=True),
        _fitted(torch.stack(planes), quarter) if labels else None,
    )


def _scaled(pixels: NDArray[Any], side: int) -> NDArray[Any]:
    """Columns (b, frames, h, w, 3) at another height [px]: means of the area under each pixel."""
    height, width = pixels.shape[2:4]
    if side in (0, height):
        return pixels
    across = max(32, round(width * side / height / 32) * 32)
    planes = np.ascontiguousarray(np.moveaxis(pixels, -1, 2)).astype(np.float32)
    return np.moveaxis(_fitted(torch.from_numpy(planes), (side, across)).numpy(), 2, -1)


def _fitted(planes: Tensor, size: tuple[int, int]) -> Tensor:
    """Planes (..., c, h, w) at another size: means of the area under each."""
    small = F.interpolate(planes.flatten(0, -4), size, mode="area")
    return small.view(*planes.shape[:-2], *size)


def pictures(pixels: NDArray[np.generic]) -> Tensor:
    """(..., h, w, 3) 0..255 as (..., 3, h, w) float 0..1."""
    moved = np.ascontiguousarray(np.moveaxis(pixels, -1, -3)).astype(np.float32)
    return torch.from_numpy(moved) / 255.0


def sized(pixels: NDArray[np.generic], side: int) -> Tensor:
    """As `pictures`, at another size: means of the area under each pixel. side 0: as they are."""
    made = pictures(pixels)
    return made if side in (0, made.shape[-1]) else _fitted(made, (side, side))


def one_hot(styles: list[int]) -> Tensor:
    """(b, styles)."""
    return torch.eye(len(STYLES))[styles]
