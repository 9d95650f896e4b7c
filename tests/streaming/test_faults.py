"""Servers that die, stall, talk nonsense or say nothing: one clear line, and the game goes on."""

import os
import signal
import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from streaming.gauges import Gauges
from streaming.peer import PeerConfig
from streaming.peer_process import PeerProcess, PeerThread
from streaming.server import ServerConfig
from tests.streaming.rig import Game, ServerProcess, rings
from tests.waiting import wait_for

pytestmark = [pytest.mark.network, pytest.mark.flow]


@contextmanager
def listening(answer: Callable[[socket.socket], None]) -> Iterator[str]:
    """A port where `answer` gets every connection."""
    server = socket.create_server(("127.0.0.1", 0))
    held: list[socket.socket] = []

    def accept() -> None:
        while True:
            try:
                connection, _ = server.accept()
            except OSError:
                return
            held.append(connection)
            answer(connection)

    threading.Thread(target=accept, daemon=True).start()
    try:
        yield f"ws://127.0.0.1:{server.getsockname()[1]}"
    finally:
        server.close()
        for connection in held:
            connection.close()


def told(url: str, until: Callable[[Gauges], bool]) -> Gauges:
    """The gauges of a peer at `url` once `until` holds; the game must not have noticed a thing."""
    with rings("fault") as made:
        child = PeerThread(PeerConfig(url, "fault"), made.source, made.styled, made.encoded)
        game = Game(made)
        child.start()
        game.start()
        wait_for(lambda: until(child.gauges()))
        reading, put = child.gauges(), game.put
        wait_for(lambda: game.put > put, what="the game goes on")
        child.stop()
        assert not child.alive()
        game.stop()
        assert "\n" not in reading.detail
        return reading


def test_a_server_that_says_nothing() -> None:
    with listening(lambda connection: None) as url:
        reading = told(url, lambda g: "no answer" in g.detail)
    assert "check the address" in reading.detail
    assert not reading.connected


def test_a_server_that_speaks_another_language() -> None:
    with listening(lambda connection: connection.sendall(b"220 mail ready\r\n" * 20)) as url:
        reading = told(url, lambda g: g.reconnects > 0 and g.detail != "")
    assert "diffusion server" in reading.detail


def test_a_server_that_hangs_up() -> None:
    with listening(lambda connection: connection.close()) as url:
        reading = told(url, lambda g: g.reconnects > 1)
    assert "check the address" in reading.detail


def test_a_name_that_is_never_resolved(monkeypatch: pytest.MonkeyPatch) -> None:
    release, stock = threading.Event(), socket.getaddrinfo

    def hang(host: object, *rest: object, **more: object) -> object:
        if host == "stuck.example.org":
            release.wait(30)
            raise OSError("too late")
        return stock(host, *rest, **more)  # type: ignore[arg-type]

    monkeypatch.setattr(socket, "getaddrinfo", hang)
    try:
        reading = told("ws://stuck.example.org:1", lambda g: "not resolved" in g.detail)
    finally:
        release.set()
    assert "stuck.example.org" in reading.detail


def test_a_name_that_does_not_exist(monkeypatch: pytest.MonkeyPatch) -> None:
    def unknown(*_: object, **__: object) -> object:
        raise socket.gaierror(-2, "Name or service not known")

    monkeypatch.setattr(socket, "getaddrinfo", unknown)
    reading = told("ws://no.example.org:1", lambda g: g.reconnects > 0 and g.detail != "")
    assert "check the address" in reading.detail


def test_a_frozen_server_is_told_at_once_and_forgiven(tmp_path: Path) -> None:
    server = ServerProcess(ServerConfig(backend="identity"))
    with rings() as made:
        config = PeerConfig(server.url, "frozen")
        child = PeerProcess(config, made.source, made.styled, made.encoded)
        game = Game(made)
        child.start()
        game.start()
        wait_for(lambda: child.gauges().connected and len(game.styled) > 5)
        put = game.put
        os.kill(server.ready_pid, signal.SIGSTOP)
        try:
            wait_for(lambda: not child.gauges().connected, what="a stall that is told")
            wait_for(lambda: game.put > put + 15, what="pictures while the server is frozen")
        finally:
            os.kill(server.ready_pid, signal.SIGCONT)
        wait_for(lambda: child.gauges().connected, what="styled again")
        child.stop()
        game.stop()
    server.stop()


def test_a_killed_server_that_returns_styles_again_with_the_prompt() -> None:
    config = ServerConfig(backend="identity")
    server = ServerProcess(config)
    with rings() as made:
        child = PeerProcess(
            PeerConfig(server.url, "killed", prompt="dusk"), made.source, made.styled, made.encoded
        )
        game = Game(made)
        child.start()
        game.start()
        wait_for(lambda: len(game.styled) > 5)
        child.set_prompt("rain", "rain", seed=9)
        wait_for(lambda: game.encoded[-1].seed == 9)
        server.kill()
        wait_for(lambda: not child.gauges().connected, what="the loss is told")
        wait_for(lambda: child.gauges().reconnects >= 2, what="it is tried again")
        before = made.styled.count
        server = ServerProcess(ServerConfig(port=server.ready.port, backend="identity"))
        wait_for(lambda: made.styled.count > before, what="styled again")
        wait_for(lambda: game.encoded[-1].seed == 9, what="with the prompt")
        child.stop()
        game.stop()
    server.stop()
