"""Where the embedded server keeps its things in one folder, and the secrets made there."""

import os
import secrets
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True)
class Premises:
    """Names of the parts of a server folder."""

    folder: Path

    @property
    def raw(self) -> Path:
        """Uploads, as they came."""
        return self.folder / "raw"

    @property
    def clean(self) -> Path:
        """Accepted sessions, and every verdict."""
        return self.folder / "clean"

    @property
    def queue(self) -> Path:
        """Sessions that wait for their verdict."""
        return self.folder / "queue.sqlite"

    @property
    def scratch(self) -> Path:
        """Copies in work; may be emptied whenever no worker runs."""
        return self.folder / "scratch"

    @property
    def ticket_key(self) -> Path:
        """Ed25519 key that signs run tickets."""
        return self.folder / "keys" / "ticket.key"

    @property
    def verdict_key(self) -> Path:
        """Ed25519 key that signs verdicts."""
        return self.folder / "keys" / "verdict.key"

    @property
    def upload_secret(self) -> Path:
        """Signs upload addresses."""
        return self.folder / "keys" / "upload.secret"

    @property
    def sample_secret(self) -> Path:
        """Decides which frames are looked at."""
        return self.folder / "keys" / "sample.secret"


def load_secret(path: Path) -> bytes:
    """The 32 bytes in `path`, drawn and written with mode 0600 on first use."""
    if not path.exists():
        path.parent.mkdir(parents=True, exist_ok=True)
        fresh = path.with_name(f".{path.name}.{secrets.token_hex(6)}")
        handle = os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(handle, "w", encoding="ascii") as file:
            file.write(secrets.token_hex(32))
            file.flush()
            os.fsync(file.fileno())
        try:
            os.link(fresh, path)  # the first of several starters wins
        except FileExistsError:
            pass
        finally:
            fresh.unlink()
    return bytes.fromhex(path.read_text("ascii").strip())
