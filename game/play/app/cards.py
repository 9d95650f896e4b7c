"""The scenarios as cards for lists, and where they stand. Reads the library; changes nothing."""

import logging
from collections.abc import Sequence
from dataclasses import replace
from functools import cache
from pathlib import Path

from game.play.app.memory import Memory
from game.play.app.menus import Card
from scenarios.errors import ScenarioError
from scenarios.load import library, load, missions

log = logging.getLogger(__name__)


@cache
def cards() -> tuple[Card, ...]:
    """Every scenario of the library, in the order of its names."""
    return tuple(card(name) for name in library())


@cache
def errands() -> tuple[Card, ...]:
    """Every mission: minutes in the living city, with stops to make."""
    return tuple(card(name) for name in missions())


@cache
def card(name: str) -> Card:
    """One scenario as the list shows it. Raises ScenarioError."""
    told = load(name)
    return Card(
        told.id if name == told.id else name, told.title, " ".join(told.description.split()),
        told.place.at, told.duration_s, told.entities,
        tuple(stop.title for stop in told.stops),
    )  # fmt: skip


def own_cards(folder: Path) -> tuple[Card, ...]:
    """The player's own scenario files, those that read."""
    found = []
    for path in sorted(folder.glob("*.yaml")) if folder.is_dir() else ():
        try:
            found.append(replace(card(str(path)), title=f"yours: {card(str(path)).title}"))
        except ScenarioError as error:
            log.warning("app.scenario_left_out file=%s why=%s", path, error)
    return tuple(found)


def upcoming(memory: Memory, known: Sequence[Card], after: str = "") -> Card:
    """The next one to drive: the first after `after` without a medal, else simply the next."""
    ids = [each.id for each in known]
    start = ids.index(after) + 1 if after in ids else 0
    turn = [*known[start:], *known[:start]]
    return next((each for each in turn if each.id not in memory.best), turn[0])
