"""The audit finds every difference between ledger and chain, and none in sound books."""

import asyncio
import sqlite3
from pathlib import Path

import pytest

from rewards.audit import Audit, audit
from rewards.model import Verdict
from tests.fakes.chain import Desk, World

pytestmark = pytest.mark.network


async def settle(desk: Desk) -> None:
    desk.ledger.record(Verdict("bad", "rejected", "demo", 1, payee="w"), 0, 1)
    await desk.until_idle()


def kinds(found: Audit) -> list[tuple[str, str]]:
    return sorted((m.kind, m.session) for m in found.mismatches)


def change(world: World, statement: str) -> None:
    db = sqlite3.connect(world.settings.folder / "ledger.sqlite")
    with db:
        db.execute(statement)
    db.close()


def test_sound_books_have_no_mismatch_and_add_up(tmp_path: Path) -> None:
    with World(tmp_path) as world:
        world.accept("one", amount=100)
        world.accept("two", amount=200)
        world.with_desk(settle)
        world.accept("three", amount=300)
        world.with_desk(lambda desk: asyncio.sleep(0))
        found = asyncio.run(audit(world.settings))
        assert (found.accepted, found.paid, found.owed, found.rejected) == (3, 2, 1, 1)
        assert found.paid_amount == 300
        assert found.mismatches == ()
        assert found.accepted == found.paid + found.owed


def test_each_difference_has_its_kind(tmp_path: Path) -> None:
    with World(tmp_path) as world:
        for name in ("gone", "more", "moved", "open", "sound"):
            world.accept(name)
        world.with_desk(settle)
        world.accept("never")
        world.with_desk(lambda desk: asyncio.sleep(0))
        mint = world.with_desk(_mint)
        change(world, "delete from verdicts where session = 'gone'")
        change(world, "delete from payouts where session = 'gone'")
        change(world, "update verdicts set amount = 5 where session = 'more'")
        change(world, f"update payouts set wallet = '{mint}' where session = 'moved'")
        change(world, "update payouts set state = 'owed' where session = 'open'")
        change(world, "update payouts set state = 'finalized' where session = 'never'")
        found = asyncio.run(audit(world.settings))
        assert kinds(found) == [
            ("amount", "more"),
            ("unknown", "gone"),
            ("unpaid", "never"),
            ("unsettled", "gone"),
            ("unsettled", "open"),
            ("wallet", "moved"),
        ]


async def _mint(desk: Desk) -> str:
    return desk.facts.mint
