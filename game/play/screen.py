"""What the player reads while driving. Composes the HUD; draws nothing and decides nothing."""

import logging
import math
import re
import textwrap
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
from game.world.state import WorldState
from game.world.version import TICK_HZ
from scenarios.errand import STOP, Errand, is_there
from scenarios.expect import COLLISION, TIMEOUT, Outcome
from scenarios.spawn import Expectation, Stage
from streaming.stages import STAGES

log = logging.getLogger(__name__)

_ACROSS = 22  # letters of a line at the left, beside the title
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
        said = "passed" if outcome.success else f"failed: {why(outcome)}"
    return Hud(
        lines=_lines(drive),
        chips=_chips(drive),
        title=stage.scenario.title,
        remaining=remaining,
        outcome=said,
        speed=abs(state.ego.speed),
        place=drive.place(city, address),
        wallet=last or ("not recorded: unpaid" if drive.writer is None else _payee_line(who)),
        message=drive.message(),
        stages=STAGES if drive.graphed else (),
        graph=tuple(drive.graph) if drive.graphed else (),
    )


def _lines(drive: Drive) -> tuple[str, ...]:
    blend, aim = drive.blend, goals(drive)
    first = aim if drive.outcome is None else ()
    if blend.raw or blend.peek:
        return (*first, "raw game picture" if blend.raw else "peeking at the game")
    shade = "" if blend.opacity == OPACITY_STEPS else f"  {100 * blend.opacity // OPACITY_STEPS} %"
    return (*first, f"style {drive.style.title}{shade}")


def goals(drive: Drive) -> tuple[str, ...]:
    """What is to be done: the next stop of an errand in three lines, else the goal in one."""
    wanted = drive.referee.errand.next
    if wanted is None:
        aim = goal(drive.stage, drive.state)
        return (aim,) if aim else ()
    return stop_lines(drive.referee.errand, drive.state)


def stop_lines(errand: Errand, state: WorldState) -> tuple[str, ...]:
    """The next stop: which one it is, how far and where, and what time is left for it."""
    wanted = errand.next
    if wanted is None:
        return ()
    title = f"stop {len(errand.made) + 1} of {len(errand.stops)}: {wanted.title}"
    left = (wanted.by - state.tick) / TICK_HZ
    by = f", {max(0.0, left):.0f} s left" if wanted.by else ""
    if is_there(wanted, state):
        stand = max(0.0, (wanted.ticks - errand.stood(state)) / TICK_HZ)
        here = f"here: stand for {stand:.0f} s" if errand.stood(state) else "here: come to rest"
        return (*textwrap.wrap(title, _ACROSS), here + by)
    way = math.dist((state.ego.x, state.ego.y), (wanted.x, wanted.y))
    return (*textwrap.wrap(title, _ACROSS), f"{way:.0f} m {bearing(state, wanted)}{by}")


def bearing(state: WorldState, wanted: Expectation) -> str:
    """Where a place lies as the driver looks, in words."""
    there = math.atan2(wanted.y - state.ego.y, wanted.x - state.ego.x)
    turn = math.remainder(there - state.ego.heading, math.tau)
    side = "left" if turn > 0 else "right"
    if abs(turn) < math.pi / 8:
        return "straight ahead"
    if abs(turn) < 3 * math.pi / 8:
        return f"ahead to the {side}"
    if abs(turn) < 5 * math.pi / 8:
        return f"to the {side}"
    return f"behind you, {side}"


def goal(stage: Stage, state: WorldState) -> str:
    """What is to be done, in a few words: how far it still is, or how long to last."""
    if stage.free:
        return ""
    for wanted in stage.expectations:
        if wanted.kind == "reach_position":
            way = math.dist((state.ego.x, state.ego.y), (wanted.x, wanted.y))
            return f"goal {max(0.0, way - wanted.radius):.0f} m away"
    for wanted in stage.expectations:
        if wanted.kind == "survive_duration":
            left = max(0.0, (wanted.ticks - state.tick) / TICK_HZ)
            return f"last {left:.0f} s without a collision"
    return "no collision"


def why(outcome: Outcome) -> str:
    """Why a drive failed, for its driver."""
    if outcome.reason == COLLISION:
        return f"you hit {_named(outcome.cause)}"
    if outcome.reason == TIMEOUT and outcome.cause == STOP:
        return "too late at a stop"
    return "out of time" if outcome.reason == TIMEOUT else outcome.reason


def _named(cause: str) -> str:
    """What was struck, in words: scenarios name their actors like walker-2 or stopping-taxi."""
    words = re.sub(r"-\d+$", "", cause).replace("-", " ")
    known = {"building": "a building", "unknown": "something"}
    return known.get(words, f"the {words}")


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
    if drive.race is not None and drive.outcome is None:
        gap = drive.race.gap(drive.state)
        tone = "plain" if gap is None else "warn" if gap > 0 else "good"
        chips.append(Chip(drive.race.says(drive.state), tone))
    if drive.writer is not None and drive.tape is not None:
        stopped = drive.writer.stopped or drive.tape.stopped()
        if stopped:
            chips.append(Chip(f"recording stopped: {stopped}", "bad"))
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
