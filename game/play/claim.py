"""Claims of this machine: who drove without a wallet, and can prove it later.

A claim is the public half of an Ed25519 key that is made here and never leaves; drives name the
public half, and a signature claims what they earn. Machines that played before have a bearer code
as well, whose drives stay claimable by whoever knows it. Owns both files.
"""

import os
import secrets
from dataclasses import dataclass
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from game.errors import GameError

KEY_FILE, CODE_FILE = "claim.key", "claim-id"


class ClaimKeyBad(GameError):
    """The key of this machine's claim does not read back."""

    exit_code = 3

    def __init__(self, path: Path, why: str) -> None:
        super().__init__(path, why)
        self.path, self.why = path, why

    def __str__(self) -> str:
        return (
            f"{self.path}: {self.why}; restore it from a backup, or move it away to begin a new "
            "claim (what the old one earned can then not be claimed)"
        )


@dataclass(frozen=True, slots=True)
class Claim:
    """One claim. key: the file that proves it; None for a bearer code."""

    name: str
    key: Path | None


def own(data: Path) -> str:
    """The claim that new drives name, 64 hex digits; its key is made in `data` on first use."""
    path = data / KEY_FILE
    if not path.is_file():
        _make(path)
    try:
        key = Ed25519PrivateKey.from_private_bytes(bytes.fromhex(path.read_text("ascii").strip()))
    except (OSError, ValueError) as error:
        raise ClaimKeyBad(path, str(error)) from error
    return key.public_key().public_bytes_raw().hex()


def held(data: Path) -> tuple[Claim, ...]:
    """Every claim of this machine; makes none."""
    found = []
    if (data / KEY_FILE).is_file():
        found.append(Claim(own(data), data / KEY_FILE))
    if (data / CODE_FILE).is_file():
        found.append(Claim((data / CODE_FILE).read_text("ascii").strip(), None))
    return tuple(found)


def _make(path: Path) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    fresh = path.with_name(f".{path.name}.{secrets.token_hex(6)}")
    handle = os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    try:
        with os.fdopen(handle, "w", encoding="ascii") as file:
            file.write(Ed25519PrivateKey.generate().private_bytes_raw().hex())
            file.flush()
            os.fsync(file.fileno())
        os.link(fresh, path)  # the first of several games wins
    except FileExistsError:
        pass
    except OSError:  # a disk without hard links
        if not path.exists():
            fresh.replace(path)
    finally:
        fresh.unlink(missing_ok=True)
