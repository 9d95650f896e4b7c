"""Drives a recording again by its inputs alone. Draws nothing and writes nothing."""

from collections.abc import Callable, Iterator
from typing import Protocol

from game.errors import ScenarioChanged
from game.session.format import Manifest
from game.session.reader import Session
from game.world.city import City
from game.world.state import WorldState
from game.world.step import step


class Staged(Protocol):
    """What a drive starts from: the state of tick 0 (scenarios.spawn.Stage is one)."""

    @property
    def state(self) -> WorldState: ...


StageFactory = Callable[[Manifest, City], Staged]
"""Makes tick 0 for a manifest. Raises ScenarioChanged where it cannot be the recorded one."""


def replay(session: Session, city: City, stage: Staged) -> Iterator[WorldState]:
    """States of tick 0, 1, 2 ... to the last one recorded, from the inputs alone."""
    state = stage.state
    yield state
    for controls in session.controls():
        state = step(city, state, controls)
        yield state


def library_stage(manifest: Manifest, city: City) -> Staged:
    """The stage of a scenario that this program brings along. Raises ScenarioChanged."""
    from scenarios.errors import ScenarioError
    from scenarios.load import load
    from scenarios.model import digest
    from scenarios.spawn import stage

    try:
        scenario = load(manifest.scenario)
    except ScenarioError as error:
        raise ScenarioChanged(
            manifest.session, manifest.scenario, manifest.scenario_digest, ""
        ) from error
    found = digest(scenario)
    if found != manifest.scenario_digest:
        raise ScenarioChanged(manifest.session, manifest.scenario, manifest.scenario_digest, found)
    return stage(scenario, city, manifest.seed)
