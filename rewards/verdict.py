"""From findings to a verdict: a pure function of what was found and of the policy's name.

Freezes every number that the amount may depend on. Knows no store and no clock.
"""

from collections.abc import Mapping, Sequence

from game.session.format import Manifest
from game.session.protocols import Finding
from rewards.model import Decision, Measure, Verdict
from rewards.policy import Policy


def decide(
    manifest: Manifest | None,
    findings: Sequence[Finding],
    policy: Policy,
    ticket: Mapping[str, object],
    cluster: str,
    now_s: int,
) -> Verdict:
    """Accepted where every check passed. Paid is the ticket's payee, whatever the manifest says.

    manifest: None where the recording could not even be opened. now_s: Unix time [s].
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
        measures=_measures(manifest, findings, cluster),
        notes=policy.says(),
        decided_s=now_s,
    )


def _measures(
    manifest: Manifest | None, findings: Sequence[Finding], cluster: str
) -> dict[str, Measure]:
    evidence = {finding.check: finding.evidence for finding in findings}
    replay, journal = evidence.get("replay", {}), evidence.get("journal", {})
    return {
        "ticks": _whole(replay, "ticks"),
        "pairs_attested": _whole(journal, "attested"),
        "pairs_witnessed": 0,
        "pairs_self": _whole(journal, "self"),
        "difficulty_milli": 1000,
        "quality_milli": 1000,
        "success": bool(replay.get("success", False)),
        "collisions": _whole(replay, "collisions"),
        "driver": manifest.driver.kind if manifest else "",
        "backend": str(journal.get("model", manifest.backend if manifest else "")),
        "cluster": cluster,
    }


def _whole(evidence: Mapping[str, object], name: str) -> int:
    value = evidence.get(name, 0)
    return value if isinstance(value, int) else 0
