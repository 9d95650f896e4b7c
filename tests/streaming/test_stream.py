"""The whole loop over real sockets: exact pairs, the bitstream as sent, and every sudden death."""

import hashlib
import json
import os
import signal
import time
import urllib.request
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from streaming.impairment import Impairment
from streaming.journal import verify
from streaming.peer import PeerConfig
from streaming.peer_process import PeerProcess, PeerThread
from streaming.seal import digest, public_hex, sign
from streaming.server import ServerConfig
from tests.streaming.rig import (
    Game,
    Rings,
    ServerProcess,
    ServerThread,
    journal_lines,
    rings,
)
from tests.waiting import wait_for

pytestmark = [pytest.mark.network, pytest.mark.flow]

ISSUER = Ed25519PrivateKey.from_private_bytes(bytes(range(32)))


def ticket(session: str, life_s: int = 600) -> dict[str, object]:
    return sign({"v": 1, "session": session, "expires_s": int(time.time()) + life_s}, ISSUER)


def peer(
    server: ServerProcess, made: Rings, session: str, path: Path, **more: object
) -> PeerProcess:
    config = PeerConfig(server.url, session, journal_path=path, **more)  # type: ignore[arg-type]
    return PeerProcess(config, made.source, made.styled, made.encoded)


def exact(game: Game) -> None:
    """Every picture's own barcode names the tick that it was paired with, and none twice."""
    assert [t for t, read in game.styled.items() if read is not None and read != t & 0xFFFF] == []
    read = sum(value is not None for value in game.styled.values())
    assert read > len(game.styled) / 2  # what a poor line leaves readable is never wrong
    ticks = [frame.tick for frame in game.encoded]
    assert ticks == sorted(set(ticks))
    assert all(frame.exact for frame in game.encoded)


def as_sent(game: Game, lines: list[str], share: float = 1.0) -> None:
    """The server's signed hashes are those of the frames that were received."""
    frames = verify(lines, whole=False).frames
    hashes = {frame.tick: hashlib.sha256(frame.data).hexdigest() for frame in game.encoded}
    assert all(frames[tick].sha256 == sha for tick, sha in hashes.items() if tick in frames)
    assert sum(tick in frames for tick in hashes) >= share * len(hashes) > 0


def test_three_seconds_come_back_exact_and_byte_for_byte(tmp_path: Path) -> None:
    server = ServerProcess(
        ServerConfig(
            backend="identity",
            journal=tmp_path / "server",
            ticket_keys=(public_hex(ISSUER),),
            key_file=tmp_path / "key",
        )
    )
    signed = ticket("s1")
    with rings() as made:
        child = peer(server, made, "s1", tmp_path / "j", ticket=signed, prompt="dusk")
        game = Game(made)
        child.start()
        game.start()
        wait_for(lambda: len(game.styled) > 5, what="first frames")
        child.commit(game.tick, bytes(range(32)))
        put = game.put
        wait_for(lambda: game.put >= put + 90, what="three seconds")
        game.stop()
        last = child.stop()
        game.collect()
        exact(game)
        # a machine that is busy elsewhere skips pictures by design, and counts each of them
        assert last.sent + last.dropped == game.put
        assert last.sent >= last.returned == len(game.encoded) > 0
        assert (last.lost, last.foreign) == (0, 0)
        health = json.load(urllib.request.urlopen(f"{server.url.replace('ws', 'http')}/health"))
        assert health["ok"]
        assert health["players"] == 0
        lines = journal_lines(tmp_path / "j")
        assert lines == journal_lines(tmp_path / "server" / "s1.jsonl")
        journal = verify(lines, (server.ready.journal_key,), digest(signed))
        assert journal.ended
        assert [chain for _, chain in journal.inputs] == [bytes(range(32)).hex()]
        as_sent(game, lines)
        assert last.sent >= len(journal.frames) >= last.returned
        told = last.round_trip_ms
        assert 0 < told.p50 <= told.p95 <= told.p99
        again = peer(server, made, "s1", tmp_path / "j2", ticket=signed)  # the run is over
        again.start()
        wait_for(lambda: again.gauges().state == "refused")
        assert "in use, or was used" in again.gauges().detail
        again.stop()
    server.stop()


def test_lost_packets_never_mix_up_ticks(tmp_path: Path) -> None:
    bad = Impairment(loss=0.05, delay=0.005, seed=3)
    server = ServerProcess(
        ServerConfig(backend="identity", journal=tmp_path / "server", impairment=bad)
    )
    with rings() as made:
        line = Impairment(loss=0.05, delay=0.005, seed=4)
        child = peer(server, made, "lossy", tmp_path / "j", impairment=line)
        game = Game(made)
        child.start()
        game.start()
        wait_for(lambda: len(game.styled) > 3, what="first frames")
        put, encoded = game.put, len(game.encoded)
        wait_for(lambda: game.put >= put + 120)
        wait_for(lambda: len(game.encoded) - encoded > 100, what="most frames back under loss")
        child.stop()
        game.stop()
        exact(game)
        as_sent(game, journal_lines(tmp_path / "j"))
    server.stop()


def test_a_killed_server_comes_back_with_prompt_and_journal(tmp_path: Path) -> None:
    config = ServerConfig(
        backend="filter", journal=tmp_path / "server", key_file=tmp_path / "journal.key"
    )
    server = ServerProcess(config)
    with rings() as made:
        child = peer(server, made, "again", tmp_path / "j", prompt="by night", number=1)
        game = Game(made)
        child.start()
        game.start()
        wait_for(lambda: len(game.encoded) > 40)
        child.set_prompt("neon rain", "neon", seed=5)
        wait_for(lambda: game.encoded[-1].prompt == 2)
        assert game.encoded[-1].seed == 5
        wait_for(lambda: (tmp_path / "j").exists() and len(journal_lines(tmp_path / "j")) > 1)
        server.kill()
        wait_for(lambda: not child.gauges().connected)
        before = len(game.encoded)
        server = ServerProcess(
            ServerConfig(
                port=server.ready.port,
                backend="filter",
                journal=tmp_path / "server",
                key_file=tmp_path / "journal.key",
            )
        )
        wait_for(lambda: len(game.encoded) > before + 10, what="frames after the restart")
        assert child.gauges().reconnects >= 1
        assert game.encoded[-1].prompt == 2
        child.stop()
        game.stop()
        lines = journal_lines(tmp_path / "j")
        journal = verify(lines, (server.ready.journal_key,))
        assert journal.ended
        assert journal.segments == 1
        neon = hashlib.sha256(b"neon rain").hexdigest()
        assert json.loads(lines[-1])["prompt_sha256"] == neon
        as_sent(game, lines, share=0.6)
    server.stop()


def test_a_killed_peer_is_replaced_and_takes_its_seat_again(tmp_path: Path) -> None:
    server = ServerProcess(
        ServerConfig(
            backend="identity", journal=tmp_path / "server", ticket_keys=(public_hex(ISSUER),)
        )
    )
    exits: list[int | None] = []
    with rings() as made:
        config = PeerConfig(
            server.url, "k9", ticket=ticket("k9"), journal_path=tmp_path / "j", prompt="day"
        )
        child = PeerProcess(config, made.source, made.styled, made.encoded, exits.append)
        game = Game(made)
        child.start()
        game.start()
        wait_for(lambda: len(game.encoded) > 30)
        first = child.pid
        assert first is not None
        os.kill(first, signal.SIGKILL)
        wait_for(lambda: exits == [-9])
        assert child.gauges().state == "stalled"
        before = len(game.encoded)
        child.start()
        assert child.pid != first
        wait_for(lambda: len(game.encoded) > before + 20, what="frames of the second peer")
        child.stop()
        game.stop()
        exact(game)
        journal = verify(journal_lines(tmp_path / "j"), (server.ready.journal_key,))
        assert journal.ended
        as_sent(game, journal_lines(tmp_path / "j"))
    server.stop()


def test_a_second_stream_on_a_ticket_is_refused(tmp_path: Path) -> None:
    keys = (public_hex(ISSUER),)
    server = ServerThread(ServerConfig(journal=tmp_path / "server", ticket_keys=keys))
    signed = ticket("one")
    with rings() as made, rings("other") as other:
        first = PeerThread(
            PeerConfig(server.url, "one", ticket=signed), made.source, made.styled, made.encoded
        )
        game = Game(made)
        first.start()
        game.start()
        wait_for(lambda: len(game.styled) > 3)
        for bad, why in (
            (signed, "in use"),
            (ticket("old", -1), "expired"),
            ({**ticket("two"), "session": "three"}, "not signed"),
            ({}, "not signed"),
        ):
            config = PeerConfig(server.url, "x", ticket=bad)
            second = PeerThread(config, other.source, other.styled, other.encoded)
            second.start()
            wait_for(lambda one=second: one.gauges().state == "refused", what=why)
            assert why in second.gauges().detail
            second.stop()
        seen = len(game.styled)
        wait_for(lambda: len(game.styled) > seen + 5, what="the first stream goes on")
        first.stop()
        game.stop()
    server.stop()


def test_a_wrong_key_is_refused_and_never_shown(tmp_path: Path) -> None:
    server = ServerThread(ServerConfig(api_key="right-key"))
    with rings() as made:
        config = PeerConfig(server.url, "k", api_key="wrong-secret")
        child = PeerThread(config, made.source, made.styled, made.encoded)
        child.start()
        wait_for(lambda: child.gauges().state == "refused")
        assert "401" in child.gauges().detail
        assert "wrong-secret" not in child.gauges().detail + repr(config)
        child.stop()
    server.stop()


def test_a_full_server_tells_the_queue_and_lets_the_next_in(tmp_path: Path) -> None:
    server = ServerThread(ServerConfig(players=1))
    with rings() as made, rings("other") as other:
        first = PeerThread(PeerConfig(server.url, "a"), made.source, made.styled, made.encoded)
        first.start()
        wait_for(lambda: first.gauges().backend != "" and first.gauges().connect_ms > 0)
        second = PeerThread(PeerConfig(server.url, "b"), other.source, other.styled, other.encoded)
        second.start()
        wait_for(lambda: second.gauges().state == "queued")
        assert second.gauges().queue_position == 1
        first.stop()
        wait_for(lambda: second.gauges().connect_ms > 0, what="the seat that became free")
        second.stop()
    server.stop()


def test_nobody_listening_is_one_clear_line() -> None:
    with rings() as made:
        config = PeerConfig("ws://127.0.0.1:9", "nobody")
        child = PeerThread(config, made.source, made.styled, made.encoded)
        child.start()
        wait_for(lambda: child.gauges().reconnects > 1)
        assert "check the address" in child.gauges().detail
        assert "\n" not in child.gauges().detail
        child.stop()
        assert not child.alive()
