"""The way into the app: its services begin before anything else is loaded, then the window opens.

Owns that order alone; what the player sees is the app's.
"""

import time
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from game.errors import MissingPart
from game.play.services import begun
from game.processes import Supervisor, only_instance
from game.settings import Settings, has_display

if TYPE_CHECKING:
    from game.play.session_loop import Tally


def run(
    settings: Settings, file: Path, most: int, say: Callable[[str], None],
    began: float | None = None,
) -> "Tally":  # fmt: skip
    """From the opening to the end. file: where changed settings are written. began: monotonic
    second at which the program started, for the table of times. Raises MissingPart without a
    screen."""
    data = settings.paths.data
    if not has_display():
        raise _no_display()
    with only_instance(data, "play"), Supervisor(data / "logs") as children:
        services = begun(settings, children)

        from game.play.app.app import App
        from game.view.front import open_front

        front = open_front("Scale Diffusion", 960, 720, settings.app.frames == "display")
        if front is None:
            raise _no_display()
        try:
            app = App(settings, file, front, children, say, began or time.monotonic(), services)
            return app.run(most)
        finally:
            front.close()


def _no_display() -> MissingPart:
    return MissingPart(
        "there is no display to open a window on",
        "start it in a desktop session, or watch the bot without one: play --bot",
    )
