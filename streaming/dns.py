"""Names to addresses without ever waiting longer than asked: a resolver that hangs stays behind.

The system's resolver cannot be interrupted, so each look-up has a daemon thread of its own, a few
of which may hang at a time. Nothing here uses the event loop's pool, whose threads others need.
"""

import asyncio
import contextlib
import ipaddress
import socket
import threading
from typing import Any

from aiohttp.abc import AbstractResolver, ResolveResult

LIMIT_S = 3.0
MOST_HANGING = 4

_hanging = threading.BoundedSemaphore(MOST_HANGING)


async def resolve(host: str, port: int = 0, limit_s: float = LIMIT_S, family: int = 0) -> list[Any]:
    """What getaddrinfo says of a host, for datagrams and streams alike. OSError or TimeoutError."""
    with contextlib.suppress(ValueError):
        version = ipaddress.ip_address(host.strip("[]")).version
        kind = socket.AF_INET if version == 4 else socket.AF_INET6
        return [(kind, socket.SOCK_STREAM, 0, "", (host.strip("[]"), port))]
    if not _hanging.acquire(blocking=False):
        raise TimeoutError(f"look-ups of names hang; {host} is not even tried")
    loop = asyncio.get_running_loop()
    found: asyncio.Future[list[Any]] = loop.create_future()

    def look() -> None:
        answer: Any
        try:
            answer = socket.getaddrinfo(host, port, family, socket.SOCK_STREAM)
        except OSError as error:
            answer = error
        finally:
            _hanging.release()
        with contextlib.suppress(RuntimeError):  # the loop has closed long since
            loop.call_soon_threadsafe(_settle, found, answer)

    threading.Thread(target=look, name=f"dns-{host[:20]}", daemon=True).start()
    try:
        return await asyncio.wait_for(found, limit_s)
    except TimeoutError:
        raise TimeoutError(f"the name {host} is not resolved in {limit_s:.0f} s") from None


def _settle(found: asyncio.Future[list[Any]], answer: Any) -> None:
    if found.done():
        return
    if isinstance(answer, OSError):
        found.set_exception(answer)
    else:
        found.set_result(answer)


class Resolver(AbstractResolver):
    """For aiohttp's connector."""

    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_INET
    ) -> list[ResolveResult]:
        """Addresses of a host. Raises OSError, also where it took too long."""
        try:
            found = await resolve(host, port, family=int(family))
        except TimeoutError as error:
            raise OSError(0, str(error)) from None
        return [
            ResolveResult(
                hostname=host,
                host=address[0],
                port=port,
                family=kind,
                proto=socket.IPPROTO_TCP,
                flags=socket.AI_NUMERICHOST,
            )
            for kind, _, _, _, address in found
        ]

    async def close(self) -> None:
        """Nothing is kept."""
