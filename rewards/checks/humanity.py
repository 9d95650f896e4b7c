"""How much the inputs look like a hand. Moves trust and nothing else: this check never fails.

Statistics can be imitated (a twelve-line disguise does it), and honest keyboard driving looks like
a square wave, so the number only lengthens a hold. Simulated traces set the terms; no people did.
"""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from game.session.protocols import Evidence, Finding
from game.session.reader import Session
from game.world.controls import Controls
from game.world.entity import EntityState
from game.world.version import TICK_HZ
from rewards.checks.case import staged
from rewards.checks.reaction import Reactions, reactions
from scenarios.errors import ScenarioError
from scenarios.road import survey

EVERY = 2  # 30 samples a second
LEAST_S = 5.0


def measures(drive: Sequence[Controls]) -> dict[str, float]:
    """unique: distinct steering values over samples. busy: share of samples with a change.
    periodicity: highest autocorrelation beyond 2 s. jerk: share of reversals of direction."""
    steer = np.array([c.steer for c in drive[::EVERY]], np.float64)
    if len(steer) < LEAST_S * TICK_HZ / EVERY:
        return {}
    change = np.diff(steer)
    moving = change[change != 0]
    turns = float((np.diff(np.sign(moving)) != 0).mean()) if len(moving) > 2 else 0.0
    return {
        "unique": len(np.unique(steer)) / len(steer),
        "busy": float((change != 0).mean()),
        "periodicity": _periodicity(steer),
        "jerk": turns,
    }


def _periodicity(steer: NDArray[np.float64]) -> float:
    centred = steer - steer.mean()
    power = float((centred**2).sum())
    lag = 2 * TICK_HZ // EVERY
    if power == 0.0 or len(steer) <= 2 * lag:
        return 0.0
    spectrum = np.fft.rfft(centred, 2 * len(steer))
    auto = np.fft.irfft(np.abs(spectrum) ** 2)[: len(steer)]
    return float(np.clip(auto[lag : len(steer) // 2 + lag].max(initial=0.0) / power, 0.0, 1.0))


def humanity(session: Session, evidence: Evidence) -> Finding:
    """Score: 0 mechanical .. 1 like a hand; the threshold is 0, it always passes."""
    drive = session.controls()
    found = measures(drive)
    score, more = 0.5, {}
    detail = ", ".join(f"{name} {value:.2f}" for name, value in found.items()) or "too short to say"
    if found:
        varied = min(1.0, found["unique"] / 0.05)
        uneven = 1.0 - max(0.0, found["periodicity"] - 0.5) * 2
        # a regulator corrects at every tick, back and forth; a hand holds still in between
        rested = 1.0 - max(0.0, found["busy"] * found["jerk"] - 0.3) / 0.7
        terms = [varied, uneven, rested]
        answers = _answers(session, evidence, drive)
        if answers.score is not None:
            terms.append(answers.score)
        more = {"answers": len(answers.ticks), "early_milli": int(1000 * answers.early)}
        detail += f", {answers.told()}"
        score = max(0.0, min(1.0, sum(terms) / len(terms)))
    return Finding(
        "humanity", True, score, 0.0, detail=detail,
        evidence={"humanity_milli": int(1000 * score), **more},
    )  # fmt: skip


def _answers(session: Session, evidence: Evidence, drive: Sequence[Controls]) -> Reactions:
    """To what came up in the drive; the replay before has found its states to be true."""
    stored = session.ticks()
    try:
        route = staged(session, evidence).route
    except ScenarioError:
        return Reactions(())
    road = survey(route, evidence.city) if len(route) > 1 else None

    def view(tick: int) -> tuple[EntityState, Sequence[EntityState]]:
        state = stored[tick]
        return state.ego, state.actors

    return reactions(view, drive[: len(stored)], road)
