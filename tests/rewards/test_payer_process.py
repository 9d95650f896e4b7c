"""Devnet and payer as processes: killed at any moment, every session is still paid once."""

import contextlib
import multiprocessing
import os
import signal
import time
from collections.abc import Callable, Iterator
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner
from solders.keypair import Keypair

from game.cli.rewards import command
from rewards.bank import Bank
from rewards.devnet import run_devnet
from rewards.ledger import Ledger
from rewards.model import Verdict
from rewards.payer import run_payer
from rewards.settings import RewardsSettings
from tests.fakes.chain import World
from tests.waiting import wait_for

pytestmark = [pytest.mark.network, pytest.mark.flow]
SPAWN = multiprocessing.get_context("spawn")


class Child:
    """One spawned process and what it said when it was ready."""

    def __init__(self, entry: Callable[[Any, Connection], None], settings: RewardsSettings) -> None:
        self._pipe, theirs = SPAWN.Pipe(duplex=False)
        self.process = SPAWN.Process(target=entry, args=(settings, theirs), daemon=True)
        self.process.start()
        theirs.close()

    def ready(self) -> Any:
        assert self._pipe.poll(120), "not ready after 120 s"
        return self._pipe.recv()

    def kill(self) -> None:
        if self.process.is_alive():
            os.kill(self.process.pid or 0, signal.SIGKILL)
        self.process.join(120)
        self._pipe.close()


@contextlib.contextmanager
def children() -> Iterator[Callable[..., Child]]:
    started: list[Child] = []

    def start(entry: Any, settings: RewardsSettings) -> Child:
        started.append(Child(entry, settings))
        return started[-1]

    try:
        yield start
    finally:
        for child in started:
            child.kill()


def finalized(ledger: Ledger) -> int:
    return ledger.totals().get("finalized", 0)


def paid(folder: Path) -> dict[str, int]:
    world = World(folder, Bank(folder / "devnet.sqlite", 20))
    with world:
        return dict(world.paid())


def test_killed_payers_and_a_killed_devnet_pay_once(tmp_path: Path) -> None:
    settings = RewardsSettings(folder=tmp_path, slot_ms=30, poll_s=0.02)
    ledger = Ledger.open(settings.ledger_url)
    for n in range(40):
        verdict = Verdict(f"s{n}", "accepted", "demo", 1, payee=str(Keypair().pubkey()))
        ledger.record(verdict, 1_000, 1)
    with children() as start:
        devnet = start(run_devnet, settings)
        address = devnet.ready()["url"]
        payers = [start(run_payer, settings), start(run_payer, settings)]
        assert payers[0].ready()["mint"] == payers[1].ready()["mint"]
        wait_for(lambda: any(p.state != "owed" for p in ledger.payouts()))
        payers[0].kill()
        devnet.kill()
        devnet = start(run_devnet, settings)
        assert devnet.ready()["url"] == address  # so that the other payer finds it again
        wait_for(lambda: finalized(ledger) == 40)
        devnet.kill()
    assert paid(tmp_path) == {f"s{n}": 1 for n in range(40)}
    ledger.close()


def _parent(settings: RewardsSettings, ready: Connection) -> None:
    inner, theirs = SPAWN.Pipe(duplex=False)
    child = SPAWN.Process(target=run_devnet, args=(settings, theirs))
    child.start()
    ready.send((child.pid, inner.recv()))
    time.sleep(60)


def test_a_devnet_ends_when_its_parent_is_killed(tmp_path: Path) -> None:
    settings = RewardsSettings(folder=tmp_path, slot_ms=10)
    ours, theirs = SPAWN.Pipe(duplex=False)
    parent = SPAWN.Process(target=_parent, args=(settings, theirs))
    parent.start()
    assert ours.poll(120)
    pid, _ = ours.recv()
    os.kill(parent.pid or 0, signal.SIGKILL)
    parent.join()

    def gone() -> bool:
        try:
            with open(f"/proc/{pid}/stat") as file:
                return file.read().rpartition(")")[2].split()[0] == "Z"
        except FileNotFoundError:
            return True

    wait_for(gone)


def test_the_commands_show_pay_and_audit(tmp_path: Path) -> None:
    import json

    def run(*words: str) -> dict[str, Any]:
        done = CliRunner().invoke(
            command, [*words, "--folder", str(tmp_path), "--rpc-url", world.server.url, "--json"]
        )
        assert done.exit_code == 0, done.output
        found: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
        return found

    with World(tmp_path) as world:
        world.accept("one", amount=700)
        world.with_desk(lambda desk: _nothing())
        dry = run("pay")
        assert (dry["committed"], dry["would_pay"], dry["amount"]) == (False, 1, 700)
        assert world.paid() == {}
        before = run("audit")
        assert (before["accepted"], before["paid"], before["owed"]) == (1, 0, 1)
        assert run("pay", "--commit")["finalized"] == ["one"]
        after = run("audit")
        assert (after["accepted"], after["paid"], after["owed"]) == (1, 1, 0)
        assert after["mismatches"] == []
        assert world.paid() == {"one": 1}


async def _nothing() -> None:
    return None
