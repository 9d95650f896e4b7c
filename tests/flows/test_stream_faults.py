"""What the player sees when the stream server dies and comes back: nothing but the game, then it.

A real drive, a real peer process and a real server process; only the window is a stand-in. Told in
ticks; the seconds of it are for `make bench ARGS=reconnect`.
"""

import time
from collections.abc import Callable
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest

from game.atlas.load import load as load_city
from game.play.blend import FADE_TICKS, STALE_TICKS
from game.play.drive import Drive
from game.play.link import Link
from game.play.prompt import style_named
from game.session.format import CaptureProfile
from game.session.reader import Session
from game.session.writer import SessionWriter
from game.view.hud import Hud
from game.world.state import WorldState
from scenarios.driver import Idle
from scenarios.load import load as load_scenario
from scenarios.model import digest
from scenarios.spawn import stage
from streaming.frames import Pixels
from streaming.server import ServerConfig
from tests.flows.rig import HANGS_S
from tests.game.test_drive import manifest_of
from tests.streaming.rig import ServerProcess

pytestmark = [pytest.mark.flow, pytest.mark.network, pytest.mark.heavy]
SIDE = 160


class Screen:
    """Draws an orange picture; sees whether what is shown is grey, as the style noir paints it."""

    def __init__(self) -> None:
        self.colour = 0.0  # how far from grey the newest shown picture was
        self.drawn = np.full((SIDE, SIDE, 4), 255, np.uint8)
        self.drawn[..., :3] = (20, 120, 230)

    def capture(self, state: WorldState) -> Pixels:
        out = self.drawn.copy()
        out[:, (state.tick * 2) % SIDE] = 255
        return out

    def present(self, picture: Pixels | None, hud: Hud) -> None:
        assert picture is not None
        self.colour = float(np.ptp(picture[..., :3].mean(axis=(0, 1))))


def test_a_killed_server_leaves_the_game_and_comes_back_with_prompt_and_fade(
    tmp_path: Path,
) -> None:
    server = ServerProcess(ServerConfig(backend="filter", size=(SIDE, SIDE)))
    port = server.ready.port
    city = load_city()
    case = stage(load_scenario("heavy-traffic"), city, 1)
    writer = SessionWriter.create(tmp_path, manifest_of(city, case, digest(case.scenario)))
    profile = CaptureProfile(width=SIDE, height=SIDE)
    link = Link(server.url, writer.manifest.session, {}, profile, None)
    link.start()
    screen = Screen()
    drive = Drive(
        city,
        case,
        screen,
        Idle(),
        style_named("noir"),
        2,
        writer=writer,
        link=link,
        capture=profile,
    )  # type: ignore[arg-type]
    due = time.monotonic()

    def until(seen: Callable[[], object]) -> None:
        """Live ticks, no faster than in real time, until `seen()`."""
        nonlocal due
        began = time.monotonic()
        while not seen():
            assert time.monotonic() - began < HANGS_S, f"waited in vain; {drive.message()}"
            due = max(due + 1 / 60, time.monotonic() - 0.05)
            time.sleep(max(0.0, due - time.monotonic()))
            drive.turn()

    try:
        grey = lambda: screen.colour < 25  # noqa: E731
        raw = lambda: screen.colour > 180  # noqa: E731
        until(grey)
        until(lambda: link.gauges().returned > 30 and grey())
        server.kill()
        until(raw)
        assert STALE_TICKS < drive.state.tick - drive._arrived <= STALE_TICKS + drive.every_ticks
        until(lambda: "connecting again" in drive.message())
        server = ServerProcess(ServerConfig(backend="filter", size=(SIDE, SIDE), port=port))
        shares: list[float] = []
        until(lambda: shares.append(drive.blend.share(drive.state.tick)) or grey())
        steps = [after - before for before, after in pairwise(shares)]
        assert 0.0 < max(steps) <= 1.01 / FADE_TICKS, "faded, not flashed"
        until(lambda: drive.message() == "")
    finally:
        link.close()
        server.kill()
        writer.finish({})
    with Session.open(writer.folder) as session:
        assert {event["style"] for event in session.events("prompt")} == {"noir"}
