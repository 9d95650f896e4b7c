"""The real city and both scenarios, read once for all tests of the package."""

import pytest

from game.atlas.load import load as load_city
from game.world.city import City
from scenarios.load import load
from scenarios.model import Scenario


@pytest.fixture(scope="session")
def city() -> City:
    return load_city()


@pytest.fixture(scope="session")
def oncoming() -> Scenario:
    return load("oncoming-traffic")


@pytest.fixture(scope="session")
def busy() -> Scenario:
    return load("busy-intersection")
