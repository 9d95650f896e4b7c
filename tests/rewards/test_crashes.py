"""Crashes, losses and expiries at every step of the payer: each session is paid exactly once."""

import asyncio
import random
from contextlib import closing, suppress
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from rewards.signer import ReceiptSecret
from tests.fakes.chain import SLOT_MS, Clock, Desk, HostileBank, World, settle

pytestmark = pytest.mark.network


class Crash(Exception):
    """The payer was killed at this point."""


def _crashing(chance: random.Random, share: float, seen: set[str]) -> Any:
    def at(point: str) -> None:
        if share and (point not in seen or chance.random() < share):
            seen.add(point)
            raise Crash(point)

    return at


def _harm(world: World, chance: random.Random, desk: Desk) -> None:
    """After a crash: sometimes a row is gone, sometimes the whole ledger, sometimes time passes."""
    import sqlite3

    fate = chance.random()
    if fate < 0.25:
        victim = chance.choice(world.verdicts)[0].session
        file = world.settings.folder / "ledger.sqlite"
        with (
            suppress(sqlite3.OperationalError),  # the other payer's crash has taken all of it
            closing(sqlite3.connect(f"file:{file}?mode=rw", timeout=30, uri=True)) as db,
            db,
        ):
            db.execute("delete from payouts where session = ?", (victim,))
            db.execute("delete from verdicts where session = ?", (victim,))
    elif fate < 0.4:
        for file in world.settings.folder.glob("ledger.sqlite*"):
            file.unlink()
    elif fate < 0.7:
        world.push(200)


async def _payer_life(
    world: World, chance: random.Random, seen: set[str], lives: list[int]
) -> None:
    """One payer that is killed and started again until nothing is left to do."""
    from rewards.errors import LedgerLost

    while True:
        lives[0] += 1
        assert lives[0] < 400, "never done"
        share = 0.2 if lives[0] < 40 else 0.0
        desk = await world.open(_crashing(chance, share, seen))
        try:
            await desk.until_idle()
            world.refill(desk.ledger)
            if all(desk.payout(v.session).state == "finalized" for v, _ in world.verdicts):
                return
        except Crash:
            _harm(world, chance, desk)
        except LedgerLost:
            pass  # the other payer's crash took the ledger away; a supervisor starts us again
        except Exception as error:  # the file vanished between two statements of SQLite
            if type(error).__module__ != "sqlalchemy.exc":
                raise
        finally:
            await desk.close()


def _crash_test(folder: Path, seed: int, sessions: int, payers: int) -> set[str]:
    chance, clock = random.Random(seed), Clock()
    bank = HostileBank(folder / "devnet.sqlite", SLOT_MS, now=clock, chance=chance)
    seen: set[str] = set()
    with World(folder, bank, clock) as world:
        world.with_desk(lambda desk: asyncio.sleep(0))
        bank.calm = False
        world.rules = replace(
            world.rules, batch=4, max_attempts=10**6
        )  # the network is to blame here
        for n in range(sessions):
            world.accept(f"s{n}", amount=1_000 + n)
        lives = [0]

        async def all_payers() -> None:
            await asyncio.gather(*(_payer_life(world, chance, seen, lives) for _ in range(payers)))

        asyncio.run(all_payers())
        assert world.paid() == {f"s{n}": 1 for n in range(sessions)}

        async def books(desk: Desk) -> None:
            for verdict, amount in world.verdicts:
                assert world.tokens(desk.facts, verdict.payee) == amount
            assert desk.ledger.totals()["finalized"] == sessions

        world.with_desk(books)
    return seen


def test_thirty_sessions_through_crashes_losses_and_expiry_are_paid_once(tmp_path: Path) -> None:
    seen = _crash_test(tmp_path, seed=1, sessions=30, payers=1)
    assert {"built", "signed", "marked", "submitted", "finalizing"} <= seen


def test_two_payers_through_crashes_losses_and_expiry_pay_once(tmp_path: Path) -> None:
    _crash_test(tmp_path, seed=2, sessions=20, payers=2)


@pytest.mark.slow
@pytest.mark.timeout(3600)
@pytest.mark.parametrize("seed", range(10, 14))
def test_more_crashes_pay_once(tmp_path: Path, seed: int) -> None:
    _crash_test(tmp_path, seed, sessions=60, payers=2)


def test_without_the_receipt_the_crash_test_would_find_double_payments(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The tests above can fail: with a new receipt at each signing, sessions are paid twice."""
    count = iter(range(10**9))
    real = ReceiptSecret.seed
    monkeypatch.setattr(
        ReceiptSecret, "seed", lambda self, session: real(self, f"{session}/{next(count)}")
    )
    with World(tmp_path) as world:
        for n in range(5):
            world.accept(f"s{n}")
        world.with_desk(settle)
        for file in tmp_path.glob("ledger.sqlite*"):
            file.unlink()
        world.with_desk(settle)
        assert world.paid() == {f"s{n}": 2 for n in range(5)}
