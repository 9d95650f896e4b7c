"""Many sessions through real workers and payers that die at every step, on a hostile chain.

Everything is real but the checks and the clock: stores, queue, ledger, sealed verdicts, devnet
with LiteSVM behind its port, SPL transfers, receipts. A death is a BaseException at a named
point, after which everything is opened again from disk.

    python -m tests.rewards.torture --sessions 1000 --folder build/torture

With a folder, a run that was stopped goes on where it was: all that matters is on disk anyway.
"""

import argparse
import asyncio
import contextlib
import functools
import json
import logging
import random
import ssl
import sys
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any
from unittest import mock

from solders.keypair import Keypair

from game.atlas.load import load as load_city
from game.session.protocols import Evidence, Finding
from game.session.reader import Session
from rewards import policy, schema, tickets
from rewards.checks.case import CannotJudge
from rewards.errors import LedgerLost
from rewards.facts import read_facts
from rewards.graph import Step, run_plain
from rewards.inbox import Inbox
from rewards.ledger import Ledger
from rewards.premises import Premises
from rewards.queue import Queue, QueueSettings
from rewards.rebuild import refill
from rewards.storage import FolderStore
from rewards.worker import Bench, Worker
from tests.fakes.chain import SLOT_MS, Desk, HostileBank, World, land
from tests.rewards.handed import hand_in, ticket_for
from tests.rewards.poison import POISONS, spoil
from tests.rewards.recording import JOURNAL_KEY, KEYS, make_ticket
from tests.rewards.torture_plan import WorkClock, db_errors, keep_plan, keep_tally, resume

JUDGES = (tickets.public_hex(JOURNAL_KEY),)


class Crash(BaseException):
    """Killed at this point; nothing of ours catches it."""


class Torture:
    """One run. share: probability of a death at each point. loss: that one takes the ledger.

    losses: of the ledger at most; each has all that was paid looked up on the chain again, between
    deaths, so that a thousand sessions would never be done with a loss in every fifty deaths.
    slot_ms: of the devnet, in time that this process works.
    """

    def __init__(
        self,
        folder: Path,
        sessions: int,
        seed: int,
        share: float = 0.2,
        loss: float = 0.02,
        losses: int = 8,
        slot_ms: int = SLOT_MS,
    ) -> None:
        self.folder, self.share, self.loss, self.losses = folder, share, loss, losses
        self.slot_ms = slot_ms
        self.chance, self.clock = random.Random(seed), WorkClock()
        self.bank = HostileBank(
            folder / "devnet.sqlite", slot_ms, now=self.clock, chance=random.Random(seed + 1)
        )
        self.world = World(folder, self.bank, self.clock)
        self.world.rules = replace(self.world.rules, max_attempts=10**6, batch=48)
        self.premises, self.city = Premises(folder), load_city()
        self.raw, self.clean = (
            FolderStore(self.premises.raw, b""),
            FolderStore(self.premises.clean, b""),
        )
        self.over = threading.Event()
        self.errors: list[BaseException] = []
        self.plan, self.tally, begun = resume(folder)
        if not begun:
            self._make(sessions)
            keep_plan(folder, self.plan)

    def _make(self, sessions: int) -> None:
        """Tickets and uploads as the intake leaves them, in a queue."""
        known = make_ticket(self.city)
        players = [Keypair() for _ in range(max(4, sessions // 5))]
        for number, player in enumerate(players[: max(3, len(players) // 10)]):
            self.plan.poisoned[str(player.pubkey())] = POISONS[number % 3]
        self.plan.keys = {str(player.pubkey()): player for player in players}
        for number in range(sessions):
            wallet = str(players[number % len(players)].pubkey())
            ticket = ticket_for(wallet, known)
            name = str(ticket["session"])
            self.plan.wallets[name] = wallet
            if self.chance.random() < 0.1:
                self.plan.refused.add(name)
            hand_in(self.raw, ticket, seed=int(name in self.plan.refused))

    # --- workers ------------------------------------------------------------------------------

    def _dies(self, seen: Counter[str]) -> Callable[[str], None]:
        def at(point: str) -> None:
            if not self.over.is_set() and self.chance.random() < self.share:
                seen[point] += 1
                raise Crash(point)

        return at

    def _check(self, session: Session, evidence: Evidence) -> Finding:
        if not self.over.is_set() and self.chance.random() < 0.05:
            raise CannotJudge("a renderer, today")
        bad = session.manifest.seed == 1
        counts = {"ticks": 9, "success": True, "collisions": 0, "attested": 1, "self": 0}
        return Finding("journal", not bad, 1.0, 1.0, "test.bad" if bad else "", evidence=counts)

    def _open_bench(self) -> Bench:
        url = self.world.settings.ledger_url
        return Bench(
            inbox=Inbox(schema.open_engine(url)), ledger=Ledger.open(url), queue=self._queue(),
            raw=self.raw, clean=self.clean, scratch=self.premises.scratch,
            cities={self.city.digest: self.city}, renderer=None,
            checks=(Step("journal", self._check),), runner=run_plain, keys=KEYS,
            sample_secret=b"s", policies=policy.load, retry_s=0.05, judge_key=JOURNAL_KEY,
            at=self._dies(self.tally.worker),
        )  # fmt: skip

    def _queue(self) -> Queue:
        return Queue(self.premises.queue, QueueSettings(0.6, 60.0, 10**6))

    def work(self) -> None:
        """A worker that is killed and started again until all is judged."""
        try:
            while not self.over.is_set():
                with contextlib.suppress(Crash, LedgerLost, *db_errors()):
                    self._work_one_life()
        except BaseException as error:
            self.errors.append(error)
            raise

    def _work_one_life(self) -> None:
        bench = self._open_bench()
        try:
            worker = Worker(bench)
            while not self.over.is_set():
                if not worker.step():
                    time.sleep(0.02)
                if self.chance.random() < 0.1:  # an old delivery comes once more, out of order
                    self.tally.duplicates += 1
                    with contextlib.suppress(CannotJudge):  # `step` would have put it back
                        worker.judge(self.chance.choice(list(self.plan.wallets)))
        finally:
            bench.queue.close()
            bench.ledger.close()
            bench.inbox.engine.dispose()

    def feed(self) -> None:
        """Announce every session in any order, some of them again and again."""
        queue, names = self._queue(), list(self.plan.wallets)
        self.chance.shuffle(names)
        for name in names:
            queue.push(name, name)
            if self.chance.random() < 0.2:
                self.tally.duplicates += queue.push(again := self.chance.choice(names), again)
        queue.close()

    # --- payers -------------------------------------------------------------------------------

    async def pay(self) -> None:
        """A payer that is killed and started again until everything is settled."""
        while not self.over.is_set():
            with contextlib.suppress(LedgerLost, *db_errors()):
                desk = await self.world.open(self._dies(self.tally.payer))
                try:
                    refill(desk.ledger, self.clean, JUDGES)
                    await self._turns(desk)
                except Crash:
                    self._harm()
                finally:
                    await desk.close()

    async def _turns(self, desk: Desk) -> None:
        for turn in range(10**6):
            done = await desk.payer.step()
            if done.idle and self._settled(desk):
                self.over.set()
            if self.over.is_set():
                return
            if turn % 20 == 19:
                await asyncio.to_thread(refill, desk.ledger, self.clean, JUDGES)
            await asyncio.sleep(0.01)

    def _settled(self, desk: Desk) -> bool:
        judged = set(desk.ledger.sessions())
        payouts = desk.ledger.payouts()
        left = {key.partition("/")[0] for key in self.raw.keys("")} - self.plan.refused
        if judged != set(self.plan.wallets) or left:
            return False
        return all(p.state in ("finalized", "parked") for p in payouts)

    def _harm(self) -> None:
        fate = self.chance.random()
        if fate < self.loss and self.tally.ledgers < self.losses:
            self.tally.ledgers += 1
            for file in self.folder.glob("ledger.sqlite*"):
                file.unlink(missing_ok=True)
        elif fate < 0.2:
            self.tally.expiries += 1
            self.clock.ahead += 200 * self.slot_ms / 1000

    async def poison(self) -> None:
        """Wallets spoil their token account as soon as it is there."""
        left = dict(self.plan.poisoned)
        while left and not self.over.is_set():
            await asyncio.sleep(0.2)
            for wallet, deed in list(left.items()):
                if await self._poisoned(wallet, deed):
                    del left[wallet]

    async def _poisoned(self, wallet: str, deed: str) -> bool:
        facts = read_facts(self.world.settings)
        held = 0 if facts is None else self.world.tokens(facts, wallet)
        if not held:
            return False
        desk = await self.world.open()
        try:
            self.bank.calm = True
            steps, signers = spoil(desk, self.world, self.plan.keys[wallet], deed, held)
            await land(self.world.server.url, steps, signers)
            return True
        except Exception:  # a payment came in between: try again
            return False
        finally:
            self.bank.calm = False
            await desk.close()

    # --- all of it ----------------------------------------------------------------------------

    def watch(self, say: Callable[[str], None]) -> None:
        """Keep the tally, and tell how far it is."""
        tally, begin, cpu = self.tally, time.monotonic(), time.process_time()
        seconds, cpu_s = tally.seconds, tally.cpu_seconds

        def stop_watch() -> None:
            tally.seconds = seconds + time.monotonic() - begin
            tally.cpu_seconds = cpu_s + time.process_time() - cpu

        while not self.over.wait(5.0):
            stop_watch()
            keep_tally(self.folder, tally)
            with contextlib.suppress(LedgerLost, *db_errors()):
                ledger = Ledger.open(self.world.settings.ledger_url)
                told = Counter(p.state for p in ledger.payouts())
                judged = len(ledger.sessions())
                ledger.close()
                say(f"{tally.seconds:.0f} s: {judged} judged, {dict(sorted(told.items()))}")
        stop_watch()

    def run(
        self, workers: int = 4, payers: int = 2, say: Callable[[str], None] = lambda line: None
    ) -> dict[str, Any]:
        """Until everything is settled; the table's rows. say: hears how far it is."""
        certificates = functools.cache(ssl.create_default_context)  # most of a short life, else
        with self.world, mock.patch("ssl.create_default_context", certificates):
            self.world.with_desk(lambda desk: asyncio.sleep(0))
            self.bank.calm = False
            threads = [threading.Thread(target=self.work) for _ in range(workers)]
            threads += [threading.Thread(target=self.feed)]
            threads += [threading.Thread(target=self.watch, args=(say,))]
            for thread in threads:
                thread.start()

            async def money() -> None:
                await asyncio.gather(self.poison(), *(self.pay() for _ in range(payers)))

            try:
                asyncio.run(money())
            finally:
                self.over.set()
                for thread in threads:
                    thread.join()
            rows = self._rows()
        if self.errors:
            raise self.errors[0]
        spent = {"seconds": self.tally.seconds, "cpu seconds": self.tally.cpu_seconds}
        return rows | {name: round(value, 1) for name, value in spent.items()}

    def _rows(self) -> dict[str, Any]:
        paid = self.world.paid()
        accepted = set(self.plan.wallets) - self.plan.refused
        good = {n for n in accepted if self.plan.wallets[n] not in self.plan.poisoned}
        ledger = Ledger.open(self.world.settings.ledger_url)
        states = {p.session: p.state for p in ledger.payouts()}
        ledger.close()
        unpaid = {n for n in accepted if not paid[n]}
        return {
            "sessions": len(self.plan.wallets),
            "accepted": len(accepted),
            "paid once": sum(paid[n] == 1 for n in accepted),
            "paid twice or more": sum(count > 1 for count in paid.values()),
            "rejected, yet paid": sum(paid[n] for n in self.plan.refused),
            "unknown, yet paid": sum(n for name, n in paid.items() if name not in accepted)
            - sum(paid[n] for n in self.plan.refused),
            "accepted, sound wallet, not paid": len(good & unpaid),
            "parked: the wallet closed, froze or gave away its account": len(unpaid - good),
            "of these not parked in the ledger": sum(
                states.get(n) != "parked" for n in unpaid - good
            ),
            "ledger disagrees with the chain": sum(
                (states.get(n) == "finalized") != (paid[n] == 1) for n in accepted
            ),
            "worker deaths": sum(self.tally.worker.values()),
            "worker deaths by point": dict(sorted(self.tally.worker.items())),
            "payer deaths": sum(self.tally.payer.values()),
            "payer deaths by point": dict(sorted(self.tally.payer.items())),
            "ledger deleted": self.tally.ledgers,
            "times all blockhashes expired": self.tally.expiries,
            "duplicate or late deliveries": self.tally.duplicates,
        }


WRONG = (
    "paid twice or more", "rejected, yet paid", "unknown, yet paid",
    "accepted, sound wallet, not paid", "of these not parked in the ledger",
    "ledger disagrees with the chain",
)  # fmt: skip
"""Rows that must be 0."""


def torture(
    folder: Path,
    sessions: int,
    seed: int,
    say: Callable[[str], None] = lambda line: None,
    **more: Any,
) -> dict[str, Any]:
    """One run's rows; `more` goes to Torture."""
    return Torture(folder, sessions, seed, **more).run(say=say)


def main() -> None:
    """The table, exit 1 where a row that must be 0 is not."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--sessions", type=int, default=1000)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--slot-ms", type=int, default=30)
    parser.add_argument("--folder", type=Path, help="keep the run here, and go on with it")
    parser.add_argument("--json", type=Path)
    logging.disable(logging.WARNING)
    options = parser.parse_args()

    def say(line: str) -> None:
        print(line, file=sys.stderr, flush=True)

    with tempfile.TemporaryDirectory() as short:
        folder = options.folder or Path(short)
        folder.mkdir(parents=True, exist_ok=True)
        rows = torture(folder, options.sessions, options.seed, say, slot_ms=options.slot_ms)
    if options.json:
        options.json.write_text(json.dumps(rows, indent=1))
    for name, value in rows.items():
        note = "  must be 0" if name in WRONG else ""
        print(f"{name:60} {value}{note}")
    sys.exit(1 if any(rows[name] for name in WRONG) else 0)


if __name__ == "__main__":
    main()
