"""That was close: the nearest miss of the drive that just ended, as a file of one's own."""

from pathlib import Path
from typing import TYPE_CHECKING

from game.session.append import write_whole
from game.session.reader import Session

if TYPE_CHECKING:
    from game.world.city import City
    from scenarios.near import Moment

FOLDER = "scenarios"
"""Where a player's own files lie in the data folder; the list of scenarios shows them."""


def keep_moment(session: Path, moment: "Moment", city: "City", data: Path) -> tuple[Path, str]:
    """Write the scenario of a moment; returns the file and the scenario's title.

    Raises SessionError, ScenarioError and OSError.
    """
    from scenarios.retell import retell

    with Session.open(session) as driven:
        made = retell(driven.ticks(), city, moment, driven.manifest.scenario)
    folder = data / FOLDER
    folder.mkdir(parents=True, exist_ok=True)
    path, number = folder / f"{made.scenario.id}.yaml", 2
    while path.exists():
        path, number = folder / f"{made.scenario.id}-{number}.yaml", number + 1
    write_whole(path, made.text.encode())
    return path, made.scenario.title
