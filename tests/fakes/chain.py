"""A whole money side in one process: devnet on a port, ledger on disk, payers as many as wanted.

The devnet is the real one; its clock can be pushed, and the hostile one loses and delays what is
sent. What the chain holds is read from the bank's own history, not through the code under test.
"""

import asyncio
import contextlib
import random
import time
from collections import Counter
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any, TypeVar

from solana.rpc.async_api import AsyncClient
from solders.keypair import Keypair
from solders.message import MessageV0
from solders.pubkey import Pubkey
from solders.transaction import VersionedTransaction

from rewards.bank import Bank, Refusal
from rewards.chain import Chain
from rewards.devnet import Devnet, DevnetServer
from rewards.facts import Facts
from rewards.instructions import MEMO_PREFIX, Token, read_transaction
from rewards.ledger import Ledger
from rewards.model import Payout, Verdict
from rewards.payment import Payer
from rewards.settings import RewardsSettings
from rewards.treasury import open_chain
from rewards.turn import PayRules, Turn

T = TypeVar("T")
SLOT_MS = 10


class Clock:
    """The monotonic clock, which a test may push forward. held: it moves by pushes alone."""

    def __init__(self, held: bool = False) -> None:
        self.ahead, self._held = 0.0, held

    def __call__(self) -> float:
        return self.ahead if self._held else time.monotonic() + self.ahead


class HostileBank(Bank):
    """Unless calm, loses some transactions and lets others land late, as a network may."""

    def __init__(self, *args: Any, chance: random.Random, **kwargs: Any) -> None:
        self.chance, self.calm = chance, True
        self.under_way: list[tuple[int, bytes]] = []
        super().__init__(*args, **kwargs)

    def submit(self, raw: bytes, skip_preflight: bool) -> str:
        fate = 1.0 if self.calm else self.chance.random()
        if fate < 0.5:
            signature = str(VersionedTransaction.from_bytes(raw).signatures[0])
            if fate > 0.25:
                self.under_way.append((self.slot + self.chance.randint(1, 45), raw))
            return signature
        return super().submit(raw, skip_preflight)

    def advance(self) -> None:
        super().advance()
        due = [raw for slot, raw in self.under_way if slot <= self.slot]
        self.under_way = [item for item in self.under_way if item[0] > self.slot]
        for raw in due:
            with contextlib.suppress(Refusal):
                super().submit(raw, False)


class World:
    """Use as a context manager. `folder` may be used again by a later World: a restart."""

    def __init__(self, folder: Path, bank: Bank | None = None, clock: Clock | None = None) -> None:
        self.clock = clock or Clock()
        self.bank = bank or Bank(folder / "devnet.sqlite", SLOT_MS, now=self.clock)
        self.server = DevnetServer(Devnet(self.bank))
        self.settings = RewardsSettings(folder=folder, rpc_url=self.server.url, poll_s=0.01)
        self.rules = PayRules(daily_budget=10**12)
        self.now = lambda: 1_795_000_000.0
        self.verdicts: list[tuple[Verdict, int]] = []

    def __enter__(self) -> "World":
        self._thread = self.server.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.server.shutdown()
        self.server.server_close()
        self._thread.join()
        self.bank.close()

    def push(self, slots: int) -> None:
        """Let slots pass at once."""
        self.clock.ahead += slots * SLOT_MS / 1000

    def accept(self, session: str, wallet: str = "", amount: int = 1_000) -> Verdict:
        """An accepted verdict, kept here as the clean store would."""
        payee = wallet or str(Keypair().pubkey())
        verdict = Verdict(session, "accepted", "demo", 1, payee=payee)
        self.verdicts.append((verdict, amount))
        return verdict

    def refill(self, ledger: Ledger) -> None:
        for verdict, amount in self.verdicts:
            ledger.record(verdict, amount, 1)

    async def open(self, at: Callable[[str], None] = lambda point: None) -> "Desk":
        chain, facts = await open_chain(self.settings)
        ledger = Ledger.open(self.settings.ledger_url, facts.stamp)
        self.refill(ledger)
        return Desk(Payer(chain, ledger, self.rules, self.now, at=at), chain, ledger, facts)

    def with_desk(self, work: Callable[["Desk"], Awaitable[T]]) -> T:
        """Run `work` with a fresh payer and close it."""

        async def run() -> T:
            desk = await self.open()
            try:
                return await work(desk)
            finally:
                await desk.close()

        return asyncio.run(run())

    def paid(self) -> Counter[str]:
        """Session -> number of successful payments on the chain."""
        found: Counter[str] = Counter()
        query = "SELECT raw, meta FROM transactions WHERE length(raw) > 0"
        with self.bank.lock:
            rows = self.bank._db.execute(query).fetchall()
        for raw, meta in rows:
            if '"err": null' in meta:
                memos = read_transaction(VersionedTransaction.from_bytes(raw)).memos
                found.update(m.removeprefix(MEMO_PREFIX).partition(" ")[0] for m in memos)
        return found

    def tokens(self, facts: Facts, wallet: str) -> int:
        account = Token(Pubkey.from_string(facts.mint), 6).account_of(Pubkey.from_string(wallet))
        with self.bank.lock:
            held = self.bank.token(self.bank.account(str(account)))
        return 0 if held is None else int(held["uiTokenAmount"]["amount"])


class Desk:
    """One payer with what belongs to it."""

    def __init__(self, payer: Payer, chain: Chain, ledger: Ledger, facts: Facts) -> None:
        self.payer, self.chain, self.ledger, self.facts = payer, chain, ledger, facts

    async def close(self) -> None:
        await self.chain.close()
        self.ledger.close()

    async def until_idle(self, turns: int = 2_000) -> list[Turn]:
        """Turns until nothing is under way."""
        done = []
        for _ in range(turns):
            done.append(await self.payer.step())
            if done[-1].idle:
                return done
            await asyncio.sleep(0.01)
        raise AssertionError(f"still busy after {turns} turns: {done[-1]}")

    def payout(self, session: str) -> Payout:
        found = self.ledger.payout(session)
        assert found is not None
        return found


async def land(url: str, instructions: list[Any], signers: list[Keypair]) -> None:
    """Execute instructions as somebody else would; the first signer pays."""
    client = AsyncClient(url)
    try:
        payer = signers[0].pubkey()
        if (await client.get_balance(payer)).value < 10**9:
            await client.request_airdrop(payer, 10**10)
        fresh = (await client.get_latest_blockhash()).value.blockhash
        message = MessageV0.try_compile(payer, instructions, [], fresh)
        await client.send_transaction(VersionedTransaction(message, signers))
    finally:
        await client.close()


async def settle(desk: Desk) -> None:
    await desk.until_idle()
