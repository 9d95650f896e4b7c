"""A few wrong frames among many good ones, which a median does not see."""

import pytest

from rewards.checks.structure import WRONG_FRAMES, Agreement, odd_frames, odd_things
from rewards.checks.things import Things
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


SEEN = Things(vehicle=0.8, stranger=0.3, small=0.5)
FAINT = Things(vehicle=0.45, stranger=0.3, small=0.5)
GONE = Things(vehicle=0.2, stranger=0.3, small=0.5)
PUT = Things(vehicle=0.8, stranger=2.0, small=3.0)


@pytest.mark.parametrize(
    ("held", "reason"),
    [
        ([SEEN] * 26, ""),
        ([SEEN] * 25 + [GONE], ""),
        ([SEEN] * 24 + [GONE] * 2, "structure.vehicle"),
        ([GONE], "structure.vehicle"),
        ([SEEN] * 18 + [FAINT] * 8, ""),
        ([SEEN] * 17 + [FAINT] * 9, "structure.vehicle"),
        ([SEEN] * 22 + [PUT] * 4, ""),
        ([SEEN] * 20 + [PUT] * 6, "structure.stranger"),
    ],
)
def test_a_vehicle_that_is_gone_counts_for_more_than_a_faint_one(
    held: list[Things], reason: str
) -> None:
    assert odd_things(held, "tiny")[0] == reason
