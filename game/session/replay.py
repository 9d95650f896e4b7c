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
    """The stage of a scenario that this program brings along, or of a free drive.

    Raises ScenarioChanged.
    """
    from scenarios.cases import case, case_digest
    from scenarios.errors import ScenarioError

    try:
        found = case_digest(manifest.scenario)
    except ScenarioError as error:
        raise ScenarioChanged(
            manifest.session, manifest.scenario, manifest.scenario_digest, ""
        ) from error
    if found != manifest.scenario_digest:
        raise ScenarioChanged(manifest.session, manifest.scenario, manifest.scenario_digest, found)
    return case(manifest.scenario, city, manifest.seed)
