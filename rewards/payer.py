"""The payer as a process: opens chain and ledger, takes turns until it is told to end."""

import asyncio
import logging
import time
from collections.abc import Callable, Collection
from dataclasses import asdict
from multiprocessing.connection import Connection

from rewards import policy, tickets
from rewards.chain import Chain
from rewards.claim import bound_wallet
from rewards.errors import ChainUnreachable, SetUpIncomplete, VerdictInvalid
from rewards.facts import Facts
from rewards.ledger import Ledger
from rewards.metrics import write_payer
from rewards.model import Payout
from rewards.parent import exit_with_parent
from rewards.payment import Payer
from rewards.premises import Premises
from rewards.sealed import unseal
from rewards.settings import RewardsSettings
from rewards.treasury import LOCAL, open_chain
from rewards.turn import PayRules, Turn

log = logging.getLogger(__name__)


def rules_of(settings: RewardsSettings, cluster: str = LOCAL) -> PayRules:
    return PayRules(
        account_from=0 if cluster == LOCAL else settings.account_from,
        daily_budget=settings.daily_budget,
        max_attempts=settings.max_attempts,
        reserve_lamports=settings.reserve_lamports,
        stop_path=settings.stop_path,
    )


def allowance(settings: RewardsSettings, cluster: str) -> Callable[[Payout], str]:
    """Says why a payout's policy does not pay on this cluster; '' when it does."""
    known = {name: policy.load(name) for name in policy.bundled()}
    chosen = policy.load(settings.policy)
    known[chosen.name] = chosen

    def allows(payout: Payout) -> str:
        rules = known.get(payout.policy)
        if rules is None:
            return f"the policy {payout.policy} is not known to this payer"
        if cluster not in rules.clusters:
            return f"the policy {payout.policy} does not pay on cluster {cluster}"
        return ""

    return allows


def judged(
    ledger: Ledger, judges: Collection[str], intakes: Collection[str]
) -> Callable[[Payout], str]:
    """Says why a payout is not what an enrolled judge signed; '' when it is.

    intakes: keys that may bind a claim to a wallet. A ledger that somebody wrote into pays nobody.
    """

    def allows(payout: Payout) -> str:
        try:
            sealed = unseal(ledger.sealed(payout.session), judges, payout.session)
        except VerdictInvalid as error:
            return f"unsigned: {error.why}"
        verdict, wallet = sealed.verdict, sealed.verdict.payee
        if not wallet and (bound := ledger.binding(verdict.claim)) is not None:
            wallet = bound_wallet(bound[1], verdict.claim, intakes)
        said = (verdict.session, wallet, sealed.amount, verdict.accepted)
        if said != (payout.session, payout.wallet, payout.amount, True):
            return "unsigned: the signed verdict owes something else"
        return ""

    return allows


def intakes(settings: RewardsSettings) -> tuple[str, ...]:
    """Public keys of the intakes that may bind a claim to a wallet."""
    key = Premises(settings.folder).ticket_key
    if settings.intake_keys or not key.exists():
        return settings.intake_keys
    return (tickets.public_hex(tickets.load_key(key)),)


def gate(settings: RewardsSettings, facts: Facts, ledger: Ledger) -> Callable[[Payout], str]:
    """Everything that a payout must be before it is signed. Raises SetUpIncomplete."""
    allows = allowance(settings, facts.cluster)
    premises, judges = Premises(settings.folder), settings.verdict_keys
    if not judges and premises.verdict_key.exists():
        judges = (tickets.public_hex(tickets.load_key(premises.verdict_key)),)
    if not judges:
        if facts.cluster == LOCAL:
            return allows  # a toy chain, and no judge has worked here yet
        raise SetUpIncomplete(
            "no judge is enrolled", "name its key with --set rewards.verdict_keys=HEX"
        )
    signed = judged(ledger, judges, intakes(settings))
    return lambda payout: allows(payout) or signed(payout)


async def open_payer(settings: RewardsSettings) -> tuple[Payer, Chain, Ledger, Facts]:
    """Everything for paying, set up where the cluster is local. The caller closes both."""
    chain, facts = await open_chain(settings)
    try:
        ledger = Ledger.open(settings.ledger_url, facts.stamp)
    except BaseException:
        await chain.close()
        raise
    try:
        allows = gate(settings, facts, ledger)
    except BaseException:
        await chain.close()
        ledger.close()
        raise
    rules = rules_of(settings, facts.cluster)
    return Payer(chain, ledger, rules, time.time, allows), chain, ledger, facts


def run_payer(settings: RewardsSettings, ready: Connection) -> None:
    """Entry of the payer's process: sends the public facts as a dict, ends with its parent.

    Raises LedgerMismatch, LedgerLost, KeyRefused, SetUpIncomplete: the process ends with them.
    """
    exit_with_parent()
    asyncio.run(_serve(settings, ready.send))


async def _serve(settings: RewardsSettings, ready: Callable[[dict[str, object]], None]) -> None:
    payer, chain, ledger, facts = await open_payer(settings)
    try:
        ready(asdict(facts))
        while True:
            turn = await turn_or_wait(payer)
            if (funds := payer.funds) is not None:
                held = turn.held if turn else "chain"
                write_payer(settings.payer_path, funds.lamports, funds.tokens, held)
            await asyncio.sleep(settings.poll_s)
    finally:
        await chain.close()
        ledger.close()


async def turn_or_wait(payer: Payer) -> Turn | None:
    """One turn; None when the chain did not answer, which is no reason to end."""
    try:
        return await payer.step()
    except ChainUnreachable as error:
        log.warning("payer.unreachable url=%s why=%s", error.url, error.why)
        return None


async def pay_until_idle(settings: RewardsSettings) -> list[Turn]:
    """Take turns until nothing is in flight and nothing more may be signed."""
    payer, chain, ledger, _ = await open_payer(settings)
    turns: list[Turn] = []
    try:
        while not turns or not turns[-1].idle:
            turns.append(await payer.step())
            await asyncio.sleep(settings.poll_s)
    finally:
        await chain.close()
        ledger.close()
    return turns
