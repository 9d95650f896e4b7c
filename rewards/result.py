"""What an accepted drive came to, for the leaderboards: read out of its verdict alone. Pure."""

from typing import Any

from rewards.model import Verdict

NO_TTC = 10**9
"""Nobody was on a collision course [ms]."""
UNLISTED = ("offline",)
"""Policies whose drives were not committed live: they replay, but may have been made at leisure."""


def result_of(verdict: Verdict) -> dict[str, Any] | None:
    """The row of a verdict, None where it has no place on a board."""
    replay = next((f for f in verdict.findings if f.check == "replay"), None)
    if not verdict.accepted or replay is None or not replay.passed or verdict.policy in UNLISTED:
        return None
    told, tick = replay.evidence, replay.evidence.get("end_tick")
    who = verdict.payee or verdict.claim
    if told.get("success") is not True or type(tick) is not int or not who:
        return None
    closest = told.get("min_ttc_ms")
    return {
        "session": verdict.session,
        "scenario": str(verdict.measures.get("scenario", ""))[:128],
        "day": str(verdict.measures.get("daily", "")),
        "driver": str(verdict.measures.get("driver", "")),
        "who": who,
        "tick": tick,
        "closest_ms": closest if type(closest) is int else NO_TTC,
        "collisions": int(told.get("collisions", 0)),
        "decided_s": verdict.decided_s,
    }
