"""Wakes the peer's process when a new picture is in the ring, so that it need not look for one."""

import asyncio
import contextlib
import socket
from collections.abc import Callable

from streaming.ring import LatestRing


class Bell:
    """Wakes the peer for a new picture: a byte through a socket pair that is never let run full."""

    def __init__(self) -> None:
        self._here, self.there = socket.socketpair()
        self._here.setblocking(False)
        self.there.setblocking(False)

    def hang(self, ring: LatestRing) -> None:
        """Ring at every put into `ring`. The far end belongs to the child from here on."""
        ring.bell = self._ring
        self.there.close()

    def _ring(self) -> None:
        with contextlib.suppress(OSError):  # full: it is awake; closed: nobody is there
            self._here.send(b".")

    def close(self) -> None:
        """Take the bell down."""
        self._here.close()
        self.there.close()


def answer(loop: asyncio.AbstractEventLoop, bell: socket.socket, wake: Callable[[], None]) -> None:
    """Call `wake` on the loop whenever the bell has rung."""

    def heard() -> None:
        try:
            rang = bell.recv(4096)
        except OSError:
            rang = b"?"
        if rang:
            wake()
        else:
            loop.remove_reader(bell.fileno())  # the game has gone

    try:
        loop.add_reader(bell.fileno(), heard)
    except NotImplementedError:  # a loop without readers looks at the ring by itself
        bell.close()
