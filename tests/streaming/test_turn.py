"""Through a relay or not at all: a real TURN server (coturn), where there is one."""

import shutil
import socket
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from streaming.ice_config import IceConfig
from streaming.peer import PeerConfig
from streaming.peer_process import PeerThread
from streaming.server import ServerConfig
from tests.streaming.rig import Game, Rings, ServerThread, rings
from tests.waiting import wait_for

TURNSERVER = shutil.which("turnserver")
pytestmark = [
    pytest.mark.network,
    pytest.mark.flow,
    pytest.mark.heavy,
    pytest.mark.skipif(TURNSERVER is None, reason="no turnserver here: apt-get install coturn"),
]


def free_port() -> int:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def answers(port: int) -> bool:
    """Whether somebody answers a STUN binding request there (RFC 5389)."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        probe.settimeout(0.2)
        probe.sendto(bytes.fromhex("000100002112a442") + bytes(12), ("127.0.0.1", port))
        try:
            return probe.recv(64)[:2] == b"\x01\x01"
        except OSError:
            return False


@pytest.fixture
def turn(tmp_path: Path) -> Iterator[tuple[str, Path]]:
    """Address of a TURN server with the login user/word, and its log."""
    assert TURNSERVER is not None
    port, log = free_port(), tmp_path / "turn.log"
    options = (
        "-n -a -u user:word -r realm --listening-ip=127.0.0.1 --relay-ip=127.0.0.1 --no-cli "
        f"--allow-loopback-peers --no-tls --no-dtls --listening-port={port} --verbose "
        f"--pidfile={tmp_path / 'pid'} --db={tmp_path / 'db'} --log-file=stdout"
    )
    with log.open("wb") as out:
        process = subprocess.Popen([TURNSERVER, *options.split()], stdout=out, stderr=out)
        wait_for(lambda: answers(port), what="the TURN server")
        yield f"turn:127.0.0.1:{port}?transport=udp", log
        process.terminate()
        process.wait(120)


def player(server: ServerThread, made: Rings, ice: IceConfig) -> PeerThread:
    config = PeerConfig(server.url, "relayed", ice=ice)
    return PeerThread(config, made.source, made.styled, made.encoded)


def kinds(child: PeerThread) -> tuple[str, str]:
    """The kinds of candidate that the media run between: ours, theirs."""
    peer: Any = child._peer
    (transceiver,) = peer._link._connection.getTransceivers()
    connection = transceiver.receiver.transport.transport._connection
    pair = connection._nominated[1]
    return pair.local_candidate.type, pair.remote_candidate.type


def test_relay_only_streams_through_the_relay(turn: tuple[str, Path]) -> None:
    url, log = turn
    server = ServerThread(ServerConfig(backend="identity"))
    with rings("turn") as made:
        child = player(server, made, IceConfig((url,), "user", "word", relay_only=True))
        game = Game(made)
        child.start()
        game.start()
        wait_for(lambda: len(game.styled) > 10, what="frames through the relay")
        used = kinds(child)
        child.stop()
        game.stop()
    server.stop()
    assert used[0] == "relay"
    assert all(code == tick & 0xFFFF for tick, code in game.styled.items() if code is not None)
    assert "ALLOCATE processed, success" in log.read_text(errors="replace")


def test_the_turn_server_that_the_stream_server_names_is_used_too(turn: tuple[str, Path]) -> None:
    """The player names none; both sides gather a relay, and the nearest way wins."""
    url, log = turn
    ice = IceConfig((url,), "user", "word")
    server = ServerThread(ServerConfig(backend="identity", ice=ice))
    with rings("told") as made:
        child, game = player(server, made, IceConfig()), Game(made)
        child.start()
        game.start()
        wait_for(lambda: len(game.styled) > 10, what="frames")
        told = "ALLOCATE processed, success"
        wait_for(lambda: log.read_text(errors="replace").count(told) >= 2, what="two allocations")
        child.stop()
        game.stop()
    server.stop()


def test_a_wrong_login_ends_in_a_line_and_not_in_a_direct_way(turn: tuple[str, Path]) -> None:
    server = ServerThread(ServerConfig(backend="identity"))
    with rings("wrong") as made:
        child = player(server, made, IceConfig((turn[0],), "user", "guess", relay_only=True))
        game = Game(made)
        child.start()
        game.start()
        wait_for(lambda: child.gauges().detail, what="a word on it")
        time.sleep(0.5)
        gauges = child.gauges()
        child.stop()
        game.stop()
    server.stop()
    assert not gauges.connected
    assert not game.styled
    assert "TURN" in gauges.detail
