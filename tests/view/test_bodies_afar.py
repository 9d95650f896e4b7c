"""What is drawn of everyone at each level of detail: fewer faces farther off, but never nothing."""

import numpy as np
import pytest

from game.view.actors import _DETAIL, _GLIMMER, _LAMP, _MIRRORED, shape_of
from game.view.mesh import Mesh
from game.world.entity import BODIES

CARS = ("sedan", "taxi", "van", "bus", "lorry")


def faces(mesh: Mesh) -> int:
    return len(mesh[1]) // 3


def lamps(mesh: Mesh) -> int:
    """Faces of lamps that are large enough to be seen by their light."""
    quad = mesh[0].reshape(-1, 4)
    place = quad["place"].astype(np.float64)
    across = np.cross(place[:, 2] - place[:, 0], place[:, 3] - place[:, 1])
    large = np.linalg.norm(across, axis=1) / 2 > _GLIMMER
    return int((large & (quad["facing"][:, 0, 3] >= _LAMP)).sum())


@pytest.mark.parametrize("body", sorted(BODIES))
def test_nobody_vanishes_and_nobody_grows_with_the_distance(body: str) -> None:
    levels = [shape_of(body, 0, level) for level in range(len(_DETAIL))]
    count = [faces(mesh) for mesh in levels]
    assert min(count) >= 4
    assert count == sorted(count, reverse=True)
    whole = levels[0][0]["place"]
    for mesh in levels[1:]:
        high, low = mesh[0]["place"].max(0), mesh[0]["place"].min(0)
        assert (high <= whole.max(0) + 0.02).all()
        assert (low >= whole.min(0) - 0.02).all()
        assert high[2] > 0.6 * whole[:, 2].max()


@pytest.mark.parametrize("body", CARS)
def test_tail_lights_are_seen_far_off_and_in_wet_ground(body: str) -> None:
    own = lamps(shape_of(body, 0, 0))
    assert own > 0
    assert all(lamps(shape_of(body, 0, level)) == own for level in range(len(_DETAIL)))
    assert faces(shape_of(body, 0, _MIRRORED)) < 0.75 * faces(shape_of(body, 0, 0))
