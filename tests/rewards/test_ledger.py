"""The ledger: arrows name where they start, nothing counts twice, strangers are refused."""

import sqlite3
import threading
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from game.session.protocols import Finding
from rewards.errors import LedgerLost, LedgerMismatch
from rewards.ledger import Ledger
from rewards.ledger_file import Stamp
from rewards.model import Payout, Verdict, verdict_from_json, verdict_to_json
from rewards.payout_book import Signing

STAMP = Stamp(genesis="g", mint="m", treasury="t", secret_id="s")
LOTS = 10**12


def url(folder: Path) -> str:
    return f"sqlite:///{folder / 'ledger.sqlite'}"


@pytest.fixture
def ledger(tmp_path: Path) -> Iterator[Ledger]:
    opened = Ledger.open(url(tmp_path), STAMP)
    yield opened
    opened.close()


def accepted(session: str = "a", **more: str) -> Verdict:
    return Verdict(session, "accepted", "demo", 1, **({"payee": "w"} | more))  # type: ignore[arg-type]


def owed(ledger: Ledger, session: str = "a", amount: int = 100) -> Payout:
    payout = ledger.record(accepted(session), amount, 5)
    assert payout is not None
    return payout


def sign(ledger: Ledger, payout: Payout, budget: int = LOTS, name: str = "sig") -> list[Payout]:
    return list(ledger.sign([Signing(payout, name, b"raw", 9)], "2026-11-22", budget, 6))


@pytest.mark.parametrize("field", ["genesis", "mint", "treasury", "secret_id"])
def test_another_chain_mint_treasury_or_secret_is_refused(tmp_path: Path, field: str) -> None:
    Ledger.open(url(tmp_path), STAMP).close()
    with pytest.raises(LedgerMismatch) as refused:
        Ledger.open(url(tmp_path), replace(STAMP, **{field: "other"}))
    assert refused.value.what == field
    again = Ledger.open(url(tmp_path), STAMP)
    assert again.stamp() == STAMP
    again.close()


def test_a_worker_opens_an_unstamped_ledger_and_the_payer_stamps_it(tmp_path: Path) -> None:
    worker = Ledger.open(url(tmp_path))
    assert owed(worker).mint == ""
    Ledger.open(url(tmp_path), STAMP).close()
    assert worker.payout("a") == replace(owed(worker), mint="m")
    worker.close()


def test_the_first_verdict_stands_and_a_duplicate_delivery_changes_nothing(ledger: Ledger) -> None:
    first = owed(ledger, amount=100)
    assert ledger.record(accepted(), 999, 7) == first
    assert ledger.record(replace(accepted(), decision="rejected"), 0, 8) == first
    assert ledger.totals() == {
        "owed": 1, "accepted": 1, "rejected": 0, "unpaid": 0, "unclaimed": 0,
    }  # fmt: skip


def test_rejected_and_worthless_sessions_are_kept_and_owe_nothing(ledger: Ledger) -> None:
    assert ledger.record(replace(accepted("r"), decision="rejected"), 0, 1) is None
    assert ledger.record(accepted("z"), 0, 1) is None
    assert [v.session for v in ledger.verdicts("rejected")] == ["r"]
    assert ledger.payouts() == ()


def test_a_lost_payout_is_owed_again_from_the_same_verdict(ledger: Ledger, tmp_path: Path) -> None:
    first = owed(ledger)
    with sqlite3.connect(tmp_path / "ledger.sqlite") as db:
        db.execute("delete from payouts")
    db.close()
    assert ledger.payout("a") is None
    assert owed(ledger) == first


def test_a_claim_is_bound_once(ledger: Ledger) -> None:
    assert ledger.record(accepted("a", payee="", claim="c"), 100, 1) is None
    assert ledger.totals()["unclaimed"] == 1
    (payout,) = ledger.bind("c", "wallet", 2)
    assert (payout.wallet, payout.amount, payout.state) == ("wallet", 100, "owed")
    assert ledger.bind("c", "thief", 3) == ()
    assert ledger.payout("a") == payout


def test_each_arrow_leaves_only_the_state_that_it_names(ledger: Ledger) -> None:
    start = owed(ledger)
    assert ledger.mark_sent([start], 1) == ()
    assert ledger.expire([start], 1) == ()
    (signed,) = sign(ledger, start)
    assert sign(ledger, start) == []
    (sent,) = ledger.mark_sent([signed], 7)
    assert ledger.mark_sent([signed], 7) == ()
    assert not ledger.park(signed, "stale", 7)
    assert ledger.finalize(sent, "sig", "2026-11-22", 8)
    assert not ledger.park(sent, "late", 9)
    assert ledger.expire([sent], 9) == ()
    final = ledger.payout("a")
    assert final is not None
    assert (final.state, final.signature, final.attempts) == ("finalized", "sig", 1)


def test_an_update_with_a_dead_signature_does_not_touch_the_new_one(ledger: Ledger) -> None:
    (old,) = sign(ledger, owed(ledger), name="old")
    (expired,) = ledger.expire([old], 7)
    (new,) = sign(ledger, expired, name="new")
    assert ledger.expire([old], 8) == ()
    assert not ledger.finalize(old, "old", "2026-11-22", 8)
    assert ledger.payout("a") == new


def test_of_many_payers_signing_one_payout_one_wins(ledger: Ledger, tmp_path: Path) -> None:
    start = owed(ledger)
    ready, wins = threading.Barrier(4), []

    def payer(name: str) -> None:
        mine = Ledger.open(url(tmp_path), STAMP)
        ready.wait()
        wins.extend(sign(mine, start, name=name))
        mine.close()

    threads = [threading.Thread(target=payer, args=(f"p{i}",)) for i in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(wins) == 1
    assert ledger.payout("a") == wins[0]


def test_the_daily_budget_is_taken_once_and_given_back_by_parking(ledger: Ledger) -> None:
    first, second = owed(ledger, "a", 60), owed(ledger, "b", 60)
    (signed,) = sign(ledger, first, budget=100)
    assert sign(ledger, second, budget=100) == []
    (expired,) = ledger.expire([signed], 7)
    (again,) = sign(ledger, expired, budget=100)  # holds its share already
    assert ledger.spent("2026-11-22") == 60
    (expired,) = ledger.expire([again], 8)
    assert ledger.park(expired, "closed", 9)
    assert ledger.spent("2026-11-22") == 0
    assert sign(ledger, second, budget=100)


def test_a_payment_found_after_a_loss_is_charged_to_its_day(ledger: Ledger) -> None:
    assert ledger.finalize(owed(ledger, "a", 60), "found", "2026-11-21", 9)
    assert ledger.spent("2026-11-21") == 60


def test_a_removed_file_is_noticed_instead_of_written_to(ledger: Ledger, tmp_path: Path) -> None:
    start = owed(ledger)
    for name in ("ledger.sqlite", "ledger.sqlite-wal", "ledger.sqlite-shm"):
        (tmp_path / name).unlink(missing_ok=True)
    with pytest.raises(LedgerLost):
        sign(ledger, start)


def test_commits_reach_the_disk_before_they_return(ledger: Ledger) -> None:
    with ledger._engine.begin() as db:
        assert db.exec_driver_sql("pragma synchronous").scalar() == 2  # FULL
        assert db.exec_driver_sql("pragma journal_mode").scalar() == "wal"


def test_accepted_is_paid_plus_owed(ledger: Ledger) -> None:
    for n in range(6):
        owed(ledger, f"s{n}")
    ledger.record(accepted("c", payee="", claim="c"), 5, 1)
    ledger.finalize(owed(ledger, "s0"), "x", "2026-11-22", 2)
    ledger.park(owed(ledger, "s1"), "why", 2)
    totals = ledger.totals()
    assert totals["accepted"] == totals["finalized"] + totals["parked"] + totals["owed"] + 1


def test_a_verdict_reads_back_as_it_was_written(ledger: Ledger) -> None:
    finding = Finding("replay", False, 0.5, 1.0, "replay.state", 7, "differs", {"at": [1, 2]})
    verdict = Verdict(
        "a", "rejected", "demo", 1, claim="c", findings=(finding,),
        measures={"pairs_attested": 3, "success": False}, notes=("n",), decided_s=5,
    )  # fmt: skip
    assert verdict_from_json(verdict_to_json(verdict)) == verdict
    ledger.record(verdict, 0, 1)
    assert ledger.verdict("a") == verdict
