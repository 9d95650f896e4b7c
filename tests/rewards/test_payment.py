"""Paying exactly once, on a chain that executes real token transfers behind the real client."""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from solders.keypair import Keypair
from solders.pubkey import Pubkey
from solders.system_program import TransferParams, transfer
from solders.transaction import VersionedTransaction
from spl.token.constants import TOKEN_PROGRAM_ID
from spl.token.instructions import (
    close_account,
    freeze_account,
    set_authority,
    transfer_checked,
)
from spl.token.models import (
    AuthorityType,
    CloseAccountParams,
    FreezeAccountParams,
    SetAuthorityParams,
    TransferCheckedParams,
)

from rewards.chain import Bill
from rewards.errors import ChainUnreachable
from rewards.instructions import (
    COMPUTE_UNITS,
    MEMO_PREFIX,
    RECEIPT_LAMPORTS,
    read_transaction,
    receipt_address,
    short_digest,
)
from rewards.model import Verdict
from rewards.payout_book import Signing
from rewards.signer import FileSigner, ReceiptSecret
from tests.fakes.chain import Desk, World, land, settle

pytestmark = pytest.mark.network


def owner() -> Keypair:
    return Keypair()


def test_an_accepted_session_is_paid_and_final(tmp_path: Path) -> None:
    with World(tmp_path) as world:
        wallet = str(Keypair().pubkey())
        world.accept("one", wallet, 1_234_567)

        async def work(desk: Desk) -> None:
            await desk.until_idle()
            payout = desk.payout("one")
            assert (payout.state, payout.attempts) == ("finalized", 1)
            (fate,) = await desk.chain.fates([payout.signature])
            assert fate is not None
            assert fate.final
            assert not fate.error
            assert world.tokens(desk.facts, wallet) == 1_234_567

        world.with_desk(work)
        assert world.paid() == {"one": 1}


def test_the_transaction_has_the_agreed_layout(tmp_path: Path) -> None:
    with World(tmp_path) as world:
        world.accept("one", amount=5)

        async def work(desk: Desk) -> None:
            payout = desk.payout("one")
            fresh = await desk.chain.freshness()
            _, raw = desk.chain.sign([Bill("one", payout.wallet, 5, "ab" * 32, True)], fresh)
            message = VersionedTransaction.from_bytes(raw).message
            programs = [
                str(message.account_keys[i.program_id_index])[:12] for i in message.instructions
            ]
            assert programs == [
                "ComputeBudge", "ComputeBudge", "111111111111",
                "ATokenGPvbdG", "TokenkegQfeZ", "MemoSq4gqABA",
            ]  # fmt: skip
            assert message.header.num_required_signatures == 1
            assert bytes(message.instructions[0].data)[1:] == COMPUTE_UNITS.to_bytes(4, "little")
            memo = b"drive/1 one " + short_digest("ab" * 32).encode()
            assert bytes(message.instructions[5].data) == memo
            seed = ReceiptSecret.load(world.settings.secret_path).seed("one")
            paid = read_transaction(VersionedTransaction.from_bytes(raw))
            assert paid.receipts == (receipt_address(desk.chain.treasury, seed),)
            assert paid.transfers[0][3] == 5
            assert len(raw) <= 720

        world.with_desk(work)


def test_a_second_payment_of_a_session_is_refused_by_the_chain(tmp_path: Path) -> None:
    with World(tmp_path) as world:
        world.accept("one", amount=7)

        async def work(desk: Desk) -> None:
            await desk.until_idle()
            payout = desk.payout("one")
            world.push(3)
            fresh = await desk.chain.freshness()
            signature, raw = desk.chain.sign([Bill("one", payout.wallet, 7)], fresh)
            said = await desk.chain.submit(raw)
            assert "custom program error: 0x0" in said or "Custom(0)" in said
            assert await desk.chain.fates([signature]) == [None]

        world.with_desk(work)
        assert world.paid() == {"one": 1}


def test_a_lost_row_is_settled_by_the_payment_behind_the_receipt(tmp_path: Path) -> None:
    with World(tmp_path) as world:
        world.accept("one", amount=7)
        world.with_desk(settle)
        for file in tmp_path.glob("ledger.sqlite*"):
            file.unlink()

        async def again(desk: Desk) -> None:
            await desk.until_idle()
            payout = desk.payout("one")
            assert (payout.state, payout.attempts) == ("finalized", 0)
            assert await desk.chain.fates([payout.signature]) != [None]
            assert payout.raw == b""

        world.with_desk(again)
        assert world.paid() == {"one": 1}


def test_a_prefunded_receipt_is_neither_paid_nor_signed_but_parked(tmp_path: Path) -> None:
    with World(tmp_path) as world:
        world.accept("one")

        async def work(desk: Desk) -> None:
            seed = ReceiptSecret.load(world.settings.secret_path).seed("one")
            address, rogue = receipt_address(desk.chain.treasury, seed), Keypair()
            gift = TransferParams(
                from_pubkey=rogue.pubkey(), to_pubkey=address, lamports=RECEIPT_LAMPORTS
            )
            await land(world.server.url, [transfer(gift)], [rogue])
            await desk.payer.step()
            assert desk.payout("one").state == "owed"
            world.push(40)
            await desk.until_idle()
            payout = desk.payout("one")
            assert (payout.state, payout.attempts) == ("parked", 0)
            assert "none of our payments made it" in payout.reason

        world.with_desk(work)
        assert world.paid() == {}


def test_a_memo_of_ours_in_a_strangers_transaction_proves_nothing(tmp_path: Path) -> None:
    with World(tmp_path) as world:
        world.accept("one")

        async def work(desk: Desk) -> None:
            from solders.instruction import Instruction
            from spl.memo.constants import MEMO_PROGRAM_ID

            seed = ReceiptSecret.load(world.settings.secret_path).seed("one")
            address, rogue = receipt_address(desk.chain.treasury, seed), Keypair()
            gift = TransferParams(
                from_pubkey=rogue.pubkey(), to_pubkey=address, lamports=RECEIPT_LAMPORTS
            )
            memo = Instruction(MEMO_PROGRAM_ID, (MEMO_PREFIX + "one").encode(), [])
            await land(world.server.url, [transfer(gift), memo], [rogue])
            await desk.payer.step()
            world.push(40)
            await desk.until_idle()
            assert desk.payout("one").state == "parked"

        world.with_desk(work)


async def _emptied(world: World, desk: Desk, player: Keypair) -> Pubkey:
    """Pay the player once and move the tokens away; returns the token account."""
    await desk.until_idle()
    account = desk.chain.token.account_of(player.pubkey())
    back = TransferCheckedParams(
        program_id=TOKEN_PROGRAM_ID,
        source=account,
        mint=desk.chain.token.mint,
        dest=desk.chain.token.account_of(desk.chain.treasury),
        owner=player.pubkey(),
        amount=1_000,
        decimals=6,
    )
    await land(world.server.url, [transfer_checked(back)], [player])
    return account


@pytest.mark.parametrize("deed", ["closed", "another owner", "frozen"])
def test_a_closed_reassigned_or_frozen_token_account_parks(tmp_path: Path, deed: str) -> None:
    with World(tmp_path) as world:
        player = Keypair()
        world.accept("one", str(player.pubkey()))

        async def work(desk: Desk) -> None:
            account = await _emptied(world, desk, player)
            before = (await desk.chain.funds()).lamports
            if deed == "closed":
                what: Any = close_account(
                    CloseAccountParams(
                        account=account, dest=player.pubkey(), owner=player.pubkey(),
                        program_id=TOKEN_PROGRAM_ID,
                    )
                )  # fmt: skip
                signers = [player]
            elif deed == "frozen":
                treasury = FileSigner.load(world.settings.key_path)._key.reveal()
                what = freeze_account(
                    FreezeAccountParams(
                        account=account, mint=desk.chain.token.mint,
                        authority=treasury.pubkey(), program_id=TOKEN_PROGRAM_ID,
                    )
                )  # fmt: skip
                signers = [player, treasury]
            else:
                what = set_authority(
                    SetAuthorityParams(
                        account=account, authority=AuthorityType.ACCOUNT_OWNER,
                        current_authority=player.pubkey(), new_authority=Keypair().pubkey(),
                        program_id=TOKEN_PROGRAM_ID,
                    )
                )  # fmt: skip
                signers = [player]
            await land(world.server.url, [what], signers)
            desk.ledger.record(world.accept("two", str(player.pubkey())), 1_000, 1)
            world.push(40)
            await desk.until_idle()
            payout = desk.payout("two")
            assert payout.state == "parked"
            assert deed in payout.reason
            assert payout.attempts == 0
            assert (await desk.chain.funds()).lamports == before  # no rent was drained

        world.with_desk(work)
        assert world.paid()["two"] == 0


def test_a_payout_that_always_fails_is_parked_after_a_bounded_number_of_signings(
    tmp_path: Path,
) -> None:
    with World(tmp_path) as world:
        player = Keypair()
        world.accept("one", str(player.pubkey()))
        world.rules = replace(world.rules, max_attempts=3)

        async def work(desk: Desk) -> None:
            # signed and sent, but never able to land: the amount is more than the treasury has
            desk.ledger.record(world.accept("two", str(player.pubkey())), 1_000, 1)
            await desk.until_idle()
            desk.ledger.record(world.accept("bad", str(player.pubkey())), 1_000, 1)
            real = desk.chain.sign

            def corrupt(bills: Sequence[Bill], fresh: Any) -> Any:
                return real([replace(bill, amount=10**18) for bill in bills], fresh)

            desk.chain.sign = corrupt  # type: ignore[method-assign]
            turns = 0
            while desk.payout("bad").state != "parked":
                await desk.payer.step()
                world.push(60)
                turns += 1
                assert turns < 200
            assert desk.payout("bad").attempts == 3
            assert desk.payout("bad").reason == "failed 3 times"

        world.with_desk(work)


def test_a_blockhash_that_expires_unseen_is_signed_anew_and_paid_once(tmp_path: Path) -> None:
    with World(tmp_path) as world:
        world.accept("one")

        async def work(desk: Desk) -> None:
            fresh = await desk.chain.freshness()
            payout = desk.payout("one")
            signature, raw = desk.chain.sign([Bill("one", payout.wallet, 1_000, opens=True)], fresh)
            signing = Signing(payout, signature, raw, fresh.last_valid_height)
            assert desk.ledger.sign([signing], "2026-11-22", 10**12, 1)  # then it crashed
            world.push(200)
            await desk.until_idle()
            payout = desk.payout("one")
            assert (payout.state, payout.attempts) == ("finalized", 2)
            assert payout.signature != signature

        world.with_desk(work)
        assert world.paid() == {"one": 1}


def test_before_expiry_the_same_bytes_are_sent_again(tmp_path: Path) -> None:
    with World(tmp_path) as world:
        world.accept("one")

        async def work(desk: Desk) -> None:
            fresh = await desk.chain.freshness()
            payout = desk.payout("one")
            signature, raw = desk.chain.sign([Bill("one", payout.wallet, 1_000, opens=True)], fresh)
            signing = Signing(payout, signature, raw, fresh.last_valid_height)
            desk.ledger.sign([signing], "2026-11-22", 10**12, 1)
            await desk.until_idle()
            assert (desk.payout("one").signature, desk.payout("one").attempts) == (signature, 1)

        world.with_desk(work)
        assert world.paid() == {"one": 1}


def test_a_dead_endpoint_is_an_error_that_loses_nothing(tmp_path: Path) -> None:
    with World(tmp_path) as world:
        world.accept("one")

        async def work(desk: Desk) -> None:
            await desk.payer.step()
            world.server.shutdown()
            world.server.server_close()
            desk.chain._past.url = "http://127.0.0.1:9"
            client = desk.chain._past.client
            desk.chain._past.client = type(client)("http://127.0.0.1:9")
            with pytest.raises(ChainUnreachable):
                await desk.payer.step()
            assert desk.payout("one").state == "sent"
            await client.close()

        world.with_desk(work)


def test_two_verdicts_for_one_session_pay_the_first(tmp_path: Path) -> None:
    with World(tmp_path) as world:
        first = world.accept("one", amount=100)
        other = Verdict("one", "accepted", "demo", 1, payee=str(Keypair().pubkey()))

        async def work(desk: Desk) -> None:
            desk.ledger.record(other, 900, 2)
            await desk.until_idle()
            assert world.tokens(desk.facts, first.payee) == 100
            assert world.tokens(desk.facts, other.payee) == 0

        world.with_desk(work)


def test_a_session_already_paid_otherwise_goes_to_a_person(tmp_path: Path) -> None:
    with World(tmp_path) as world:
        world.accept("one", amount=100)
        world.with_desk(settle)
        for file in tmp_path.glob("ledger.sqlite*"):
            file.unlink()
        world.verdicts = []
        world.accept("one", amount=100)  # judged again, but for another wallet

        async def work(desk: Desk) -> None:
            await desk.until_idle()
            assert desk.payout("one").state == "parked"
            assert "already paid otherwise" in desk.payout("one").reason

        world.with_desk(work)
        assert world.paid() == {"one": 1}
