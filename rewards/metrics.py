"""Numbers for an operator's eyes and alarms, in Prometheus' text form. Reads; changes nothing."""

import json
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import sqlalchemy as sa

from rewards import appeals
from rewards.ledger import Ledger
from rewards.model import DUE, OPEN, STATES
from rewards.queue import Work
from rewards.schema import payouts, verdicts
from rewards.utc import utc_day

TYPE = "text/plain; version=0.0.4; charset=utf-8"
Sample = tuple[str, dict[str, str], float]

HELP = {
    "rewards_queue_depth": "sessions waiting or in work",
    "rewards_queue_age_seconds": "how long the oldest of them has waited",
    "rewards_queue_dead": "sessions that no worker could judge",
    "rewards_verdicts": "verdicts by decision",
    "rewards_rejections": "rejected sessions by reason code",
    "rewards_payouts": "payouts by state",
    "rewards_payout_age_seconds": "oldest payout that is due (owed) or under way (sent)",
    "rewards_spent_base_units": "signed away today, UTC",
    "rewards_budget_base_units": "most that may be signed away in a day",
    "rewards_treasury_lamports": "of the treasury, as the payer last saw it",
    "rewards_treasury_base_units": "of the treasury, likewise",
    "rewards_payer_turn_age_seconds": "since the payer last took a turn",
    "rewards_payer_held": "1 while something keeps the payer from signing",
    "rewards_accepted_seconds": "driven time of accepted sessions",
    "rewards_accepted_base_units": "owed for them altogether",
    "rewards_appeals_waiting": "appeals that nobody decided",
    "rewards_free_bytes": "room on the fullest volume of the server",
}


def samples(
    ledger: Ledger, queue: Work, budget: int, payer_file: Path, free: int, now_s: float
) -> Iterator[Sample]:
    """Every number, with its labels."""
    yield "rewards_queue_depth", {}, queue.depth()
    yield "rewards_queue_age_seconds", {}, queue.age(now_s)
    yield "rewards_queue_dead", {}, len(queue.dead())
    yield from _books(ledger, now_s)
    yield "rewards_spent_base_units", {}, ledger.spent(utc_day(now_s))
    yield "rewards_budget_base_units", {}, budget
    yield "rewards_appeals_waiting", {}, len(appeals.waiting(ledger))
    yield "rewards_free_bytes", {}, free
    try:
        seen = json.loads(payer_file.read_text("utf-8"))
    except (OSError, ValueError):
        return
    yield "rewards_treasury_lamports", {}, seen["lamports"]
    yield "rewards_treasury_base_units", {}, seen["tokens"]
    yield "rewards_payer_turn_age_seconds", {}, max(0.0, now_s - seen["at_s"])
    yield "rewards_payer_held", {"by": seen["held"] or "nothing"}, int(bool(seen["held"]))


def _books(ledger: Ledger, now_s: float) -> Iterator[Sample]:
    totals = ledger.totals()
    for decision in ("accepted", "rejected"):
        count = totals[decision] + (totals["unpaid"] if decision == "accepted" else 0)
        yield "rewards_verdicts", {"decision": decision}, count
    reasons: Counter[str] = Counter()
    ticks = 0
    for verdict in ledger.verdicts():
        if verdict.accepted:
            ticks += int(verdict.measures.get("ticks", 0))
        else:
            reasons.update(f.reason for f in verdict.findings[-1:] if not f.passed)
    for reason, count in sorted(reasons.items()):
        yield "rewards_rejections", {"reason": reason}, count
    for state in STATES:
        yield "rewards_payouts", {"state": state}, totals.get(state, 0)
    with ledger.reading() as db:
        for name, states in (("owed", DUE), ("sent", OPEN)):
            since = payouts.c.changed_s if name == "sent" else payouts.c.owed_s
            where = (payouts.c.state.in_(states), payouts.c.due_s <= int(now_s))
            oldest = db.scalar(sa.select(sa.func.min(since)).where(*where))
            age = 0.0 if oldest is None else max(0.0, now_s - float(oldest))
            yield "rewards_payout_age_seconds", {"state": name}, age
        worth = sa.select(sa.func.coalesce(sa.func.sum(verdicts.c.amount), 0))
        yield "rewards_accepted_base_units", {}, float(db.scalar(worth) or 0)
    yield "rewards_accepted_seconds", {}, ticks / 60


def render(found: Iterator[Sample]) -> str:
    """The text that a scraper reads."""
    lines: list[str] = []
    said: set[str] = set()
    for name, labels, value in found:
        if name not in said:
            said.add(name)
            lines += [f"# HELP {name} {HELP[name]}", f"# TYPE {name} gauge"]
        inner = ",".join(f'{key}="{_escaped(text)}"' for key, text in labels.items())
        lines.append(f"{name}{{{inner}}} {value:g}" if inner else f"{name} {value:.12g}")
    return "\n".join(lines) + "\n"


def _escaped(text: str) -> str:
    return text.replace("\\", "\\\\").replace('"', '\\"').replace("\n", " ")


def write_payer(path: Path, lamports: int, tokens: int, held: str) -> None:
    """What the payer leaves for `samples`, whole or not at all."""
    from rewards.files import write_json

    seen = {"lamports": lamports, "tokens": tokens, "held": held, "at_s": time.time()}
    write_json(path, seen)
