"""From the command to the first drive: lock, services, city, window; and all of it ended again."""

import dataclasses
import gc
from collections.abc import Callable
from pathlib import Path
from typing import cast

import numpy as np

from game.atlas.load import load as load_city
from game.errors import GameError, MissingPart
from game.play.embedded import Backing, Embedded
from game.play.human import bound
from game.play.link import dial
from game.play.session_loop import Sitting, Tally
from game.processes import Supervisor, only_instance
from game.session.format import CaptureProfile
from game.settings import Settings, has_display
from game.view.hud import Hud
from game.view.window import Mode, Window
from scenarios.free import Level, free_at
from scenarios.load import load as load_scenario
from streaming.ring import sweep


def sit(settings: Settings, most: int, say: Callable[[str], None]) -> Tally:
    """Drive until the player ends it, or `most` drives. Raises MissingPart without a screen."""
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
    mode = cast(Mode, settings.play.window)
    if mode == "auto" and settings.play.driver == "human" and not has_display():
        raise MissingPart(
            "there is no screen to drive on",
            "start it in a desktop session, or watch the bot without one: play --bot",
        )
    data = settings.paths.data
    with only_instance(data, "play"), Supervisor(data / "logs") as children:
        sweep()
        settings, services = _begin(settings, children, say)
        gc.freeze()  # a full collection would walk the whole city and cost a frame
        window = Window(city, CaptureProfile(), mode if has_display() else "offscreen")
        try:
            _curtain(window)
            backing = _ready(services, say)
            sitting = Sitting(settings, city, window, services, backing, say)
            return sitting.drive_all(most)
        finally:
            window.close()


def _curtain(window: Window) -> None:
    """Something to look at while the services come up."""
    size = CaptureProfile()
    picture = np.zeros((size.height, size.width, 4), np.uint8)
    picture[..., 3] = 255
    window.present(picture, Hud(message="the city is built; stream and recorder are starting"))


def _begin(
    settings: Settings, children: Supervisor, say: Callable[[str], None]
) -> tuple[Settings, Embedded]:
    """Start the services; without the server extra a player drives all the same."""
    services = Embedded(settings, children)
    try:
        services.begin()
    except MissingPart as error:
        say(f"{error}; sessions are kept on this machine")
        rewards = dataclasses.replace(settings.rewards, url="off")
        settings = dataclasses.replace(settings, rewards=rewards)
        services = Embedded(settings, children)
        services.begin()
    return settings, services


def _ready(services: Embedded, say: Callable[[str], None]) -> Backing:
    try:
        return services.ready()
    except GameError as error:
        say(f"{error}; driving goes on, sessions are kept on this machine")
        return Backing()
