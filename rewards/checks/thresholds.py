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

LUMA_SOURCE = 2.0
"""Mean difference of a 16x16 luma print [levels of 255] between what the server received and what
the recording holds, worst frame. Over real WebRTC 0.66 at worst of 346 frames; VP8 at 300 kbit/s
1.2. On a drive at 10 m/s a frame from 1 s away is at least 2.9 off, one from 2 s away 4.8, median
6. A swap between neighbours, or while the car waits at a light, stays below and changes little."""
LUMA_RENDER = 4.0
"""The same against our own render of sampled ticks; 0.53 at worst in the same family, more allowed,
since graphics cards differ."""

PIXEL_LEVELS = 20
"""A pixel differs when a channel, after a 3x3 mean on both sides, is off by more. Without the mean
the codec alone fills 10 % of a tile; with it 1 %."""
GEOMETRY_TILE = 30
RENDERER_SAFETY = 16.0
"""A graphics card may be this many times as far off as the second software renderer was."""
SOFTPIPE_WORST, SOFTPIPE_MEAN, SOFTPIPE_CHECK = 0.0089, 0.000035, 0.00054
"""softpipe against llvmpipe (Mesa 22.3.6), 20 views at 480 px, noon and rainy night: worst tile and
whole picture as a sampled frame is compared, whole picture as a lossless one is; the worst view of
each. All at edges. Measured by `make bench ARGS=tolerance`; no graphics card was at hand yet."""
GEOMETRY_WORST: Mapping[str, float] = {
    "same": 0.08, "other": 0.08 + RENDERER_SAFETY * SOFTPIPE_WORST,
}  # fmt: skip
"""Share of differing pixels in the worst 30x30 tile of a sampled frame, by whether the recording
names our renderer family. Same family, a demo through the real recorder: 0.013 at worst. Another
family may differ by what the renderers do on top."""
GEOMETRY_MEAN: Mapping[str, float] = {
    "same": 0.005, "other": 0.005 + RENDERER_SAFETY * SOFTPIPE_MEAN,
}  # fmt: skip
"""Share of differing pixels in the whole frame, worst sample. Same family: 0.0001 at worst."""
CHECK_LEVELS = 2
CHECK_MEAN: Mapping[str, float] = {
    "same": 0.001, "other": 0.001 + RENDERER_SAFETY * SOFTPIPE_CHECK,
}  # fmt: skip
"""As above for lossless check frames, where more than two levels count as different already."""

# The rows below were set on two drives, 24 samples each, 480 px, in all six styles of `filter`.
# Those of `tiny`: 6 scenarios by 6 styles, neighbouring frames at 480 px, network at 320 px, a
# checkpoint of 2000 steps, no codec. The row for unlisted models is a guess on the safe side.

BLUR: Mapping[str | None, float] = {"filter": 0.85, "tiny": 0.45, None: 0.45}
"""Sharpness of the styled frame over the source's, at 240 px (1 = as sharp), median of samples.
filter: 1.01 clean in every style, 0.97 through VP8 at 300 kbit/s; blur of sigma 1.5 px 0.82,
2 px 0.74, 3 px 0.59. A blur of 1 px (0.91) passes."""

TEMPORAL: Mapping[str | None, float] = {"filter": 2.2, "tiny": 2.2, None: 3.0}
"""Error of the styled frame warped by exact flow over that of the source, plus `TEMPORAL_FLOOR`
levels in both so that a perfect source does not divide by nothing. Median of samples. filter: 0.8
to 1.3 by style, 1.5 through VP8 at 2.5 Mbit/s, 1.8 at 300 kbit/s; flicker of +-20 levels 2.7,
noise of sigma 12 a frame 3.0. Flicker of +-10 (2.1) passes. tiny: 0.90 to 1.56."""
TEMPORAL_FLOOR = 3.0
TEMPORAL_LEAST = 0.10
"""Share of pixels that must be left after masking for a sample to count."""
FROZEN = 0.15
"""A styled frame that changed less than this share of what the source changed stands still."""
FROZEN_LEAST = 1.0
"""Mean change of the source [levels] from which on standing still is noticed."""

STRUCTURE: Mapping[str | None, StructureLimits] = {
    "filter": StructureLimits(recall=0.20, precision=0.87, bad_tiles=0.65),
    "tiny": StructureLimits(recall=0.12, precision=0.87, bad_tiles=0.78),
    None: StructureLimits(recall=0.25, precision=0.25, bad_tiles=0.60),
}
"""filter, clean, by style: recall 0.72 (day, quiet street) to 0.36 (night, busy crossing), lost
tiles 0.02 to 0.46, precision 0.92 (VP8 at 300 kbit/s) to 1.00: dark styles drown edges, none
invents any. Mirrored: precision 0.67 to 0.71; moved by 8 px 0.74, by 25 px 0.64. A blank frame:
recall 0. Set again on the furnished street, one drive, `day`: clean 0.99, mirrored 0.77, moved by
8 px 0.83, dark stripes laid over it 0.84. Another second is the journal's to find. tiny, clean,
by style: recall 0.15 (neon, which drowns faint edges) to 0.65 (day), precision 0.96 to 1.00, lost
tiles 0.08 to 0.68."""

VEHICLE = 0.40
"""Likeness of a vehicle's gradients in the styled frame to those in the geometry, below which it is
not there. tiny: 0.64 (neon) and up for all of 102 vehicles of at least 1200 px; 0.19 at most for 18
that were taken out of what the network was shown."""
VEHICLE_FRAMES = 2
"""So many sampled frames without one of their vehicles fail a recording."""
STRANGER = 12.0
"""Unexplained gradient of the worst 60 px tile [levels], median of the samples. tiny: 11.7 at most
in a clean frame (lit windows, night), under 8 in most; 12.2 and up for all of 18 cars that the
network was shown and the geometry does not have, 35 where they are near."""

PAIRED = 0.90
"""Share of source frames with a styled partner. Below, the drive is not a stream of pairs."""


def by_model(table: Mapping[str | None, float], model: str) -> float:
    """The row for a model, or the row for unlisted ones."""
    return table.get(model, table[None])
