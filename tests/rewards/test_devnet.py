"""The local devnet answers the ordinary client as a node would, and forgets nothing."""

import asyncio
import base64
import json
import time
import urllib.request
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest
from solana.rpc.async_api import AsyncClient
from solana.rpc.commitment import Finalized, Processed
from solana.rpc.core import RPCException
from solana.rpc.models import TxOpts
from solders.keypair import Keypair
from solders.message import MessageV0
from solders.pubkey import Pubkey
from solders.system_program import TransferParams, transfer
from solders.transaction import VersionedTransaction

from rewards.bank import CONFIRMED_SLOTS, FINAL_SLOTS, RESTART_SLOTS, Bank
from rewards.errors import DevnetBusy
from tests.fakes.chain import Clock, World

pytestmark = pytest.mark.network


def ask(world: World, work: Callable[[AsyncClient], Awaitable[Any]]) -> Any:
    async def run() -> Any:
        client = AsyncClient(world.server.url, commitment=Finalized)
        try:
            return await work(client)
        finally:
            await client.close()

    return asyncio.run(run())


async def transfer_of(
    client: AsyncClient, payer: Keypair, to: Pubkey, lamports: int
) -> VersionedTransaction:
    fresh = (await client.get_latest_blockhash()).value.blockhash
    move = transfer(TransferParams(from_pubkey=payer.pubkey(), to_pubkey=to, lamports=lamports))
    message = MessageV0.try_compile(payer.pubkey(), [move], [], fresh)
    return VersionedTransaction(message, [payer])


def post(world: World, body: Any) -> Any:
    data = json.dumps(body).encode()
    with urllib.request.urlopen(world.server.url, data, timeout=120) as reply:
        return json.loads(reply.read())


def test_a_transfer_goes_through_every_level(tmp_path: Path) -> None:
    payer, other = Keypair(), Keypair().pubkey()

    async def work(client: AsyncClient) -> None:
        await client.confirm_transaction(
            (await client.request_airdrop(payer.pubkey(), 10**10)).value, Processed
        )
        sent = await transfer_of(client, payer, other, 10**9)
        signature = (await client.send_transaction(sent)).value
        levels = []
        for slots in (CONFIRMED_SLOTS, FINAL_SLOTS - CONFIRMED_SLOTS, 0):
            status = (await client.get_signature_statuses([signature])).value[0]
            levels.append(str(status.confirmation_status).rpartition(".")[2].lower())
            world.push(slots)
        assert levels == ["processed", "confirmed", "finalized"]
        assert (await client.get_balance(other)).value == 10**9
        assert (await client.get_balance(payer.pubkey())).value == 10**10 - 10**9 - 5_000
        assert (await client.send_transaction(sent)).value == signature  # again: nothing happens
        assert (await client.get_balance(other)).value == 10**9
        shown = (await client.get_transaction(signature, "json", Finalized, 0)).value
        assert shown.transaction.meta.fee == 5_000

    with World(tmp_path, clock=Clock(held=True)) as world:
        ask(world, work)


def test_a_failed_preflight_costs_nothing_and_a_skipped_one_its_fee(tmp_path: Path) -> None:
    payer, other = Keypair(), Keypair().pubkey()

    async def work(client: AsyncClient) -> None:
        await client.request_airdrop(payer.pubkey(), 10**9)
        too_much = await transfer_of(client, payer, other, 10**12)
        with pytest.raises(RPCException) as refused:
            await client.send_transaction(too_much)
        assert type(refused.value.args[0]).__name__ == "SendTransactionPreflightFailureMessage"
        assert (await client.get_balance(payer.pubkey())).value == 10**9
        status = (await client.get_signature_statuses([too_much.signatures[0]])).value[0]
        assert status is None
        await client.send_transaction(too_much, TxOpts(skip_preflight=True))
        assert (await client.get_balance(payer.pubkey())).value == 10**9 - 5_000
        status = (await client.get_signature_statuses([too_much.signatures[0]])).value[0]
        assert status.err is not None

    with World(tmp_path) as world:
        ask(world, work)


def test_a_tampered_transaction_and_an_old_blockhash_are_refused(tmp_path: Path) -> None:
    payer, other = Keypair(), Keypair().pubkey()
    with World(tmp_path) as world:

        async def work(client: AsyncClient) -> None:
            await client.request_airdrop(payer.pubkey(), 10**9)
            good = await transfer_of(client, payer, other, 10**8)
            raw = bytearray(bytes(good))
            raw[10] ^= 1  # within the signature
            with pytest.raises(RPCException, match="SignatureFailure"):
                await client.send_raw_transaction(bytes(raw))
            world.push(151)
            with pytest.raises(RPCException, match="BlockhashNotFound"):
                await client.send_transaction(good)

        ask(world, work)


def test_state_history_and_genesis_survive_a_restart(tmp_path: Path) -> None:
    payer, other = Keypair(), Keypair().pubkey()

    async def before(client: AsyncClient) -> tuple[Any, ...]:
        await client.request_airdrop(payer.pubkey(), 10**10)
        sent = await transfer_of(client, payer, other, 10**9)
        signature = (await client.send_transaction(sent)).value
        kept = await transfer_of(client, payer, other, 10**9 + 1)  # not `sent` itself
        return (await client.get_genesis_hash()).value, signature, kept

    async def after(client: AsyncClient) -> None:
        assert (await client.get_genesis_hash()).value == genesis
        assert (await client.get_balance(other)).value == 10**9
        status = (await client.get_signature_statuses([signature])).value[0]
        assert status.err is None
        with pytest.raises(RPCException, match="BlockhashNotFound"):
            await client.send_transaction(kept)

    with World(tmp_path) as world:
        genesis, signature, kept = ask(world, before)
    with World(tmp_path) as world:
        ask(world, after)


def test_slots_follow_the_monotonic_clock_whatever_the_wall_says(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    now = [100.0]
    bank = Bank(tmp_path / "devnet.sqlite", 100, now=lambda: now[0])
    first = bank.slot
    monkeypatch.setattr(time, "time", lambda: 0.0)  # the wall clock falls back half a century
    now[0] += 1.0
    bank.advance()
    assert bank.slot == first + 10
    monkeypatch.undo()
    bank.close()


def test_a_restart_under_a_clock_jump_never_goes_back(tmp_path: Path) -> None:
    now = [10_000.0]
    bank = Bank(tmp_path / "devnet.sqlite", 100, now=lambda: now[0])
    last = bank.slot
    for _ in range(40):  # idle for 2,000 slots, then killed: `close` never runs
        now[0] += 5.0
        bank.advance()
        last = bank.slot
    bank._db.close()
    now[0] = 3.0  # a rebooted machine counts from zero again
    again = Bank(tmp_path / "devnet.sqlite", 100, now=lambda: now[0])
    assert last < again.slot <= last + RESTART_SLOTS
    again.close()


def test_one_folder_has_one_devnet(tmp_path: Path) -> None:
    with World(tmp_path), pytest.raises(DevnetBusy, match="another devnet"):
        Bank(tmp_path / "devnet.sqlite", 100, now=Clock(), patience_s=0.1)


def test_memos_are_listed_newest_first_and_page_by_page(tmp_path: Path) -> None:
    with World(tmp_path) as world:
        for n in range(5):
            world.accept(f"s{n}")
        desk_facts = world.with_desk(_pay_all)
        mint_account = desk_facts.mint

        async def work(client: AsyncClient) -> None:
            mint = Pubkey.from_string(mint_account)
            whole = (await client.get_signatures_for_address(mint, commitment=Finalized)).value
            memos = [entry.memo for entry in whole if entry.memo]
            # "[length] drive/1 SESSION VERDICT; ...": up to three payouts share a transaction
            told = [part.split() for memo in memos for part in memo.split("; ")]
            assert sorted(part[2] for part in told) == [f"s{n}" for n in range(5)]
            assert all(part[1] == "drive/1" and len(part[3]) == 32 for part in told)
            slots = [entry.slot for entry in whole]
            assert slots == sorted(slots, reverse=True)
            paged, before = [], None
            while page := (await client.get_signatures_for_address(mint, before, limit=2)).value:
                paged += page
                before = page[-1].signature
            assert [e.signature for e in paged] == [e.signature for e in whole]

        ask(world, work)


async def _pay_all(desk: Any) -> Any:
    await desk.until_idle()
    return desk.facts


def test_odd_requests_get_an_error_and_nothing_falls_over(tmp_path: Path) -> None:
    with World(tmp_path) as world:
        key = str(Keypair().pubkey())
        nulls = {"commitment": None, "limit": None, "before": None}
        many = post(
            world,
            [
                {"id": 1, "method": "getSignaturesForAddress", "params": [key, nulls]},
                {"jsonrpc": "2.0", "id": 2, "method": "noSuchThing"},
                {"jsonrpc": "2.0", "id": 3, "method": "getBalance", "params": ["no key"]},
                {"jsonrpc": "2.0", "id": 4, "method": "getBalance"},
                {"jsonrpc": "2.0", "id": 5, "method": "sendTransaction", "params": ["11"]},
                {"jsonrpc": "2.0", "id": 6, "method": "getTokenAccountBalance", "params": [key]},
                {
                    "id": 7,
                    "method": "sendTransaction",
                    "params": [base64.b64encode(b"\0" * 90).decode(), {"encoding": "base64"}],
                },
                17,
            ],
        )  # fmt: skip
        assert many[0]["result"] == []
        codes = [reply["error"]["code"] for reply in many[1:]]
        assert codes == [-32601, -32602, -32602, -32602, -32602, -32602, -32600]
        assert post(world, {"id": 1, "method": "getHealth"})["result"] == "ok"
