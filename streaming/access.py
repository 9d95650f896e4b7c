"""Who may open a stream: keys of operators, and client tokens that a key has minted.

A token is a signed note (JWT, EdDSA) that names until when, for which models and origins, and for
how long at a time. Keys never leave the server; a token in a player's hands opens nothing else.
"""

import base64
import hmac
import json
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Any

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

LONGEST_S, USUAL_S = 3600, 60
MOST_NAMES = 20
PREFIX = "ek_"
_HEADER = {"alg": "EdDSA", "typ": "JWT"}


@dataclass(frozen=True, slots=True)
class Pass:
    """What a key or token opens. who: for limits, not for display. longest_s: 0 is no limit."""

    who: str
    longest_s: float = 0.0


class MintRefused(ValueError):
    """A request for a token that asks for what cannot be."""


class Access:
    """The keys of one server. Without any, everybody may come in."""

    def __init__(self, keys: Collection[str], signer: Ed25519PrivateKey) -> None:
        self._keys = tuple(key.encode() for key in keys if key)
        self._signer = signer

    @property
    def open(self) -> bool:
        """Whether nobody is asked for a key."""
        return not self._keys

    def is_key(self, given: str) -> bool:
        """Whether `given` is one of the operator's own keys. Takes the same time for each."""
        found = [hmac.compare_digest(given.encode(), key) for key in self._keys]
        return any(found)

    def admit(self, given: str, model: str, origin: str, now_s: float) -> Pass | None:
        """The pass that a key or a token opens, None where it opens nothing. now_s: Unix time."""
        if self.open:
            return Pass("anyone")
        if self.is_key(given):
            return Pass(f"key-{next(i for i, k in enumerate(self._keys) if k == given.encode())}")
        claims = self._claims(given.removeprefix(PREFIX))
        if claims is None or not isinstance(claims.get("exp"), int) or claims["exp"] <= now_s:
            return None
        models, origins = claims.get("models") or [], claims.get("origins") or []
        if (models and model not in models) or (origins and origin not in origins):
            return None
        return Pass(f"token-{claims.get('jti')}", float(claims.get("longest_s") or 0))

    def mint(self, wanted: Mapping[str, Any], name: str, now_s: float) -> dict[str, Any]:
        """A token as the protocol answers it. name: its own, unique. Raises MintRefused."""
        life = wanted.get("expiresIn", USUAL_S)
        if type(life) is not int or not 1 <= life <= LONGEST_S:
            raise MintRefused(f"expiresIn is a number of seconds, 1 to {LONGEST_S}")
        models = _names(wanted, "allowedModels")
        origins = _names(wanted, "allowedOrigins")
        realtime = (wanted.get("constraints") or {}).get("realtime") or {}
        longest = realtime.get("maxSessionDuration", 0) if isinstance(realtime, Mapping) else -1
        if type(longest) is not int or not 0 <= longest <= 24 * 3600:
            raise MintRefused("maxSessionDuration is a number of seconds, up to a day")
        expires = int(now_s) + life
        claims = {"jti": name, "iat": int(now_s), "exp": expires, "models": models}
        claims |= {"origins": origins, "longest_s": longest}
        token = self._signed(claims)
        return {
            "apiKey": PREFIX + token,
            "token": token,
            "expiresAt": expires,
            "permissions": {"models": models, "origins": origins},
            "constraints": {"realtime": {"maxSessionDuration": longest}},
        }

    def _signed(self, claims: Mapping[str, Any]) -> str:
        body = f"{_packed(_HEADER)}.{_packed(claims)}"
        return f"{body}.{_b64(self._signer.sign(body.encode()))}"

    def _claims(self, token: str) -> dict[str, Any] | None:
        body, _, signature = token.rpartition(".")
        try:
            self._signer.public_key().verify(_unb64(signature), body.encode())
            head, _, claims = body.partition(".")
            if json.loads(_unb64(head)) != _HEADER:
                return None
            found = json.loads(_unb64(claims))
        except (ValueError, InvalidSignature):
            return None
        return found if isinstance(found, dict) else None


def _names(wanted: Mapping[str, Any], field: str) -> list[str]:
    names = wanted.get(field) or []
    if not isinstance(names, list) or len(names) > MOST_NAMES:
        raise MintRefused(f"{field} is a list of at most {MOST_NAMES} names")
    if not all(isinstance(name, str) and len(name) < 256 for name in names):
        raise MintRefused(f"{field} holds names")
    return names


def _packed(value: Mapping[str, Any]) -> str:
    return _b64(json.dumps(value, sort_keys=True, separators=(",", ":")).encode())


def _b64(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def _unb64(text: str) -> bytes:
    return base64.urlsafe_b64decode(text.encode() + b"=" * (-len(text) % 4))
