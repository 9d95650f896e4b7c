"""How good a painter is on pairs that it never saw, beside the honest baselines.

Baselines: the source itself, the `filter` backend, and for each class of things and each style the
colour map (gain, luma and bias of each colour) that fits the training pictures best.
"""

from collections import defaultdict
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
import torch.nn.functional as F
from numpy.typing import NDArray
from torch import Tensor

from streaming.backends.base import Backend
from streaming.diffusion.measure import psnr, ssim
from streaming.diffusion.model import Tiny
from streaming.diffusion.pairs import Clip, evenly, pictures

Pixels = NDArray[np.uint8]
Paint = Callable[[Clip], Pixels]
_LUMA = np.array([0.299, 0.587, 0.114], np.float32)
_SKY = 10  # train ids from here on: sky and what moves by itself


@dataclass(frozen=True, slots=True)
class Scores:
    """Means over clips. psnr [dB], ssim; features: distance in the network's own encoder.

    edges: share of the source's edges found again; warp: error of the picture against the one
    before, carried by exact flow [levels].
    """

    psnr: float
    ssim: float
    features: float
    edges: float
    warp: float
    clips: int

    def row(self) -> dict[str, float]:
        """For JSON."""
        return {name: round(getattr(self, name), 4) for name in self.__slots__}


def through(backend: Backend) -> Paint:
    """Paint a clip as a stream."""

    def paint(clip: Clip) -> Pixels:
        painter = backend.painter()
        source = clip.source()
        bgra = np.full((*source.shape[:3], 4), 255, np.uint8)
        bgra[..., :3] = source[..., ::-1]
        return np.stack([painter.style(f, "", 0, clip.style)[..., 2::-1] for f in bgra])

    return paint


def identity(clip: Clip) -> Pixels:
    """The source."""
    return clip.source()


def colour_map(clips: tuple[Clip, ...], most: int = 40) -> Paint:
    """The best map per class and style, fitted on up to `most` clips a style."""
    picked: dict[tuple[str, int], list[tuple[NDArray[Any], NDArray[Any]]]] = defaultdict(list)
    for style in {clip.style for clip in clips}:
        for clip in evenly([clip for clip in clips if clip.style == style], most):
            source, target, kinds = (
                a[0, ::3, ::3] for a in (clip.source(), clip.target(), clip.kinds())
            )
            for kind in np.unique(kinds):
                here = kinds == kind
                picked[style, int(kind)].append((_terms(source[here]), target[here]))
    maps = {
        key: np.linalg.lstsq(
            np.concatenate([a for a, _ in some]), np.concatenate([b for _, b in some]), rcond=None
        )[0]
        for key, some in picked.items()
    }

    def paint(clip: Clip) -> Pixels:
        source, kinds = clip.source(), clip.kinds()
        out = source.astype(np.float32)
        for kind in np.unique(kinds):
            fit = maps.get((clip.style, int(kind)))
            if fit is not None:
                here = kinds == kind
                out[here] = _terms(source[here]) @ fit
        return np.asarray(np.rint(np.clip(out, 0, 255)), np.uint8)

    return paint


def _terms(colour: Pixels) -> NDArray[np.float32]:
    """(n, 4): red, green, blue and one."""
    own = np.ones((len(colour), 4), np.float32)
    own[:, :3] = colour
    return own


def judge(clips: tuple[Clip, ...], paint: Paint, net: Tiny) -> tuple[Scores, dict[str, float]]:
    """Mean scores over all clips, and PSNR by style. net: whose encoder measures features."""
    rows: list[tuple[float, ...]] = []
    by_style: dict[str, list[float]] = defaultdict(list)
    for clip in clips:
        made, wanted = paint(clip), clip.target()
        a, b = pictures(made), pictures(wanted)
        near = psnr(a, b)
        by_style[clip.style].append(near)
        rows.append(
            (near, ssim(a, b), feature_distance(net, a, b),
             edge_recall(clip.source(), made), warp_error(clip, made))
        )  # fmt: skip
    near, alike, features, edges, warp = np.nanmean(np.array(rows), axis=0).tolist()
    scores = Scores(near, alike, features, edges, warp, len(clips))
    return scores, {k: float(np.mean(v)) for k, v in by_style.items()}


@torch.no_grad()
def feature_distance(net: Tiny, one: Tensor, other: Tensor) -> float:
    """Mean squared difference of unit feature vectors, over the four levels of the encoder."""
    total = 0.0
    for a, b in zip(net.encode(one), net.encode(other), strict=True):
        gap = F.normalize(a, dim=1) - F.normalize(b, dim=1)
        total += float(gap.square().sum(1).mean())
    return total / 4


def _gradient(rgb: Pixels) -> NDArray[np.float32]:
    luma = rgb.astype(np.float32) @ _LUMA
    made = np.zeros_like(luma)
    made[:, 1:-1] += np.abs(luma[:, 2:] - luma[:, :-2])
    made[1:-1] += np.abs(luma[2:] - luma[:-2])
    return made


def edge_recall(source: Pixels, styled: Pixels) -> float:
    """Share of the strongest tenth of the source's edges within 1 px of the styled fifth."""
    found: list[float] = []
    for before, after in zip(source, styled, strict=True):
        a, b = _gradient(before), _gradient(after)
        strong, near = a > np.quantile(a, 0.9), b > np.quantile(b, 0.8)
        grown = near.copy()
        for dy in (-1, 0, 1):
            for dx in (-1, 0, 1):
                grown |= np.roll(near, (dy, dx), (0, 1))
        found.append(float((strong & grown).sum() / max(int(strong.sum()), 1)))
    return float(np.mean(found))


def warp_error(clip: Clip, styled: Pixels) -> float:
    """Mean difference [levels] to the frame before, carried by exact flow; what stands still."""
    flow, kinds = clip.flow().astype(np.float32), clip.kinds()
    height, width = kinds.shape[1:]
    rows, columns = np.mgrid[0:height, 0:width]
    found: list[float] = []
    for at in range(1, len(styled)):
        moved = np.nan_to_num(flow[at - 1], nan=1e6)
        x = np.rint(columns - moved[..., 0]).astype(np.int64)
        y = np.rint(rows + moved[..., 1]).astype(np.int64)
        counts = (x >= 0) & (x < width) & (y >= 0) & (y < height) & (kinds[at] < _SKY)
        x, y = np.clip(x, 0, width - 1), np.clip(y, 0, height - 1)
        counts &= kinds[at - 1][y, x] == kinds[at]
        apart = np.abs(styled[at - 1][y, x].astype(np.int16) - styled[at]).mean(axis=2)
        found.append(float(apart[counts].mean()) if counts.any() else np.nan)
    return float(np.nanmean(found))


def compare(
    train: tuple[Clip, ...], test: tuple[Clip, ...], painters: Mapping[str, Paint], net: Tiny,
    say: Callable[[str], None],
) -> dict[str, dict[str, Any]]:  # fmt: skip
    """Scores of each painter and of the baselines; `target` says what the ideal would score."""
    everyone: dict[str, Paint] = {
        **painters, "identity": identity, "colour map": colour_map(train), "target": Clip.target,
    }  # fmt: skip
    told: dict[str, dict[str, Any]] = {}
    for name, paint in everyone.items():
        scores, styles = judge(test, paint, net)
        told[name] = {**scores.row(), "by_style": {k: round(v, 2) for k, v in styles.items()}}
        say(f"{name}: {told[name]}")
    return told
