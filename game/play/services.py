"""The services of this machine, begun and waited for so that one drives without them, too.

Light on purpose: the app begins them before it loads anything else.
"""

import dataclasses
from collections.abc import Callable
from dataclasses import dataclass

from game.errors import GameError, MissingPart
from game.play.embedded import Backing, Embedded
from game.processes import Supervisor
from game.settings import Settings


def begin(
    settings: Settings, children: Supervisor, say: Callable[[str], None], patient: bool = True
) -> tuple[Settings, Embedded]:
    """Start the services; without the server extra a player drives all the same.

    patient: see `Embedded`.
    """
    services = Embedded(settings, children, patient=patient)
    try:
        services.begin()
    except MissingPart as error:
        say(f"{error}; sessions are kept on this machine")
        rewards = dataclasses.replace(settings.rewards, url="off")
        settings = dataclasses.replace(settings, rewards=rewards)
        services = Embedded(settings, children, patient=patient)
        services.begin()
    return settings, services


def ready(services: Embedded, say: Callable[[str], None]) -> Backing:
    """Wait for the services; without them one drives all the same."""
    try:
        return services.ready()
    except GameError as error:
        say(f"{error}; driving goes on, sessions are kept on this machine")
        return Backing()


@dataclass(frozen=True, slots=True)
class Begun:
    """What was begun; notes: what the player is to be told of it."""

    services: Embedded
    notes: tuple[str, ...] = ()


def begun(settings: Settings, children: Supervisor) -> Begun:
    """`begin` for somebody who watches a terminal meanwhile and waits for what is needed alone."""
    notes: list[str] = []
    services = begin(settings, children, notes.append, patient=False)[1]
    return Begun(services, tuple(notes))
