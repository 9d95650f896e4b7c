"""Money: payouts a second through ledger, client and devnet, and how long one takes to be final."""

import asyncio
import tempfile
import time
from pathlib import Path
from typing import Any

from solders.keypair import Keypair

from rewards.devnet import open_devnet
from rewards.model import Verdict
from rewards.payer import open_payer
from rewards.settings import RewardsSettings

SESSIONS, SLOT_MS = 200, 20
AGAINST = "plain receipt payouts on a local devnet: 119..640/s sequential, no ledger"


def rows() -> list[dict[str, Any]]:
    """Payouts per second (ledger rows signed, committed, sent) and time to finalized."""
    with tempfile.TemporaryDirectory() as folder:
        settings = RewardsSettings(folder=Path(folder), slot_ms=SLOT_MS)
        server = open_devnet(settings)
        thread = server.start()
        try:
            return asyncio.run(_measure(settings))
        finally:
            server.shutdown()
            server.server_close()
            thread.join()
            server.devnet.bank.close()


async def _measure(settings: RewardsSettings) -> list[dict[str, Any]]:
    payer, chain, ledger, _ = await open_payer(settings)
    try:
        _owe(ledger, "lone", 1)
        begin = time.perf_counter()
        while ledger.totals().get("finalized", 0) < 1:
            await payer.step()
        latency = time.perf_counter() - begin
        _owe(ledger, "many", SESSIONS)
        begin, sent = time.perf_counter(), 0
        while sent < SESSIONS:
            sent += len((await payer.step()).signed)
        signing = time.perf_counter() - begin
        while ledger.totals().get("finalized", 0) < SESSIONS + 1:
            await payer.step()
        whole = time.perf_counter() - begin
    finally:
        await chain.close()
        ledger.close()
    slot = f"{settings.slot_ms} ms slots"
    return [
        _row("rewards.payouts_sent", SESSIONS / signing, "1/s", AGAINST),
        _row("rewards.payouts_finalized", SESSIONS / whole, "1/s", f"{slot}, {SESSIONS} at once"),
        _row("rewards.finalized_latency", latency * 1000, "ms", f"32 {slot} are the floor"),
    ]


def _owe(ledger: Any, name: str, number: int) -> None:
    for n in range(number):
        payee = str(Keypair().pubkey())
        ledger.record(Verdict(f"{name}{n}", "accepted", "demo", 1, payee=payee), 1_000, 1)


def _row(name: str, value: float, unit: str, against: str) -> dict[str, Any]:
    return {"name": name, "value": round(value, 2), "unit": unit, "against": against, "ratio": None}
