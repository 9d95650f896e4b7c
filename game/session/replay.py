"""Drives a recording again by its inputs alone. Draws nothing and writes nothing."""

from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import TYPE_CHECKING, Any, Protocol

from game.errors import ReplayImpossible, ScenarioChanged
from game.session.format import Manifest
from game.session.reader import Session
from game.world.city import City
from game.world.controls import Controls
from game.world.state import WorldState
from game.world.step import step
from game.world.version import WORLD_VERSION

if TYPE_CHECKING:
    from scenarios.model import Scenario


class Staged(Protocol):
    """What a drive starts from: the state of tick 0 (scenarios.spawn.Stage is one)."""

    @property
    def state(self) -> WorldState: ...


class Driven(Protocol):
    """What is replayed: a Session, or a Share of one."""

    @property
    def manifest(self) -> Manifest: ...

    def controls(self) -> tuple[Controls, ...]: ...


StageFactory = Callable[[Manifest, City], Staged]
"""Makes tick 0 for a manifest. Raises ScenarioChanged where it cannot be the recorded one."""


def replay(session: Driven, city: City, stage: Staged, first: int = 0) -> Iterator[WorldState]:
    """States of tick `first`, first + 1 ... to the last one recorded, from the inputs alone.

    Up to `first` a Session is not simulated: its stored state stands in. Compare with `verify`
    where that matters. A Share has none and is simulated from the start.
    """
    drive, state = session.controls(), stage.state
    at = 0
    if first > 0 and isinstance(session, Session) and first < len(session.ticks()):
        state, at = replace(session.ticks()[first], cast=stage.state.cast), first
    if at >= first:
        yield state
    for controls in drive[at:]:
        state = step(city, state, controls)
        if state.tick >= first:
            yield state


def need_this_world(session: Driven, city: City) -> None:
    """Raise ReplayImpossible where this build cannot simulate that drive in that city."""
    manifest = session.manifest
    if manifest.world_version != WORLD_VERSION:
        raise ReplayImpossible(
            manifest.session, f"world version {manifest.world_version}", str(WORLD_VERSION)
        )
    if manifest.pack_digest != city.digest:
        name = f"city pack {manifest.pack} of digest {manifest.pack_digest[:12]}"
        raise ReplayImpossible(manifest.session, name, city.digest[:12])


def stage_of(said: dict[str, Any]) -> StageFactory:
    """Stages by the scenario that a drive brings along, or that this program does.

    said: the scenario as the recording states it, {} where it does not. Its digest must be the
    manifest's, so a foreign text cannot stand in for the scenario that was driven.
    """

    def staged(manifest: Manifest, city: City) -> Staged:
        try:
            return library_stage(manifest, city)
        except ScenarioChanged:
            if not said:
                raise
            from pydantic import ValidationError

            from scenarios.model import Scenario, digest
            from scenarios.spawn import stage

            try:
                scenario = Scenario.model_validate(said)
            except ValidationError as error:
                raise ScenarioChanged(
                    manifest.session, manifest.scenario, manifest.scenario_digest, ""
                ) from error
            found = digest(scenario)
            if found != manifest.scenario_digest:
                raise ScenarioChanged(
                    manifest.session, manifest.scenario, manifest.scenario_digest, found
                ) from None
            return stage(scenario, city, manifest.seed)

    return staged


def said_by_library(manifest: Manifest) -> dict[str, Any]:
    """What the scenario of a manifest says, {} where this program does not bring it along."""
    from scenarios.errors import ScenarioError
    from scenarios.load import load
    from scenarios.model import digest

    try:
        scenario = load(manifest.scenario)
    except ScenarioError:
        return {}
    return said(scenario) if digest(scenario) == manifest.scenario_digest else {}


def said(scenario: "Scenario") -> dict[str, Any]:
    """A scenario as plain values that `stage_of` takes back."""
    return scenario.model_dump(mode="json", exclude={"hazards"})


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
