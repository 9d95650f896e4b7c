"""What a player signs on the own machine: challenges, with a key file that stays where it is."""

import json
from pathlib import Path
from typing import Any

import requests
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from rewards.errors import KeyRefused
from rewards.refusal import UploadRefused
from rewards.signer import FileSigner

TIMEOUT_S = 20.0


def sign_in(url: str, key_file: Path, claim: str = "", claim_key: Path | None = None) -> Any:
    """Answer a challenge of the service at `url`. Raises KeyRefused, UploadRefused, OSError."""
    signer = FileSigner.load(key_file)
    nonce, text = _challenge(url, str(signer.address), claim)
    answer = {"nonce": nonce, "signature": str(signer.sign(text.encode()))}
    if not claim:
        return _post(url, "/v1/wallets/answer", answer)
    answer["claim"] = claim
    if claim_key is not None:
        answer["claim_signature"] = _key(claim_key).sign(text.encode()).hex()
    return _post(url, "/v1/claims", answer)


def give(url: str, wallet: str, claim: str, claim_key: Path) -> Any:
    """Have a claim's sessions paid to a wallet whose key is elsewhere; the claim's key signs alone.

    Raises KeyRefused, UploadRefused, OSError.
    """
    key = _key(claim_key)
    nonce, text = _challenge(url, wallet, claim)
    answer = {"claim": claim, "nonce": nonce, "claim_signature": key.sign(text.encode()).hex()}
    return _post(url, "/v1/claims", answer)


def _challenge(url: str, wallet: str, claim: str) -> tuple[str, str]:
    """Nonce and text to be signed; it must be about this wallet, and no transaction."""
    challenge = _post(url, "/v1/wallets/challenge", {"wallet": wallet, "claim": claim})
    text = str(challenge["text"])
    if wallet not in text or claim not in text or "This is not a transaction" not in text:
        raise UploadRefused("signin.text", "the service asks to sign something else", 409)
    return str(challenge["nonce"]), text


def _key(path: Path) -> Ed25519PrivateKey:
    try:
        return Ed25519PrivateKey.from_private_bytes(bytes.fromhex(path.read_text("ascii").strip()))
    except ValueError:
        raise KeyRefused(path, "not a key in hex", "use the one of this game") from None


def _post(url: str, path: str, body: dict[str, Any]) -> Any:
    with requests.Session() as http:
        http.trust_env = False
        reply = http.post(
            url.rstrip("/") + path, json=body, timeout=TIMEOUT_S, allow_redirects=False
        )
    try:
        data = json.loads(reply.text)
    except ValueError:
        data = {}
    if reply.status_code >= 400 or not isinstance(data, dict):
        reason = str(data.get("reason", f"http.{reply.status_code}"))
        raise UploadRefused(reason, str(data.get("detail", "no answer that can be read")))
    return data
