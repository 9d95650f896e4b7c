"""Asks for a newer release and brings its file, each only when it is called.

Owns what was last seen (an older announcement is refused) and the rule that a file has its own name
only once its size and hash are right. Installs nothing and follows no redirect.
"""

import hashlib
import json
import os
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from importlib import resources
from pathlib import Path
from typing import Any
from urllib.parse import urljoin, urlsplit

import requests

from game.session.append import write_json
from game.update.errors import NoAnswer, NoChannel, NotTrusted
from game.update.manifest import MOST_BYTES, Release, ReleaseFile, read

_TIMEOUT_S = (5.0, 20.0)
_BLOCK = 1 << 16


@dataclass(frozen=True, slots=True)
class Channel:
    """Where releases are announced, and the public keys (hex) that are believed."""

    url: str
    keys: tuple[str, ...]


def channel(url: str, keys: tuple[str, ...]) -> Channel:
    """The channel of the settings, or the one that was built in. Raises NoChannel."""
    built = _built_in()
    url, keys = url or str(built.get("url", "")), keys or tuple(built.get("keys", ()))
    if not url:
        raise NoChannel("address")
    if not keys:
        raise NoChannel("key to believe")
    parts = urlsplit(url)
    local = parts.hostname in ("127.0.0.1", "localhost", "::1")
    if parts.scheme != "https" and not (parts.scheme == "http" and local):
        raise NoChannel("https address")
    return Channel(url, keys)


def _built_in() -> Mapping[str, Any]:
    path = Path(str(resources.files("assets"))) / "channel.json"
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return found if isinstance(found, dict) else {}


class Updates:
    """One channel as seen from one machine. folder: keeps downloads and what was last seen."""

    def __init__(self, channel: Channel, folder: Path, now: Callable[[], float]) -> None:
        self._channel, self._folder, self._now = channel, folder, now
        self._http = requests.Session()
        self._http.trust_env = False

    def ask(self) -> Release:
        """The newest announced release. Raises NoAnswer, NotTrusted."""
        text = b"".join(self._stream(self._channel.url, MOST_BYTES))
        release = read(text, self._channel.keys, self._now())
        seen = self._seen()
        if release.made_s < int(seen.get("made_s", 0)):
            why = f"this machine has seen a later announcement, of version {seen.get('version')}"
            raise NotTrusted("older", why)
        self._folder.mkdir(parents=True, exist_ok=True)
        write_json(
            self._folder / "seen.json", {"version": release.version, "made_s": release.made_s}
        )
        return release

    def bring(self, file: ReleaseFile, told: Callable[[int], None] = lambda _: None) -> Path:
        """Download one file of a release. told: bytes so far. Raises NoAnswer, NotTrusted."""
        self._folder.mkdir(parents=True, exist_ok=True)
        final = self._folder / file.name
        part = final.with_name(final.name + ".part")
        url = urljoin(self._channel.url, file.name)
        digest, size = hashlib.sha256(), 0
        try:
            with open(part, "wb") as out:
                for block in self._stream(url, file.size):
                    out.write(block)
                    digest.update(block)
                    size += len(block)
                    told(size)
                out.flush()
                os.fsync(out.fileno())
            if size != file.size:
                raise NoAnswer(url, f"it ended after {size} of {file.size} bytes")
            if digest.hexdigest() != file.sha256:
                raise NotTrusted("hash", f"{file.name} is not the file that was signed")
            os.replace(part, final)
        finally:
            part.unlink(missing_ok=True)
        return final

    def _seen(self) -> Mapping[str, Any]:
        try:
            found = json.loads((self._folder / "seen.json").read_text(encoding="utf-8"))
        except (OSError, ValueError):
            return {}
        return found if isinstance(found, dict) else {}

    def _stream(self, url: str, most: int) -> Iterator[bytes]:
        """Blocks of an answer. Raises NoAnswer; NotTrusted where it is longer than `most`."""
        size = 0
        try:
            with self._http.get(url, stream=True, timeout=_TIMEOUT_S, allow_redirects=False) as got:
                if got.status_code != 200:
                    raise NoAnswer(url, f"answered {got.status_code}")
                for block in got.iter_content(_BLOCK):
                    size += len(block)
                    if size > most:
                        raise NotTrusted("size", f"{url} sends more than was announced")
                    yield block
        except requests.RequestException as error:
            raise NoAnswer(url, type(error).__name__) from error
