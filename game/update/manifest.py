"""What a release says of itself, signed: version, files by platform, size and SHA-256 of each.

Owns the format and the signature, Ed25519 over the canonical JSON without `sig`. Believes only keys
that it is given. Fetches nothing.
"""

import json
import platform
import re
import sys
from collections.abc import Collection, Iterable
from dataclasses import asdict, dataclass
from typing import Any

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from game.update.errors import NotTrusted

FORMAT = 1
NAME = "scale-diffusion"
MOST_BYTES = 1 << 16
"""No manifest is larger."""
_VERSION = re.compile(r"\d{1,5}(\.\d{1,5}){1,3}")
_FILE = re.compile(r"[A-Za-z0-9][A-Za-z0-9._+-]{0,127}")
_SHA256 = re.compile(r"[0-9a-f]{64}")
_LARGEST = 4 << 30


@dataclass(frozen=True, slots=True)
class ReleaseFile:
    """One file of a release. platform: as `here()` names it. size [byte]."""

    platform: str
    name: str
    size: int
    sha256: str


@dataclass(frozen=True, slots=True)
class Release:
    """made_s: when it was signed, ends_s: until when it is believed [s, Unix time]."""

    version: str
    made_s: int
    ends_s: int
    notes: str
    files: tuple[ReleaseFile, ...]

    def for_platform(self, name: str) -> ReleaseFile | None:
        """The file for a platform, None where the release has none."""
        return next((file for file in self.files if file.platform == name), None)


def here() -> str:
    """This machine as releases name it: linux-x86_64, windows-x86_64, macos-arm64."""
    system = {"linux": "linux", "win32": "windows", "darwin": "macos"}.get(sys.platform, "other")
    return f"{system}-{platform.machine().lower().replace('amd64', 'x86_64')}"


def numbers(version: str) -> tuple[int, ...]:
    """'1.2.0' as (1, 2): to be compared; zeros at the end do not count."""
    found = [int(part) for part in re.findall(r"\d+", version.partition("+")[0])]
    while found and found[-1] == 0:
        found.pop()
    return tuple(found)


def public_hex(key: Ed25519PrivateKey) -> str:
    """The public half as 64 hex digits."""
    return key.public_key().public_bytes(Encoding.Raw, PublicFormat.Raw).hex()


def sign(release: Release, key: Ed25519PrivateKey) -> str:
    """The release as the text that is published."""
    body: dict[str, Any] = {"v": FORMAT, "program": NAME, **asdict(release)}
    body["key"] = public_hex(key)
    body["sig"] = key.sign(_canonical(body)).hex()
    return json.dumps(body, indent=1, sort_keys=True) + "\n"


def read(text: bytes, keys: Collection[str], now_s: float) -> Release:
    """A release whose signature holds. Raises NotTrusted: the signature is looked at first."""
    try:
        body = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise NotTrusted("format", "the answer is not JSON") from error
    if not isinstance(body, dict):
        raise NotTrusted("format", "the answer is not a release")
    _check_signature(body, keys)
    if body.get("v") != FORMAT or body.get("program") != NAME:
        raise NotTrusted("format", "signed, but not a release of this program that this copy reads")
    release = _release(body)
    if now_s >= release.ends_s:
        raise NotTrusted("expired", "the announcement has run out; somebody may be keeping it back")
    return release


def _check_signature(body: dict[str, Any], keys: Collection[str]) -> None:
    key, signature = body.get("key"), body.get("sig")
    if not isinstance(key, str) or not isinstance(signature, str) or key not in keys:
        raise NotTrusted("key", "not signed with a key that this copy believes")
    unsigned = {name: value for name, value in body.items() if name != "sig"}
    try:
        public = Ed25519PublicKey.from_public_bytes(bytes.fromhex(key))
        public.verify(bytes.fromhex(signature), _canonical(unsigned))
    except (ValueError, InvalidSignature) as error:
        raise NotTrusted("signature", "the signature does not fit the text") from error


def _release(body: dict[str, Any]) -> Release:
    try:
        made = Release(
            version=str(body["version"]),
            made_s=int(body["made_s"]),
            ends_s=int(body["ends_s"]),
            notes=str(body["notes"])[:2000],
            files=tuple(_files(body["files"])),
        )
    except (KeyError, TypeError, ValueError) as error:
        raise NotTrusted("format", f"a field is missing or wrong: {error}") from error
    if not _VERSION.fullmatch(made.version):
        raise NotTrusted("format", "the version is not a number like 1.2.3")
    return made


def _files(listed: Iterable[Any]) -> Iterable[ReleaseFile]:
    for each in listed:
        file = ReleaseFile(
            str(each["platform"]), str(each["name"]), int(each["size"]), str(each["sha256"])
        )
        if not _FILE.fullmatch(file.name) or not _SHA256.fullmatch(file.sha256):
            raise ValueError(f"file {file.name!r}")
        if not 0 < file.size <= _LARGEST:
            raise ValueError(f"size of {file.name}")
        yield file


def _canonical(body: dict[str, Any]) -> bytes:
    unsigned = {name: value for name, value in body.items() if name != "sig"}
    return json.dumps(unsigned, sort_keys=True, separators=(",", ":")).encode()
