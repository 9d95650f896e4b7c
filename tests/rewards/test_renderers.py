"""What the checks allow another renderer holds against a real second one, with room to spare."""

import cv2
import numpy as np
import pytest

from game.view import tolerance
from rewards.checks import thresholds
from rewards.checks.geometry import compare

pytestmark = [pytest.mark.render, pytest.mark.slow, pytest.mark.timeout(3600)]
SIDE = 240


def test_a_second_renderer_passes_and_is_a_second_one() -> None:
    ours, mine = tolerance.draw(None, SIDE)
    theirs, other = tolerance.draw_with("softpipe", None, SIDE)
    assert (ours == theirs) == (ours == "softpipe")
    tiles, means, checks = [], [], []
    for name in mine:
        a, b = (np.asarray(views[name]["colour"], np.uint8) for views in (mine, other))
        checks.append(compare(a, b, thresholds.CHECK_LEVELS, thresholds.GEOMETRY_TILE).mean)
        a, b = (np.asarray(cv2.blur(each, (3, 3)), np.uint8) for each in (a, b))
        like = compare(a, b, thresholds.PIXEL_LEVELS, thresholds.GEOMETRY_TILE)
        tiles.append(like.worst)
        means.append(like.mean)
    assert max(checks) > 0.0
    assert max(tiles) < thresholds.GEOMETRY_WORST["other"] - thresholds.GEOMETRY_WORST["same"]
    assert max(means) < thresholds.GEOMETRY_MEAN["other"] - thresholds.GEOMETRY_MEAN["same"]
    assert max(checks) < thresholds.CHECK_MEAN["other"]
    tables = {row.channel: row for row in tolerance.compare(mine, other)}
    assert all(row.worst < 0.01 for row in tables.values())
