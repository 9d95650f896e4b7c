"""What the payer may spend: the stop file, the day's budget, the reserve, and which cluster."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from rewards.payer import allowance
from tests.fakes.chain import Desk, World, settle

pytestmark = pytest.mark.network


def test_the_stop_file_ends_signing_but_not_settling(tmp_path: Path) -> None:
    with World(tmp_path) as world:
        stop = tmp_path / "STOP"
        world.rules = replace(world.rules, stop_path=stop)
        world.accept("one")

        async def work(desk: Desk) -> None:
            await desk.payer.step()
            stop.touch()
            desk.ledger.record(world.accept("two"), 1_000, 1)
            turns = await desk.until_idle()
            assert turns[-1].held == "stopped"
            assert desk.payout("one").state == "finalized"
            assert desk.payout("two").state == "owed"
            stop.unlink()
            await desk.until_idle()
            assert desk.payout("two").state == "finalized"

        world.with_desk(work)


def test_the_daily_budget_holds_back_until_the_next_utc_day(tmp_path: Path) -> None:
    with World(tmp_path) as world:
        world.rules = replace(world.rules, daily_budget=2_500)
        for n in range(4):
            world.accept(f"s{n}")

        async def work(desk: Desk) -> None:
            turns = await desk.until_idle()
            assert turns[-1].held == "budget"
            assert desk.ledger.totals()["finalized"] == 2

        world.with_desk(work)
        assert sum(world.paid().values()) == 2
        world.now = lambda: 1_795_000_000.0 + 86_400
        world.with_desk(settle)
        assert sum(world.paid().values()) == 4


def test_signing_stops_when_lamports_or_tokens_run_low(tmp_path: Path) -> None:
    with World(tmp_path) as world:
        world.rules = replace(world.rules, reserve_lamports=10**18)
        world.accept("one")

        async def poor(desk: Desk) -> None:
            assert (await desk.payer.step()).held == "lamports"
            assert desk.payout("one").state == "owed"

        async def empty(desk: Desk) -> None:
            desk.ledger.record(world.accept("huge", amount=10**17), 10**17, 1)
            assert (await desk.until_idle())[-1].held == "tokens"
            assert desk.payout("huge").state == "owed"

        world.with_desk(poor)
        world.rules = replace(world.rules, reserve_lamports=1, daily_budget=10**18)
        world.with_desk(empty)


def test_a_plan_signs_nothing(tmp_path: Path) -> None:
    with World(tmp_path) as world:
        world.rules = replace(world.rules, daily_budget=1_500)
        world.accept("one")
        world.accept("two")

        async def work(desk: Desk) -> None:
            plans = await desk.payer.plan()
            assert [p.hindrance for p in plans] == ["", "the day's budget is spent"]
            assert {p.state for p in desk.ledger.payouts()} == {"owed"}

        world.with_desk(work)
        assert world.paid() == {}


def test_the_demo_policy_pays_on_no_real_cluster(tmp_path: Path) -> None:
    with World(tmp_path) as world:
        world.accept("one")
        payout = world.with_desk(lambda desk: _the(desk, "one"))
        assert allowance(world.settings, "local")(payout) == ""
        assert "does not pay on cluster mainnet" in allowance(world.settings, "mainnet")(payout)


async def _the(desk: Desk, session: str) -> Any:
    return desk.payout(session)
