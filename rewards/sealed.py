"""A verdict with its amount, signed by the judge: the clean store keeps it, the payer believes it.

Owns the layout and the key file of a judge. One session has one such document; whoever holds the
clean store and the judges' public keys can rebuild the ledger from it.
"""

import json
from collections.abc import Collection
from dataclasses import dataclass
from typing import Any

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from rewards import tickets
from rewards.errors import VerdictInvalid
from rewards.model import Verdict, verdict_from_json, verdict_to_dict

VERSION = 1


@dataclass(frozen=True, slots=True)
class Sealed:
    """verdict and amount [base units] as judged. due_s: held until then. review: why a person
    looks first, '' = nobody needs to. text: the signed JSON, one line."""

    verdict: Verdict
    amount: int
    due_s: int
    review: str
    text: str


def seal(
    key: Ed25519PrivateKey, verdict: Verdict, amount: int, due_s: int = 0, review: str = ""
) -> Sealed:
    """Sign a verdict together with what follows from it."""
    body: dict[str, Any] = {
        "v": VERSION,
        "verdict": verdict_to_dict(verdict),
        "amount": amount,
        "due_s": due_s,
        "review": review,
        "key": tickets.public_hex(key),
    }
    body["sig"] = key.sign(tickets.canonical(body)).hex()
    return Sealed(verdict, amount, due_s, review, tickets.canonical(body).decode())


def unseal(text: str, keys: Collection[str], session: str = "?") -> Sealed:
    """Read a sealed verdict. keys: of enrolled judges, hex. Raises VerdictInvalid."""
    try:
        body = json.loads(text)
        if not isinstance(body, dict) or body.get("v") != VERSION:
            raise ValueError("not a sealed verdict")
        verdict = verdict_from_json(json.dumps(body["verdict"]))
        amount, due_s, review = int(body["amount"]), int(body["due_s"]), str(body["review"])
    except (ValueError, KeyError, TypeError, RecursionError) as error:
        raise VerdictInvalid(session, f"its sealed form does not read ({error})") from error
    if not tickets.is_signed(body, keys):
        raise VerdictInvalid(verdict.session, "no enrolled judge signed it")
    return Sealed(verdict, amount, due_s, review, text)
