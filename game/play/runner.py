"""Drives one opened session in real time and closes it so that nothing is lost.

Owns the pace, the catching up, and the order of closing: stream, recorder, then the seal.
"""

import dataclasses
import logging
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

from game.loop import Pacer
from game.play.drive import Drive
from game.play.opening import Opened
from game.play.waiting import PICTURE, Alive, nobody
from game.recorder.process import RecorderGauges
from game.session.format import InputEvent
from scenarios.expect import Outcome
from streaming.gauges import Gauges

log = logging.getLogger(__name__)

_LATE_TICKS = 6
"""Further behind than this, all pictures but the newest are left out: a machine that draws slowly
shows fewer, and its world still keeps to real time."""
_CONNECT_S = 10.0
_LAST_FRAMES_S = 1.0


@dataclass(frozen=True, slots=True)
class Driven:
    """What came of a drive. gauges, tape: last readings. end: what the seal says, {} unrecorded."""

    outcome: Outcome | None
    ticks: int
    frames: int
    skipped: int
    gauges: Gauges
    tape: RecorderGauges | None
    end: dict[str, Any]


Events = Callable[[Drive], Iterable[InputEvent] | None]
"""Asked once a tick for the input events; None ends the drive."""


def wait_for_stream(drive: Drive, limit_s: float = _CONNECT_S, alive: Alive = nobody) -> bool:
    """Give the first frame time to come back; False when driving starts without it.

    alive: called all the while; what it raises ends the wait.

    A run whose seed came over the stream begins at once: its first picture has been there already.
    """
    if drive.link is None:
        return False
    if drive.link.gauges().seed >= 0:
        return True
    began = time.monotonic()
    while (waited := time.monotonic() - began) < limit_s:
        if drive.link.newest(-1) is not None:
            return True
        alive(PICTURE, waited, limit_s)
        drive.link.revive()
        time.sleep(0.01)
    log.warning("drive.unstreamed after_s=%.0f", limit_s)
    return False


def run(
    drive: Drive,
    opened: Opened,
    events: Events,
    tail_ticks: int,
    each_second: Callable[[Drive], None],
) -> Driven:
    """Drive to the end and close, also when the player interrupts or something breaks."""
    try:
        drive_through(drive, events, tail_ticks, each_second)
    finally:
        driven = close(drive, opened)
    return driven


def drive_through(
    drive: Drive, events: Events, tail_ticks: int, each_second: Callable[[Drive], None]
) -> None:
    """Live ticks in real time until the outcome plus `tail_ticks`, or until `events` says stop."""
    pacer = Pacer(time.monotonic_ns)
    left = -1
    while left != 0:
        due = pacer.due()
        if due == 0:
            time.sleep(min(pacer.wait_s(), 0.005))
            continue
        drawn = due if due <= _LATE_TICKS else drive.every_ticks
        for behind in range(due, 0, -1):
            given = events(drive)
            if given is None:
                return
            if drive.rested:
                drive.rested = False
                pacer.rest()
                behind = 0
            drive.turn(given, draw=behind <= drawn, behind=behind)
            if drive.state.tick % 60 == 0:
                each_second(drive)
            if left < 0 and drive.outcome is not None:
                left = tail_ticks + 1
            if left > 0:
                left -= 1
            if left == 0 or behind == 0:
                break


def close(drive: Drive, opened: Opened) -> Driven:
    """End stream, recorder and recording in the order that loses nothing."""
    gauges, tape, end = Gauges(), None, {}
    drive.leave()
    if opened.link is not None:
        _last_frames(drive)
        gauges = opened.link.close()
    if opened.tape is not None:
        tape = opened.tape.close()
    if opened.writer is not None:
        outcome = dataclasses.asdict(drive.outcome) if drive.outcome is not None else {}
        end = opened.writer.finish(outcome)
    return Driven(
        outcome=drive.outcome,
        ticks=drive.state.tick,
        frames=drive.counts.frames,
        skipped=drive.counts.skipped,
        gauges=gauges,
        tape=tape,
        end=end,
    )


def _last_frames(drive: Drive) -> None:
    """Wait a moment for the frames that are still on their way."""
    until = time.monotonic() + _LAST_FRAMES_S
    last = drive.state.tick - drive.state.tick % 2
    while drive.link is not None and drive.link.waiting(last) and time.monotonic() < until:
        time.sleep(0.01)
