"""Wallets, claims, quotas, pages and metrics over a real socket."""

import hashlib
import json
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest
import requests
from click.testing import CliRunner
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from solders.keypair import Keypair

from game.cli import cli
from game.play.claim import KEY_FILE, own
from game.session.ids import new_id
from game.session.protocols import Finding
from rewards import appeals, tickets
from rewards.claim import bound_wallet
from rewards.inbox import NEEDED
from rewards.intake import Intake
from rewards.model import Verdict
from rewards.player import give
from rewards.refusal import UploadRefused
from rewards.sealed import seal
from rewards.service import ApiConfig, open_intake
from rewards.settings import RewardsSettings
from tests.rewards.loopback import listening
from tests.rewards.recording import JOURNAL_KEY

pytestmark = pytest.mark.network
PLAYER = Keypair.from_seed(bytes(range(32)))
WALLET = str(PLAYER.pubkey())


@dataclass
class Place:
    url: str
    intake: Intake
    folder: Path

    def post(self, path: str, **body: Any) -> requests.Response:
        return requests.post(f"{self.url}{path}", json=body, timeout=120)

    def page(self, path: str) -> str:
        return requests.get(f"{self.url}{path}", timeout=120).text

    def challenge(self, wallet: str = WALLET, claim: str = "") -> dict[str, str]:
        reply = self.post("/v1/wallets/challenge", wallet=wallet, claim=claim)
        assert reply.status_code == 201, reply.text
        return dict(reply.json())

    def ticket(self, **changes: Any) -> requests.Response:
        known = self.intake.known
        ask = {
            "scenario": sorted(known.scenarios)[0], "driver": "bot", "policy": "demo",
            "world_version": known.worlds[0], "pack_digest": known.packs[0],
        }  # fmt: skip
        return self.post("/v1/run-tickets", **(ask | changes))


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Place]:
    folder = tmp_path_factory.mktemp("place")
    settings = RewardsSettings(folder=folder, policy="demo", tickets_at_once=6, keep_free=0)
    intake = open_intake(ApiConfig(settings))
    with listening(intake) as address:
        yield Place(address, intake, folder)


def reason(reply: requests.Response) -> str:
    assert reply.status_code >= 400, reply.text
    return str(reply.json()["reason"])


def signed(challenge: dict[str, str], by: Keypair = PLAYER) -> str:
    return str(by.sign_message(challenge["text"].encode()))


def test_a_wallet_signs_once_and_is_known_ever_after(place: Place) -> None:
    wallet = str(Keypair.from_seed(bytes(32)).pubkey())
    challenge = place.challenge(wallet)
    assert wallet in challenge["text"]
    assert "This is not a transaction" in challenge["text"]
    answer = {"nonce": challenge["nonce"], "signature": signed(challenge)}
    assert reason(place.post("/v1/wallets/answer", **answer)) == "signin.signature"
    again = place.challenge(wallet)
    owner = Keypair.from_seed(bytes(32))
    answer = {"nonce": again["nonce"], "signature": signed(again, owner)}
    assert place.post("/v1/wallets/answer", **answer).json()["tier"] == "signed"
    assert reason(place.post("/v1/wallets/answer", **answer)) == "signin.unknown", "once only"
    tiers = [
        requests.get(f"{place.url}/v1/wallets/{w}", timeout=120).json()["tier"]
        for w in (wallet, str(Keypair().pubkey()))
    ]
    assert tiers == ["signed", "address"]


def test_a_late_answer_is_refused(place: Place) -> None:
    desk = place.intake.desk
    assert desk is not None
    challenge = desk.signin.begin(WALLET, 1_000.0)
    with pytest.raises(Exception, match=r"signin\.expired"):
        desk.signin.finish(challenge.nonce, str(PLAYER.sign_message(b"x")), 1_301.0)


def test_a_claim_key_hands_its_sessions_to_a_wallet_once(place: Place) -> None:
    key = Ed25519PrivateKey.generate()
    claim, session = tickets.public_hex(key), new_id()
    verdict = Verdict(session, "accepted", "demo", 1, claim=claim)
    place.intake.ledger.record(verdict, 700, 1)
    assert place.intake.ledger.payout(session) is None, "no wallet yet"
    challenge = place.challenge(claim=claim)
    body = {"claim": claim, "nonce": challenge["nonce"], "signature": signed(challenge)}
    assert reason(place.post("/v1/claims", **body)) == "claim.signature"
    good = body | {"claim_signature": key.sign(challenge["text"].encode()).hex()}
    done = place.post("/v1/claims", **good).json()
    assert (done["wallet"], [p["amount"] for p in done["owed"]]) == (WALLET, [700])
    # judged later: goes to the same wallet
    later = Verdict(new_id(), "accepted", "demo", 1, claim=claim)
    payout = place.intake.ledger.record(later, 5, 2)
    assert payout is not None
    assert payout.wallet == WALLET
    # and nobody takes it over
    thief = Keypair()
    challenge = place.challenge(str(thief.pubkey()), claim)
    body = {
        "claim": claim, "nonce": challenge["nonce"], "signature": signed(challenge, thief),
        "claim_signature": key.sign(challenge["text"].encode()).hex(),
    }  # fmt: skip
    assert reason(place.post("/v1/claims", **body)) == "claim.bound"
    wallet, proof = place.intake.ledger.binding(claim) or ("", "")
    keys = place.intake.ticket_keys
    assert bound_wallet(proof, claim, keys) == wallet == WALLET
    assert bound_wallet(proof.replace(WALLET, str(thief.pubkey())), claim, keys) == ""


def test_the_holder_of_a_claim_key_names_a_wallet_whose_key_is_elsewhere(
    place: Place, tmp_path: Path
) -> None:
    claim, path = own(tmp_path), tmp_path / KEY_FILE
    place.intake.ledger.record(Verdict(new_id(), "accepted", "demo", 1, claim=claim), 700, 1)
    other = tmp_path / "other"
    own(other)
    with pytest.raises(UploadRefused, match=r"claim\.signature"):
        give(place.url, WALLET, claim, other / KEY_FILE)
    asked = ["--set", f"paths.data={tmp_path}", "rewards", "claim", "--url", place.url]
    done = CliRunner().invoke(cli, [*asked, "--wallet", WALLET, "--json"], catch_exceptions=False)
    (row,) = json.loads(done.stdout.splitlines()[-1])["claims"]
    assert (row["claim"], row["wallet"], row["owed"][0]["amount"]) == (claim, WALLET, 700)
    assert path.read_text() not in done.output
    desk = place.intake.desk
    assert desk is not None
    assert not desk.signin.is_proved(str(Keypair().pubkey()))


def test_a_bearer_code_still_needs_the_wallets_signature(place: Place) -> None:
    code = "ef" * 10
    place.intake.ledger.record(Verdict(new_id(), "accepted", "demo", 1, claim=code), 5, 1)
    challenge = place.challenge(claim=code)
    body = {"claim": code, "nonce": challenge["nonce"]}
    assert reason(place.post("/v1/claims", **body)) == "signin.signature"
    challenge = place.challenge(claim=code)
    body = {"claim": code, "nonce": challenge["nonce"], "signature": signed(challenge)}
    assert place.post("/v1/claims", **body).json()["wallet"] == WALLET


def test_a_challenge_for_one_claim_does_not_move_another(place: Place) -> None:
    mine, other = "ab" * 10, "cd" * 10
    challenge = place.challenge(claim=mine)
    body = {"claim": other, "nonce": challenge["nonce"], "signature": signed(challenge)}
    assert reason(place.post("/v1/claims", **body)) == "claim.foreign"


def test_a_guessable_claim_cannot_be_claimed(place: Place) -> None:
    challenge = place.challenge(claim="me")
    body = {"claim": "me", "nonce": challenge["nonce"], "signature": signed(challenge)}
    assert reason(place.post("/v1/claims", **body)) == "claim.weak"


def test_quotas_name_whom_they_bound_and_when_to_come_again(place: Place) -> None:
    replies = [place.ticket(claim=f"device{n}", device="d1") for n in range(7)]
    assert [reply.status_code for reply in replies[:6]] == [201] * 6
    assert (replies[6].status_code, reason(replies[6])) == (429, "quota.device")
    assert "the next in" in replies[6].json()["detail"]


def test_an_offline_drive_gets_a_ticket_that_pays_nothing(place: Place) -> None:
    session = new_id()
    assert reason(place.ticket(claim="x" * 20, session=session)) == "session.chosen"
    first = place.ticket(claim="x" * 20, session=session, policy="offline", seed=None)
    assert first.status_code == 201, first.text
    assert first.json()["ticket"]["session"] == session
    again = place.ticket(claim="x" * 20, session=session, policy="offline", seed=None)
    assert again.json() == first.json(), "asked again: the same ticket"
    other = place.ticket(claim="y" * 20, session=session, policy="offline", seed=None)
    assert reason(other) == "ticket.foreign"


def test_intake_stops_before_the_volume_fills(place: Place, monkeypatch: Any) -> None:
    ticket = place.ticket(claim="z" * 20).json()["ticket"]
    entry = {"name": NEEDED[0], "size": 1, "sha256": hashlib.sha256(b"x").hexdigest()}
    body = {"session": ticket["session"], "ticket": ticket, "files": [entry]}
    assert place.post("/v1/upload-tickets", **body).status_code == 201
    desk = place.intake.desk
    assert desk is not None
    monkeypatch.setattr("rewards.space.room", lambda folders: 100)
    full = replace(desk.settings, keep_free=1_000)
    monkeypatch.setattr(type(desk), "check_room", lambda self, n: _room(full, n))
    reply = place.post("/v1/upload-tickets", **body)
    assert (reply.status_code, reason(reply)) == (503, "server.full")


def _room(settings: RewardsSettings, coming: int) -> None:
    from rewards.space import check_room

    check_room([settings.folder], settings.keep_free, coming)


def rejected(place: Place, detail: str = "soft") -> str:
    session = new_id()
    findings = (
        Finding("integrity", True, 0.0, 0.0),
        Finding("near-duplicate", False, 0.97, 0.9, "near-duplicate.other-payee", 5, "like s77"),
        Finding("blur", False, 0.3, 0.85, "blur.soft", 120, detail),
    )
    counts = dict.fromkeys(("pairs_attested", "pairs_witnessed", "pairs_self", "collisions"), 0)
    measures = counts | {"difficulty_milli": 1000, "quality_milli": 1000, "success": True}
    words = {"driver": "bot", "backend": "filter", "scenario": "busy-intersection"}
    verdict = Verdict(
        session, "rejected", "demo", 1, payee=WALLET, findings=findings, measures=measures | words
    )
    sealed = seal(place.intake.key, verdict, 0)
    place.intake.ledger.record(verdict, 0, 1, sealed.text)
    body = sealed.text.encode()
    digest = hashlib.sha256(body).hexdigest()
    assert place.intake.desk is not None
    place.intake.desk.clean.put(f"verdicts/{session}.json", iter([body]), len(body), digest)
    return session


def test_a_page_says_why_escapes_what_came_from_outside_and_keeps_fraud_signals(
    place: Place,
) -> None:
    page = place.page(f"/sessions/{rejected(place, '<script>alert(1)</script>')}")
    assert "<script>" not in page
    assert "&lt;script&gt;" in page
    assert "blur.soft" in page
    assert "like s77" not in page
    assert "0.97" not in page
    assert "near-duplicate.other-payee" in page
    assert requests.get(f"{place.url}/sessions/nothing", timeout=120).status_code == 404
    assert "Nothing was judged" not in place.page("/")


def test_the_appeal_button_queues_one_second_look_and_its_answer_is_shown(place: Place) -> None:
    session = rejected(place)
    assert "Ask for a second look" in place.page(f"/sessions/{session}")
    for _ in range(2):
        reply = requests.post(f"{place.url}/sessions/{session}/appeal", timeout=120)
        assert reply.status_code == 200, "after the redirect"
    assert [a.session for a in appeals.waiting(place.intake.ledger)] == [session]
    assert place.intake.desk is not None
    appeals.reverse(
        place.intake.ledger, place.intake.desk.clean, place.intake.key, session, "rain", 9
    )
    verdict = place.intake.ledger.verdict(session)
    assert verdict is not None
    assert verdict.accepted
    assert "reversed on appeal: rain" in place.page(f"/sessions/{session}")
    assert appeals.waiting(place.intake.ledger) == ()
    stored = b"".join(place.intake.desk.clean.read(f"verdicts/{session}.json"))
    assert json.loads(stored)["verdict"]["decision"] == "accepted"
    unknown = requests.post(f"{place.url}/v1/sessions/{new_id()}/appeal", timeout=120)
    assert reason(unknown) == "appeal.nothing"


def test_metrics_are_samples_with_help_and_type(place: Place) -> None:
    text = place.page("/metrics")
    values = dict(line.rsplit(" ", 1) for line in text.splitlines() if not line.startswith("#"))
    assert float(values["rewards_queue_depth"]) == place.intake.queue.depth()
    assert 'rewards_verdicts{decision="rejected"}' in values
    assert text.count("# TYPE rewards_payouts gauge") == 1


def test_openapi_lists_every_address_and_the_previous_clients_request_still_works(
    place: Place,
) -> None:
    paths = requests.get(f"{place.url}/openapi.json", timeout=120).json()["paths"]
    wanted = {
        "/v1/run-tickets", "/v1/upload-tickets", "/v1/sessions/{session}/complete",
        "/v1/sessions/{session}", "/v1/objects/{key}", "/v1/wallets/challenge", "/v1/claims",
    }  # fmt: skip
    assert wanted <= set(paths)
    # what the first release sends: no device, no session
    assert place.ticket(wallet=WALLET, claim="").status_code == 201


def test_signed_by_another_judge_cannot_be_reversed_here(place: Place) -> None:
    session = new_id()
    verdict = Verdict(session, "rejected", "demo", 1, payee=WALLET)
    place.intake.ledger.record(verdict, 0, 1, seal(JOURNAL_KEY, verdict, 0).text)
    appeals.ask(place.intake.ledger, session, 1)
    assert place.intake.desk is not None
    with pytest.raises(Exception, match="no enrolled judge"):
        appeals.reverse(
            place.intake.ledger, place.intake.desk.clean, place.intake.key, session, "?", 9
        )
