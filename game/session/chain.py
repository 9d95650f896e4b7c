"""Proves stored states by their own chain of digests, where the world that made them is gone.

Says that no state, no controls and no order was changed since the drive; says nothing about
physics: for that the drive is simulated again (`verify`).
"""

from hashlib import sha256

from game.session.reader import Session
from game.world.controls import CONTROLS_BYTES
from game.world.version import DIGEST_TICKS

_DIGEST, _CHAINED = 32, 64
_CONTROLS_AT = 101 - CONTROLS_BYTES
"""A packed state begins with its digest, the chain of inputs, counts, and the controls."""


def broken(session: Session) -> tuple[int, str] | None:
    """First tick whose state does not follow from the chain and why; None where all do.

    Raises SessionCorrupt where the files do not read back.
    """
    ticks, drive = session.ticks(), session.controls()
    digest = inputs = b""
    for tick in range(len(ticks)):
        packed = ticks.record(tick).packed
        now, chain = packed[:_DIGEST], packed[_DIGEST:_CHAINED]
        if tick:
            controls = packed[_CONTROLS_AT : _CONTROLS_AT + CONTROLS_BYTES]
            if controls != drive[tick - 1].pack():
                return tick - 1, "the stored controls are not those of the inputs"
            if chain != sha256(inputs + controls).digest():
                return tick, "the chain of inputs is broken"
            if tick % DIGEST_TICKS == 0:
                if now != sha256(digest + chain + packed[_CHAINED:]).digest():
                    return tick, "the state is not the one that its digest names"
            elif now != digest:
                return tick, "the digest changed between two checkpoints"
        digest, inputs = now, chain
    end = session.end or {}
    if len(ticks) and end.get("inputs") not in (None, inputs.hex()):
        return len(ticks) - 1, "end.json names another chain of inputs"
    return None
