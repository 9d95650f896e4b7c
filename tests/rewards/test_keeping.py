"""Layouts, backups and rebuilding: what was judged and owed survives its database."""

import hashlib
import sqlite3
from dataclasses import replace
from pathlib import Path

import pytest

from rewards import frozen, policy, tickets
from rewards.backup import back_up, restore
from rewards.errors import BackupUnsound, LedgerNewer
from rewards.ledger import Ledger
from rewards.model import Verdict
from rewards.premises import Premises
from rewards.queue import Queue
from rewards.rebuild import refill
from rewards.schema import LAYOUT
from rewards.sealed import seal
from rewards.settings import RewardsSettings
from rewards.simulate import simulate
from rewards.storage import FolderStore
from tests.rewards.recording import JOURNAL_KEY, TICKET_KEY

JUDGES = (tickets.public_hex(JOURNAL_KEY),)
FIRST = (
    "create table verdicts (session varchar(128) primary key, decision varchar(16) not null,"
    " policy varchar(64) not null, policy_version integer not null, payee varchar(64) not null,"
    " claim varchar(128) not null, amount bigint not null, digest varchar(64) not null,"
    " body text not null, decided_s bigint not null)",
    "create table payouts (session varchar(128) primary key, wallet varchar(64) not null,"
    " amount bigint not null, policy varchar(64) not null, policy_version integer not null,"
    " state varchar(16) not null, signature varchar(128) not null, raw blob not null,"
    " last_valid_height bigint not null, attempts integer not null, reason text not null,"
    " budget_day varchar(10) not null, owed_s bigint not null, changed_s bigint not null)",
    "insert into payouts values ('old','w',7,'demo',1,'owed','',x'',0,0,'','',1,1)",
)
"""The tables of the first release, and one payout in them."""


def server(folder: Path, count: int = 3) -> RewardsSettings:
    """A folder as a worker leaves it."""
    settings = RewardsSettings(folder=folder, policy="demo")
    ledger, queue = Ledger.open(settings.ledger_url), Queue(Premises(folder).queue)
    clean = FolderStore(Premises(folder).clean, b"")
    for n in range(count):
        verdict = Verdict(f"s{n}", "accepted", "demo", 1, payee=f"w{n}", decided_s=n)
        sealed = seal(JOURNAL_KEY, verdict, 100 + n, due_s=50)
        ledger.record(verdict, sealed.amount, n, sealed.text, sealed.due_s)
        body = sealed.text.encode()
        digest = hashlib.sha256(body).hexdigest()
        clean.put(f"verdicts/s{n}.json", iter([body]), len(body), digest)
    queue.push("waiting", "waiting")
    queue.close()
    ledger.close()
    (folder / "keys").mkdir(exist_ok=True)
    (folder / "keys" / "receipt.secret").write_text("ab" * 32)
    return settings


def test_a_ledger_of_the_first_release_is_brought_up_to_date(tmp_path: Path) -> None:
    db = sqlite3.connect(tmp_path / "ledger.sqlite")
    for statement in FIRST:
        db.execute(statement)
    db.commit()
    db.close()
    for _ in range(2):
        ledger = Ledger.open(f"sqlite:///{tmp_path / 'ledger.sqlite'}")
        (payout,) = ledger.payouts()
        assert (payout.session, payout.amount, payout.due_s, payout.digest) == ("old", 7, 0, "")
        ledger.close()


def test_a_ledger_of_a_later_release_is_refused(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path / 'ledger.sqlite'}"
    Ledger.open(url).close()
    db = sqlite3.connect(tmp_path / "ledger.sqlite")
    db.execute(f"update layout set version = {LAYOUT + 1}")
    db.commit()
    db.close()
    with pytest.raises(LedgerNewer, match="update the program"):
        Ledger.open(url)


def test_a_backup_drill(tmp_path: Path) -> None:
    """Back up, lose everything, restore, fill up what was judged after the backup."""
    settings = server(tmp_path / "live")
    done = back_up(settings, tmp_path / "kept")
    assert done.files >= 6
    new = replace(settings, folder=tmp_path / "new")
    restore(new, tmp_path / "kept")
    ledger = Ledger.open(new.ledger_url)
    assert [p.amount for p in ledger.payouts()] == [100, 101, 102]
    queue = Queue(Premises(new.folder).queue)
    assert queue.depth() == 1
    assert (new.folder / "keys" / "receipt.secret").read_text() == "ab" * 32
    later = seal(JOURNAL_KEY, Verdict("late", "accepted", "demo", 1, payee="w"), 9)
    clean, body = FolderStore(Premises(new.folder).clean, b""), later.text.encode()
    clean.put("verdicts/late.json", iter([body]), len(body), hashlib.sha256(body).hexdigest())
    assert refill(ledger, clean, JUDGES).added == 1
    assert len(ledger.payouts()) == 4
    queue.close()
    ledger.close()


def test_a_damaged_backup_and_a_place_that_is_taken_are_refused(tmp_path: Path) -> None:
    settings = server(tmp_path / "live")
    back_up(settings, tmp_path / "kept")
    with pytest.raises(BackupUnsound, match="exists already"):
        back_up(settings, tmp_path / "kept")
    with pytest.raises(BackupUnsound, match="move the old folder aside"):
        restore(settings, tmp_path / "kept")
    (tmp_path / "kept" / "ledger.sqlite").write_bytes(b"other")
    with pytest.raises(BackupUnsound, match="not what was backed up"):
        restore(replace(settings, folder=tmp_path / "new"), tmp_path / "kept")
    assert not (tmp_path / "new").exists()
    assert back_up(settings, tmp_path / "bare", keys=False).files < 7
    assert not (tmp_path / "bare" / "keys").exists()


def test_a_lost_ledger_is_rebuilt_from_sealed_verdicts_and_forged_ones_are_left_out(
    tmp_path: Path,
) -> None:
    settings = server(tmp_path)
    forged = seal(TICKET_KEY, Verdict("forged", "accepted", "demo", 1, payee="thief"), 10**9)
    clean, body = FolderStore(Premises(tmp_path).clean, b""), forged.text.encode()
    clean.put("verdicts/forged.json", iter([body]), len(body), hashlib.sha256(body).hexdigest())
    for file in tmp_path.glob("ledger.sqlite*"):
        file.unlink()
    ledger = Ledger.open(settings.ledger_url)
    done = refill(ledger, clean, JUDGES)
    assert (done.added, done.refused) == (3, ("verdicts/forged.json",))
    assert [(p.session, p.amount, p.due_s) for p in ledger.payouts()] == [
        ("s0", 100, 50), ("s1", 101, 50), ("s2", 102, 50)
    ]  # fmt: skip
    assert refill(ledger, clean, JUDGES).added == 0
    ledger.close()


RULES = policy.load("default")


def told(name: str, **measures: int | str | bool) -> Verdict:
    known: dict[str, int | str | bool] = {
        "pairs_attested": 1_000, "pairs_witnessed": 0, "pairs_self": 0, "difficulty_milli": 1000,
        "quality_milli": 1000, "success": True, "collisions": 0, "driver": "human",
        "backend": "tiny", "wallet_sessions": 50, "tier": "signed", "ticks": 600,
    }  # fmt: skip
    return Verdict(
        name, "accepted", RULES.name, RULES.version, payee="w", measures=known | measures
    )


def test_new_streets_pay_more_and_a_typed_wallet_half() -> None:
    plain = policy.amount(told("a"), RULES)
    assert plain == 1_000_000
    assert policy.amount(told("a", novelty_milli=1000), RULES) == plain * 3 // 2
    assert policy.amount(told("a", tier="address"), RULES) == plain // 2


def test_budgets_of_the_day_cut_what_is_over_and_newcomers_share_one() -> None:
    extras = RULES.extras
    assert policy.amount(told("a", wallet_today=extras.wallet_day - 7), RULES) == 7
    assert policy.amount(told("a", all_today=extras.all_day + 9), RULES) == 0
    full = {"new_today": extras.newcomers_day}
    assert policy.amount(told("a", **full), RULES) == 1_000_000, "no newcomer any more"
    assert policy.amount(told("a", wallet_sessions=0, **full), RULES) == 0


def test_the_hold_shrinks_with_trust_and_doubles_in_doubt() -> None:
    holds = [policy.hold_s(told("a", wallet_sessions=n), RULES) for n in (0, 10, 20, 99)]
    assert holds == [259_200, 129_600, 0, 0]
    assert policy.hold_s(told("a", wallet_sessions=10, humanity_milli=100), RULES) == 259_200
    assert policy.hold_s(told("a", wallet_sessions=10, tier="address"), RULES) == 259_200


def test_review_draws_its_share_and_the_same_ones_again() -> None:
    drawn = [policy.drawn_for_review(b"s", told(f"n{n}"), RULES) for n in range(4_000)]
    assert 40 <= sum(drawn) <= 130, "2 % of 4,000"
    assert drawn == [policy.drawn_for_review(b"s", told(f"n{n}"), RULES) for n in range(4_000)]
    assert drawn != [policy.drawn_for_review(b"t", told(f"n{n}"), RULES) for n in range(4_000)]


def test_a_snapshot_is_frozen_at_first_sight_and_streets_are_new_once(tmp_path: Path) -> None:
    ledger = Ledger.open(f"sqlite:///{tmp_path / 'ledger.sqlite'}")

    def look(session: str, cells: dict[str, int]) -> frozen.Snapshot:
        return frozen.freeze(ledger, session, "w", "2026-11-22", cells, lambda s: (100, True))

    first, second = look("a", {"x": 3, "y": 1}), look("b", {"x": 1, "z": 3})
    assert (first.novelty_milli, second.novelty_milli) == (1000, 750)
    assert (second.wallet_sessions, second.wallet_today, second.new_today) == (1, 100, 100)
    assert look("a", {"other": 9}) == first
    ledger.close()


def test_simulating_a_policy_prices_the_past_and_changes_nothing() -> None:
    verdicts = [(told("a"), 500_000), (told("b", wallet_sessions=0), 2_000_000)]
    found = simulate(verdicts, RULES)
    assert (found.before, found.after, found.more, found.less) == (2_500_000, 2_000_000, 1, 1)
    assert found.longest_hold_s == 259_200
    assert found.seconds == 20
