"""Session ids: 26 characters of Crockford base32 that sort by time of making.

48 bits of milliseconds since 1970, then 80 random bits. Says nothing of player or machine.
"""

import os
import time
from collections.abc import Callable

ALPHABET = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
LENGTH = 26


def new_id(
    now: Callable[[], float] = time.time, random_bytes: Callable[[int], bytes] = os.urandom
) -> str:
    """A fresh id. `now` gives seconds since 1970, `random_bytes` as many bytes as it is asked."""
    value = (int(now() * 1000.0) & (2**48 - 1)) << 80 | int.from_bytes(random_bytes(10), "big")
    return "".join(ALPHABET[(value >> 5 * place) & 31] for place in range(LENGTH - 1, -1, -1))


def is_id(text: str) -> bool:
    """True for what `new_id` can return."""
    return len(text) == LENGTH and all(c in ALPHABET for c in text) and text[0] <= "7"
