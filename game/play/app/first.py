"""What the first drive after the opening is, and where it begins. Decides; loads nothing but that.

The seed of a drive is drawn later; where its car stands does not depend on it.
"""

import logging
from typing import cast

from game.errors import GameError
from game.play.app.cards import cards, upcoming
from game.play.app.memory import Memory
from game.settings import Settings
from game.world.city import City
from game.world.state import WorldState
from scenarios.cases import case
from scenarios.errors import ScenarioError
from scenarios.free import Level, free_at

log = logging.getLogger(__name__)


def name(settings: Settings, memory: Memory, city: City) -> str:
    """The scenario or free drive that comes first, '' where only the player can say.

    Raises ScenarioError and GameError for what cannot be driven.
    """
    play = settings.play
    if play.ghost or settings.app.begin == "menu":
        return ""
    if play.free:
        return free_at(city, play.place, cast(Level, play.city)).name
    return play.scenario or upcoming(memory, cards()).id


def standing(settings: Settings, memory: Memory, city: City) -> WorldState | None:
    """A state with the car where the first drive begins, None where nobody knows.

    What cannot be driven is told when it is to be driven.
    """
    try:
        if settings.play.free:
            return case(free_at(city, settings.play.place, "none").name, city, 1).state
        chosen = name(settings, memory, city)
        return case(chosen, city, 1).state if chosen else None
    except (GameError, ScenarioError) as error:
        log.debug("app.nowhere why=%s", error)
        return None
