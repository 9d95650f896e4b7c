"""The rewards service as the player's machine sees it: a few calls over plain HTTP.

Owns the split of answers into stored, later and no. Holds no key and follows no redirect.
"""

import base64
import json
import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urljoin, urlsplit

import requests

from game.outbox.errors import Refused, Unreachable

_LATER = (408, 425, 429)
_STORED = (200, 201, 204, 412)  # 412: there already
_MAX_ANSWER = 1 << 20


@dataclass(frozen=True, slots=True)
class Upload:
    """Where one file goes."""

    name: str
    url: str
    headers: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Grant:
    """Answer to a request for upload tickets. Files the server has already are left out.

    asks: the service asks for the source video later, where it wants it at all.
    """

    uploads: tuple[Upload, ...]
    complete_url: str
    asks: bool = False


class RestClient:
    """One service at `base_url`. timeout_s: to connect, and between two bytes."""

    def __init__(self, base_url: str, timeout_s: float = 20.0) -> None:
        self.base_url = base_url.rstrip("/")
        self._timeout = timeout_s
        self._http = requests.Session()
        self._http.trust_env = False

    def upload_tickets(
        self, session: str, ticket: Mapping[str, Any], files: list[dict[str, Any]]
    ) -> Grant:
        """Announce `files` (name, size, sha256). Raises Unreachable, Refused."""
        body = {"session": session, "ticket": dict(ticket), "files": files}
        url = f"{self.base_url}/v1/upload-tickets"
        answer = self._json("POST", url, "upload ticket", body)
        try:
            uploads = tuple(
                Upload(str(u["name"]), self._absolute(u["url"]), _headers(u.get("headers")))
                for u in answer["uploads"]
            )
            asks = answer.get("source") == "when-asked"
            return Grant(uploads, self._absolute(answer["complete_url"]), asks)
        except (KeyError, TypeError, ValueError) as error:
            raise Unreachable("upload ticket", f"not understood ({error})") from error

    def offline_ticket(self, asked: Mapping[str, Any]) -> dict[str, Any]:
        """A ticket for a session that was driven without one; pays nothing. The same when asked
        again. Raises Unreachable, Refused."""
        url = f"{self.base_url}/v1/run-tickets"
        answer = self._json("POST", url, "offline ticket", dict(asked))
        ticket = answer.get("ticket")
        if not isinstance(ticket, dict):
            raise Unreachable("offline ticket", "not understood")
        return ticket

    def put(self, upload: Upload, path: Path) -> None:
        """Store one file, with its exact length. Raises Unreachable, Refused, OSError."""
        size = path.stat().st_size
        headers = {**upload.headers, "Content-Length": str(size)}
        with path.open("rb") as stream:
            # an empty stream would be sent in chunks, without a length
            answer = self._send(
                "PUT", upload.url, upload.name, data=stream if size else b"", headers=headers
            )
        if answer.status_code in _STORED:
            return
        if answer.status_code == 403:  # its ticket has run out: ask for a new one
            raise Unreachable(upload.name, "its upload ticket is no longer valid")
        raise Refused(upload.name, answer.status_code, _why(answer))

    def complete(self, url: str) -> Mapping[str, Any]:
        """Say that all files are there. Raises Unreachable (also: some are missing), Refused."""
        answer = self._send("POST", url, "completion", json={})
        if answer.status_code == 409:
            raise Unreachable("completion", _why(answer))
        return self._read(answer, "completion")

    def session(self, session: str) -> Mapping[str, Any]:
        """What the service says of a session. Raises Unreachable, Refused."""
        return self._json("GET", f"{self.base_url}/v1/sessions/{session}", "session state")

    def erase(self, session: str, ticket: Mapping[str, Any]) -> Mapping[str, Any]:
        """Have the files of a session deleted. Raises Unreachable (also: not now), Refused."""
        body = json.dumps({"ticket": dict(ticket), "signature": ""}, separators=(",", ":"))
        proof = f"Ticket {base64.urlsafe_b64encode(body.encode()).decode()}"
        url = f"{self.base_url}/v1/sessions/{session}"
        answer = self._send("DELETE", url, "deletion", headers={"Authorization": proof})
        if answer.status_code == 409:
            raise Unreachable("deletion", _why(answer))
        return self._read(answer, "deletion")

    def close(self) -> None:
        """Close connections."""
        self._http.close()

    def _json(
        self, method: str, url: str, what: str, body: Mapping[str, Any] | None = None
    ) -> Mapping[str, Any]:
        return self._read(self._send(method, url, what, json=body), what)

    def _read(self, answer: requests.Response, what: str) -> Mapping[str, Any]:
        if answer.status_code not in (200, 201, 202):
            raise Refused(what, answer.status_code, _why(answer))
        try:
            found = answer.json() if len(answer.content) <= _MAX_ANSWER else None
        except ValueError:
            found = None
        if not isinstance(found, dict):
            raise Unreachable(what, "the answer is no JSON object")
        return found

    def _send(self, method: str, url: str, what: str, **given: Any) -> requests.Response:
        try:
            answer = self._http.request(
                method, url, timeout=self._timeout, allow_redirects=False, **given
            )
        except requests.RequestException as error:
            raise Unreachable(what, f"no answer ({type(error).__name__})") from error
        if answer.status_code in _LATER or answer.status_code >= 500:
            after = answer.headers.get("Retry-After", "")
            wait = float(after) if after.isascii() and after.isdigit() else 0.0
            raise Unreachable(what, f"answer {answer.status_code}", wait)
        return answer

    def _absolute(self, url: str) -> str:
        whole = urljoin(self.base_url + "/", url)
        if urlsplit(whole).scheme not in ("http", "https"):
            raise ValueError(f"a {urlsplit(whole).scheme} address")
        return whole


def _headers(given: Any) -> dict[str, str]:
    return {str(name): str(value) for name, value in dict(given or {}).items()}


def _why(answer: requests.Response) -> str:
    """One line out of an error answer: its reason and detail where it has them."""
    try:
        found = answer.json()
        detail = found.get("detail", found)
        told = detail if isinstance(detail, dict) else found
        return " ".join(str(told[k]) for k in ("reason", "detail", "error") if k in told)[:300]
    except (ValueError, AttributeError):
        return answer.text[:300].replace(os.linesep, " ")
