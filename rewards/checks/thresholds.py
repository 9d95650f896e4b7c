"""Every number that a check compares with, in one table, with how it was set.

A change here changes verdicts to come, never one that was given. `None` in a by-backend table is
the row for models that are not listed.
"""

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class StructureLimits:
    """recall: share of the geometry's edges found in the styled frame (median over samples).

    precision: share of the styled frame's edges that the geometry has. bad_tiles: share of tiles
    with strong geometry edges of which under 30 % are found again.
    """

    recall: float
    precision: float
    bad_tiles: float


PACE = 0.03
"""Ticks a second on the server's clock may differ from 60 by this share. From the threat model."""
PACE_SKIP_S = 2.0
"""The first seconds do not count: windows open, encoders start."""
PACE_LEAST_S = 5.0
"""A shorter journal says nothing about pace; its pairs stay `self`."""

LUMA_SOURCE = 10.0
"""Mean difference of a 16x16 luma print [levels of 255] between what the server received and what
the recording holds, worst frame. VP8 at 300 kbit/s moved it by at most 3.1 in our runs; a frame
of two seconds later by 12 and more."""
LUMA_RENDER = 12.0
"""The same against our own render of sampled ticks; more, since graphics cards differ."""

PIXEL_LEVELS = 24
"""A pixel differs when a channel is off by more. Near-lossless video stays within 14."""
GEOMETRY_TILE = 30
GEOMETRY_WORST: Mapping[str, float] = {"same": 0.20, "other": 0.35}
"""Share of differing pixels in the worst 30x30 tile of a sampled frame, by whether the recording
names our renderer family. softpipe against llvmpipe: 0.28 % of all pixels, all of them at edges;
a car that is missing fills tiles."""
GEOMETRY_MEAN: Mapping[str, float] = {"same": 0.01, "other": 0.03}
"""Share of differing pixels in the whole frame, worst sample."""
CHECK_LEVELS = 2
CHECK_MEAN: Mapping[str, float] = {"same": 0.001, "other": 0.03}
"""As above for lossless check frames, where two levels count as different already."""

BLUR: Mapping[str | None, float] = {"filter": 0.45, "tiny": 0.30, None: 0.30}
"""Sharpness of the styled frame over the source's, at 240 px (1 = as sharp), median of samples."""

TEMPORAL: Mapping[str | None, float] = {"filter": 4.0, "tiny": 3.0, None: 3.0}
"""Error of the styled frame warped by exact flow over that of the source, plus `TEMPORAL_FLOOR`
levels in both so that a perfect source does not divide by nothing. Median of samples."""
TEMPORAL_FLOOR = 3.0
TEMPORAL_LEAST = 0.10
"""Share of pixels that must be left after masking for a sample to count."""

STRUCTURE: Mapping[str | None, StructureLimits] = {
    "filter": StructureLimits(recall=0.55, precision=0.45, bad_tiles=0.25),
    "tiny": StructureLimits(recall=0.35, precision=0.25, bad_tiles=0.45),
    None: StructureLimits(recall=0.30, precision=0.20, bad_tiles=0.50),
}

PAIRED = 0.90
"""Share of source frames with a styled partner. Below, the drive is not a stream of pairs."""


def by_model(table: Mapping[str | None, float], model: str) -> float:
    """The row for a model, or the row for unlisted ones."""
    return table.get(model, table[None])
