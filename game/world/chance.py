"""Draws keyed by what they are for: the same (seed, tick, entity, purpose) gives the same number.

Owns no state, so a draw more or less anywhere changes no other. Built on BLAKE2b, exact everywhere.
"""

from collections.abc import Sequence
from hashlib import blake2b
from typing import TypeVar

T = TypeVar("T")

_UNIT53 = 1.0 / 9007199254740992.0  # 2 to the power of -53


def _block(seed: int, tick: int, entity: int, purpose: str) -> bytes:
    """64 random bytes. The purpose comes last, so that no two keys share a text."""
    return blake2b(f"{seed}/{tick}/{entity}/{purpose}".encode()).digest()


def uniform(
    seed: int, tick: int, entity: int, purpose: str, low: float = 0.0, high: float = 1.0
) -> float:
    """A float of 53 random bits in [low, high)."""
    bits = int.from_bytes(_block(seed, tick, entity, purpose)[:8], "little") >> 11
    value = low + (high - low) * (bits * _UNIT53)
    return value if value < high else low  # rounding may reach the upper end


def integer(seed: int, tick: int, entity: int, purpose: str, low: int, high: int) -> int:
    """An integer in [low, high], both ends included. Raises ValueError where high < low."""
    if high < low:
        raise ValueError(f"no integer lies in [{low}, {high}]")
    # 128 bits over any practical span: the bias is below one in 2 to the power of 64
    bits = int.from_bytes(_block(seed, tick, entity, purpose)[:16], "little")
    return low + bits % (high - low + 1)


def gaussian(
    seed: int, tick: int, entity: int, purpose: str, mean: float = 0.0, deviation: float = 1.0
) -> float:
    """Nearly normal: twelve uniform draws added up (Irwin-Hall), never beyond six deviations."""
    block = _block(seed, tick, entity, purpose)
    total = 0
    for k in range(12):
        total += int.from_bytes(block[5 * k : 5 * k + 5], "little")
    return mean + deviation * (total / 1099511627776.0 - 6.0)  # 2 to the power of 40


def choice(seed: int, tick: int, entity: int, purpose: str, options: Sequence[T]) -> T:
    """One of `options`, all equally likely. Raises ValueError where there is none."""
    if not options:
        raise ValueError(f"nothing to choose from for {purpose!r}")
    return options[integer(seed, tick, entity, purpose, 0, len(options) - 1)]
