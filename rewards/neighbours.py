"""Drives that are nearly the same under different wallets: one drive, sold twice with a new coat.

A print is the car's place each second and its steering and pedals ten times a second, coarse. Owns
the table of prints. Two prints are near when both place and hands agree almost everywhere.
"""

import zlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import sqlalchemy as sa
from numpy.typing import NDArray

from game.session.protocols import Finding
from game.world.controls import Controls
from rewards.ledger import Ledger
from rewards.schema import lock, prints

EVERY = 6  # ticks between two samples of the hands
PLACE_M = 0.5  # as near as that counts as the same place
HANDS = 0.05  # of full lock or full pedal
NEAR = 0.9  # share of the drive that must agree in both to be called the same drive
MOVED_LEAST_M = 30.0  # a shorter drive says nothing: every start looks like every other
_LOCK, MOST_OTHERS = 0x5CA1AB, 5_000


@dataclass(frozen=True, slots=True)
class Print:
    """place: (n, 2) float32 [m], one a second. hands: (m, 2) int16: steer, throttle - brake."""

    place: NDArray[np.float32]
    hands: NDArray[np.int16]

    @classmethod
    def of(cls, path: Sequence[tuple[float, float]], drive: Sequence[Controls]) -> "Print":
        """Of a replayed drive."""
        hands = [(c.steer, c.throttle - c.brake) for c in drive[::EVERY]]
        place = np.zeros((len(path), 2), np.float32)
        place[:] = np.array(path).reshape(-1, 2)
        return cls(place, np.array(hands, np.int16).reshape(-1, 2).astype(np.int16))

    def to_bytes(self) -> bytes:
        """Packed: number of places, places in decimetres, hands."""
        places = np.rint(self.place * 10).astype("<i4")
        head = len(places).to_bytes(4, "little")
        return zlib.compress(head + places.tobytes() + self.hands.astype("<i2").tobytes(), 6)

    def to_hex(self) -> str:
        """For a finding's evidence."""
        return self.to_bytes().hex()

    @classmethod
    def from_bytes(cls, data: bytes) -> "Print":
        """What `to_bytes` packed."""
        raw = zlib.decompress(data)
        count, cut = int.from_bytes(raw[:4], "little"), 0
        cut = 4 + 8 * count
        place = np.frombuffer(raw[4:cut], "<i4").reshape(-1, 2).astype(np.float32) / np.float32(10)
        return cls(place, np.frombuffer(raw[cut:], "<i2").reshape(-1, 2).astype(np.int16))

    @classmethod
    def from_hex(cls, text: str) -> "Print":
        return cls.from_bytes(bytes.fromhex(text))


def likeness(one: Print, other: Print) -> float:
    """0 .. 1: share of the longer drive that agrees in place and in hands, the lesser of both."""
    places, hands = (
        min(len(one.place), len(other.place)),
        min(len(one.hands), len(other.hands)),
    )
    if not places or not hands:
        return 0.0
    apart = np.linalg.norm(one.place[:places] - other.place[:places], axis=1)
    turned = np.abs(one.hands[:hands].astype(np.int32) - other.hands[:hands].astype(np.int32))
    same_place = float((apart < PLACE_M).sum()) / max(len(one.place), len(other.place))
    same_hands = float((turned.max(axis=1) <= HANDS * 1000).sum())
    return min(same_place, same_hands / max(len(one.hands), len(other.hands)))


def moved(one: Print) -> float:
    """Metres driven, second by second."""
    return float(np.linalg.norm(np.diff(one.place, axis=0), axis=1).sum())


def keep(
    ledger: Ledger, session: str, payee: str, scenario: str, mine: Print
) -> Mapping[str, Print]:
    """Remember a print; returns those of other payees in the same scenario, newest first.

    What came in later never counts against what came in earlier.
    """
    with ledger.writing() as db:
        lock(db, _LOCK)
        known = db.scalar(sa.select(prints.c.session).where(prints.c.session == session))
        if known is None:
            db.execute(
                sa.insert(prints).values(
                    session=session, payee=payee, scenario=scenario, body=mine.to_bytes()
                )
            )
        query = (
            sa.select(prints.c.session, prints.c.body)
            .where(prints.c.scenario == scenario, prints.c.payee != payee)
            .where(prints.c.session < session)  # ids sort by the time of their ticket
            .order_by(prints.c.session.desc())
            .limit(MOST_OTHERS)
        )
        return {str(name): Print.from_bytes(body) for name, body in db.execute(query)}


def near_duplicate(mine: Print, others: Mapping[str, Print]) -> Finding:
    """Score: likeness to the nearest drive of another payee; below the limit."""
    if moved(mine) < MOVED_LEAST_M:
        detail = "hardly moved: nothing to compare"
        return Finding("near-duplicate", True, 0.0, NEAR, detail=detail)
    score, which = max(
        ((likeness(mine, other), name) for name, other in others.items()), default=(0.0, "")
    )
    if score < NEAR:
        detail = f"compared with {len(others)} drives of others"
        return Finding("near-duplicate", True, score, NEAR, detail=detail)
    what = f"{score:.0%} the same as session {which} of another payee"
    return Finding("near-duplicate", False, score, NEAR, "near-duplicate.other-payee", -1, what)
