"""The scenario's seed of a run, held back until the run's first frame has come.

A ticket whose seed is LATE names none. The server draws it from its journal key and the ticket, so
it is the same after a restart and nobody else can know it; the journal says when it was released.
Until then the player sends its hold picture as tick 0, which is neither painted nor journalled.
"""

import hashlib
from collections.abc import Awaitable, Callable, Mapping
from typing import Any

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from streaming import wire
from streaming.journal import JournalWriter
from streaming.seal import digest

LATE = -1
HOLD_TICK = 0
_PURPOSE = b"scale-diffusion scenario seed\0"


def is_late(ticket: Mapping[str, Any]) -> bool:
    """Whether the seed of this ticket's run comes with its first frame."""
    seed = ticket.get("seed")
    return type(seed) is int and seed == LATE


def drawn(ticket: Mapping[str, Any], key: Ed25519PrivateKey) -> int:
    """The seed of this ticket, 0 .. 2**31 - 1. An Ed25519 signature is always the same."""
    signature = key.sign(_PURPOSE + digest(ticket).encode())
    return int.from_bytes(hashlib.sha256(signature).digest()[:4], "big") >> 1


class SeedGate:
    """Of one seat. seed: to be released, None where the ticket names it. send: to the player."""

    def __init__(
        self,
        seed: int | None,
        journal: JournalWriter | None,
        now_ns: Callable[[], int],
        send: Callable[[wire.Message], Awaitable[None]],
    ) -> None:
        self._seed, self._journal, self._now_ns, self._send = seed, journal, now_ns, send
        self.released = journal is not None and journal.seed is not None

    @property
    def holds(self) -> bool:
        """Whether the next frame releases the seed."""
        return self._seed is not None and not self.released

    def is_hold(self, tick: int) -> bool:
        """Whether a frame of this tick shows the hold picture."""
        return self._seed is not None and tick == HOLD_TICK

    async def tell(self) -> None:
        """Say the seed again to who comes back after its release."""
        if self._seed is not None and self.released:
            await self._send(wire.Seed(self._seed))

    async def release(self) -> None:
        """The first frame is here: note it, sign it and say the seed."""
        if self._seed is None or self.released:
            return
        self.released = True
        line = None
        if self._journal is not None:
            self._journal.release(self._seed, self._now_ns())
            line = self._journal.seal()
        if line is not None:
            await self._send(wire.JournalBlock(line))
        await self._send(wire.Seed(self._seed))
