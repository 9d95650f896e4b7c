"""A few wrong frames among many good ones, which a median does not see."""

import pytest

from rewards.checks.structure import WRONG_FRAMES, Agreement, odd_frames
from rewards.checks.thresholds import StructureLimits

LIMITS = StructureLimits(recall=0.2, precision=0.87, bad_tiles=0.65)
GOOD = Agreement(recall=0.4, precision=0.99, bad=0.2, stray=0)
BLACK = Agreement(recall=0.0, precision=0.0, bad=1.0, stray=0)
MIRRORED = Agreement(recall=0.3, precision=0.7, bad=0.4, stray=900)


@pytest.mark.parametrize(
    ("found", "reason"),
    [
        ([GOOD] * 26, ""),
        ([GOOD] * 25 + [BLACK], ""),
        ([GOOD] * 24 + [BLACK] * 2, "structure.blank"),
        ([BLACK], "structure.blank"),
        ([GOOD] * 26 + [MIRRORED] * (WRONG_FRAMES - 1), ""),
        ([GOOD] * 26 + [MIRRORED] * WRONG_FRAMES, "structure.invented"),
    ],
)
def test_few_are_forgiven_and_more_are_not(found: list[Agreement], reason: str) -> None:
    assert odd_frames(found, LIMITS) == reason
