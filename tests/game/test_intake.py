"""What the game does with the answers of a rewards service, good and bad."""

import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from game.play.claim import ClaimKeyBad, held
from game.play.intake import Intake, Payee, ServiceSaysNo, ServiceUnreachable, payee

pytestmark = pytest.mark.network


class Answers(BaseHTTPRequestHandler):
    """Gives the answer that the test has laid out."""

    status, body = 201, b'{"ticket": {"session": "x"}}'
    asked: list[dict[str, object]] = []

    def do_POST(self) -> None:
        length = int(self.headers["Content-Length"])
        type(self).asked.append(json.loads(self.rfile.read(length)))
        self.send_response(self.status)
        self.send_header("Content-Length", str(len(self.body)))
        self.end_headers()
        self.wfile.write(self.body)

    def log_message(self, format: str, *args: object) -> None:
        pass


@pytest.fixture
def service() -> Iterator[str]:
    Answers.asked = []
    server = ThreadingHTTPServer(("127.0.0.1", 0), Answers)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_address[1]}"
    server.shutdown()
    server.server_close()


def ask(url: str, seed: int | None = None) -> dict[str, object]:
    intake = Intake(url)
    try:
        return intake.run_ticket(Payee(claim="c1"), "road-debris", seed, "human", "demo", "ab")
    finally:
        intake.close()


def test_a_seed_is_asked_for_only_where_one_is_wanted(
    service: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert ask(service) == {"session": "x"}
    ask(service, 9)
    assert "seed" not in Answers.asked[0]
    assert Answers.asked[1]["seed"] == 9


@pytest.mark.parametrize(
    ("status", "body", "error", "says"),
    [
        (422, b'{"reason":"wallet.curve","detail":"not a wallet"}', ServiceSaysNo, "wallet.curve"),
        (404, b"<html>", ServiceSaysNo, "http.404"),
        (503, b"", ServiceUnreachable, "status 503"),
    ],
)
def test_a_refusal_says_why_and_a_failure_says_how_to_go_on(
    service: str,
    monkeypatch: pytest.MonkeyPatch,
    status: int,
    body: bytes,
    error: type[Exception],
    says: str,
) -> None:
    monkeypatch.setattr(Answers, "status", status)
    monkeypatch.setattr(Answers, "body", body)
    with pytest.raises(error, match=says):
        ask(service)


def test_nobody_there_is_a_network_error() -> None:
    with pytest.raises(ServiceUnreachable, match=r"rewards\.url=off") as caught:
        ask("http://127.0.0.1:9")
    assert caught.value.exit_code == 4


def test_without_a_wallet_one_claim_key_is_kept(tmp_path: Path) -> None:
    first = payee("", tmp_path)
    assert (first.wallet, len(first.claim)) == ("", 64)
    assert payee("", tmp_path) == first
    assert payee(" abc ", tmp_path) == Payee(wallet="abc")


def test_only_the_public_half_of_a_claim_is_named(tmp_path: Path) -> None:
    claim, path = payee("", tmp_path).claim, tmp_path / "claim.key"
    assert path.stat().st_mode & 0o077 == 0
    key = Ed25519PrivateKey.from_private_bytes(bytes.fromhex(path.read_text()))
    assert key.public_key().public_bytes_raw().hex() == claim
    assert path.read_text() not in claim
    path.write_text("not a key")
    with pytest.raises(ClaimKeyBad, match="restore it"):
        payee("", tmp_path)


def test_the_bearer_code_of_an_older_game_stays_claimable(tmp_path: Path) -> None:
    (tmp_path / "claim-id").write_text("ab" * 10)
    claim = payee("", tmp_path).claim
    assert [(c.name, c.key is None) for c in held(tmp_path)] == [
        (claim, False), ("ab" * 10, True)
    ]  # fmt: skip
