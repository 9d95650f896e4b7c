"""A new treasury key: money moves over, and what the old key paid is not paid again."""

import asyncio
from pathlib import Path

import pytest

from rewards.errors import LedgerMismatch, SetUpIncomplete
from rewards.rotate import formers, rotate
from tests.fakes.chain import Desk, World, settle

pytestmark = pytest.mark.network


def test_after_a_rotation_old_sessions_stay_paid_even_when_the_ledger_is_lost(
    tmp_path: Path,
) -> None:
    with World(tmp_path) as world:
        first = world.accept("one", amount=700)
        world.with_desk(settle)
        with pytest.raises(SetUpIncomplete, match="touch"):
            asyncio.run(rotate(world.settings))
        world.settings.stop_path.touch()
        old = world.with_desk(_treasury)
        fresh = asyncio.run(rotate(world.settings)).treasury
        world.settings.stop_path.unlink()
        assert fresh != old
        assert [f.treasury for f in formers(world.settings)] == [old]
        world.accept("two", amount=5)
        for file in tmp_path.glob("ledger.sqlite*"):
            file.unlink()

        async def after(desk: Desk) -> None:
            await desk.until_idle()
            assert desk.facts.treasury == fresh
            assert {p.state for p in desk.ledger.payouts()} == {"finalized"}
            assert world.tokens(desk.facts, first.payee) == 700
            assert (await desk.chain.funds()).tokens == world.settings.supply - 705

        world.with_desk(after)
        assert world.paid() == {"one": 1, "two": 1}


def test_a_ledger_of_another_treasury_is_refused(tmp_path: Path) -> None:
    with World(tmp_path) as world:
        world.accept("one")
        world.with_desk(settle)
        world.settings.key_path.rename(tmp_path / "elsewhere")
        with pytest.raises(LedgerMismatch, match=r"mint|treasury"):
            world.with_desk(settle)


async def _treasury(desk: Desk) -> str:
    return desk.facts.treasury
