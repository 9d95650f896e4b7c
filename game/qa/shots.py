"""Pictures of a scenario at chosen seconds, drawn without a window: what golden pictures hold."""

from collections.abc import Iterator, Sequence

import numpy as np

from game.qa.golden import Rgb
from game.session.format import CaptureProfile
from game.session.protocols import Renderer
from game.world.city import City
from game.world.state import WorldState
from game.world.version import TICK_HZ
from scenarios.batch import factory_of
from scenarios.load import load
from scenarios.run import run


def moments(
    scenario: str, seed: int, driver: str, city: City, seconds: Sequence[float]
) -> dict[float, WorldState]:
    """The states of one run at these seconds; those after its end are left out."""
    wanted = {round(at * TICK_HZ): at for at in seconds}
    found: dict[float, WorldState] = {}

    def watch(state: WorldState) -> None:
        if state.tick in wanted:
            found[wanted[state.tick]] = state

    run(load(scenario), city, seed, factory_of(driver), watch)
    return found


def drawn(
    states: dict[float, WorldState], renderer: Renderer, size: int
) -> Iterator[tuple[float, Rgb]]:
    """Each state as its driver saw it, (size, size, 3) RGB."""
    for at, state in sorted(states.items()):
        picture = renderer.render(state, ("colour",), size, size)["colour"]
        yield at, np.ascontiguousarray(picture, np.uint8)


def profile(size: int) -> CaptureProfile:
    """A square picture of `size` pixels, drawn as a recording's are."""
    return CaptureProfile(width=size, height=size)
