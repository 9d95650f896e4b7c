"""The scenario's seed stays with the server until the run's first frame has come."""

import json
import time
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from streaming.errors import JournalBroken
from streaming.journal import JournalWriter, verify
from streaming.peer import PeerConfig
from streaming.peer_process import PeerThread
from streaming.seal import digest, load_key
from streaming.seed import LATE, drawn, is_late
from streaming.server import ServerConfig
from tests.streaming.rig import Game, Rings, ServerThread, picture, rings
from tests.waiting import wait_for

KEY = Ed25519PrivateKey.from_private_bytes(bytes(range(32)))
TICKET = {"session": "late", "seed": LATE}


def test_the_seed_follows_from_ticket_and_key_alone() -> None:
    seed = drawn(TICKET, KEY)
    assert seed == drawn(dict(TICKET), KEY)
    assert 0 <= seed < 1 << 31
    others = {drawn({**TICKET, "session": f"s{i}"}, KEY) for i in range(100)}
    assert len({*others, seed, drawn(TICKET, Ed25519PrivateKey.generate())}) == 102


@pytest.mark.parametrize("seed", [7, 0, -1.0, True, None, "-1"])
def test_only_a_ticket_that_says_so_has_a_late_seed(seed: object) -> None:
    assert not is_late({"session": "s", "seed": seed})
    assert is_late(TICKET)


def writer(folder: Path) -> JournalWriter:
    return JournalWriter(folder, "late", digest(TICKET), "identity/1", KEY, lambda: 5_000)


def lines(folder: Path) -> list[str]:
    return (folder / "late.jsonl").read_text("ascii").splitlines()


def test_the_journal_says_which_seed_was_released_and_when(tmp_path: Path) -> None:
    book = writer(tmp_path)
    assert book.seed is None
    book.release(77, 4_000)
    book.seal()
    book.close()
    again = writer(tmp_path)  # a server that comes back knows it
    assert again.seed == 77
    again.seal(end=True)
    again.close()
    assert verify(lines(tmp_path)).seed == (77, 4_000)


def test_the_golden_journal_with_a_seed_is_written_byte_for_byte(tmp_path: Path) -> None:
    book = writer(tmp_path)
    book.release(1_234_567_890, 4_000)
    book.seal()
    book.frame(2, 4_100, 4_200, bytes(256), "ab" * 32)
    book.seal(end=True)
    golden = Path(__file__).parents[1] / "golden" / "journal-seed.jsonl"
    assert lines(tmp_path) == golden.read_text("ascii").splitlines()


def test_two_seeds_or_one_from_the_future_are_refused(tmp_path: Path) -> None:
    book = writer(tmp_path)
    for seed in (77, 78):
        book.release(seed, 4_000)
        book.seal(end=seed == 78)
    with pytest.raises(JournalBroken, match="another seed"):
        verify(lines(tmp_path))
    other = writer(tmp_path / "other")
    other.release(77, 6_000)
    other.seal(end=True)
    with pytest.raises(JournalBroken, match="later than it was sealed"):
        verify(lines(tmp_path / "other"))


def peer(server: ServerThread, made: Rings, folder: Path | None = None) -> PeerThread:
    path = folder / "mine.jsonl" if folder is not None else None
    config = PeerConfig(server.url, "late", TICKET, resume="secret", journal_path=path)
    child = PeerThread(config, made.source, made.styled, made.encoded)
    child.start()
    return child


@pytest.mark.network
@pytest.mark.heavy
def test_no_frame_no_seed_and_the_first_frame_only_opens_the_run(tmp_path: Path) -> None:
    config = ServerConfig(backend="identity", journal=tmp_path, key_file=tmp_path / "key")
    server = ServerThread(config)
    with rings("seed") as made:
        child = peer(server, made, tmp_path)
        wait_for(lambda: (tmp_path / "late.jsonl").exists(), what="a seat")
        time.sleep(0.5)  # time enough for a seed that came with the seat
        assert child.gauges().seed == LATE
        assert "seed" not in (tmp_path / "late.jsonl").read_text()
        made.source.put(0, time.monotonic_ns(), picture(0))
        wait_for(lambda: child.gauges().seed >= 0, what="the seed")
        seed = child.gauges().seed
        game = Game(made)
        game.start()
        wait_for(lambda: len(game.styled) > 10, what="frames of the run")
        game.stop()
        child.stop()
    server.stop()
    assert seed == drawn(TICKET, load_key(tmp_path / "key"))
    mine = (tmp_path / "mine.jsonl").read_text("ascii").splitlines()
    book = verify(mine)
    assert book.seed is not None
    assert book.seed[0] == seed
    assert min(book.frames) >= 2  # the hold picture was neither painted nor journalled
    assert min(frame.received_ns for frame in book.frames.values()) >= book.seed[1]
    assert json.loads(mine[0])["seed"] == list(book.seed)
    assert all(code == tick & 0xFFFF for tick, code in game.styled.items() if code is not None)


@pytest.mark.network
@pytest.mark.heavy
def test_who_comes_back_is_told_the_same_seed_and_goes_on(tmp_path: Path) -> None:
    config = ServerConfig(backend="identity", journal=tmp_path, key_file=tmp_path / "key")
    server = ServerThread(config)
    with rings("again") as made:
        child = peer(server, made)
        made.source.put(0, time.monotonic_ns(), picture(0))
        wait_for(lambda: child.gauges().seed >= 0, what="the seed")
        seed = child.gauges().seed
        game = Game(made, 600)
        game.start()
        wait_for(lambda: len(game.styled) > 2, what="frames")
        child.stop()
        server.stop()
        for path in tmp_path.glob("late.*"):
            path.unlink()  # the server lost its journal
        server = ServerThread(config)
        child, before = peer(server, made), max(game.styled)
        wait_for(lambda: max(game.styled) > before + 20, what="frames after the restart")
        wait_for(lambda: child.gauges().seed == seed, what="the same seed")
        game.stop()
        child.stop()
    server.stop()
