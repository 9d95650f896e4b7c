"""The values of the money side: what was decided, what is owed for it, what proves the payment.

Frozen, with one JSON form each. Owns no state and computes no amount.
"""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any, Literal

from game.session.protocols import Finding

Decision = Literal["accepted", "rejected"]
Measure = int | str | bool

OWED, SIGNED, SENT = "owed", "signed", "sent"
FINALIZED, EXPIRED, PARKED = "finalized", "expired", "parked"
STATES = (OWED, SIGNED, SENT, FINALIZED, EXPIRED, PARKED)
OPEN = (SIGNED, SENT)  # a signed transaction exists and its fate is not known
DUE = (OWED, EXPIRED)  # nothing that was signed can land any more: may be signed (again)


@dataclass(frozen=True, slots=True)
class Verdict:
    """The decision on one session, with everything that its amount may depend on.

    payee: wallet, base58, '' when the session is bound to a claim id instead.
    measures: integers, words and flags alone, frozen at the time of judging. Known to policies:
    ticks, pairs_attested, pairs_witnessed, pairs_self, difficulty_milli (1000 = plain),
    quality_milli (1000 = full), success, collisions, driver ('human' | 'bot' | 'agent'),
    backend ('filter' | 'tiny' | 'wan'), cluster ('local' | 'devnet' | 'mainnet' | ...).
    notes: what people should know, such as checks that the policy skipped.
    decided_s: Unix time of the decision [s].
    """

    session: str
    decision: Decision
    policy: str
    policy_version: int
    payee: str = ""
    claim: str = ""
    findings: tuple[Finding, ...] = ()
    measures: Mapping[str, Measure] = field(default_factory=lambda: MappingProxyType({}))
    notes: tuple[str, ...] = ()
    decided_s: int = 0

    def __post_init__(self) -> None:
        if self.decision not in ("accepted", "rejected"):
            raise ValueError(f"a decision is 'accepted' or 'rejected', not {self.decision!r}")
        for name, value in self.measures.items():
            if not isinstance(value, (int, str, bool)):
                raise ValueError(f"measure {name} is {value!r}; only int, str and bool are exact")
        object.__setattr__(self, "measures", MappingProxyType(dict(self.measures)))

    @property
    def accepted(self) -> bool:
        return self.decision == "accepted"

    @property
    def digest(self) -> str:
        """SHA-256 of the JSON form, hex."""
        return hashlib.sha256(verdict_to_json(self).encode()).hexdigest()


@dataclass(frozen=True, slots=True)
class Payout:
    """What is owed for one session, through its life. The payout id is the session id.

    amount: integer base units of `mint`. signature, raw, last_valid_height: of the newest signing.
    attempts: signings so far. reason: why it is parked. owed_s, changed_s: Unix time [s].
    digest: SHA-256 of the verdict, hex. due_s: held until this Unix time [s].
    """

    session: str
    wallet: str
    amount: int
    mint: str
    state: str
    policy: str = ""
    policy_version: int = 0
    signature: str = ""
    raw: bytes = b""
    last_valid_height: int = 0
    attempts: int = 0
    reason: str = ""
    owed_s: int = 0
    changed_s: int = 0
    digest: str = ""
    due_s: int = 0


@dataclass(frozen=True, slots=True)
class Receipt:
    """A payment as the chain tells it: found by its receipt account or by its memo.

    final: the chain calls it finalized. paid_s: the block's Unix time [s], 0 when not told.
    digest: the verdict's, in the short form that the memo carries.
    """

    session: str
    signature: str
    wallet_account: str
    amount: int
    final: bool
    paid_s: int = 0
    digest: str = ""


def verdict_to_dict(verdict: Verdict) -> dict[str, Any]:
    """The JSON form: plain types, stable keys, `v` names the layout."""
    return {
        "v": 1,
        "session": verdict.session,
        "decision": verdict.decision,
        "policy": verdict.policy,
        "policy_version": verdict.policy_version,
        "payee": verdict.payee,
        "claim": verdict.claim,
        "findings": [finding_to_dict(f) for f in verdict.findings],
        "measures": dict(verdict.measures),
        "notes": list(verdict.notes),
        "decided_s": verdict.decided_s,
    }


def finding_to_dict(finding: Finding) -> dict[str, Any]:
    return {
        "check": finding.check,
        "passed": finding.passed,
        "score": finding.score,
        "threshold": finding.threshold,
        "reason": finding.reason,
        "tick": finding.tick,
        "detail": finding.detail,
        "evidence": dict(finding.evidence),
    }


def verdict_to_json(verdict: Verdict) -> str:
    """Canonical JSON: sorted keys, no spaces."""
    return json.dumps(verdict_to_dict(verdict), sort_keys=True, separators=(",", ":"))


def verdict_from_json(text: str) -> Verdict:
    """Read what `verdict_to_json` wrote. Raises ValueError or KeyError on anything else."""
    data = json.loads(text)
    if data.pop("v") != 1:
        raise ValueError("a verdict of an unknown layout")
    findings = tuple(Finding(**f) for f in data.pop("findings"))
    return Verdict(findings=findings, notes=tuple(data.pop("notes")), **data)


def payout_to_dict(payout: Payout) -> dict[str, Any]:
    """For people and `--json`: no raw transaction."""
    return {
        "session": payout.session,
        "amount": payout.amount,
        "wallet": payout.wallet,
        "mint": payout.mint,
        "signature": payout.signature,
        "state": payout.state,
        "attempts": payout.attempts,
        "reason": payout.reason,
        "due_s": payout.due_s,
        "policy": payout.policy,
        "policy_version": payout.policy_version,
    }
