"""Does the drive again from its inputs and compares every state, bit for bit, and each claim."""

from typing import Any

from game.session.protocols import Evidence, Finding
from game.session.reader import Session
from rewards.checks.case import Resim, resim
from rewards.prints import Print


def replay(session: Session, evidence: Evidence) -> Finding:
    """Score: share of ticks that came out equal; the threshold is 1, there is no tolerance."""
    ours = resim(session, evidence)
    if ours.fault is not None:
        tick, code, what = ours.fault
        share = tick / max(1, session.steps + 1)
        return Finding("replay", False, share, 1.0, code, tick, what)
    false_claim = _claims(session, ours)
    if false_claim is not None:
        code, what = false_claim
        return Finding("replay", False, 0.0, 1.0, code, session.steps, what)
    success = ours.outcome is not None and ours.outcome.success
    detail = f"{session.steps} steps bit-equal, {ours.collisions} collisions"
    evidence_of = {
        "ticks": session.steps,
        "collisions": ours.collisions,
        "success": success,
        "reason": "" if ours.outcome is None else ours.outcome.reason,
        **_ended(ours),
        "cells": dict(ours.cells),
        "print": Print.of(ours.path, session.controls()).to_hex(),
    }
    return Finding("replay", True, 1.0, 1.0, detail=detail, evidence=evidence_of)


def _ended(ours: Resim) -> dict[str, int]:
    """When it ended and how close it came, as our own run says; nothing for one given up."""
    if ours.outcome is None:
        return {}
    told = {"end_tick": ours.outcome.tick}
    if ours.outcome.min_ttc_s is not None:
        told["min_ttc_ms"] = int(1000.0 * ours.outcome.min_ttc_s)
    return told


def _claims(session: Session, ours: Resim) -> tuple[str, str] | None:
    """The first claim of end.json or events.jsonl that our own run does not bear out."""
    ended = session.events("outcome")
    claims = [("end.json", (session.end or {}).get("outcome"))]
    claims += [("events.jsonl", event.get("outcome")) for event in ended]
    for file, claim in claims:
        wrong = _outcome(claim if isinstance(claim, dict) else {}, ours)
        if wrong is not None:
            return wrong[0], f"{file} {wrong[1]}"
    claimed = [event.get("tick") for event in session.events("contact")]
    if claimed and sorted(map(str, claimed)) != sorted(map(str, ours.begun)):
        return "replay.contacts", f"contacts noted at {claimed[:4]}, ours at {ours.begun[:4]}"
    return None


def _outcome(claim: dict[str, Any], ours: Resim) -> tuple[str, str] | None:
    success = ours.outcome is not None and ours.outcome.success
    counted = _counted(claim, ours)
    if claim.get("collisions", counted) != counted:
        return "replay.collisions", f"says {claim['collisions']!r} collisions, ours {counted}"
    if claim.get("success", success) is not success:
        return "replay.outcome", f"says success {claim['success']!r}, ours {success}"
    if ours.outcome is not None:
        for name in ("reason", "tick", "cause", "min_ttc_s"):
            true = getattr(ours.outcome, name)
            if claim.get(name, true) != true:
                return "replay.outcome", f"says {name} {claim[name]!r}, ours {true!r}"
    return None


def _counted(claim: dict[str, Any], ours: Resim) -> int:
    """Collisions up to the outcome where the claim names its tick, else of the whole run."""
    if ours.outcome is not None and claim.get("tick") == ours.outcome.tick:
        return ours.outcome.collisions
    return ours.collisions
