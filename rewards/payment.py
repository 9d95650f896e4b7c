"""Pays what the ledger owes, each session exactly once. Settles first, then signs anew.

One turn, for any number of payers on one ledger:

    settle   height, then status, of all that is signed or sent
               final without error ............................ finalized
               final with error, or unknown above its last height: look for the receipt
                 ours and final -> finalized   none -> expired   not ours -> parked
               unknown otherwise .............................. the same bytes again
    act      stop switch, funds, budget, hold; then for what is owed or expired
               receipt there -> as above      account closed, frozen, foreign -> parked
               no account and too little owed to open one -> waits
               sign, up to three together -> commit `signed` -> commit `sent` -> submit

A transaction of several payouts happens whole or not at all; after one failed or expired, each of
its payouts is tried alone. A refused submission proves nothing. `finalized` on the chain is the
only level that counts. Owns no rows and no connection; refuses to sign while the stop file exists.
"""

import asyncio
import logging
from collections import Counter
from collections.abc import Callable, Collection, Coroutine, Iterable, Iterator, Sequence
from typing import Any, TypeVar

from rewards.chain import ABSENT, FOREIGN, FROZEN, Bill, Chain, Fate, Funds, Look
from rewards.errors import EndpointsDisagree, ReceiptUnexplained
from rewards.ledger import Ledger
from rewards.model import DUE, OPEN, SIGNED, Payout, Receipt
from rewards.payout_book import Signing
from rewards.turn import PayRules, Plan, Turn
from rewards.utc import utc_day, utc_time

log = logging.getLogger(__name__)
T = TypeVar("T")

SETTLED_DEPTH = 32  # slots after which what one endpoint saw must be in its history too
_NOT_HELD = 0
AT_ONCE = 8  # questions to the chain
_LOOK = 100  # payouts looked at on the chain at one time


class Payer:
    """`step` is one turn; call it again after any exception, in this or another process.

    allows: '' or why a payout must not be sent on this cluster. at: called with the name of each
    point that a crash could fall on, for tests.
    """

    def __init__(
        self,
        chain: Chain,
        ledger: Ledger,
        rules: PayRules,
        now: Callable[[], float],
        allows: Callable[[Payout], str] = lambda payout: "",
        at: Callable[[str], None] = lambda point: None,
    ) -> None:
        self._chain, self._ledger, self._rules = chain, ledger, rules
        self._now, self._allows, self._at = now, allows, at
        self.funds: Funds | None = None  # as last seen
        self._doubts: dict[str, int] = {}  # session -> height at which its receipt was unexplained

    async def step(self) -> Turn:
        """Settle, then act. Raises ChainUnreachable, LedgerLost; nothing is lost by either."""
        turn = Turn()
        await self._settle(turn)
        await self._act(turn)
        return turn

    async def plan(self) -> tuple[Plan, ...]:
        """What the next turns would sign, without signing anything."""
        due = self._ledger.payouts(*DUE)
        looks = await self._chain.look([(p.session, p.wallet) for p in due])
        owed: Counter[str] = Counter()
        for payout in due:
            owed[payout.wallet] += payout.amount
        room = self._rules.daily_budget - self._ledger.spent(utc_day(self._now()))
        plans, opened = [], self._opened(zip(due, looks, strict=True))
        for payout, look in zip(due, looks, strict=True):
            why = self._hindrance(payout) or await self._obstacle(payout, look, opened)
            if not why and look.receipt:
                why = "a receipt is there: settles by the payment that made it"
            if not why and payout.due_s > self._s():
                why = f"held until {utc_time(payout.due_s)}"
            least = self._rules.account_from
            if not why and look.destination == ABSENT and owed[payout.wallet] < least:
                why = f"the wallet has no token account; one is opened from {least} base units on"
            if not why and payout.attempts == _NOT_HELD and payout.amount > room:
                why = "the day's budget is spent"
            if not why and payout.attempts == _NOT_HELD:
                room -= payout.amount
            plans.append(Plan(payout, why))
        return tuple(plans)

    # --- settle -------------------------------------------------------------------------------

    async def _settle(self, turn: Turn) -> None:
        open_ = self._ledger.payouts(*OPEN)
        if not open_:
            return
        height = await self._chain.height()  # first: it makes an unknown status conclusive
        fates = await self._chain.fates([p.signature for p in open_])  # second
        again, landed = [], []
        for payout, fate in zip(open_, fates, strict=True):
            if fate is not None and fate.final and not fate.error:
                landed.append(payout)
            elif is_dead(payout, fate, height):
                await self._bury(payout, height, turn)
            elif fate is None:
                again.append(payout)
            else:
                turn.waiting += 1
        self._finalize_all(landed, turn)
        await self._send(again)
        turn.resent += [p.session for p in again]

    async def _bury(self, payout: Payout, height: int, turn: Turn) -> None:
        """This signature can never land. Was the session paid by another one?"""
        receipt = await self._explain(payout, height, turn)
        if isinstance(receipt, Receipt):
            self._settle_by(payout, receipt, turn)
        elif receipt is None:
            self._at("expiring")
            turn.expired += [p.session for p in self._ledger.expire([payout], self._s())]

    async def _explain(self, payout: Payout, height: int, turn: Turn) -> Receipt | str | None:
        """The payment behind the receipt, None without a receipt, a word while that is unclear."""
        try:
            receipt = await self._chain.payment(payout.session)
        except EndpointsDisagree as error:  # may last for as long as one of them lags
            log.warning("payer.disagree session=%s why=%s", payout.session, error.why)
            turn.waiting += 1
            turn.held = "endpoints"
            return "doubt"
        except ReceiptUnexplained as error:
            first = self._doubts.setdefault(payout.session, height)
            if height - first > SETTLED_DEPTH:
                self._park(payout, error.why, turn)
            else:
                turn.waiting += 1
            return "doubt"
        self._doubts.pop(payout.session, None)
        return receipt

    def _settle_by(self, payout: Payout, receipt: Receipt, turn: Turn) -> None:
        expected = self._chain.account_of(payout.wallet)
        if (receipt.wallet_account, receipt.amount) != (expected, payout.amount):
            self._park(payout, f"already paid otherwise, by {receipt.signature}", turn)
        elif receipt.final:
            day = utc_day(receipt.paid_s) if receipt.paid_s else self._today()
            self._finalize(payout, receipt.signature, day, turn)
        else:
            turn.waiting += 1

    def _finalize_all(self, landed: Sequence[Payout], turn: Turn) -> None:
        """Those that the signature they have has paid."""
        if not landed:
            return
        self._at("finalizing")
        for payout in self._ledger.finalize_all(landed, self._today(), self._s()):
            log.info("payout.finalized session=%s signature=%s", payout.session, payout.signature)
            turn.finalized.append(payout.session)

    def _finalize(self, payout: Payout, signature: str, day: str, turn: Turn) -> None:
        self._at("finalizing")
        if self._ledger.finalize(payout, signature, day, self._s()):
            log.info("payout.finalized session=%s signature=%s", payout.session, signature)
            turn.finalized.append(payout.session)

    # --- act ----------------------------------------------------------------------------------

    async def _act(self, turn: Turn) -> None:
        stop = self._rules.stop_path
        if stop is not None and stop.exists():
            turn.held = "stopped"
            return
        in_flight = self._ledger.payouts(*OPEN)
        room = min(self._rules.batch, self._rules.in_flight - len(in_flight))
        due = self._within_budget(self._ledger.payouts(*DUE, due_by=self._s()), turn)
        looks = await self._reachable(due, max(room, 0), {p.wallet for p in in_flight}, turn)
        if not looks:
            return
        funds = await self._chain.funds()
        self.funds = funds
        if funds.lamports < self._rules.reserve_lamports:
            turn.held = "lamports"
            log.warning("payer.low_lamports left=%d", funds.lamports)
            return
        tokens = funds.tokens - sum(p.amount for p in in_flight)
        ready = []
        opened = self._opened(looks)
        asked = await _gather(self._ready(*each, opened, turn) for each in looks)
        for (payout, look), may in zip(looks, asked, strict=True):
            if not may:
                continue
            if payout.amount > tokens:
                turn.held = "tokens"
                log.warning("payer.low_tokens left=%d", tokens)
                break
            tokens -= payout.amount
            ready.append((payout, look))
        await self._pay(ready, turn)

    def _parked_early(self, payout: Payout, turn: Turn) -> bool:
        why = self._hindrance(payout)
        if why:
            self._park(payout, why, turn)
        return bool(why)

    def _hindrance(self, payout: Payout) -> str:
        """Why this payout can never be signed, whatever the chain says."""
        if payout.attempts >= self._rules.max_attempts:
            return f"failed {payout.attempts} times"
        return self._allows(payout)

    def _within_budget(self, due: Sequence[Payout], turn: Turn) -> list[Payout]:
        """What the day still covers; a payout that was signed before holds its share already."""
        room = self._rules.daily_budget - self._ledger.spent(self._today())
        fits = []
        for payout in due:
            cost = payout.amount if payout.attempts == _NOT_HELD else 0
            if cost > room:
                turn.held = "budget"
                continue
            room -= cost
            fits.append(payout)
        return fits

    async def _reachable(
        self, due: Sequence[Payout], room: int, busy: set[str], turn: Turn
    ) -> list[tuple[Payout, Look]]:
        """Those to be dealt with now, in order. A wallet without a token account waits until it
        is owed enough for one, and while a payment that opens it is under way. Whatever may never
        be signed is parked on the way; a long backlog is not gone through for a few."""
        if not room:
            return []
        owed: Counter[str] = Counter()
        for payout in due:
            owed[payout.wallet] += payout.amount
        found: list[tuple[Payout, Look]] = []
        for start in range(0, len(due), _LOOK):
            part = [p for p in due[start : start + _LOOK] if not self._parked_early(p, turn)]
            looks = await self._chain.look([(p.session, p.wallet) for p in part])
            for payout, look in zip(part, looks, strict=True):
                if look.destination == ABSENT and not look.receipt:
                    if payout.wallet in busy:
                        continue
                    if owed[payout.wallet] < self._rules.account_from:
                        turn.held = turn.held or "accrual"
                        continue
                    busy.add(payout.wallet)
                found.append((payout, look))
                if len(found) == room:
                    return found
        return found

    def _opened(self, looks: Iterable[tuple[Payout, Look]]) -> frozenset[str]:
        """Wallets without a token account that we know to have opened one for."""
        return self._ledger.paid(p.wallet for p, look in looks if look.destination == ABSENT)

    async def _ready(self, payout: Payout, look: Look, opened: Collection[str], turn: Turn) -> bool:
        """True when nothing on the chain stands against signing this payout now."""
        if look.receipt:
            receipt = await self._explain(payout, await self._chain.height(), turn)
            if isinstance(receipt, Receipt):
                self._settle_by(payout, receipt, turn)
            return False
        why = await self._obstacle(payout, look, opened)
        if why:
            self._park(payout, why, turn)
        return not why

    async def _obstacle(self, payout: Payout, look: Look, opened: Collection[str]) -> str:
        """Why the wallet's token account cannot be paid; '' when it can."""
        if look.destination == FROZEN:
            return "the wallet's token account is frozen"
        if look.destination == FOREIGN:
            return "the wallet's token account belongs to another owner"
        if look.destination != ABSENT:
            return ""
        if payout.wallet in opened or await self._chain.was_opened(payout.wallet, look.slot):
            return "the wallet closed the token account that was opened for it"
        return ""

    async def _pay(self, ready: Iterable[tuple[Payout, Look]], turn: Turn) -> None:
        ready = tuple(ready)
        if not ready:
            return
        fresh = await self._chain.freshness()
        signings = []
        for group in self._groups(ready):
            signature, raw = self._chain.sign([bill for _, bill in group], fresh)
            height = fresh.last_valid_height
            signings += [Signing(payout, signature, raw, height) for payout, _ in group]
        self._at("built")
        signed = self._ledger.sign(signings, self._today(), self._rules.daily_budget, self._s())
        self._at("signed")
        await self._send(signed)
        turn.signed += [p.session for p in signed]

    def _groups(self, ready: Iterable[tuple[Payout, Look]]) -> Iterator[list[tuple[Payout, Bill]]]:
        """Payouts by transaction. What was signed before goes alone: its company may have been
        what failed."""
        group: list[tuple[Payout, Bill]] = []
        for payout, look in ready:
            opens = look.destination == ABSENT
            bill = Bill(payout.session, payout.wallet, payout.amount, payout.digest, opens)
            if payout.attempts > 0:
                yield [(payout, bill)]
                continue
            bills = [*(known for _, known in group), bill]
            if group and (len(bills) > self._rules.together or not self._chain.fits(bills)):
                yield group
                group = []
            group.append((payout, bill))
        if group:
            yield group

    async def _send(self, payouts: Sequence[Payout]) -> None:
        """Commit `sent` for what is only signed, then submit. Bytes may go out many times."""
        if not payouts:
            return
        self._ledger.mark_sent([p for p in payouts if p.state == SIGNED], self._s())
        self._at("marked")
        raws = {payout.signature: payout.raw for payout in payouts}
        said = await _gather(self._chain.submit(raw) for raw in raws.values())
        for signature, words in zip(raws, said, strict=True):
            if words:
                log.info("payout.refused signature=%s said=%s", signature, words)
        self._at("submitted")

    def _park(self, payout: Payout, why: str, turn: Turn) -> None:
        self._at("parking")
        if self._ledger.park(payout, why, self._s()):
            log.warning("payout.parked session=%s why=%s", payout.session, why)
            turn.parked.append(payout.session)

    def _today(self) -> str:
        return utc_day(self._now())

    def _s(self) -> int:
        return int(self._now())


async def _gather(asked: Iterable[Coroutine[Any, Any, T]]) -> list[T]:
    """All the answers in order, few questions at one time: each more is one more connection."""
    room = asyncio.Semaphore(AT_ONCE)

    async def one(question: Coroutine[Any, Any, T]) -> T:
        async with room:
            return await question

    return await asyncio.gather(*(one(question) for question in asked))


def is_dead(payout: Payout, fate: Fate | None, height: int) -> bool:
    """This signature failed for good, or is unknown above the last height at which it may land."""
    if fate is None:
        return height > payout.last_valid_height
    return fate.final and bool(fate.error)
