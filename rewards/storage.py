"""Where session files lie on the server: whole objects under safe keys, raw or clean.

Owns key safety, exact length and SHA-256, and the signed addresses that let a client put one
object without holding any key. A folder obeys the same calls as an object store would.
"""

import base64
import hashlib
import hmac
import os
import re
import secrets
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol
from urllib.parse import quote, urlencode

from rewards.refusal import UploadRefused

_PART = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,127}")
CHUNK = 1 << 20


@dataclass(frozen=True, slots=True)
class Upload:
    """One signed request that a client may make once. headers: to be sent as they stand."""

    url: str
    method: str
    headers: dict[str, str]


@dataclass(frozen=True, slots=True)
class Grant:
    """What a signed address allows: one object of exact size and content, until `expires_s`."""

    key: str
    size: int
    sha256: str
    expires_s: int


class Store(Protocol):
    """Objects by key. put refuses what is there (412) and what is not exactly as announced."""

    def put(self, key: str, chunks: Iterable[bytes], size: int, sha256: str) -> None: ...

    def size(self, key: str) -> int | None: ...

    def read(self, key: str) -> Iterator[bytes]: ...

    def keys(self, prefix: str) -> list[str]: ...

    def delete(self, key: str) -> None: ...

    def upload(self, grant: Grant, base_url: str) -> Upload: ...


def check_key(key: str) -> str:
    """`key` itself, if it can name an object: 2 to 4 plain parts. Raises UploadRefused."""
    parts = key.split("/")
    if not 2 <= len(parts) <= 4 or not all(_PART.fullmatch(part) for part in parts):
        raise UploadRefused("key.unsafe", "no such place to put an object")
    return key


class Intent:
    """One object on its way in. Feed it chunks, then commit; leaving without commit forgets all."""

    def __init__(self, place: Path, incoming: Path, size: int, sha256: str) -> None:
        self._place, self._size, self._sha256 = place, size, sha256
        incoming.mkdir(parents=True, exist_ok=True)
        self._path = incoming / secrets.token_hex(12)
        self._file = self._path.open("xb")
        self._hash, self._length = hashlib.sha256(), 0

    def feed(self, chunk: bytes) -> None:
        """Append. Raises UploadRefused as soon as the body outgrows its announced size."""
        self._length += len(chunk)
        if self._length > self._size:
            raise UploadRefused(
                "body.length", f"more than the {self._size} bytes announced", status=413
            )
        self._hash.update(chunk)
        self._file.write(chunk)

    def commit(self) -> None:
        """Put the object in place, whole. Raises UploadRefused where it is not as announced."""
        if self._length != self._size:
            raise UploadRefused(
                "body.length", f"{self._length} bytes came, {self._size} were announced"
            )
        if not hmac.compare_digest(self._hash.hexdigest(), self._sha256):
            raise UploadRefused("body.sha256", "the content is not what was announced")
        self._file.flush()
        os.fsync(self._file.fileno())
        self._place.parent.mkdir(parents=True, exist_ok=True)
        try:
            os.link(self._path, self._place)  # unlike replace, refuses to overwrite
        except FileExistsError as error:
            raise UploadRefused("object.exists", "this object is stored already", 412) from error

    def __enter__(self) -> "Intent":
        return self

    def __exit__(self, *_: object) -> None:
        self._file.close()
        self._path.unlink(missing_ok=True)


class FolderStore:
    """A folder that behaves like an object store. secret: signs the addresses that it gives out."""

    def __init__(self, root: Path, secret: bytes) -> None:
        self.root = root
        self._secret = secret
        self._incoming = root / ".incoming"

    def begin(self, key: str, size: int, sha256: str) -> Intent:
        """Start taking one object in. Raises UploadRefused for a bad or taken key."""
        place = self._place(key)
        if place.exists():
            raise UploadRefused("object.exists", "this object is stored already", 412)
        return Intent(place, self._incoming, size, sha256)

    def put(self, key: str, chunks: Iterable[bytes], size: int, sha256: str) -> None:
        """Store one object, whole or not at all. Raises UploadRefused."""
        with self.begin(key, size, sha256) as intent:
            for chunk in chunks:
                intent.feed(chunk)
            intent.commit()

    def size(self, key: str) -> int | None:
        """Length of an object [byte], None where it is not there."""
        try:
            return self._place(key).stat().st_size
        except FileNotFoundError:
            return None

    def read(self, key: str) -> Iterator[bytes]:
        """The object in pieces. Raises FileNotFoundError."""
        with self._place(key).open("rb") as file:
            while chunk := file.read(CHUNK):
                yield chunk

    def keys(self, prefix: str) -> list[str]:
        """Every key below `prefix` (whole parts of a key), sorted."""
        folder = self.root / prefix
        found = (p for p in folder.rglob("*") if p.is_file() and not p.is_symlink())
        return sorted(
            str(p.relative_to(self.root)) for p in found if self._incoming not in p.parents
        )

    def delete(self, key: str) -> None:
        """Forget an object; no error where it is gone already."""
        self._place(key).unlink(missing_ok=True)

    def upload(self, grant: Grant, base_url: str) -> Upload:
        """A signed address under `base_url` that takes this one object."""
        query = {
            "size": grant.size,
            "sha256": grant.sha256,
            "expires": grant.expires_s,
            "signature": self._sign(grant),
        }
        url = f"{base_url.rstrip('/')}/v1/objects/{quote(check_key(grant.key))}?{urlencode(query)}"
        headers = {"x-amz-checksum-sha256": self.checksum(grant), "If-None-Match": "*"}
        return Upload(url, "PUT", headers)

    @staticmethod
    def checksum(grant: Grant) -> str:
        """The announced SHA-256 in base64, as its header carries it."""
        return base64.b64encode(bytes.fromhex(grant.sha256)).decode()

    def check(self, grant: Grant, signature: str, now_s: float) -> None:
        """Raises UploadRefused unless `signature` is ours for this very grant, and still good."""
        if not hmac.compare_digest(self._sign(grant).encode(), signature.encode()):
            raise UploadRefused("url.signature", "this address was not given out by us", 403)
        if now_s >= grant.expires_s:
            raise UploadRefused("url.expired", "ask for a new upload ticket", 403)

    def _sign(self, grant: Grant) -> str:
        text = f"PUT\n{grant.key}\n{grant.size}\n{grant.sha256}\n{grant.expires_s}"
        return hmac.new(self._secret, text.encode(), hashlib.sha256).hexdigest()

    def _place(self, key: str) -> Path:
        return self.root / check_key(key)
