"""One real city and stage, made once."""

from functools import cache

from game.atlas.load import load
from game.world.city import City
from scenarios.cases import case
from scenarios.spawn import Stage


@cache
def a_city() -> City:
    return load()


@cache
def a_stage() -> Stage:
    return case("road-debris", a_city(), 3)
