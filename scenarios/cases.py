"""Whatever can be driven by name: a scenario or mission, a file, or a free drive.

Owns which names there are. What a recording or a ticket calls `scenario` is such a name.
"""

from game.world.city import City
from scenarios.free import free_named, free_stage
from scenarios.load import catalogue, load
from scenarios.model import digest
from scenarios.spawn import Stage, stage


def is_known(name: str) -> bool:
    """Whether everybody with this program can drive it: of the catalogue, or a free drive."""
    return name in catalogue() or free_named(name) is not None


def case_digest(name: str) -> str:
    """Hex digest of what is driven under this name. Raises ScenarioError."""
    free = free_named(name)
    return digest(load(name)) if free is None else free.digest


def case(name: str, city: City, seed: int) -> Stage:
    """The concrete case of this name and seed. Raises ScenarioError."""
    free = free_named(name)
    if free is None:
        return stage(load(name), city, seed)
    return free_stage(city, free.place, seed, free.level)
