"""What a payer is bound by, what one of its turns did, and what the next ones would do."""

from dataclasses import dataclass, field
from pathlib import Path

from rewards.instructions import BATCH
from rewards.model import Payout


@dataclass(frozen=True, slots=True)
class PayRules:
    """Limits of one payer.

    daily_budget: base units signed away in a UTC day. reserve_lamports: nothing is signed below.
    max_attempts: signings of one payout before it is parked. batch: signed in one turn at most.
    in_flight: payouts signed or sent at one time. stop_path: while it exists nothing is signed.
    together: payouts of one transaction at most. account_from: what a wallet must be owed
    altogether before the treasury opens its token account [base units]; that happens once.
    """

    daily_budget: int
    max_attempts: int = 5
    reserve_lamports: int = 50_000_000
    batch: int = 64
    in_flight: int = 256
    stop_path: Path | None = None
    together: int = BATCH
    account_from: int = 0


@dataclass(slots=True)
class Turn:
    """What one turn did, by session. held: what keeps back the rest, '' = nothing."""

    finalized: list[str] = field(default_factory=list)
    expired: list[str] = field(default_factory=list)
    parked: list[str] = field(default_factory=list)
    signed: list[str] = field(default_factory=list)
    resent: list[str] = field(default_factory=list)
    waiting: int = 0
    held: str = ""

    @property
    def idle(self) -> bool:
        return not (
            self.finalized
            or self.expired
            or self.parked
            or self.signed
            or self.resent
            or self.waiting
        )


@dataclass(frozen=True, slots=True)
class Plan:
    """One payout that the next turn would make, or why it would not ('' = it would)."""

    payout: Payout
    hindrance: str
