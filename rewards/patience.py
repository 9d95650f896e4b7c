"""HTTP connections that may not dawdle: a head must be whole within a few seconds.

The server underneath waits for ever for a head that comes byte by byte, and a few hundred such
connections would fill it. Bodies have bounds of their own, in `uploads` and `api_limits`.
"""

import asyncio
from typing import Any

import h11
from uvicorn.protocols.http.h11_impl import H11Protocol

HEAD_S = 10.0


class PatientProtocol(H11Protocol):
    """Hangs up on whoever has begun a head, or opened a connection, and does not go on."""

    head_s = HEAD_S
    _late: asyncio.TimerHandle | None = None

    def connection_made(self, transport: Any) -> None:
        """The first head is due from now on."""
        super().connection_made(transport)
        self._arm()

    def data_received(self, data: bytes) -> None:
        """Part of a head starts the time, a whole one stops it."""
        super().data_received(data)
        if self.conn.their_state is h11.IDLE and not self.transport.is_closing():
            self._arm()
        else:
            self._disarm()

    def connection_lost(self, exc: Exception | None) -> None:
        """Nothing is due any more."""
        self._disarm()
        super().connection_lost(exc)

    def _arm(self) -> None:
        if self._late is None:
            self._late = self.loop.call_later(self.head_s, self._hang_up)

    def _disarm(self) -> None:
        if self._late is not None:
            self._late.cancel()
            self._late = None

    def _hang_up(self) -> None:
        self._late = None
        if not self.transport.is_closing():
            self.transport.close()
