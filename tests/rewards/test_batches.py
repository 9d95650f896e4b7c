"""Several payouts in one transaction, two endpoints, accrual and holds: still once each."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from solders.keypair import Keypair
from spl.token.constants import TOKEN_PROGRAM_ID
from spl.token.instructions import freeze_account
from spl.token.models import FreezeAccountParams

from rewards import tickets
from rewards.chain import Fate, _agreed
from rewards.errors import SetUpIncomplete, VerdictInvalid
from rewards.history import History
from rewards.instructions import short_digest
from rewards.ledger import Ledger
from rewards.model import Verdict
from rewards.payer import judged
from rewards.payout_book import Signing
from rewards.sealed import seal, unseal
from rewards.settings import RewardsSettings
from rewards.signer import FileSigner
from rewards.treasury import _second
from tests.fakes.chain import Desk, World, land
from tests.rewards.recording import JOURNAL_KEY, TICKET_KEY

pytestmark = pytest.mark.network


def test_payouts_share_a_transaction_and_each_has_its_receipt(tmp_path: Path) -> None:
    with World(tmp_path) as world:
        wallets = [str(Keypair().pubkey()) for _ in range(7)]

        async def work(desk: Desk) -> None:
            for round_, transactions in (("0", 4), ("1", 3)):  # 2+2+2+1 open accounts, then 3+3+1
                for n, wallet in enumerate(wallets):
                    verdict = world.accept(f"01JABCDEFGHJKMNPQRSTVWXY{round_}{n}", wallet, 1_000)
                    desk.ledger.record(verdict, 1_000, 1)
                await desk.until_idle()
                paid = [p for p in desk.ledger.payouts("finalized") if p.session[-2] == round_]
                assert len(paid) == 7
                assert len({p.signature for p in paid}) == transactions
            for payout in desk.ledger.payouts():
                receipt = await desk.chain.payment(payout.session)
                assert receipt is not None
                assert (receipt.signature, receipt.amount) == (payout.signature, payout.amount)
                assert receipt.digest == short_digest(payout.digest) != ""
            assert {world.tokens(desk.facts, wallet) for wallet in wallets} == {2_000}

        world.with_desk(work)
        assert set(world.paid().values()) == {1}


def test_a_batch_that_fails_is_retried_one_by_one_and_only_the_bad_one_parks(
    tmp_path: Path,
) -> None:
    """The account freezes after we looked: the whole batch fails on the chain."""
    with World(tmp_path) as world:
        poisoned = Keypair()
        world.accept("first", str(poisoned.pubkey()))

        async def work(desk: Desk) -> None:
            await desk.until_idle()
            for name, wallet in (("a", ""), ("bad", str(poisoned.pubkey())), ("c", "")):
                desk.ledger.record(world.accept(name, wallet), 1_000, 1)
            real = desk.chain.freshness

            async def freeze_first() -> Any:
                desk.chain.freshness = real  # type: ignore[method-assign]
                await _freeze(world, desk, poisoned)
                return await real()

            desk.chain.freshness = freeze_first  # type: ignore[method-assign]
            turn = await desk.payer.step()
            assert sorted(turn.signed) == ["a", "bad", "c"]
            assert len({desk.payout(name).signature for name in ("a", "bad", "c")}) == 1
            world.push(200)
            await desk.until_idle()
            assert [desk.payout(n).state for n in ("a", "bad", "c")] == [
                "finalized", "parked", "finalized",
            ]  # fmt: skip
            assert desk.payout("a").signature != desk.payout("c").signature
            assert "frozen" in desk.payout("bad").reason

        world.with_desk(work)
        assert world.paid() == {"first": 1, "a": 1, "c": 1}


async def _freeze(world: World, desk: Desk, player: Keypair) -> None:
    treasury = FileSigner.load(world.settings.key_path)._key.reveal()
    account = desk.chain.token.account_of(player.pubkey())
    params = FreezeAccountParams(
        account=account, mint=desk.chain.token.mint, authority=treasury.pubkey(),
        program_id=TOKEN_PROGRAM_ID,
    )  # fmt: skip
    await land(world.server.url, [freeze_account(params)], [player, treasury])


def test_a_batch_is_signed_whole_or_not_at_all(tmp_path: Path) -> None:
    ledger = Ledger.open(f"sqlite:///{tmp_path / 'ledger.sqlite'}")
    for name in ("a", "b"):
        ledger.record(Verdict(name, "accepted", "demo", 1, payee="w"), 100, 1)
    a, b = ledger.payouts("owed")
    assert ledger.sign([Signing(b, "other", b"", 9)], "2026-11-22", 10**6, 2)
    both = [Signing(a, "both", b"", 9), Signing(b, "both", b"", 9)]
    assert ledger.sign(both, "2026-11-22", 10**6, 3) == ()
    assert [p.state for p in ledger.payouts()] == ["owed", "signed"]
    assert ledger.spent("2026-11-22") == 100, "the budget of the undone half came back"
    ledger.close()


def test_a_wallet_without_account_waits_until_it_is_owed_enough(tmp_path: Path) -> None:
    with World(tmp_path) as world:
        world.rules = replace(world.rules, account_from=2_500)
        wallet = str(Keypair().pubkey())
        world.accept("one", wallet)
        world.accept("two", wallet)

        async def work(desk: Desk) -> None:
            assert (await desk.until_idle())[-1].held == "accrual"
            (plan, _) = await desk.payer.plan()
            assert "2500 base units" in plan.hindrance
            desk.ledger.record(world.accept("three", wallet), 1_000, 1)
            await desk.until_idle()
            assert desk.ledger.totals()["finalized"] == 3
            desk.ledger.record(world.accept("four", wallet, 10), 10, 1)
            await desk.until_idle()  # the account is there now: small sums follow
            assert world.tokens(desk.facts, wallet) == 3_010

        world.with_desk(work)


def test_a_held_payout_is_not_signed_before_its_time(tmp_path: Path) -> None:
    with World(tmp_path) as world:

        async def work(desk: Desk) -> None:
            verdict = Verdict("one", "accepted", "demo", 1, payee=str(Keypair().pubkey()))
            desk.ledger.record(verdict, 5, 1, due_s=int(world.now()) + 60)
            await desk.until_idle()
            assert desk.payout("one").state == "owed"
            (plan,) = await desk.payer.plan()
            assert plan.hindrance.startswith("held until 2026-")

        world.with_desk(work)
        world.now = lambda: 1_795_000_100.0
        world.with_desk(_all_paid)


async def _all_paid(desk: Desk) -> None:
    await desk.until_idle()
    assert {p.state for p in desk.ledger.payouts()} == {"finalized"}


FINAL, FAILED, SEEN = Fate(True, ""), Fate(True, "boom"), Fate(False, "")


@pytest.mark.parametrize(
    ("said", "agreed"),
    [
        ((FINAL, FINAL), FINAL),
        ((FINAL, None), SEEN),
        ((None, None), None),
        ((FAILED, None), SEEN),
        ((FAILED, FINAL), SEEN),
    ],
)
def test_only_what_both_endpoints_say_is_final(said: Any, agreed: Fate | None) -> None:
    assert _agreed(said) == agreed


def test_a_lying_endpoint_cannot_cause_a_second_signing(tmp_path: Path) -> None:
    """Ours says that the transaction never landed and that its blockhash is long over."""
    with World(tmp_path) as world:
        world.accept("one")

        async def work(desk: Desk) -> None:
            past = desk.chain._past
            desk.chain._witness = History(past.url, past.treasury, past.token)
            await desk.payer.step()
            world.push(200)
            real = desk.chain._fates

            async def lies(history: History, signatures: Any) -> Any:
                told = await real(history, signatures)
                return [None] * len(told) if history is past else told

            desk.chain._fates = lies  # type: ignore[method-assign]
            for _ in range(5):
                await desk.payer.step()
                world.push(40)
            assert (desk.payout("one").state, desk.payout("one").attempts) == ("sent", 1)
            desk.chain._fates = real  # type: ignore[method-assign]
            await desk.until_idle()
            assert desk.payout("one").state == "finalized"

        world.with_desk(work)
        assert world.paid() == {"one": 1}


def test_a_real_cluster_needs_a_second_endpoint() -> None:
    import asyncio

    with pytest.raises(SetUpIncomplete, match="witness_url"):
        asyncio.run(_second(RewardsSettings(), "mainnet", "g", None))  # type: ignore[arg-type]


def test_only_what_an_enrolled_judge_signed_is_paid(tmp_path: Path) -> None:
    ledger = Ledger.open(f"sqlite:///{tmp_path / 'ledger.sqlite'}")
    keys = [tickets.public_hex(JOURNAL_KEY)]
    for name, key in (("good", JOURNAL_KEY), ("forged", TICKET_KEY), ("more", JOURNAL_KEY)):
        sealed = seal(key, Verdict(name, "accepted", "demo", 1, payee="w"), 100)
        ledger.record(sealed.verdict, 100 if name != "more" else 900, 1, sealed.text)
    ledger.record(Verdict("bare", "accepted", "demo", 1, payee="w"), 100, 1)
    why = {p.session: judged(ledger, keys, ())(p) for p in ledger.payouts()}
    assert why["good"] == ""
    assert "no enrolled judge" in why["forged"]
    assert "owes something else" in why["more"]
    assert why["bare"].startswith("unsigned")
    ledger.close()


def test_a_changed_sealed_verdict_is_refused() -> None:
    keys = [tickets.public_hex(JOURNAL_KEY)]
    sealed = seal(JOURNAL_KEY, Verdict("one", "accepted", "demo", 1, payee="w"), 100)
    assert unseal(sealed.text, keys).amount == 100
    with pytest.raises(VerdictInvalid):
        unseal(sealed.text.replace('"amount":100', '"amount":900'), keys)
