"""The intake over a real socket: what a recorder does works, what a forger does is refused."""

import hashlib
import socket
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qs, urlencode, urlsplit, urlunsplit

import pytest
import requests
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from solders.keypair import Keypair

from rewards import schema, tickets
from rewards.inbox import NEEDED, Inbox
from rewards.intake import Intake, IntakeLimits, Known
from rewards.ledger import Ledger
from rewards.model import Verdict
from rewards.queue import Queue
from rewards.storage import FolderStore
from scenarios.free import Free
from tests.rewards.loopback import listening

pytestmark = pytest.mark.network

WALLET = str(Keypair.from_seed(bytes(range(32))).pubkey())
PACK = "ab" * 32


@dataclass
class Server:
    url: str
    intake: Intake
    offset: list[float] = field(default_factory=lambda: [0.0])

    def post(self, path: str, body: Any) -> requests.Response:
        return requests.post(f"{self.url}{path}", json=body, timeout=120)

    def ticket(self, **changes: Any) -> dict[str, Any]:
        ask = {
            "wallet": WALLET,
            "scenario": "oncoming-traffic",
            "seed": 7,
            "driver": "bot",
            "policy": "demo",
            "world_version": 1,
            "pack_digest": PACK,
        } | changes
        reply = self.post("/v1/run-tickets", ask)
        assert reply.status_code == 201, reply.text
        return dict(reply.json()["ticket"])

    def uploads(self, ticket: dict[str, Any], files: dict[str, bytes]) -> requests.Response:
        entries = [
            {"name": name, "size": len(data), "sha256": hashlib.sha256(data).hexdigest()}
            for name, data in files.items()
        ]
        body = {"session": ticket["session"], "ticket": ticket, "files": entries}
        return self.post("/v1/upload-tickets", body)


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    folder = tmp_path_factory.mktemp("intake")
    url = f"sqlite:///{folder / 'ledger.sqlite'}"
    offset = [0.0]
    intake = Intake(
        known=Known({"oncoming-traffic": "cd" * 32}, (PACK,), (1,), ("demo",), ("ef" * 32,)),
        key=Ed25519PrivateKey.from_private_bytes(bytes(32)),
        inbox=Inbox(schema.open_engine(url)),
        store=FolderStore(folder / "raw", b"s" * 32),
        queue=Queue(folder / "queue.sqlite"),
        ledger=Ledger.open(url),
        limits=IntakeLimits(hourly=50),
        now=lambda: 1_000_000.0 + offset[0],
    )
    with listening(intake) as address:
        yield Server(address, intake, offset)


@pytest.fixture(autouse=True)
def _clock_back(server: Server) -> Iterator[None]:
    yield
    server.offset[0] = 0.0


def put(upload: dict[str, Any], body: Any, **changes: str) -> requests.Response:
    """Send a body to an upload address; changes replace parts of its query."""
    parts = urlsplit(upload["url"])
    query = {key: values[0] for key, values in parse_qs(parts.query).items()} | changes
    url = urlunsplit(parts._replace(query=urlencode(query)))
    return requests.put(url, data=body, headers=upload["headers"], timeout=120)


def reason(reply: requests.Response) -> str:
    assert 400 <= reply.status_code < 500, reply.text
    body = reply.json()
    assert set(body) == {"reason", "detail"}
    assert body["detail"]
    return str(body["reason"])


def one(server: Server, data: bytes = b"hello") -> dict[str, Any]:
    reply = server.uploads(server.ticket(), {"events.jsonl": data})
    assert reply.status_code == 201, reply.text
    return dict(reply.json()["uploads"][0])


def test_a_whole_session_goes_in_and_is_queued_once(server: Server) -> None:
    ticket = server.ticket()
    files = {name: name.encode() * 3 for name in (*NEEDED, "source-0000.mkv")}
    reply = server.uploads(ticket, files).json()
    assert {upload["name"] for upload in reply["uploads"]} == set(files)
    for upload in reply["uploads"][1:]:
        assert put(upload, files[upload["name"]]).status_code == 201
    assert reason(server.post(urlsplit(reply["complete_url"]).path, None)) == "session.incomplete"

    again = server.uploads(ticket, files).json()["uploads"]
    assert [upload["name"] for upload in again] == [reply["uploads"][0]["name"]], "resumes"
    assert put(again[0], files[again[0]["name"]]).status_code == 201
    before = server.intake.queue.depth()
    for _ in range(2):
        done = requests.post(reply["complete_url"], timeout=120).json()
        assert done == {"session": ticket["session"], "state": "queued"}
    assert server.intake.queue.depth() == before + 1
    assert reason(server.uploads(ticket, files)) == "ticket.used"

    url = f"{server.url}/v1/sessions/{ticket['session']}"
    assert requests.get(url, timeout=120).json()["verdict"] is None
    verdict = Verdict(ticket["session"], "accepted", "demo", 1, payee=WALLET)
    server.intake.ledger.record(verdict, 12, 1)
    seen = requests.get(url, timeout=120).json()
    assert (seen["state"], seen["verdict"]["decision"]) == ("accepted", "accepted")
    assert (seen["payout"]["amount"], seen["payout"]["state"]) == (12, "owed")


def test_keys_and_health(server: Server) -> None:
    keys = requests.get(f"{server.url}/v1/keys", timeout=120).json()
    assert keys == {"ticket": list(server.intake.ticket_keys), "journal": ["ef" * 32]}
    assert requests.get(f"{server.url}/health", timeout=120).json()["state"] == "ok"


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        ({"wallet": "nonsense"}, "wallet.base58" if "l" in "nonsense" else "wallet.length"),
        ({"wallet": ""}, "payee.one"),
        ({"claim": "mine"}, "payee.one"),
        ({"scenario": "../secret"}, "scenario.unknown"),
        ({"policy": "free"}, "policy.unknown"),
        ({"world_version": 99}, "world.unknown"),
        ({"pack_digest": "00"}, "pack.unknown"),
        ({"driver": "ghost"}, "request.shape"),
        ({"seed": -1}, "request.shape"),
        ({"surplus": 1}, "request.shape"),
    ],
)
def test_a_run_ticket_names_only_what_the_server_knows(
    server: Server, change: dict[str, Any], expected: str
) -> None:
    ask: dict[str, Any] = {"wallet": WALLET, "scenario": "oncoming-traffic", "driver": "bot"}
    ask |= {"policy": "demo", "world_version": 1, "pack_digest": PACK}
    assert reason(server.post("/v1/run-tickets", ask | change)) == expected


def test_a_free_drive_gets_a_ticket_by_its_name(server: Server) -> None:
    name = "free-drive@West 42nd Street & 7th Avenue"
    given = server.ticket(scenario=name)
    assert (given["scenario"], given["scenario_digest"]) == (name, Free(name[11:]).digest)
    ask = {"wallet": WALLET, "driver": "bot", "policy": "demo", "world_version": 1}
    for wrong in ("free-drive", "free-drive@", name + "@crowded"):
        reply = server.post("/v1/run-tickets", ask | {"scenario": wrong, "pack_digest": PACK})
        assert reason(reply) == "scenario.unknown"


def test_the_server_draws_the_seed_when_none_is_asked(server: Server) -> None:
    first, second = server.ticket(seed=None, claim="a", wallet=""), server.ticket(seed=None)
    assert first["seed"] != second["seed"]
    assert (first["payee"], first["claim"]) == ("", "a")


def test_who_streams_from_us_gets_the_seed_with_the_first_frame(server: Server) -> None:
    """An older client, which says nothing of it, gets one with the ticket as before."""
    late = server.ticket(seed=None, seed_from="stream", claim="late", wallet="")
    assert late["seed"] == tickets.LATE_SEED
    assert tickets.verify(late, (late["key"],)) == late
    assert server.ticket(seed=None, claim="old", wallet="")["seed"] >= 0
    assert server.ticket(seed=7, seed_from="stream", claim="wish", wallet="")["seed"] == 7


def test_a_changed_body_is_refused_and_leaves_nothing(server: Server) -> None:
    upload = one(server)
    assert reason(put(upload, b"hellO")) == "body.sha256"
    assert reason(put(upload, b"hello!")) == "body.length"
    assert reason(put(upload, b"hell")) == "body.length"
    assert put(upload, b"hello").status_code == 201
    assert put(upload, b"hello").status_code == 412
    assert list((server.intake.store.root / ".incoming").iterdir()) == []


def test_a_body_without_a_length_is_cut_off_at_its_bound(server: Server) -> None:
    upload = one(server)
    sent = [0]

    def endless() -> Iterator[bytes]:
        while sent[0] < 1 << 31:
            sent[0] += 1 << 16
            yield bytes(1 << 16)

    try:
        reply = put(upload, endless())
    except requests.ConnectionError:
        pass  # the server hung up while we were still sending
    else:
        assert reason(reply) == "body.length"
    assert sent[0] < 1 << 28
    assert list((server.intake.store.root / ".incoming").iterdir()) == []


@pytest.mark.parametrize(
    "change",
    [{"size": "6"}, {"sha256": "0" * 64}, {"expires": "9999999999"}, {"signature": "0" * 64}],
)
def test_no_part_of_an_upload_address_can_be_changed(
    server: Server, change: dict[str, str]
) -> None:
    assert reason(put(one(server), b"hello", **change)) == "url.signature"


def test_an_upload_address_expires(server: Server) -> None:
    upload = one(server)
    server.offset[0] = server.intake.limits.upload_life_s
    assert reason(put(upload, b"hello")) == "url.expired"


def test_an_upload_address_is_good_for_its_own_key_alone(server: Server) -> None:
    upload = one(server)
    moved = upload | {"url": upload["url"].replace("events.jsonl", "inputs.jsonl")}
    assert reason(put(moved, b"hello")) == "url.signature"


@pytest.mark.parametrize(
    "key", ["..%2F..%2Fetc%2Fpasswd", "a/../../b", "%2Fetc%2Fpasswd", "a/%00b", ".incoming/x", "a"]
)
def test_no_key_leads_out_of_the_store(server: Server, key: str) -> None:
    with socket.create_connection(urlsplit(server.url).netloc.split(":"), timeout=120) as raw:  # type: ignore[arg-type]
        query = f"size=1&sha256={'0' * 64}&expires=9999999999&signature={'0' * 64}"
        request = f"PUT /v1/objects/{key}?{query} HTTP/1.1\r\nHost: x\r\nContent-Length: 1\r\n"
        raw.sendall(f"{request}Connection: close\r\n\r\nx".encode())
        status = int(raw.makefile("rb").readline().split()[1])
    assert 400 <= status < 500


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("../session.json", "file.name"),
        ("source-0000.mkv/..", "file.name"),
        ("session.json\n", "file.name"),
        ("payload.sh", "file.name"),
    ],
)
def test_only_files_of_a_session_are_taken(server: Server, name: str, expected: str) -> None:
    assert reason(server.uploads(server.ticket(), {name: b"x"})) == expected


def test_sizes_and_counts_are_bounded(server: Server) -> None:
    ticket = server.ticket()
    entry = {"name": "session.json", "size": 1 << 40, "sha256": "0" * 64}
    body = {"session": ticket["session"], "ticket": ticket, "files": [entry]}
    assert reason(server.post("/v1/upload-tickets", body)) == "file.size"
    videos = [entry | {"name": f"source-{i:04}.mkv", "size": 1 << 28} for i in range(8)]
    assert reason(server.post("/v1/upload-tickets", body | {"files": videos})) == "file.total"
    assert reason(server.post("/v1/upload-tickets", body | {"files": []})) == "file.count"
    twice = [entry | {"size": 1}] * 2
    assert reason(server.post("/v1/upload-tickets", body | {"files": twice})) == "file.twice"


def test_an_announced_file_cannot_become_another(server: Server) -> None:
    ticket = server.ticket()
    assert server.uploads(ticket, {"events.jsonl": b"one"}).status_code == 201
    assert reason(server.uploads(ticket, {"events.jsonl": b"two"})) == "file.changed"


def test_foreign_forged_and_expired_tickets_are_refused(server: Server) -> None:
    mine, other = server.ticket(), server.ticket()
    files = {"events.jsonl": b"x"}
    entry = {"name": "events.jsonl", "size": 1, "sha256": hashlib.sha256(b"x").hexdigest()}
    foreign = {"session": mine["session"], "ticket": other, "files": [entry]}
    assert reason(server.post("/v1/upload-tickets", foreign)) == "ticket.foreign"
    assert reason(server.uploads(mine | {"payee": "me"}, files)) == "ticket.signature"
    terms = tickets.Terms("oncoming-traffic", "cd" * 32, 7, 1, PACK, "demo", "bot", payee=WALLET)
    never = tickets.issue(server.intake.key, terms, mine["session"], 999_000.0, 10**6)
    assert reason(server.uploads(never, files)) == "ticket.unknown"
    server.offset[0] = server.intake.limits.ticket_life_s
    assert reason(server.uploads(mine, files)) == "ticket.expired"


def test_large_and_broken_requests_are_refused(server: Server) -> None:
    url = f"{server.url}/v1/run-tickets"
    big = requests.post(url, data=b"x" * (1 << 20), timeout=120)
    assert reason(big) == "body.length"
    assert reason(requests.post(url, data=b"{", timeout=120)) == "request.shape"
    assert reason(requests.get(f"{server.url}/v1/nothing", timeout=120)) == "path.unknown"
    assert reason(requests.post(f"{server.url}/v1/sessions/x/complete", timeout=120)) == (
        "session.unknown"
    )


def test_one_payee_gets_a_limited_number_of_tickets_an_hour(server: Server) -> None:
    ask = {"claim": "greedy", "scenario": "oncoming-traffic", "driver": "bot", "policy": "demo"}
    ask |= {"world_version": 1, "pack_digest": PACK}  # type: ignore[dict-item]
    replies = [server.post("/v1/run-tickets", ask) for _ in range(51)]
    assert [reply.status_code for reply in replies[:50]] == [201] * 50
    assert (replies[50].status_code, reason(replies[50])) == (429, "ticket.quota")
