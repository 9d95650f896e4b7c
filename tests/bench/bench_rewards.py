"""Money: payouts a second through ledger, client and devnet, and how long one takes to be final."""

import asyncio
import multiprocessing
import tempfile
import time
from pathlib import Path
from typing import Any

import psutil
from solders.keypair import Keypair

from rewards.devnet import run_devnet
from rewards.model import Verdict
from rewards.payer import open_payer
from rewards.settings import RewardsSettings

SESSIONS, SLOT_MS = 600, 20
AGAINST = "plain receipt payouts on a local devnet: 119..640/s sequential, no ledger"


def rows() -> list[dict[str, Any]]:
    """Payouts per second (ledger rows signed, committed, sent) and time to finalized.

    The devnet is a process of its own, as `demo` and `rewards devnet` run it.
    """
    with tempfile.TemporaryDirectory() as folder:
        settings = RewardsSettings(folder=Path(folder), slot_ms=SLOT_MS)
        context = multiprocessing.get_context("spawn")
        ours, theirs = context.Pipe(duplex=False)
        devnet = context.Process(target=run_devnet, args=(settings, theirs), daemon=True)
        devnet.start()
        try:
            ours.recv()
            return asyncio.run(_measure(settings, psutil.Process(devnet.pid)))
        finally:
            devnet.terminate()
            devnet.join(20)


async def _measure(settings: RewardsSettings, devnet: psutil.Process) -> list[dict[str, Any]]:
    payer, chain, ledger, _ = await open_payer(settings)
    try:
        _owe(ledger, "lone", [str(Keypair().pubkey())])
        begin = time.perf_counter()
        while ledger.totals().get("finalized", 0) < 1:
            await payer.step()
        latency = time.perf_counter() - begin
        wallets = [str(Keypair().pubkey()) for _ in range(SESSIONS)]
        found = []
        for number, name in enumerate(("new wallets, two together", "known wallets")):
            _owe(ledger, f"many{number}-", wallets)
            paid = 1 + SESSIONS * (number + 1)
            found += await _round(payer, ledger, devnet, paid, name)
    finally:
        await chain.close()
        ledger.close()
    slot = f"32 {settings.slot_ms} ms slots are the floor"
    return [*found, _row("rewards.finalized_latency", latency * 1000, "ms", slot)]


async def _round(
    payer: Any, ledger: Any, devnet: psutil.Process, paid: int, name: str
) -> list[dict[str, Any]]:
    """Pay what is owed; paid: payouts that are final afterwards."""
    begin, cpu, theirs, sent = time.perf_counter(), time.process_time(), _cpu_s(devnet), 0
    while sent < SESSIONS:
        sent += len((await payer.step()).signed)
    signing, worked = time.perf_counter() - begin, time.process_time() - cpu
    while ledger.totals().get("finalized", 0) < paid:
        await payer.step()
        await asyncio.sleep(0.05)
    whole, ours = time.perf_counter() - begin, time.process_time() - cpu
    theirs = _cpu_s(devnet) - theirs
    told = f"goal 200; {SESSIONS} at once"
    return [
        _row(f"rewards.payouts_sent, {name}", SESSIONS / signing, "1/s", f"{told}; {AGAINST}"),
        _row(f"rewards.payouts_sent_by_core, {name}", SESSIONS / worked, "1/s",
             "per CPU second of payer and client"),
        _row(f"rewards.payouts_finalized, {name}", SESSIONS / whole, "1/s", told),
        _row(f"rewards.payouts_finalized_by_core, {name}", SESSIONS / (ours + theirs), "1/s",
             f"per CPU second of payer ({ours:.1f} s) and devnet ({theirs:.1f} s)"),
    ]  # fmt: skip


def _cpu_s(process: psutil.Process) -> float:
    spent = process.cpu_times()
    return float(spent.user + spent.system)


def _owe(ledger: Any, name: str, payees: list[str]) -> None:
    for n, payee in enumerate(payees):
        ledger.record(Verdict(f"{name}{n}", "accepted", "demo", 1, payee=payee), 1_000, 1)


def _row(name: str, value: float, unit: str, against: str) -> dict[str, Any]:
    return {"name": name, "value": round(value, 2), "unit": unit, "against": against, "ratio": None}
