"""Compares what the ledger says with what the chain says. Needs no key: anyone may run it.

Owns the comparison alone; mends nothing.
"""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

from solders.pubkey import Pubkey

from rewards.errors import LedgerMismatch, SetUpIncomplete
from rewards.facts import Facts, endpoint, read_facts
from rewards.history import History
from rewards.instructions import Token
from rewards.ledger import Ledger
from rewards.model import FINALIZED, OPEN, Payout, Receipt
from rewards.settings import RewardsSettings


@dataclass(frozen=True, slots=True)
class Mismatch:
    """One difference. kind: unpaid | unknown | twice | amount | wallet | unsettled | signature."""

    kind: str
    session: str
    detail: str


@dataclass(frozen=True, slots=True)
class Audit:
    """Sessions accepted with an amount = paid + owed; rejected ones; base units; differences.

    owed holds every payout that is not finalized, and accepted sessions that no wallet claimed.
    """

    accepted: int
    paid: int
    owed: int
    rejected: int
    parked: int
    accepted_for_nothing: int
    paid_amount: int
    mismatches: tuple[Mismatch, ...]

    def to_dict(self) -> dict[str, Any]:
        return asdict(self) | {"mismatches": [asdict(m) for m in self.mismatches]}


async def audit(settings: RewardsSettings) -> Audit:
    """Read both and compare. Raises SetUpIncomplete, LedgerMismatch, ChainUnreachable."""
    facts = read_facts(settings)
    if facts is None:
        raise SetUpIncomplete(
            f"{settings.facts_path} is missing", "run once: scale-diffusion rewards pay"
        )
    ledger = Ledger.open(settings.ledger_url)
    try:
        _same_chain(ledger, facts)
        paid_before = frozenset(p.session for p in ledger.payouts(FINALIZED))
        receipts = await _chain_side(endpoint(settings), facts)
        return compare(ledger, receipts, facts, paid_before)
    finally:
        ledger.close()


def compare(
    ledger: Ledger, receipts: Sequence[Receipt], facts: Facts, paid_before: frozenset[str]
) -> Audit:
    """The comparison itself, while payers may be at work.

    paid_before: sessions finalized in the ledger before `receipts` were read; the chain must know
    them. The other rows are read now, after the chain, so that none seems to lag behind it.
    """
    token = Token(Pubkey.from_string(facts.mint), facts.decimals)
    rows = {payout.session: payout for payout in ledger.payouts()}
    amounts, totals = ledger.amounts(), ledger.totals()
    found: list[Mismatch] = []
    by_session: dict[str, Receipt] = {}
    for receipt in receipts:
        if receipt.session in by_session:
            others = by_session[receipt.session].signature
            found.append(Mismatch("twice", receipt.session, f"{receipt.signature} and {others}"))
        by_session[receipt.session] = receipt
        if receipt.session not in amounts:
            found.append(Mismatch("unknown", receipt.session, "paid, but never accepted"))
        elif receipt.amount != amounts[receipt.session]:
            detail = f"accepted {amounts[receipt.session]}, paid {receipt.amount}"
            found.append(Mismatch("amount", receipt.session, detail))
        found += _against_row(receipt, rows.get(receipt.session), token)
    finalized = [p for p in rows.values() if p.state == FINALIZED]
    found += [
        Mismatch("unpaid", p.session, f"the chain does not know {p.signature}")
        for p in finalized
        if p.session in paid_before and p.session not in by_session
    ]
    return Audit(
        accepted=totals["accepted"],
        paid=len(finalized),
        owed=totals["accepted"] - len(finalized),
        rejected=totals["rejected"],
        parked=totals.get("parked", 0),
        accepted_for_nothing=totals["unpaid"],
        paid_amount=sum(r.amount for r in by_session.values()),
        mismatches=tuple(found),
    )


def _against_row(receipt: Receipt, row: Payout | None, token: Token) -> list[Mismatch]:
    if row is None:
        return [Mismatch("unsettled", receipt.session, "paid, but the ledger has no payout")]
    found = []
    account = str(token.account_of(Pubkey.from_string(row.wallet)))
    if receipt.wallet_account != account:
        detail = f"owed to {row.wallet}, paid into {receipt.wallet_account}"
        found.append(Mismatch("wallet", receipt.session, detail))
    if row.state == FINALIZED and row.signature != receipt.signature:
        detail = f"ledger {row.signature}, chain {receipt.signature}"
        found.append(Mismatch("signature", receipt.session, detail))
    if row.state not in (FINALIZED, *OPEN):
        found.append(Mismatch("unsettled", receipt.session, f"paid, but still {row.state}"))
    return found


def _same_chain(ledger: Ledger, facts: Facts) -> None:
    stamp = ledger.stamp()
    if stamp is not None and stamp != facts.stamp:
        for name, given in asdict(facts.stamp).items():
            if getattr(stamp, name) != given:
                raise LedgerMismatch(name, getattr(stamp, name), given)


async def _chain_side(url: str, facts: Facts) -> list[Receipt]:
    token = Token(Pubkey.from_string(facts.mint), facts.decimals)
    history = History(url, Pubkey.from_string(facts.treasury), token)
    try:
        return [receipt async for receipt in history.payments()]
    finally:
        await history.close()
