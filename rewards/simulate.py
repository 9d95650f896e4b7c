"""Past verdicts under another policy: what it would have cost, before it costs anything."""

from collections import Counter
from collections.abc import Iterable
from dataclasses import asdict, dataclass, replace
from typing import Any

from rewards import policy
from rewards.errors import VerdictInvalid
from rewards.model import Verdict


@dataclass(frozen=True, slots=True)
class Simulated:
    """before, after: base units. changed: session -> (before, after). unpriced: verdicts that lack
    a measure. hold_s: longest and mean hold under the new policy. seconds: driven, accepted."""

    sessions: int
    before: int
    after: int
    more: int
    less: int
    unpriced: int
    longest_hold_s: int
    mean_hold_s: int
    seconds: int
    by_scenario: dict[str, int]

    def to_dict(self) -> dict[str, Any]:
        return asdict(self)


def simulate(verdicts: Iterable[tuple[Verdict, int]], rules: policy.Policy) -> Simulated:
    """Price accepted verdicts (with the amount they had) anew. Budgets count as frozen then."""
    before = after = more = less = unpriced = ticks = 0
    holds: list[int] = []
    by_scenario: Counter[str] = Counter()
    for verdict, was in verdicts:
        told = replace(verdict, policy=rules.name, policy_version=rules.version)
        try:
            now = policy.amount(told, rules)
        except VerdictInvalid:
            unpriced += 1
            continue
        before, after = before + was, after + now
        more, less = more + (now > was), less + (now < was)
        holds.append(policy.hold_s(told, rules))
        ticks += int(verdict.measures.get("ticks", 0))
        by_scenario[str(verdict.measures.get("scenario", ""))] += now
    return Simulated(
        sessions=len(holds),
        before=before,
        after=after,
        more=more,
        less=less,
        unpriced=unpriced,
        longest_hold_s=max(holds, default=0),
        mean_hold_s=sum(holds) // max(1, len(holds)),
        seconds=ticks // 60,
        by_scenario=dict(by_scenario),
    )
