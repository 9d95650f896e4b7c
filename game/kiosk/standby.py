"""What a booth needs in memory before it can open: city, scene, and the bot's first show.

Made without a window, so that a second process can have it ready and take over from a booth that
has died. Owns nothing on disk and draws nothing.
"""

import gc
from dataclasses import dataclass
from pathlib import Path

from game.atlas.load import load as load_city
from game.kiosk.run import chosen, seed_of
from game.session.format import CaptureProfile
from game.settings import Settings
from game.view.camera import eye
from game.view.scene import Scene
from game.world.city import City
from scenarios.cases import case
from scenarios.driver import DRIVERS, Driver
from scenarios.spawn import Stage


@dataclass(frozen=True, slots=True)
class Warm:
    """What takes long. stage: of the first show, at which the scene stands already. bot: who drives
    it, with the road surveyed.
    """

    city: City
    profile: CaptureProfile
    scene: Scene
    stage: Stage
    bot: Driver


def warmed(settings: Settings) -> Warm:
    """Load the city, build its scene, and pose it where the bot's first show begins."""
    pack = settings.paths.pack if settings.paths.pack != Path() else None
    city, profile = load_city(pack), CaptureProfile()
    scene = Scene(city, profile)
    stage = case(chosen(settings, city, 1), city, seed_of(1))
    scene.pose(stage.state, eye(stage.state), aspect=profile.width / profile.height)
    bot = DRIVERS["bot"](stage, city)
    gc.collect()
    gc.freeze()  # a full collection would walk the whole city and cost a frame
    return Warm(city, profile, scene, stage, bot)
