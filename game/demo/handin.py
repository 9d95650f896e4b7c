"""Hands a recorded session in and waits until it is paid, rejected, or clearly stuck."""

import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from game.errors import GameError
from game.outbox.job import JobStore, State
from game.play.embedded import Embedded
from game.play.intake import Intake, ServiceUnreachable
from game.play.opening import Opened

_OVER = ("finalized", "parked")
_UPLOAD_S, _JUDGE_S, _PAY_S = 180.0, 900.0, 300.0  # a slow machine is not stuck
_WORDS = {
    "issued": "packing and uploading",
    "uploading": "uploading",
    "queued": "checking: driving it again, drawing it again",
    "accepted": "accepted",
    "owed": "accepted; the payer signs",
    "signed": "signed and stored",
    "sent": "sent; waiting until the chain calls it final",
    "expired": "the signature ran out; signing again",
    "finalized": "paid, and final",
    "rejected": "rejected",
    "parked": "parked for a person to look at",
    "unreachable": "the intake is being started again",
}


class HandInStuck(GameError):
    """A step of the server side took too long, or the upload was refused."""

    def __init__(self, state: str, why: str, logs: Path) -> None:
        super().__init__(state, why, logs)
        self.state, self.why, self.logs = state, why, logs

    def __str__(self) -> str:
        return f"the session stayed {self.state}: {self.why}; see the logs in {self.logs}"


def hand_in(
    opened: Opened, services: Embedded, intake: Intake, logs: Path, say: Callable[[str], None]
) -> dict[str, Any]:
    """Queue the upload and wait. Returns the service's last word: state, verdict, payout."""
    assert opened.writer is not None
    jobs = JobStore(services.outbox)
    jobs.add(opened.writer.folder)
    before, since = "", time.monotonic()
    while True:
        for name in services.revive():
            say(f"{name} had died and was started again")
        fate = _fate(intake, opened.session)
        payout = fate.get("payout") or {}
        state = str(payout.get("state") or fate.get("state"))
        if state != before:
            say(_WORDS.get(state, state))
            before, since = state, time.monotonic()
        if state in _OVER or state == "rejected" or _unpaid(fate):
            return fate
        job = jobs.get(opened.session)
        if job is not None and job.state in (State.REFUSED, State.HELD):
            raise HandInStuck(state, job.reason, logs)
        limit = _limit(fate)
        if time.monotonic() - since > limit:
            raise HandInStuck(state, f"nothing moved for {limit:.0f} s", logs)
        time.sleep(0.2)


def _limit(fate: dict[str, Any]) -> float:
    if fate.get("verdict"):
        return _PAY_S
    return _JUDGE_S if fate.get("state") == "queued" else _UPLOAD_S


def _unpaid(fate: dict[str, Any]) -> bool:
    """Accepted, and worth nothing under this policy: no payout will ever come."""
    return fate.get("state") == "accepted" and bool(fate.get("verdict")) and not fate.get("payout")


def _fate(intake: Intake, session: str) -> dict[str, Any]:
    try:
        return intake.fate(session)
    except ServiceUnreachable:
        return {"state": "unreachable"}
