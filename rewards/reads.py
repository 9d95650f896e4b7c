"""Answers that many ask for and few change: kept for some seconds, named by a tag, bounded.

Owns the copies and a bucket of questions for each address. Never keeps what is about one person.
"""

import hashlib
import json
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from fastapi import Request
from starlette.responses import Response

from rewards.refusal import UploadRefused

MOST_COPIES = 512
MOST_ADDRESSES = 20_000


@dataclass(frozen=True, slots=True)
class ReadLimit:
    """at_once: questions of one address in a row. per_minute: how fast they come back."""

    at_once: int = 60
    per_minute: int = 120


class Reads:
    """Safe for the threads that answer."""

    def __init__(
        self, limit: ReadLimit | None = None, now: Callable[[], float] = time.monotonic
    ) -> None:
        self._limit, self._now = limit or ReadLimit(), now
        self._copies: dict[str, tuple[float, bytes, str]] = {}
        self._levels: dict[str, tuple[float, float]] = {}
        self._lock = threading.Lock()

    def take(self, address: str) -> None:
        """One question of an address. Raises UploadRefused reads.many (429)."""
        now = self._now()
        with self._lock:
            level, at = self._levels.get(address, (float(self._limit.at_once), now))
            level = min(self._limit.at_once, level + (now - at) * self._limit.per_minute / 60.0)
            if level < 1.0:
                wait = int((1.0 - level) * 60.0 / self._limit.per_minute) + 1
                raise UploadRefused("reads.many", f"ask again in {wait} s", 429)
            if len(self._levels) >= MOST_ADDRESSES:
                self._levels.clear()  # a flood of addresses costs no memory
            self._levels[address] = (level - 1.0, now)

    def json(
        self, request: Request, key: str, keep_s: float, make: Callable[[], dict[str, Any]]
    ) -> Response:
        """What `make` says, at most `keep_s` seconds old; 304 where the asker has it already."""
        self.take(request.client.host if request.client else "")
        known = self._copy(key, keep_s, make)
        headers = {"Cache-Control": f"public, max-age={int(keep_s)}", "ETag": known[2]}
        if request.headers.get("if-none-match") == known[2]:
            return Response(status_code=304, headers=headers)
        return Response(known[1], media_type="application/json", headers=headers)

    def facts(
        self, request: Request, key: str, keep_s: float, make: Callable[[], dict[str, Any]]
    ) -> dict[str, Any]:
        """The same copies as values, for pages."""
        self.take(request.client.host if request.client else "")
        found: dict[str, Any] = json.loads(self._copy(key, keep_s, make)[1])
        return found

    def _copy(
        self, key: str, keep_s: float, make: Callable[[], dict[str, Any]]
    ) -> tuple[float, bytes, str]:
        now = self._now()
        with self._lock:
            known = self._copies.get(key)
        if known is not None and known[0] > now:
            return known
        body = json.dumps(make(), sort_keys=True, separators=(",", ":")).encode()
        known = (now + keep_s, body, f'"{hashlib.sha256(body).hexdigest()[:24]}"')
        with self._lock:
            if len(self._copies) >= MOST_COPIES:
                self._copies.clear()
            self._copies[key] = known
        return known
