"""Who sits where: one seat a session, a limit of seats, and a queue of those who wait.

A session's first holder leaves the hash of a secret; only who knows the secret may take the seat
again, and the old holder is shown out first. The hashes outlive the server in its journal folder.
"""

import asyncio
import hashlib
import hmac
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Protocol

from streaming.errors import TicketRefused


class Holder(Protocol):
    """One connection that holds a seat."""

    async def close(self, why: str) -> None: ...


class SeatBook:
    """Seats of one server. limit: how many sessions stream at once. folder: None forgets."""

    def __init__(self, limit: int, folder: Path | None) -> None:
        self._limit, self._folder = limit, folder
        self._holders: dict[str, Holder] = {}
        self._secrets: dict[str, str] = {}
        self._waiting: list[asyncio.Event] = []

    def __len__(self) -> int:
        return len(self._holders)

    @property
    def waiting(self) -> int:
        """How many wait for a seat."""
        return len(self._waiting)

    async def claim(self, session: str, resume: str, holder: Holder) -> None:
        """Seat `holder`; an older holder with the same secret is closed. Raises TicketRefused."""
        known = self._secrets.get(session) or self._stored(session)
        secret = hashlib.sha256(resume.encode()).hexdigest()
        if known is not None and not hmac.compare_digest(known, secret):
            raise TicketRefused(session, "is in use, or was used already")
        self._secrets[session] = secret
        if known is None and self._folder is not None:
            self._folder.mkdir(parents=True, exist_ok=True)
            self._path(session).write_text(secret, encoding="ascii")
        while (before := self._holders.get(session)) is not None and before is not holder:
            await before.close("taken over by a newer connection of the same session")
            if self._holders.get(session) is before:
                del self._holders[session]
        self._holders[session] = holder

    async def wait_for_room(self, tell: Callable[[int, int], Awaitable[None]]) -> None:
        """Return when a seat is free; until then `tell(position, queue size)` at every change."""
        if not self._waiting and len(self._holders) < self._limit:
            return
        turn = asyncio.Event()
        self._waiting.append(turn)
        try:
            while self._waiting[0] is not turn or len(self._holders) >= self._limit:
                await tell(self._waiting.index(turn) + 1, len(self._waiting))
                await turn.wait()
                turn.clear()
        finally:
            self._waiting.remove(turn)
            self._wake()

    def leave(self, session: str, holder: Holder) -> None:
        """Free the seat if it is still this holder's."""
        if self._holders.get(session) is holder:
            del self._holders[session]
        self._wake()

    def _wake(self) -> None:
        for turn in self._waiting:
            turn.set()

    def _stored(self, session: str) -> str | None:
        path = self._path(session) if self._folder is not None else None
        return path.read_text("ascii").strip() if path is not None and path.exists() else None

    def _path(self, session: str) -> Path:
        assert self._folder is not None
        return self._folder / f"{session}.seat"
