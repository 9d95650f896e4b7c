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

LUMA_SOURCE = 3.0
"""Mean difference of a 16x16 luma print [levels of 255] between what the server received and what
the recording holds, worst frame. Measured on a drive down a street at 10 m/s: VP8 at 300 kbit/s
moves it by 1.2 at most; a frame from 1 s away by 2.9 at least, from 2 s by 4.8, a median of 6."""
LUMA_RENDER = 5.0
"""The same against our own render of sampled ticks; more, since graphics cards differ."""

PIXEL_LEVELS = 24
"""A pixel differs when a channel is off by more. Near-lossless video stays within 14."""
GEOMETRY_TILE = 30
GEOMETRY_WORST: Mapping[str, float] = {"same": 0.08, "other": 0.35}
"""Share of differing pixels in the worst 30x30 tile of a sampled frame, by whether the recording
names our renderer family. Same family, through near-lossless video: 0.009 at worst. softpipe
against llvmpipe: 0.28 % of all pixels, all at edges. A car that is missing fills tiles."""
GEOMETRY_MEAN: Mapping[str, float] = {"same": 0.01, "other": 0.03}
"""Share of differing pixels in the whole frame, worst sample. Same family: 0.0001 at worst."""
CHECK_LEVELS = 2
CHECK_MEAN: Mapping[str, float] = {"same": 0.001, "other": 0.03}
"""As above for lossless check frames, where more than two levels count as different already."""

# The rows below were set on one 8 s drive, 24 samples, 480 px, in all six styles of `filter`.
# `tiny` and the row for unlisted models are guesses on the safe side until there are such frames.

BLUR: Mapping[str | None, float] = {"filter": 0.85, "tiny": 0.45, None: 0.45}
"""Sharpness of the styled frame over the source's, at 240 px (1 = as sharp), median of samples.
filter: 1.01 clean in every style, 0.97 through VP8 at 300 kbit/s; blur of sigma 1.5 px 0.82,
2 px 0.74, 3 px 0.59. A blur of 1 px (0.91) passes."""

TEMPORAL: Mapping[str | None, float] = {"filter": 2.2, "tiny": 3.0, None: 3.0}
"""Error of the styled frame warped by exact flow over that of the source, plus `TEMPORAL_FLOOR`
levels in both so that a perfect source does not divide by nothing. Median of samples. filter: 0.8
to 1.3 by style, 1.5 through VP8 at 2.5 Mbit/s, 1.8 at 300 kbit/s; flicker of +-20 levels 2.7,
noise of sigma 12 a frame 3.0. Flicker of +-10 (2.1) passes."""
TEMPORAL_FLOOR = 3.0
TEMPORAL_LEAST = 0.10
"""Share of pixels that must be left after masking for a sample to count."""
FROZEN = 0.15
"""A styled frame that changed less than this share of what the source changed stands still."""
FROZEN_LEAST = 1.0
"""Mean change of the source [levels] from which on standing still is noticed."""

STRUCTURE: Mapping[str | None, StructureLimits] = {
    "filter": StructureLimits(recall=0.35, precision=0.80, bad_tiles=0.45),
    "tiny": StructureLimits(recall=0.25, precision=0.30, bad_tiles=0.60),
    None: StructureLimits(recall=0.25, precision=0.25, bad_tiles=0.60),
}
"""filter, clean: recall 0.72 (day) to 0.44 (night), precision 0.97 to 1.00, 0.92 through VP8 at
300 kbit/s, tiles 0.25 at most (night). Mirrored: precision 0.71; moved by 8 px 0.74, by 25 px
0.64. What is as precise as the geometry but of another second (0.84) is the journal's to find."""

PAIRED = 0.90
"""Share of source frames with a styled partner. Below, the drive is not a stream of pairs."""


def by_model(table: Mapping[str | None, float], model: str) -> float:
    """The row for a model, or the row for unlisted ones."""
    return table.get(model, table[None])
