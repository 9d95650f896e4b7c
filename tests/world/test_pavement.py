"""Sidewalks, corners and crosswalks, and when one may cross."""

import pytest

from game.world.collision import obstacles_of
from game.world.geometry import distance
from game.world.pavement import NODES, Pavement
from game.world.people import may_walk
from game.world.signals import CYCLE_TICKS, Light, light
from tests.world.blocks import SIDE, WIDTH, town

CITY = town()


@pytest.fixture(scope="module")
def pavement() -> Pavement:
    return Pavement(CITY, obstacles_of(CITY))


def _ends(pavement: Pavement) -> list[int]:
    keys = range(2 * len(CITY.streets))
    return [
        key * NODES + k for key in keys for k in (0, len(pavement.side(key).points) - 1)
    ]  # both ends of every sidewalk


def test_sidewalks_run_between_the_kerb_and_the_wall(pavement: Pavement) -> None:
    obstacles = obstacles_of(CITY)
    for street in CITY.streets:
        (ax, ay), (bx, by) = street.points
        for key in (2 * street.id, 2 * street.id + 1):
            side = pavement.side(key)
            assert side.usable
            for x, y in side.points:
                across = abs((x - ax) * (by - ay) - (y - ay) * (bx - ax)) / distance(ax, ay, bx, by)
                assert across - side.aside > WIDTH / 2 + 0.499
                assert obstacles.clearance(x, y) > side.aside + 0.4


def test_round_a_corner_and_back_is_the_same_corner(pavement: Pavement) -> None:
    turned = 0
    for node in _ends(pavement):
        other = pavement.corner(node)
        if other < 0:
            continue
        turned += 1
        assert pavement.corner(other) == node
        assert other // NODES // 2 != node // NODES // 2
    assert turned >= 4 * (SIDE - 2) * (SIDE - 2) * 2


def test_a_crosswalk_leads_over_its_own_street_at_right_angles(pavement: Pavement) -> None:
    for node in _ends(pavement):
        (ax, ay), (bx, by) = pavement.point(node), pavement.point(pavement.opposite(node))
        assert WIDTH < distance(ax, ay, bx, by) < WIDTH + 6.0
        street = CITY.streets[node // NODES // 2]
        (px, py), (qx, qy) = street.points
        assert abs((bx - ax) * (qx - px) + (by - ay) * (qy - py)) < 1e-6


def test_an_errand_goes_over_streets_only_where_it_must(pavement: Pavement) -> None:
    node = 0 * NODES  # the first street, its right side, at the corner of the town
    along = pavement.point(pavement.far(node))
    assert pavement.next_node(node, -1, along) == (pavement.far(node), False)
    beyond = pavement.point(pavement.opposite(pavement.far(node)))
    goes, _ = pavement.next_node(node, -1, beyond)
    assert goes in (pavement.far(node), pavement.opposite(node))


@pytest.mark.parametrize("axis", [0, 1])
def test_one_may_walk_only_while_those_who_would_cross_have_red(axis: int) -> None:
    need = 15 * 60
    walks = 0
    for tick in range(0, CYCLE_TICKS, 30):
        if may_walk(3, axis, tick, need):
            walks += 1
            assert light(3, axis, tick) is Light.RED
            assert light(3, axis, tick + need - 60) is Light.RED
    assert 10 * 2 < walks < 20 * 2
