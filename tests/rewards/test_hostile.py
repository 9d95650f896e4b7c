"""Hostile uploads against a real intake: bodies without end, heads without end, bombs, disguises.

The intake runs as the service does, with its patience shortened. What a store of somebody else's
(S3) refuses by itself is tested against one that enforces it, in `test_strict_store`.
"""

import contextlib
import gzip
import socket
import time
from collections.abc import Iterator
from http.client import HTTPResponse
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
import requests
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from game.session.format import TrackId
from game.session.track import segment_path
from rewards import schema, uploads
from rewards.checks.decode import DecodeLimits, DecoderFailed, Order, decode
from rewards.inbox import Inbox
from rewards.intake import Intake, IntakeLimits, Known
from rewards.ledger import Ledger
from rewards.patience import PatientProtocol
from rewards.queue import Queue
from rewards.storage import FolderStore
from tests.rewards.loopback import listening
from tests.rewards.recording import Made
from tests.rewards.test_api import PACK, Server, reason
from tests.rewards.test_source import reasons

pytestmark = pytest.mark.network
GIB = 1 << 30


class Hasty(PatientProtocol):
    """The service's own, with less patience."""

    head_s = 2.0


@pytest.fixture
def server(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Server]:
    monkeypatch.setattr(uploads, "CHUNK_WAIT_S", 2.0)
    monkeypatch.setattr("rewards.api.CHUNK_WAIT_S", 2.0)
    url = f"sqlite:///{tmp_path / 'ledger.sqlite'}"
    intake = Intake(
        known=Known({"oncoming-traffic": "cd" * 32}, (PACK,), (1,), ("demo",), ("ef" * 32,)),
        key=Ed25519PrivateKey.from_private_bytes(bytes(32)),
        inbox=Inbox(schema.open_engine(url)),
        store=FolderStore(tmp_path / "raw", b"s" * 32),
        queue=Queue(tmp_path / "queue.sqlite"),
        ledger=Ledger.open(url),
        limits=IntakeLimits(hourly=500),
    )
    with listening(intake, http=Hasty, limit_concurrency=64) as address:
        yield Server(address, intake)


def dial(server: Server) -> socket.socket:
    where = urlsplit(server.url)
    return socket.create_connection((where.hostname or "", where.port or 0), timeout=120)


def answer(line: socket.socket) -> bytes:
    """All that the other side says until it hangs up."""
    said = b""
    with contextlib.suppress(ConnectionError):
        while part := line.recv(1 << 16):
            said += part
    return said


def pour(line: socket.socket, head: str, most: int) -> tuple[int, bytes]:
    """Send a head and then zeros until the other side hangs up; bytes taken, and what it said."""
    line.sendall(head.encode())
    sent, block = 0, bytes(1 << 16)
    try:
        while sent < most:
            sent += line.send(block)
    except OSError:
        pass
    return sent, answer(line)


def grant(server: Server, size: int = 5) -> dict[str, Any]:
    ticket = server.ticket()
    body = bytes(size)
    told = server.uploads(ticket, {"events.jsonl": body}).json()["uploads"][0]
    return dict(told)


def alive(server: Server) -> bool:
    return requests.get(f"{server.url}/health", timeout=120).status_code == 200


def put_head(upload: dict[str, Any], length: str) -> str:
    where = urlsplit(upload["url"])
    more = "".join(f"{name}: {value}\r\n" for name, value in upload["headers"].items())
    return f"PUT {where.path}?{where.query} HTTP/1.1\r\nHost: x\r\n{more}{length}\r\n\r\n"


def test_ten_gigabytes_in_place_of_five_bytes_are_refused_at_the_door(server: Server) -> None:
    upload = grant(server)
    with dial(server) as line:
        sent, said = pour(line, put_head(upload, f"Content-Length: {10 * GIB}"), 10 * GIB)
    assert sent < 64 << 20, "the socket's buffers, not the body"
    assert b" 403 " in said or not said  # hung up on while still sending
    store = server.intake.store
    assert isinstance(store, FolderStore)
    assert list(store.root.rglob("*.*")) == [], "nothing of it was written"
    assert alive(server)


def test_ten_gigabytes_cannot_be_announced(server: Server) -> None:
    ticket = server.ticket()
    entry = {"name": "styled-0000.mkv", "size": 10 * GIB, "sha256": "0" * 64}
    ask = {"session": ticket["session"], "ticket": ticket, "files": [entry]}
    assert reason(server.post("/v1/upload-tickets", ask)) == "file.size"
    parts = [entry | {"name": f"styled-{n:04}.mkv", "size": 250 << 20} for n in range(5)]
    assert reason(server.post("/v1/upload-tickets", ask | {"files": parts})) == "file.total"


@pytest.mark.parametrize("length", [f"Content-Length: {10 * GIB}", "Transfer-Encoding: chunked"])
def test_a_question_of_ten_gigabytes_is_not_read(server: Server, length: str) -> None:
    head = f"POST /v1/run-tickets HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n{length}"
    start = f"\r\n\r\n{'10000000' if 'chunked' in length else ''}\r\n"
    with dial(server) as line:
        sent, said = pour(line, head + start, 10 * GIB)
    assert sent < 64 << 20
    assert b" 413 " in said or not said
    assert alive(server)


def test_a_head_that_comes_byte_by_byte_is_hung_up_on(server: Server) -> None:
    lines = [dial(server) for _ in range(40)]
    for line in lines:
        line.sendall(b"GET /health HTTP/1.1\r\nHost: x\r\nX-A: ")
    for line in lines[:5]:  # some never say anything more, some dribble on
        with contextlib.suppress(OSError):  # it may have hung up already
            for _ in range(3):
                time.sleep(0.05)
                line.sendall(b"b")
    for line in lines:
        with contextlib.suppress(ConnectionError):
            assert line.recv(100) == b"", "the other side hangs up"
        line.close()
    assert alive(server)


def test_a_connection_kept_alive_may_not_begin_a_second_head_and_stop(server: Server) -> None:
    with dial(server) as line:
        line.sendall(b"GET /health HTTP/1.1\r\nHost: x\r\n\r\n")
        first = HTTPResponse(line)  # a head and its body may come in two pieces
        first.begin()
        assert first.status == 200
        assert first.read()
        line.sendall(b"GET /hea")
        assert answer(line) == b""


def test_a_body_that_pauses_is_given_up(server: Server) -> None:
    upload = grant(server, 100_000)
    with dial(server) as line:
        line.sendall(put_head(upload, "Content-Length: 100000").encode() + bytes(10))
        assert b"body.slow" in answer(line)
    assert alive(server)


def test_a_body_that_dribbles_is_given_up_in_all(
    server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(uploads, "SLOWEST", 200_000)
    upload = grant(server, 100_000)  # 2 s of patience and 0.5 s for its length
    with dial(server) as line:
        line.sendall(put_head(upload, "Content-Length: 100000").encode())
        begin, said = time.monotonic(), b""
        line.settimeout(0.1)
        while not said and time.monotonic() - begin < 120:
            try:
                line.sendall(b"z")
                said = line.recv(4096)
            except TimeoutError:
                continue
        line.settimeout(120)
        said += answer(line)
    assert b"body.slow" in said


def test_a_question_that_dribbles_is_given_up(server: Server) -> None:
    with dial(server) as line:
        line.sendall(b"POST /v1/run-tickets HTTP/1.1\r\nHost: x\r\nContent-Length: 50\r\n\r\n{")
        assert b"body.slow" in answer(line)


def test_a_packed_question_is_not_unpacked(server: Server) -> None:
    bomb = gzip.compress(b'{"wallet": "' + bytes(1 << 24) + b'"}')
    headers = {"Content-Type": "application/json", "Content-Encoding": "gzip"}
    reply = requests.post(f"{server.url}/v1/run-tickets", data=bomb, headers=headers, timeout=120)
    assert 400 <= reply.status_code < 500
    assert len(bomb) < 1 << 16


@pytest.mark.parametrize("deep", ["[" * 100_000, '{"a":' * 50_000])
def test_a_question_nested_without_end_is_no_question(server: Server, deep: str) -> None:
    headers = {"Content-Type": "application/json"}
    url = f"{server.url}/v1/upload-tickets"
    reply = requests.post(url, data=deep, headers=headers, timeout=120)
    assert 400 <= reply.status_code < 500
    assert alive(server)


# --- what lies in the store, before the judge ----------------------------------------------------

DISGUISES = {
    "a list of files": b"ffconcat version 1.0\nfile session.json\n",
    "a playlist": b"#EXTM3U\n#EXT-X-TARGETDURATION:5\n#EXTINF:5,\nfile:///etc/passwd\n",
    "a session description": b"v=0\no=- 0 0 IN IP4 127.0.0.1\nm=video 5004 RTP/AVP 96\n",
    "a picture with a script": b'<svg xmlns="http://www.w3.org/2000/svg"><image href="file:///"/>',
    "a packed bomb": gzip.compress(bytes(1 << 24)),
    "an archive": b"PK\x03\x04" + bytes(4096),
    "an AVI": b"RIFF\x00\x00\x00\x00AVI LIST" + bytes(4096),
    "nothing": b"",
    "an endless size": bytes.fromhex("1a45dfa301ffffffffffffff") + bytes(4096),
}


@pytest.mark.render
@pytest.mark.parametrize("what", sorted(DISGUISES))
def test_what_only_calls_itself_a_video_rejects_the_session(
    clean: Made, tmp_path: Path, renderer: object, what: str
) -> None:
    copy = clean.copy(tmp_path / "copy")
    segment_path(copy.folder, TrackId.STYLED, 0).write_bytes(DISGUISES[what])
    assert reasons(copy, tmp_path / "scratch", renderer)[0].startswith("integrity.")


@pytest.mark.render
def test_a_frame_that_claims_to_be_enormous_ends_the_child_and_not_the_judge(
    clean: Made, tmp_path: Path
) -> None:
    """A VP8 key frame whose head says 16383 x 16383: half a gigabyte for a few bytes."""
    copy = clean.copy(tmp_path / "copy")
    path = segment_path(copy.folder, TrackId.STYLED, 0)
    data = bytearray(path.read_bytes())
    at = data.index(b"\x9d\x01\x2a") + 3
    data[at : at + 4] = b"\xff\x3f\xff\x3f"
    path.write_bytes(bytes(data))
    limits = DecodeLimits(cpu_s=20, memory=1 << 30, wall_s=60.0)
    order = Order(copy.folder, tmp_path / "out", {TrackId.STYLED: (0, 4)}, limits=limits)
    try:
        got = decode(order)
    except DecoderFailed:
        return  # it died of its limits: the session is tried again, then laid aside
    assert got.problems
    assert got.pictures == {}


def test_the_door_knows_nothing_of_archives() -> None:
    """No code of the intake or of the judge unpacks what came in; a print packs our own figures."""
    root = Path(uploads.__file__).parent
    for path in set(root.rglob("*.py")) - {root / "prints.py"}:
        words = set(path.read_text().split())
        assert not words & {"zipfile", "tarfile", "gzip", "zlib", "bz2", "lzma"}, path
