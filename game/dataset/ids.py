"""Names that stay the same inside one player's data sets and lead nowhere else.

Owns the salt: 32 random bytes that never leave this machine. Without it nobody can go from a
name in a data set to a session id, a claim or a wallet, not even by trying all of them.
"""

import hashlib
import hmac
import os
import secrets
from pathlib import Path

from game.session.format import Manifest

SALT_BYTES = 32
SALT_FILE = "dataset.salt"


def load_salt(folder: Path) -> bytes:
    """The salt kept in `folder`, made there the first time, readable by its owner alone."""
    path = folder / SALT_FILE
    if path.is_file() and path.stat().st_size == SALT_BYTES:
        return path.read_bytes()
    folder.mkdir(parents=True, exist_ok=True)
    part = folder / f"{SALT_FILE}.{os.getpid()}.part"
    with os.fdopen(os.open(part, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb") as stream:
        stream.write(secrets.token_bytes(SALT_BYTES))
    part.replace(path)
    return path.read_bytes()


def alias(salt: bytes, purpose: str, text: str) -> str:
    """Sixteen hex digits for `text`; another purpose gives others."""
    return hmac.new(salt, f"{purpose}\0{text}".encode(), hashlib.sha256).hexdigest()[:16]


def player_of(manifest: Manifest) -> str:
    """What tells players apart on this machine: wallet, claim or, without both, the driver."""
    driver = manifest.driver
    return manifest.payee or manifest.claim or f"{driver.kind}:{driver.name}"
