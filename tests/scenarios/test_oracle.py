"""First contact by a collision checker that is not ours, given our discs (package
commonroad-drivability-checker, where it is installed)."""

from itertools import pairwise
from math import cos, sin
from typing import Any

import pytest

from game.world.city import City
from game.world.entity import BODIES
from game.world.motion import move
from game.world.state import WorldState
from scenarios.driver import DRIVERS
from scenarios.load import library, load
from scenarios.run import drive
from scenarios.spawn import stage

crcc: Any = pytest.importorskip(
    "commonroad_dc.pycrcc", reason="commonroad-drivability-checker is not installed"
)


def shape(body: str, x: float, y: float, heading: float) -> Any:
    group = crcc.ShapeGroup()
    for along, radius in BODIES[body].discs:
        group.add_shape(crcc.Circle(radius, x + along * cos(heading), y + along * sin(heading)))
    return group


def first_contact(states: list[WorldState]) -> int:
    """The first tick in which the ego's way leads into an actor, -1 for none.

    The world refuses a pose in something solid, so the way is looked at, not where it stopped.
    """
    for before, after in pairwise(states):
        x, y, heading, _, _ = move(before.ego, after.controls)
        ego = shape(before.ego.body, x, y, heading)
        for actor in after.actors:
            if ego.collide(shape(actor.body, actor.x, actor.y, actor.heading)):
                return after.tick
    return -1


@pytest.mark.parametrize("name", library())
def test_an_independent_checker_finds_the_first_contact_at_the_same_tick(
    name: str, city: City
) -> None:
    found = 0
    for seed in range(4):
        staged = stage(load(name), city, seed)
        states: list[WorldState] = []
        pilot = DRIVERS["full-throttle"](staged, city)
        outcome, _ = drive(staged, city, pilot, states.append)
        if outcome.reason == "collision" and outcome.cause != "building":
            assert first_contact(states) == outcome.tick
            found += 1
        else:
            assert first_contact(states) == -1
    assert found > 0
