"""The ledger made again from what outlives it: sealed verdicts and bindings in the clean store.

What was paid meanwhile is not asked here: the payer finds the receipt of every session on the
chain before it signs, and settles by it.
"""

import json
import logging
from collections.abc import Collection
from dataclasses import dataclass

from rewards import frozen
from rewards.claim import bound_wallet
from rewards.errors import VerdictInvalid
from rewards.ledger import Ledger
from rewards.sealed import Sealed, unseal
from rewards.storage import Store

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Rebuilt:
    """known: verdicts that the ledger had. added: those that it lacked. refused: documents beyond
    the known that no enrolled judge signed. bindings: claims bound again."""

    known: int
    added: int
    refused: tuple[str, ...]
    bindings: int


def sealed_verdicts(
    store: Store, keys: Collection[str], known: Collection[str] = ()
) -> tuple[dict[str, Sealed], tuple[str, ...]]:
    """Every verdict of a clean store by session, and the keys of documents that prove nothing.

    known: sessions that are not read at all.
    """
    found: dict[str, Sealed] = {}
    refused: list[str] = []
    for key in store.keys("verdicts"):
        session = key.removeprefix("verdicts/").removesuffix(".json")
        if session in known:
            continue
        try:
            sealed = unseal(b"".join(store.read(key)).decode("utf-8", "replace"), keys, session)
        except VerdictInvalid as error:
            log.warning("rebuild.refused key=%s why=%s", key, error.why)
            refused.append(key)
            continue
        if sealed.verdict.session == session:
            found[session] = sealed
        else:
            refused.append(key)
    return found, tuple(refused)


def refill(
    ledger: Ledger, store: Store, judges: Collection[str], intakes: Collection[str] = ()
) -> Rebuilt:
    """Record what the clean store knows and the ledger does not. May be repeated at any time."""
    bindings = 0
    for key in store.keys("bindings"):
        body = b"".join(store.read(key)).decode("utf-8", "replace")
        claim = key.removeprefix("bindings/").removesuffix(".json")
        wallet = bound_wallet(body, claim, intakes)
        if wallet and ledger.binding(claim) is None:
            ledger.bind(claim, wallet, int(json.loads(body)["bound_s"]), body)
            bindings += 1
    known = set(ledger.sessions())
    found, refused = sealed_verdicts(store, judges, known)
    for sealed in found.values():
        verdict = sealed.verdict
        frozen.restore(ledger, verdict, sealed.amount)
        ledger.record(
            verdict, sealed.amount, verdict.decided_s, sealed.text, sealed.due_s, sealed.review
        )
    return Rebuilt(len(known), len(found), refused, bindings)
