"""Leaderboards from verdicts alone, names that wallets sign for, and what is paid and why."""

import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import pytest
import requests
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from solders.keypair import Keypair

from game.atlas.load import load as load_city
from game.session.ids import new_id
from game.session.protocols import Finding
from game.world.version import TICK_HZ
from rewards import policy
from rewards.boards import Boards, folded, name_text
from rewards.checks.case import _cell
from rewards.intake import Intake
from rewards.ledger import Ledger
from rewards.model import Verdict
from rewards.rates import cell_of, cells_of_streets, scenario_rate, street_rates
from rewards.reads import ReadLimit, Reads
from rewards.refusal import UploadRefused
from rewards.result import result_of
from rewards.schema import cells, open_engine
from rewards.service import ApiConfig, open_intake
from rewards.settings import RewardsSettings
from rewards.signin import SignIn
from rewards.verdict import decide
from scenarios.cases import case
from scenarios.daily import day_seed
from scenarios.load import catalogue
from tests.rewards.loopback import listening

PLAYERS = [str(Keypair.from_seed(bytes([n]) * 32).pubkey()) for n in range(1, 8)]
ROAD = "road-debris"


def verdict(
    who: str, tick: int, ttc_ms: int | None = 3000, scenario: str = ROAD, decided_s: int = 1000,
    **changes: Any,
) -> Verdict:  # fmt: skip
    told: dict[str, Any] = {"success": True, "end_tick": tick, "collisions": 0}
    if ttc_ms is not None:
        told["min_ttc_ms"] = ttc_ms
    replay = Finding("replay", True, 1.0, 1.0, "", -1, "", told | changes.pop("evidence", {}))
    measures = {"scenario": scenario, "driver": "human"} | changes.pop("measures", {})
    made = Verdict(new_id(), "accepted", "demo", 1, who, findings=(replay,), measures=measures,
                   decided_s=decided_s)  # fmt: skip
    return replace(made, **changes)


@dataclass
class Place:
    url: str
    intake: Intake

    def get(self, path: str, **headers: str) -> requests.Response:
        return requests.get(f"{self.url}{path}", headers=headers, timeout=120)

    def json(self, path: str) -> Any:
        reply = self.get(path)
        assert reply.status_code == 200, reply.text
        return reply.json()


@pytest.fixture
def ledger(tmp_path: Path) -> Ledger:
    return Ledger.open(f"sqlite:///{tmp_path / 'ledger.sqlite'}")


@pytest.fixture
def boards(ledger: Ledger, tmp_path: Path) -> Boards:
    return boards_of(ledger, tmp_path)


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Place]:
    folder = tmp_path_factory.mktemp("boards")
    settings = RewardsSettings(folder=folder, policy="default", tickets_at_once=50, keep_free=0)
    intake = open_intake(ApiConfig(settings))
    with listening(intake) as address:
        yield Place(address, intake)


def boards_of(ledger: Ledger, folder: Path) -> Boards:
    engine = open_engine(f"sqlite:///{folder / 'ledger.sqlite'}")
    return Boards(ledger, SignIn(engine, "test"), Ed25519PrivateKey.generate())


def test_only_an_accepted_replay_with_an_end_gets_a_place() -> None:
    good = verdict(PLAYERS[0], 600)
    assert result_of(good) is not None
    replay = good.findings[0]
    for bad in (
        replace(good, decision="rejected"),
        replace(good, policy="offline"),
        replace(good, findings=()),
        replace(good, findings=(replace(replay, passed=False),)),
        replace(good, payee=""),
        verdict(PLAYERS[0], 600, evidence={"success": False}),
        verdict(PLAYERS[0], 600, evidence={"end_tick": "600"}),
    ):
        assert result_of(bad) is None
    # what a client writes about itself has no way in: only the replay's own evidence is read
    lied = replace(good, measures={**good.measures, "ticks": 1, "end_tick": 1, "seconds": 1})
    assert (result_of(lied) or {})["tick"] == 600


def test_the_best_of_each_payee_ranks_by_time_then_by_distance_and_ties_share(
    ledger: Ledger, boards: Boards
) -> None:
    a, b, c, d = PLAYERS[:4]
    drives = [
        verdict(a, 700), verdict(a, 650), verdict(b, 600, 900), verdict(c, 600, 2500),
        verdict(d, 600, 2500, decided_s=2000), verdict(b, 590, 100, "busy-intersection"),
        verdict(a, 60, measures={"driver": "bot"}),
    ]  # fmt: skip
    for each in drives:
        ledger.record(each, 0, each.decided_s)
        ledger.record(each, 0, each.decided_s)  # delivered twice
    rows, yours, of = boards.board(ROAD, session=drives[0].session)
    names = [boards.pseudonym(who) for who in (c, d, b, a)]
    assert [row.name for row in rows] == names
    assert [row.rank for row in rows] == [1, 1, 3, 4]
    assert rows[-1].seconds == pytest.approx(650 / TICK_HZ)
    assert of == 4
    assert yours == rows[-1]
    assert [row.seconds for row in boards.board(ROAD, driver="bot")[0]] == [1.0]
    assert boards.counts() == {ROAD: 5, "busy-intersection": 1}


def test_nobody_near_is_farther_than_anybody(ledger: Ledger, boards: Boards) -> None:
    for who, ttc in ((PLAYERS[0], 9000), (PLAYERS[1], None)):
        ledger.record(verdict(who, 600, ttc), 0, 1)
    rows, _, _ = boards.board(ROAD)
    assert [(row.rank, row.closest_s) for row in rows] == [(1, None), (2, 9.0)]


def test_a_claim_and_the_wallet_that_it_was_given_to_are_one(
    ledger: Ledger, boards: Boards
) -> None:
    ledger.record(verdict("", 600, claim="c" * 20), 0, 1)
    ledger.record(verdict(PLAYERS[0], 500), 0, 1)
    assert boards.board(ROAD)[2] == 2
    ledger.bind("c" * 20, PLAYERS[0], 2)
    rows, _, of = boards.board(ROAD)
    assert of == 1
    assert rows[0].seconds == pytest.approx(500 / TICK_HZ)


def test_a_pseudonym_tells_no_wallet_and_hangs_on_the_services_key(
    ledger: Ledger, tmp_path: Path
) -> None:
    one, other = boards_of(ledger, tmp_path), boards_of(ledger, tmp_path)
    name = one.pseudonym(PLAYERS[0])
    assert name == one.pseudonym(PLAYERS[0]) != other.pseudonym(PLAYERS[0])
    assert not any(PLAYERS[0][at : at + 4] in name for at in range(len(PLAYERS[0]) - 3))


def test_a_drive_that_was_taken_back_leaves_the_board(ledger: Ledger, boards: Boards) -> None:
    made = verdict(PLAYERS[0], 600)
    ledger.record(made, 0, 1)
    ledger.unlist(made.session)
    assert boards.board(ROAD) == ((), None, 0)


def test_a_verdict_says_daily_only_for_the_seed_of_the_day_its_ticket_was_given_out() -> None:
    rules = policy.load("daily")
    day = date(2026, 11, 23)
    noon = int(datetime(2026, 11, 23, 12, tzinfo=UTC).timestamp())
    ticket = {"session": new_id(), "payee": PLAYERS[0], "claim": "", "scenario": ROAD}

    def daily(seed: int, issued_s: int) -> object:
        told = decide(None, (Finding("replay", True, 1.0, 1.0),), rules,
                      ticket | {"seed": seed, "issued_s": issued_s}, "local", noon)  # fmt: skip
        assert policy.amount(told, rules) == 0
        return told.measures.get("daily")

    assert daily(day_seed(day), noon) == "2026-11-23"
    assert daily(day_seed(day), noon + 24 * 3600) is None
    assert daily(7, noon) is None


def test_a_day_has_a_board_of_its_own(ledger: Ledger, boards: Boards) -> None:
    ledger.record(verdict(PLAYERS[0], 600, measures={"daily": "2026-11-23"}), 0, 1)
    ledger.record(verdict(PLAYERS[1], 500), 0, 1)
    assert [row.seconds for row in boards.board(ROAD, "2026-11-23")[0]] == [10.0]
    assert boards.board(ROAD, "2026-11-24") == ((), None, 0)
    assert boards.board(ROAD)[2] == 2


def test_a_name_is_shown_where_its_wallet_signed_and_two_cannot_look_alike(
    ledger: Ledger, boards: Boards
) -> None:
    key = Keypair.from_seed(bytes([1]) * 32)
    ledger.record(verdict(PLAYERS[0], 600), 0, 1)

    def sign(name: str, by: Keypair = key, told: str | None = None) -> str:
        challenge = boards.begin_name(str(by.pubkey()), name, 10.0, ())
        assert name_text(name) in challenge.text
        signature = str(by.sign_message(challenge.text.encode()))
        return boards.finish_name(challenge.nonce, name if told is None else told, signature, 11.0)

    assert sign("Ada 9th") == PLAYERS[0]
    assert boards.board(ROAD)[0][0].name == "Ada 9th"
    with pytest.raises(UploadRefused, match=r"name\.taken"):
        sign("A_D.A 9th", Keypair.from_seed(bytes([2]) * 32))
    with pytest.raises(UploadRefused, match=r"name\.foreign"):
        sign("Another", told="Somebody else")
    for bad in ("ab", "x" * 21, "<b>hi</b>", " led", "näh"):
        with pytest.raises(UploadRefused, match=r"name\.shape"):
            boards.begin_name(PLAYERS[0], bad, 10.0, ())
    sign("")
    assert boards.board(ROAD)[0][0].name == boards.pseudonym(PLAYERS[0])
    assert folded("L0_1 s") == folded("lols")


def test_rates_follow_the_policy_and_say_why() -> None:
    rules = policy.load("default")
    plain, hard = (scenario_rate(rules, name) for name in (ROAD, "school-zone-chaos"))
    assert plain.per_minute == 1800 * 1000
    assert hard.per_minute == plain.per_minute * 1300 // 1000
    assert plain.per_minute_new == plain.per_minute * 3 // 2
    assert "difficulty x 1.30" in hard.why
    assert any("50 % more" in line for line in plain.why)
    assert "pays nothing" in scenario_rate(policy.load("daily"), ROAD).why[0]


def test_a_street_pays_more_the_less_of_it_is_known() -> None:
    city, rules = load_city(), policy.load("default")
    streets = cells_of_streets(city)
    name = "West 34th Street"
    assert len(streets) > 60
    half = frozenset(sorted(streets[name])[::2])
    one = next(s for s in street_rates(streets, half, rules) if s.name == name)
    share = 1000 * (len(streets[name]) - len(half)) // len(streets[name])
    assert (one.new_milli, one.pays_milli) == (share, 1000 + 500 * share // 1000)
    state = case(ROAD, city, 1).state
    assert _cell(state) == cell_of(state.ego.x, state.ego.y, state.ego.heading)


def test_questions_are_bounded_for_each_address_and_answers_are_kept() -> None:
    clock, made = [0.0], [0]
    reads = Reads(ReadLimit(at_once=3, per_minute=60), lambda: clock[0])

    class Request:
        headers: dict[str, str] = {}
        client = type("Client", (), {"host": "203.0.113.9"})()

    def make() -> dict[str, Any]:
        made[0] += 1
        return {"n": made[0]}

    answers = [reads.json(Request(), "k", 10.0, make) for _ in range(3)]  # type: ignore[arg-type]
    assert {answer.body for answer in answers} == {b'{"n":1}'}
    with pytest.raises(UploadRefused, match=r"reads\.many"):
        reads.json(Request(), "k", 10.0, make)  # type: ignore[arg-type]
    clock[0] = 11.0
    assert reads.json(Request(), "k", 10.0, make).body == b'{"n":2}'  # type: ignore[arg-type]
    Request.headers = {"if-none-match": answers[0].headers["etag"]}
    assert reads.json(Request(), "k", 10.0, make).status_code == 200  # type: ignore[arg-type]
    tag = reads.json(Request(), "k", 10.0, make).headers["etag"]  # type: ignore[arg-type]
    Request.headers = {"if-none-match": tag}
    clock[0] = 12.0
    assert reads.json(Request(), "k", 10.0, make).status_code == 304  # type: ignore[arg-type]


@pytest.mark.network
def test_the_addresses_say_it_with_tags_and_ages(place: Place) -> None:
    index = place.json("/v1/leaderboards")
    assert {board["scenario"] for board in index["boards"]} == set(catalogue())
    place.intake.ledger.record(verdict(PLAYERS[0], 615, scenario="taxi-theatre-run"), 0, 1)
    reply = place.get("/v1/leaderboards/taxi-theatre-run")
    assert reply.json()["rows"][0]["seconds"] == pytest.approx(10.25)
    assert re.fullmatch(r"public, max-age=\d+", reply.headers["cache-control"])
    tag = {"If-None-Match": reply.headers["etag"]}
    again = place.get("/v1/leaderboards/taxi-theatre-run", **tag)
    assert again.status_code == 304
    assert PLAYERS[0] not in reply.text
    assert place.get("/v1/leaderboards/nowhere").status_code == 404
    assert place.get("/v1/leaderboards/road-debris?day=yesterday").status_code == 422
    paths = place.json("/openapi.json")["paths"]
    assert {"/v1/rates", "/v1/streets", "/v1/leaderboards", "/v1/leaderboards/{scenario}"} <= set(
        paths
    )


@pytest.mark.network
def test_streets_fall_in_price_as_they_are_driven(place: Place) -> None:
    before = place.json("/v1/streets")
    assert all(street["pays_milli"] == 1500 for street in before["streets"])
    taken = cells_of_streets(load_city())["Madison Avenue"]
    with place.intake.ledger.writing() as db:
        import sqlalchemy as sa

        db.execute(sa.insert(cells), [{"cell": cell, "session": "x"} for cell in sorted(taken)])
    pack = place.intake.known.packs[0]
    place_after = place.json(f"/v1/streets?pack={pack}")
    assert place_after == before, "an answer is kept for a while"
    assert place.get("/v1/streets?pack=" + "0" * 64).status_code == 404


@pytest.mark.network
def test_a_ticket_of_the_day_takes_the_days_seed_and_no_other(place: Place) -> None:
    known = place.intake.known
    from scenarios.daily import today

    def ask(seed: int, name: str) -> requests.Response:
        body = {"claim": "d" * 20, "scenario": ROAD, "driver": "human", "policy": name,
                "seed": seed, "world_version": known.worlds[0],
                "pack_digest": known.packs[0]}  # fmt: skip
        return requests.post(f"{place.url}/v1/run-tickets", json=body, timeout=120)

    seed = day_seed(today())
    given = ask(seed, "daily")
    assert given.status_code == 201, given.text
    assert given.json()["ticket"]["seed"] == seed
    assert ask(seed + 1, "daily").json()["reason"] == "seed.day"
    assert ask(seed, "default").json()["reason"] == "seed.chosen"


@pytest.mark.network
def test_the_pages_are_plain_and_escape_what_comes_from_outside(place: Place) -> None:
    for path, words in (
        ("/boards", "Leaderboards"), ("/boards/road-debris", "Nobody is listed yet"),
        ("/rates", "Tokens a minute"),
    ):  # fmt: skip
        reply = place.get(path)
        assert reply.status_code == 200, reply.text
        assert words in reply.text
        assert "<script" not in reply.text
        assert "default-src 'none'" in reply.headers["content-security-policy"]
        assert "aria-label" in reply.text
    assert place.get("/boards/%3Cscript%3E").status_code == 404
