"""A stream server killed and started again: until the game's picture, until a styled one."""

import time
from typing import Any

from game.play.blend import Blend
from game.world.version import TICK_HZ
from streaming.measure import machine
from streaming.peer import PeerConfig
from streaming.peer_process import PeerProcess
from streaming.server import ServerConfig
from tests.streaming.rig import Game, ServerProcess, rings
from tests.waiting import wait_for

ROUNDS = 5
LIMIT_S = 20.0


class Screen:
    """The game's blend of pictures, looked at once a tick."""

    def __init__(self, game: Game) -> None:
        self._game, self._blend, self._seen = game, Blend(), -1

    def share(self) -> float:
        """Share of the styled picture that is on the screen now."""
        tick = int(time.monotonic() * TICK_HZ)
        newest = max(self._game.styled, default=-1)
        if newest > self._seen:
            self._seen = newest
            self._blend.came(tick)
        return self._blend.share(tick)

    def until(self, raw: bool) -> float:
        """Seconds until the game's own picture (raw), or a styled one, is shown."""
        began = time.monotonic()
        while (self.share() == 0.0) is not raw:
            assert time.monotonic() - began < LIMIT_S, "the screen does not change"
            time.sleep(1 / TICK_HZ)
        return time.monotonic() - began


def rounds(count: int = ROUNDS) -> dict[str, list[float]]:
    """Seconds of each round: to the game's picture, from the server's return to a styled one."""
    raw, first, shown, prompts = [], [], [], []
    server = ServerProcess(ServerConfig(backend="filter"))
    with rings("reconnect") as made:
        config = PeerConfig(server.url, "killed", prompt="dusk", number=3)
        child, game = PeerProcess(config, made.source, made.styled, made.encoded), Game(made)
        child.start()
        game.start()
        screen = Screen(game)
        screen.until(raw=False)
        for _ in range(count):
            settled = time.monotonic() + 1.5
            wait_for(lambda end=settled: screen.share() >= 0 and time.monotonic() > end, 5)  # type: ignore[misc]
            server.kill()
            raw.append(screen.until(raw=True))
            server = ServerProcess(ServerConfig(backend="filter", port=server.ready.port))
            back, newest = time.monotonic(), max(game.styled)
            wait_for(lambda last=newest: max(game.styled) > last, LIMIT_S)  # type: ignore[misc]
            first.append(time.monotonic() - back)
            screen.until(raw=False)
            shown.append(time.monotonic() - back)
            prompts.append(float(game.encoded[-1].prompt == 3))
        child.stop()
        game.stop()
    server.stop()
    return {"raw": raw, "first": first, "shown": shown, "prompt": prompts}


def rows() -> list[dict[str, Any]]:
    """The worst of ROUNDS kills; against: what is asked for."""
    found, told = rounds(), machine()
    asked = {"raw": 0.5, "first": 2.0, "shown": 2.0}
    names = {
        "raw": "stream.killed.game_picture_after (worst of 5)",
        "first": "stream.killed.first_styled_after_return (worst of 5)",
        "shown": "stream.killed.on_screen_after_return (worst of 5)",
    }
    out: list[dict[str, Any]] = [
        {
            "name": names[key],
            "value": round(max(found[key]), 3),
            "unit": "s",
            "against": limit,
            "ratio": round(max(found[key]) / limit, 3),
            "machine": told,
        }
        for key, limit in asked.items()
    ]
    restored = sum(found["prompt"]) / len(found["prompt"])
    return [*out, {"name": "stream.killed.prompt_restored", "value": restored, "unit": "share"}]
