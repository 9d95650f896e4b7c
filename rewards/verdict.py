"""From findings to a verdict: a pure function of what was found and of the policy's name.

Freezes every number that the amount may depend on. Knows no store and no clock.
"""

from collections.abc import Mapping, Sequence
from dataclasses import replace

from game.session.format import Manifest
from game.session.protocols import Finding
from rewards.model import Decision, Measure, Verdict
from rewards.policy import Policy
from scenarios.daily import day_seed, today


def decide(
    manifest: Manifest | None,
    findings: Sequence[Finding],
    policy: Policy,
    ticket: Mapping[str, object],
    cluster: str,
    now_s: int,
    tier: str = "signed",
) -> Verdict:
    """Accepted where every check passed. Paid is the ticket's payee, whatever the manifest says.

    manifest: None where the recording could not even be opened. now_s: Unix time [s].
    tier: how sure we are of the payee: 'signed', 'address' or 'claim'.
    """
    accepted = bool(findings) and all(finding.passed for finding in findings)
    decision: Decision = "accepted" if accepted else "rejected"
    return Verdict(
        session=str(ticket["session"]),
        decision=decision,
        policy=policy.name,
        policy_version=policy.version,
        payee=str(ticket["payee"]),
        claim=str(ticket["claim"]),
        findings=tuple(findings),
        measures=_measures(manifest, findings, cluster)
        | {
            "difficulty_milli": policy.difficulty.get(str(ticket["scenario"]), 1000),
            "scenario": str(ticket["scenario"]),
            "tier": tier,
        }
        | _daily(ticket),
        notes=policy.says(),
        decided_s=now_s,
    )


def _daily(ticket: Mapping[str, object]) -> dict[str, Measure]:
    """The day whose seed the ticket names, where it was given out on that day."""
    seed, issued = ticket.get("seed"), ticket.get("issued_s")
    if not isinstance(seed, int) or not isinstance(issued, int):
        return {}
    day = today(issued)
    return {"daily": day.isoformat()} if seed == day_seed(day) else {}


def _measures(
    manifest: Manifest | None, findings: Sequence[Finding], cluster: str
) -> dict[str, Measure]:
    evidence = {finding.check: finding.evidence for finding in findings}
    replay, journal = evidence.get("replay", {}), evidence.get("journal", {})
    return {
        "ticks": _whole(replay, "ticks"),
        "pairs_attested": _whole(journal, "attested"),
        "pairs_witnessed": _whole(journal, "witnessed"),
        "pairs_self": _whole(journal, "self"),
        "difficulty_milli": 1000,
        "quality_milli": _quality(findings),
        "humanity_milli": _whole(evidence.get("humanity", UNSAID), "humanity_milli"),
        "success": bool(replay.get("success", False)),
        "collisions": _whole(replay, "collisions"),
        "driver": manifest.driver.kind if manifest else "",
        "backend": str(journal.get("model", manifest.backend if manifest else "")),
        "cluster": cluster,
    }


UNSAID = {"humanity_milli": 1000}


def _quality(findings: Sequence[Finding]) -> int:
    """1/1000: half for having passed, half by how sharp the styled frames are to the source."""
    sharp = next((finding.score for finding in findings if finding.check == "blur"), 1.0)
    return 500 + min(500, max(0, int(500 * sharp)))


def frozen_into(verdict: Verdict, more: Mapping[str, Measure]) -> Verdict:
    """The verdict with what it was told of others."""
    return replace(verdict, measures={**verdict.measures, **more})


def _whole(evidence: Mapping[str, object], name: str) -> int:
    value = evidence.get(name, 0)
    return value if isinstance(value, int) else 0
