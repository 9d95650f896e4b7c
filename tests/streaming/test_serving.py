"""What a server offers besides the stream: codecs, limits, tokens, pages; a backend that fails."""

import asyncio
import json
import urllib.error
import urllib.request
from pathlib import Path
from typing import Any

import pytest

from streaming.backends import table
from streaming.frames import Pixels
from streaming.peer import PeerConfig, _ended
from streaming.peer_process import PeerThread
from streaming.server import ServerConfig
from tests.streaming.rig import Game, Rings, ServerThread, rings
from tests.waiting import wait_for

pytestmark = [pytest.mark.network, pytest.mark.flow]


def http(server: ServerThread, path: str) -> str:
    return server.url.replace("ws:", "http:") + path


def got(server: ServerThread, path: str) -> str:
    with urllib.request.urlopen(http(server, path)) as answer:
        return str(answer.read().decode())


def thread(server: ServerThread, made: Rings, session: str, **more: Any) -> PeerThread:
    config = PeerConfig(server.url, session, **more)
    return PeerThread(config, made.source, made.styled, made.encoded)


def test_h264_goes_up_and_vp8_comes_back_with_the_same_ticks() -> None:
    server = ServerThread(ServerConfig(backend="identity"))
    with rings() as made:
        child = thread(server, made, "h264", codec="h264")
        game = Game(made)
        child.start()
        game.start()
        wait_for(lambda: len(game.styled) > 10)
        child.stop()
        game.stop()
        read = {t: code for t, code in game.styled.items() if code is not None}
        assert len(read) > len(game.styled) / 2
        assert all(code == tick & 0xFFFF for tick, code in read.items())
        assert all(not frame.key or frame.data[3:6] == b"\x9d\x01\x2a" for frame in game.encoded)
    server.stop()


def test_the_pages_count_what_was_served_and_name_nobody() -> None:
    server = ServerThread(ServerConfig(backend="identity"))
    with rings() as made:
        child = thread(server, made, "secret-session")
        game = Game(made)
        child.start()
        game.start()
        wait_for(lambda: len(game.styled) > 5)
        text = got(server, "/metrics")
        values = dict(line.rsplit(" ", 1) for line in text.splitlines() if line[0] != "#")
        assert float(values["sd_players"]) == 1
        assert float(values["sd_frames_total"]) > 5
        assert float(values['sd_frame_ms{quantile="0.5"}']) > 0
        assert float(values["sd_backend_down"]) == 0
        page = got(server, "/")
        assert "Players that stream now" in page
        assert "secret-session" not in text + page + got(server, "/health")
        health = json.loads(got(server, "/health"))
        assert (health["ok"], health["state"], health["players"]) == (True, "styling", 1)
        child.stop()
        game.stop()
    server.stop()


def test_a_key_mints_a_token_and_the_token_opens_a_stream() -> None:
    server = ServerThread(ServerConfig(backend="identity", api_keys=("sk-1",)))

    def mint(key: str, body: bytes = b"{}") -> dict[str, Any]:
        headers = {"X-API-KEY": key, "Content-Type": "application/json"}
        request = urllib.request.Request(http(server, "/v1/client/tokens"), body, headers)
        with urllib.request.urlopen(request) as answer:
            return dict(json.load(answer))

    for key, body, status in (("sk-2", b"{}", 401), ("sk-1", b"[", 400), ("sk-1", b"[]", 400)):
        with pytest.raises(urllib.error.HTTPError) as refused:
            mint(key, body)
        assert refused.value.code == status
    token = mint("sk-1")["apiKey"]
    with rings() as made:
        child = thread(server, made, "token", api_key=token)
        game = Game(made)
        child.start()
        game.start()
        wait_for(lambda: len(game.styled) > 3)
        child.stop()
        game.stop()
        assert token not in str(child.gauges())
    server.stop()


def test_one_player_takes_no_more_than_the_share() -> None:
    server = ServerThread(ServerConfig(backend="identity", players=4, per_player=1))
    with rings() as made, rings("other") as other:
        first = thread(server, made, "a")
        first.start()
        wait_for(lambda: first.gauges().connect_ms > 0)
        second = thread(server, other, "b")
        second.start()
        wait_for(lambda: second.gauges().state == "refused")
        assert "run already" in second.gauges().detail
        second.stop()
        first.stop()
    server.stop()


def test_who_had_a_turn_leaves_when_others_wait() -> None:
    server = ServerThread(ServerConfig(backend="identity", players=1, turn_s=1.0))
    with rings() as made, rings("other") as other:
        first, second = thread(server, made, "a"), thread(server, other, "b")
        games = Game(made), Game(other)
        for one in (first, games[0], games[1]):
            one.start()
        wait_for(lambda: len(games[0].styled) > 3)
        second.start()
        wait_for(lambda: len(games[1].styled) > 3, what="the second has its turn")
        for one in (second, first, *games):
            one.stop()
    server.stop()


def test_a_backend_out_of_memory_passes_pictures_and_says_so(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    class Starved:
        name, model = "filter", "starved/1"

        def warm(self, height: int, width: int) -> None: ...

        def painter(self) -> "Starved":
            return self

        def told(self) -> str:
            return ""

        def style(self, frame: Pixels, prompt: str, seed: int, style: str = "") -> Pixels:
            raise MemoryError("out of memory")

    monkeypatch.setattr("streaming.server.make", lambda *_: Starved())
    assert table.NAMES
    server = ServerThread(ServerConfig())
    with rings() as made:
        child = thread(server, made, "starved")
        game = Game(made)
        lines: list[str] = []
        monkeypatch.setattr("streaming.peer.Peer.notice", lambda self, text: lines.append(text))
        child.start()
        game.start()
        wait_for(lambda: len(game.styled) > 10, what="pictures in spite of it")
        assert any("pass unstyled" in line and "out of memory" in line for line in lines)
        assert json.loads(got(server, "/health"))["state"] == "passthrough"
        child.stop()
        game.stop()
    server.stop()


def test_a_stopping_server_says_so_and_seals(tmp_path: Path) -> None:
    server = ServerThread(ServerConfig(backend="identity", journal=tmp_path))
    with rings() as made:
        child = thread(server, made, "sealed")
        game = Game(made)
        child.start()
        game.start()
        wait_for(lambda: len(game.styled) > 5)
        server.stop()
        wait_for(lambda: child.gauges().reconnects > 0)
        child.stop()
        game.stop()
    assert (tmp_path / "sealed.jsonl").read_text("ascii").endswith("\n")


def test_a_task_that_swallows_a_cancellation_is_ended_all_the_same() -> None:
    async def story() -> None:
        swallowed = 0

        async def stubborn() -> None:
            nonlocal swallowed
            while True:
                try:
                    await asyncio.sleep(60)
                except asyncio.CancelledError:
                    swallowed += 1
                    if swallowed == 3:
                        raise

        task = asyncio.ensure_future(stubborn())
        await asyncio.sleep(0)
        await asyncio.wait_for(_ended(task), 120)
        assert (swallowed, task.cancelled()) == (3, True)

    asyncio.run(story())
