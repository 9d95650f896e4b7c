"""The ledger on a real Postgres: the same rules, with writers that are truly parallel."""

import os
import shutil
import subprocess
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
import sqlalchemy as sa

from rewards import frozen, schema
from rewards.ledger import Ledger
from rewards.ledger_file import Stamp
from rewards.model import Verdict
from rewards.payout_book import Signing

BIN = next(iter(sorted(Path("/usr/lib/postgresql").glob("*/bin"), reverse=True)), None)
pytestmark = [
    pytest.mark.heavy,
    pytest.mark.network,
    pytest.mark.skipif(
        BIN is None or shutil.which("runuser") is None or os.geteuid() != 0,
        reason="needs a Postgres server on this machine: apt-get install postgresql",
    ),
]


@pytest.fixture(scope="module")
def url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    pytest.importorskip("psycopg", reason="needs psycopg: pip install '.[postgres]'")
    folder = Path(
        subprocess.check_output(["mktemp", "-d", "/tmp/pgtest.XXXXXX"], text=True).strip()
    )
    shutil.chown(folder, "postgres")

    def run(*words: str) -> None:
        command = ["runuser", "-u", "postgres", "--", *words]
        subprocess.run(command, check=True, capture_output=True, timeout=600, cwd=folder)

    data, options = str(folder / "data"), f"-k {folder} -h ''"
    run(f"{BIN}/initdb", "-D", data, "-A", "trust", "-N")
    run(f"{BIN}/pg_ctl", "-D", data, "-o", options, "-l", str(folder / "log"), "-w", "start")
    try:
        yield f"postgresql://postgres@/postgres?host={folder}"
    finally:
        run(f"{BIN}/pg_ctl", "-D", data, "-m", "immediate", "-w", "stop")
        shutil.rmtree(folder, ignore_errors=True)


def accept(ledger: Ledger, name: str, amount: int = 100, claim: str = "") -> None:
    payee = "" if claim else f"w{name}"
    ledger.record(Verdict(name, "accepted", "demo", 1, payee=payee, claim=claim), amount, 1)


def together(*works: object) -> None:
    threads = [threading.Thread(target=work) for work in works]  # type: ignore[arg-type]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)


def test_starting_at_once_makes_the_layout_once(url: str) -> None:
    together(*(lambda: Ledger.open(url).close() for _ in range(6)))
    engine = schema.open_engine(url)
    with engine.connect() as db:
        assert db.scalar(sa.text("select count(*) from layout")) == 1
        assert db.scalar(sa.text("select version from layout")) == schema.LAYOUT
    engine.dispose()


def test_parallel_payers_sign_each_payout_once_and_keep_the_budget(url: str) -> None:
    ledger = Ledger.open(url, Stamp("g", "m", "t", "s"))
    for n in range(30):
        accept(ledger, f"p{n}")
    start, won = ledger.payouts("owed"), []

    def pay(name: str) -> None:
        mine = Ledger.open(url)
        for payout in start:
            signing = Signing(payout, f"{name}{payout.session}", b"raw", 9)
            won.extend(mine.sign([signing], "2026-11-22", 1_500, 2))
        mine.close()

    together(*(lambda name=name: pay(name) for name in ("a", "b", "c", "d")))
    assert len(won) == len({p.session for p in won}) == 15, "15 x 100 is the day's budget"
    assert ledger.spent("2026-11-22") == 1_500
    ledger.close()


def test_parallel_judges_see_one_another_in_the_days_sum(url: str) -> None:
    def judge(n: int) -> None:
        ledger = Ledger.open(url)
        frozen.freeze(ledger, f"f{n}", "wallet", "2026-11-23", {f"c{n}": 3}, lambda s: (10, True))
        ledger.close()

    together(*(lambda n=n: judge(n) for n in range(8)))
    ledger = Ledger.open(url)
    seen = {
        frozen.freeze(
            ledger, f"f{n}", "wallet", "2026-11-23", {}, lambda s: (0, False)
        ).wallet_today
        for n in range(8)
    }
    assert seen == {0, 10, 20, 30, 40, 50, 60, 70}, "each took its turn, and is told the same again"
    ledger.close()


def test_a_claim_is_bound_to_one_wallet(url: str) -> None:
    ledger = Ledger.open(url)
    accept(ledger, "c1", claim="claim")
    assert [p.wallet for p in ledger.bind("claim", "first", 2)] == ["first"]
    ledger.bind("claim", "second", 3)
    accept(ledger, "c2", claim="claim")
    payout = ledger.payout("c2")
    assert payout is not None
    assert payout.wallet == "first"
    ledger.close()
