"""Pictures against golden ones: how far they are apart, and whether that is too far.

A golden picture is a PNG that a person looked at and kept. Renderers differ in single shades and at
edges, so a few pixels may; a moved building may not. Owns the measure; keeps no folder.
"""

from dataclasses import dataclass
from pathlib import Path

import av
import numpy as np
from numpy.typing import NDArray

Rgb = NDArray[np.uint8]


@dataclass(frozen=True, slots=True)
class Tolerance:
    """shade: a pixel differs when a channel is further off than this (0 .. 255), for the best of
    the `reach` pixels round about. share: of all pixels may differ. mean: shades, over all.
    """

    shade: int = 24
    reach: int = 1
    share: float = 0.002
    mean: float = 2.0


@dataclass(frozen=True, slots=True)
class Difference:
    """share: of pixels that differ. mean, worst: shades. why: '' where it is close enough."""

    share: float
    mean: float
    worst: int
    why: str

    @property
    def same(self) -> bool:
        """Close enough."""
        return not self.why


def read_png(path: Path) -> Rgb:
    """A picture file as (h, w, 3) RGB. Raises OSError, ValueError where it is none."""
    try:
        with av.open(str(path)) as file:
            return np.asarray(next(file.decode(video=0)).to_ndarray(format="rgb24"), np.uint8)
    except (av.error.FFmpegError, StopIteration, IndexError) as error:
        if isinstance(error, OSError):
            raise
        raise ValueError(f"{path} is no picture: {error}") from error


def apart(golden: Rgb, seen: Rgb, reach: int = 1) -> NDArray[np.uint8]:
    """How far each pixel is off, (h, w) shades: the worst channel, to the nearest of the golden
    picture's pixels within `reach`, so that an edge may lie a pixel beside itself.
    """
    height, width = golden.shape[:2]
    best = np.full((height, width), 255, np.uint8)
    padded = np.pad(golden, ((reach, reach), (reach, reach), (0, 0)), mode="edge").astype(np.int16)
    wanted = seen.astype(np.int16)
    for down in range(2 * reach + 1):
        for across in range(2 * reach + 1):
            moved = padded[down : down + height, across : across + width]
            off = np.abs(moved - wanted).max(axis=2).astype(np.uint8)
            np.minimum(best, off, out=best)
    return best


def compare(golden: Rgb, seen: Rgb, tolerance: Tolerance | None = None) -> Difference:
    """Judge a picture by its golden one; both (h, w, 3)."""
    tolerance = tolerance or Tolerance()
    if golden.shape != seen.shape:
        sizes = " and ".join(f"{p.shape[1]}x{p.shape[0]}" for p in (golden, seen))
        return Difference(1.0, 255.0, 255, f"sizes differ: {sizes}")
    off = apart(golden, seen, tolerance.reach)
    share = float((off > tolerance.shade).mean())
    mean = float(np.abs(golden.astype(np.int16) - seen).mean())
    why = []
    if share > tolerance.share:
        why.append(f"{share:.2%} of the pixels differ, {tolerance.share:.2%} may")
    if mean > tolerance.mean:
        why.append(f"{mean:.1f} shades apart on average, {tolerance.mean:.1f} may be")
    return Difference(share, mean, int(off.max()), "; ".join(why))
