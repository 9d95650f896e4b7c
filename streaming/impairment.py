"""A bad line, made inside the process: loss, delay, jitter, rate, order and black-out, seeded.

Wraps what aioice sends over UDP, so STUN, DTLS, media and feedback all suffer. One direction per
process; install before connections are made. For tests and measurements only.
"""

import asyncio
import random
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class Impairment:
    """What the line does. loss 0..1; delay and jitter [s]; rate [bit/s], 0 = unlimited.

    reorder: jitter may overtake. queue: longest wait for a limited rate [s]. down_s: the line is
    dead for as long at the end of every down_every [s]. seed: of the draws.
    """

    loss: float = 0.0
    delay: float = 0.0
    jitter: float = 0.0
    rate: int = 0
    reorder: bool = False
    queue: float = 0.2
    down_every: float = 0.0
    down_s: float = 0.0
    seed: int = 1

    def __post_init__(self) -> None:
        lengths = (self.delay, self.jitter, self.rate, self.queue, self.down_every, self.down_s)
        if not 0 <= self.loss <= 1 or min(lengths) < 0:
            raise ValueError("an impairment has loss within 0..1 and no negative value")
        if self.down_s and self.down_s >= self.down_every:
            raise ValueError("a line must be up for a part of every down_every")


class BadLine:
    """An installed impairment. `up` False is a black-out; `install` returns itself."""

    def __init__(self, what: Impairment) -> None:
        self.what, self.up = what, True
        self.sent = self.lost = 0
        self._random = random.Random(what.seed)
        self._free_at = self._last_at = 0.0
        self._began: float | None = None
        self._stock: Any = None

    def install(self) -> "BadLine":
        """From now on new connections of this process suffer."""
        import aioice.ice

        stock = self._stock = aioice.ice.StunProtocol.connection_made

        def connection_made(protocol: Any, transport: Any) -> None:
            stock(protocol, _Shim(transport, self))

        aioice.ice.StunProtocol.connection_made = connection_made
        return self

    def remove(self) -> None:
        """Put the library's own method back."""
        import aioice.ice

        aioice.ice.StunProtocol.connection_made = self._stock

    def leaves_at(self, size: int, now: float) -> float | None:
        """When a packet of `size` bytes handed over at `now` leaves; None when it is lost."""
        what = self.what
        self.sent += 1
        if self._began is None:
            self._began = now
        if what.down_s and (now - self._began) % what.down_every > what.down_every - what.down_s:
            self.lost += 1
            return None
        if not self.up or self._random.random() < what.loss:
            self.lost += 1
            return None
        at = now
        if what.rate:
            if max(0.0, self._free_at - now) > what.queue:
                self.lost += 1
                return None
            at = self._free_at = max(now, self._free_at) + size * 8 / what.rate
        at += what.delay + self._random.random() * what.jitter
        if not what.reorder:
            at = self._last_at = max(at, self._last_at)
        return at


class _Shim:
    def __init__(self, transport: Any, line: BadLine) -> None:
        self._transport, self._line = transport, line
        self._loop = asyncio.get_running_loop()

    def __getattr__(self, name: str) -> Any:
        return getattr(self._transport, name)

    def sendto(self, data: bytes, addr: Any = None) -> None:
        now = self._loop.time()
        at = self._line.leaves_at(len(data), now)
        if at is None:
            return
        if at <= now:
            self._transport.sendto(data, addr)
        else:
            self._loop.call_at(at, self._late, data, addr)

    def _late(self, data: bytes, addr: Any) -> None:
        if not self._transport.is_closing():
            self._transport.sendto(data, addr)
