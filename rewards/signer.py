"""Who signs for the treasury, and the secret that hides receipt addresses until they are used.

Owns the key and secret files. The key is seen by the payer's process alone; a signer kept
elsewhere (a key service) fits the same protocol. Prints nothing of either.
"""

import hashlib
import hmac
import json
import os
from pathlib import Path
from typing import Protocol

from solders.keypair import Keypair
from solders.pubkey import Pubkey
from solders.signature import Signature

from rewards.errors import KeyRefused
from rewards.files import make_private, read_private
from rewards.secret import Secret

SECRET_BYTES = 32
SEED_LENGTH = 32  # what an account made with a seed allows


class Signer(Protocol):
    """Signs messages for one address."""

    @property
    def address(self) -> Pubkey: ...

    def sign(self, message: bytes) -> Signature: ...


class FileSigner:
    """A key in a file of 64 numbers, as Solana's command line writes it, readable by its owner."""

    def __init__(self, key: Secret[Keypair]) -> None:
        self._key = key
        self._address: Pubkey = key.reveal().pubkey()

    @classmethod
    def load(cls, path: Path) -> "FileSigner":
        """Raises KeyRefused when the file is missing, open to others, or no key."""
        content = read_private(path)
        try:
            numbers = bytes(json.loads(content))
            return cls(Secret(Keypair.from_bytes(numbers)))
        except (ValueError, TypeError):
            raise KeyRefused(path, "not a key of 64 numbers", "restore it") from None

    @classmethod
    def create(cls, path: Path) -> "FileSigner":
        """Make a key unless the file exists, then load it."""
        make_private(path, json.dumps(list(bytes(Keypair()))).encode())
        return cls.load(path)

    @property
    def address(self) -> Pubkey:
        return self._address

    def sign(self, message: bytes) -> Signature:
        return self._key.reveal().sign_message(message)

    def __repr__(self) -> str:
        return f"FileSigner({self._address}, key=***)"


class ReceiptSecret:
    """Turns a session into its receipt's seed; nobody else can. Guard it like the key."""

    def __init__(self, secret: Secret[bytes]) -> None:
        self._secret = secret

    @classmethod
    def load(cls, path: Path) -> "ReceiptSecret":
        """Raises KeyRefused when the file is missing, open to others, or too short."""
        try:
            value = bytes.fromhex(read_private(path).decode("ascii").strip())
        except ValueError:
            raise KeyRefused(path, "not a secret in hex", "restore it") from None
        if len(value) < SECRET_BYTES:
            raise KeyRefused(path, f"shorter than {SECRET_BYTES} bytes", "restore it")
        return cls(Secret(value))

    @classmethod
    def create(cls, path: Path) -> "ReceiptSecret":
        """Make a secret unless the file exists, then load it."""
        make_private(path, os.urandom(SECRET_BYTES).hex().encode())
        return cls.load(path)

    @property
    def id(self) -> str:
        """A public name of the secret that tells nothing about it, hex."""
        return hashlib.sha256(b"receipt secret\0" + self._secret.reveal()).hexdigest()[:32]

    def seed(self, session: str) -> str:
        """HMAC-SHA256 of the session id, its first 32 hex digits."""
        mac = hmac.new(self._secret.reveal(), session.encode(), hashlib.sha256)
        return mac.hexdigest()[:SEED_LENGTH]
