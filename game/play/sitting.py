"""From the command to the first drive: lock, services, city, window; and all of it ended again."""

import dataclasses
import gc
from collections.abc import Callable
from pathlib import Path
from typing import cast

import numpy as np

from game.atlas.load import load as load_city
from game.errors import MissingPart
from game.play.ghost import load_ghost
from game.play.human import bound
from game.play.link import dial
from game.play.services import begin, ready
from game.play.session_loop import Sitting, Tally
from game.processes import Supervisor, only_instance
from game.session.format import CaptureProfile
from game.settings import Settings, has_display
from game.view.hud import Hud
from game.view.pads import Pads
from game.view.window import Mode, Window
from scenarios.free import Level, free_at
from scenarios.load import load as load_scenario
from streaming.ring import sweep


def sit(settings: Settings, most: int, say: Callable[[str], None], consent: str = "none") -> Tally:
    """Drive until the player ends it, or `most` drives. Raises MissingPart without a screen.

    consent: version of the text on recording that the person agreed to; none: to none.
    """
    if settings.play.scenario:
        load_scenario(settings.play.scenario)  # a wrong name is said before anything starts
    bound(settings.play)
    dial(settings.stream)
    pack = settings.paths.pack if settings.paths.pack != Path() else None
    city = load_city(pack)
    if settings.play.free:
        where, level = settings.play.place, cast(Level, settings.play.city)
        play = dataclasses.replace(settings.play, scenario=free_at(city, where, level).name)
        settings = dataclasses.replace(settings, play=play)
    ghost = load_ghost(Path(settings.play.ghost), city) if settings.play.ghost else None
    if ghost is not None and not settings.play.scenario:
        play = dataclasses.replace(settings.play, scenario=ghost.scenario)
        settings = dataclasses.replace(settings, play=play)
    mode = cast(Mode, settings.play.window)
    if mode == "auto" and settings.play.driver == "human" and not has_display():
        raise MissingPart(
            "there is no screen to drive on",
            "start it in a desktop session, or watch the bot without one: play --bot",
        )
    data = settings.paths.data
    with only_instance(data, "play"), Supervisor(data / "logs") as children:
        sweep()
        settings, services = begin(settings, children, say)
        gc.freeze()  # a full collection would walk the whole city and cost a frame
        window = Window(city, settings.graphics.profile, mode if has_display() else "offscreen")
        try:
            _curtain(window)
            backing = ready(services, say)
            pads = None
            if settings.play.driver == "human" and window.has_screen:
                pads = Pads(known=settings.devices.known)
            sitting = Sitting(settings, city, window, services, backing, say, None, pads, consent)
            sitting.ghost = ghost
            return sitting.drive_all(most)
        finally:
            window.close()


def _curtain(window: Window) -> None:
    """Something to look at while the services come up."""
    size = CaptureProfile()
    picture = np.zeros((size.height, size.width, 4), np.uint8)
    picture[..., 3] = 255
    window.present(picture, Hud(message="the city is built; stream and recorder are starting"))
