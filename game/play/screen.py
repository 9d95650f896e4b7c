"""What the player reads while driving. Composes the HUD; draws nothing and decides nothing."""

import logging
import time
from collections.abc import Mapping
from datetime import datetime
from functools import lru_cache
from pathlib import Path
from typing import Any

from game.atlas.streets import address
from game.outbox.job import JobStore, State
from game.play.blend import OPACITY_STEPS
from game.play.drive import Drive
from game.play.intake import Payee
from game.view.hud import Chip, Hud, recording_chip, stream_chip
from game.world.city import City
from game.world.version import TICK_HZ
from scenarios.expect import COLLISION, TIMEOUT, Outcome
from streaming.stages import STAGES

log = logging.getLogger(__name__)

_WORDS = {
    State.QUEUED: "waits to be handed in",
    State.CHECKING: "is looked through",
    State.UPLOADING: "is uploading",
    State.WAITING: "is being checked",
    State.HELD: "is held back",
    State.REFUSED: "was refused",
    State.DONE: "is done",
    State.DELETING: "is deleted here, the server is still to be asked",
    State.DELETED: "is deleted",
}


def hud(drive: Drive, city: City, who: Payee, last: str) -> Hud:
    """The screen of this tick."""
    stage, state = drive.stage, drive.state
    remaining = -1.0
    if not stage.free:
        remaining = max(0.0, (stage.duration_ticks - state.tick) / TICK_HZ)
    outcome = drive.outcome
    said = ""
    if outcome is not None:
        said = "passed" if outcome.success else f"failed: {_why(outcome)}"
    return Hud(
        lines=_lines(drive),
        chips=_chips(drive),
        title=stage.scenario.title,
        remaining=remaining,
        outcome=said,
        speed=abs(state.ego.speed),
        place=drive.place(city, address),
        wallet=last or _payee_line(who),
        message=drive.message(),
        stages=STAGES if drive.graphed else (),
        graph=tuple(drive.graph) if drive.graphed else (),
    )


def _lines(drive: Drive) -> tuple[str, ...]:
    blend = drive.blend
    if blend.raw or blend.peek:
        return ("raw game picture" if blend.raw else "peeking at the game",)
    shade = "" if blend.opacity == OPACITY_STEPS else f"  {100 * blend.opacity // OPACITY_STEPS} %"
    return (f"style {drive.style.title}{shade}",)


def _why(outcome: Outcome) -> str:
    if outcome.reason == COLLISION:
        return f"you hit {'a building' if outcome.cause == 'building' else outcome.cause}"
    return "out of time" if outcome.reason == TIMEOUT else outcome.reason


def hand_in_line(outbox: Path, sessions: tuple[str, ...]) -> str:
    """How far the newest handed-in session has come, '' where there is none."""
    if not sessions:
        return ""
    return _job_line(str(outbox), sessions[-1], _stamp(outbox / f"{sessions[-1]}.json"))


@lru_cache(maxsize=4)
def _job_line(outbox: str, session: str, _stamp_ns: int) -> str:
    job = JobStore(Path(outbox)).get(session)
    if job is None:
        return ""
    payout = job.server.get("payout") or {}
    if payout.get("state") == "finalized":
        return f"paid {int(payout['amount']) / 1e6:.3f} SPL  {str(payout['signature'])[:8]}..."
    if payout:
        return _owed_line(payout)
    if job.server.get("state") == "queued":
        return "last drive uploaded, waits for its check"
    return f"last drive {_WORDS[job.state]} {job.reason}".rstrip()


def _owed_line(payout: Mapping[str, Any]) -> str:
    """A drive that was accepted and is not paid yet."""
    amount = f"{int(payout['amount']) / 1e6:.3f} SPL"
    if payout.get("state") == "parked":
        return f"accepted, {amount} wait for a person: {payout.get('reason', '')}"
    if int(payout.get("due_s") or 0) > time.time():
        until = datetime.fromtimestamp(int(payout["due_s"])).strftime("%d %b %H:%M")
        return f"accepted, {amount} held until {until}"
    return f"accepted, {amount} on the way"


def _stamp(path: Path) -> int:
    try:
        return path.stat().st_mtime_ns
    except OSError:
        return 0


def _chips(drive: Drive) -> tuple[Chip, ...]:
    chips = []
    if drive.writer is not None and drive.tape is not None:
        if drive.writer.stopped:
            chips.append(Chip(f"recording stopped: {drive.writer.stopped}", "bad"))
        else:
            chips.append(recording_chip(not drive.tape.paused))
    if drive.link is not None:
        reading = drive.link.gauges()
        live = reading.state == "streaming" and reading.connected
        trip = reading.round_trip_ms.p50 if live else None
        if live and not reading.exact:
            chips.append(Chip(f"pairs estimated {reading.confidence:.0%}", "plain"))
        chips.append(stream_chip("live" if live else reading.state, trip))
    return tuple(chips)


def _payee_line(who: Payee) -> str:
    return f"{who.wallet[:6]}..." if who.wallet else "no wallet: claim later"
