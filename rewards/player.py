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
    signer, base = FileSigner.load(key_file), url.rstrip("/")
    asked = {"wallet": str(signer.address), "claim": claim}
    challenge = _post(f"{base}/v1/wallets/challenge", asked)
    text = str(challenge["text"])
    if str(signer.address) not in text or "This is not a transaction" not in text:
        raise UploadRefused("signin.text", "the service asks to sign something else", 409)
    answer = {"nonce": challenge["nonce"], "signature": str(signer.sign(text.encode()))}
    if not claim:
        return _post(f"{base}/v1/wallets/answer", answer)
    answer["claim"] = claim
    if claim_key is not None:
        try:
            key = Ed25519PrivateKey.from_private_bytes(
                bytes.fromhex(claim_key.read_text("ascii").strip())
            )
        except ValueError:
            raise KeyRefused(claim_key, "not a key in hex", "use the one of this game") from None
        answer["claim_signature"] = key.sign(text.encode()).hex()
    return _post(f"{base}/v1/claims", answer)


def _post(url: str, body: dict[str, Any]) -> Any:
    with requests.Session() as http:
        http.trust_env = False
        reply = http.post(url, json=body, timeout=TIMEOUT_S, allow_redirects=False)
    try:
        data = json.loads(reply.text)
    except ValueError:
        data = {}
    if reply.status_code >= 400 or not isinstance(data, dict):
        reason = str(data.get("reason", f"http.{reply.status_code}"))
        raise UploadRefused(reason, str(data.get("detail", "no answer that can be read")))
    return data
