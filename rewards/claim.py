"""Claims: sessions driven without a wallet, and the wallet that their holder names later.

A claim id is either the public half of a key that never leaves the player's machine (64 hex
digits; its signature proves the holder), or, from older clients and kiosks, a bearer code of 80
bits (knowing it is the proof). Owns both proofs and the intake's signed word that binds a claim.
"""

import json
import re
from collections.abc import Collection
from typing import Any

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from rewards import tickets
from rewards.refusal import UploadRefused

KEY = re.compile(r"[0-9a-f]{64}")
BEARER = re.compile(r"[0-9a-f]{20}")
"""80 bits; anything shorter could be guessed and cannot be claimed."""


def check_claim(claim: str, text: str, signature: str) -> None:
    """Raises UploadRefused unless the holder of `claim` agreed to `text`. signature: hex."""
    if BEARER.fullmatch(claim):
        return
    if not KEY.fullmatch(claim):
        raise UploadRefused("claim.weak", "this claim id is too short to prove anything", 403)
    try:
        public = Ed25519PublicKey.from_public_bytes(bytes.fromhex(claim))
        public.verify(bytes.fromhex(signature), text.encode())
    except (ValueError, InvalidSignature):
        raise UploadRefused("claim.signature", "not signed with the key of this claim", 403) from (
            None
        )


def bind_proof(key: Ed25519PrivateKey, claim: str, wallet: str, now_s: int) -> str:
    """The intake's signed word, one line of JSON, that `claim` belongs to `wallet`."""
    body: dict[str, Any] = {
        "v": 1,
        "claim": claim,
        "wallet": wallet,
        "bound_s": now_s,
        "key": tickets.public_hex(key),
    }
    body["sig"] = key.sign(tickets.canonical(body)).hex()
    return tickets.canonical(body).decode()


def bound_wallet(proof: str, claim: str, keys: Collection[str]) -> str:
    """The wallet that an enrolled intake bound `claim` to; '' where the proof proves nothing."""
    try:
        body = json.loads(proof)
    except (ValueError, RecursionError):
        return ""
    if not isinstance(body, dict) or body.get("claim") != claim:
        return ""
    return str(body.get("wallet", "")) if tickets.is_signed(body, keys) else ""
