"""Reads the stream server's signed journal on its own and holds the recording against it.

Written from the published schema, not with the writer's code: both read the same golden file.
Makes each pair `attested` (our server saw and signed it), `witnessed` (our gateway saw it pass) or
`self` (the player's word alone).
"""

import hashlib
import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from game.session.format import JOURNAL, Pairing, TrackId
from game.session.protocols import Evidence, Finding
from game.session.reader import Session
from game.world.version import TICK_HZ
from rewards import tickets
from rewards.checks import thresholds
from rewards.checks.case import resim, seen
from rewards.checks.decode import luma_print

FIELDS: dict[str, type] = {
    "v": int,
    "session": str,
    "n": int,
    "ticket": str,
    "model": str,
    "prompt_sha256": str,
    "prev": str,
    "server_time_ns": int,
    "frames": list,
    "inputs": list,
    "end": bool,
    "key": str,
    "sig": str,
}
SEED = "seed"
"""In a block where it was released: [seed, released_ns]."""
FIRST = "0" * 64
_HEX64 = re.compile(r"[0-9a-f]{64}")
_PRINT = re.compile(r"[0-9a-f]{512}")


class Broken(ValueError):
    """The journal is not one that an enrolled server wrote. reason: code; tick: where, or -1."""

    def __init__(self, reason: str, tick: int, why: str) -> None:
        super().__init__(reason, tick, why)
        self.reason, self.tick, self.why = reason, tick, why


@dataclass(frozen=True, slots=True)
class Sight:
    """One frame as the server saw it. print: 256 bytes of luma; sha256: of what it sent back."""

    received_ns: int
    sent_ns: int
    print: bytes
    sha256: str


@dataclass(frozen=True, slots=True)
class Journal:
    """A journal that may be believed. frames by tick; inputs: (tick, chain as hex).

    witnessed: ticks that a third party styled and our gateway saw. seed: the scenario's as it was
    first released, and when [ns]; None where it never was.
    """

    frames: Mapping[int, Sight]
    inputs: tuple[tuple[int, str], ...]
    model: str
    ended: bool
    witnessed: frozenset[int] = frozenset()
    seed: tuple[int, int] | None = None


def read(
    lines: Sequence[bytes],
    session: str,
    ticket: str,
    keys: Sequence[str],
    gateways: Sequence[str] = (),
) -> Journal:
    """Verify every block. ticket: its digest. keys: enrolled servers. Raises Broken.

    gateways: keys of ours that only relay a third party's frames; those are `witnessed`.
    """
    frames: dict[int, Sight] = {}
    witnessed: set[int] = set()
    inputs: list[tuple[int, str]] = []
    previous, expected, last_tick, last_ns, ended, model = FIRST, 0, -1, 0, False, ""
    seed: tuple[int, int] | None = None
    for line in lines:
        block = _block(line)
        if not tickets.is_signed(block, (*keys, *gateways)):
            raise Broken("journal.signature", last_tick, "a block is not signed by our server")
        if (block["session"], block["ticket"]) != (session, ticket):
            raise Broken("journal.ticket", last_tick, "a block is of another session or ticket")
        restarts = block["n"] == 0 and block["prev"] == FIRST
        if ended or not (restarts or (block["n"], block["prev"]) == (expected, previous)):
            raise Broken("journal.chain", last_tick, "a block does not follow the one before")
        for tick, received, sent, luma, sha256 in block["frames"]:
            if tick <= last_tick:
                raise Broken("journal.chain", tick, "a tick comes twice or goes back")
            if not (received <= sent and last_ns <= sent <= block["server_time_ns"]):
                raise Broken("journal.time", tick, "the times of a frame run backwards")
            frames[tick] = Sight(received, sent, bytes.fromhex(luma), sha256)
            if block["key"] in gateways:
                witnessed.add(tick)
            last_tick, last_ns = tick, sent
        inputs.extend((tick, chain) for tick, chain in block["inputs"])
        if SEED in block:
            seed = _first_seed(block, seed)
        previous, expected = hashlib.sha256(line).hexdigest(), block["n"] + 1
        ended, model = block["end"], block["model"].split("/", 1)[0]
    return Journal(frames, tuple(inputs), model, ended, frozenset(witnessed), seed)


def _first_seed(block: Mapping[str, Any], before: tuple[int, int] | None) -> tuple[int, int]:
    """A server that lost its file releases the same seed again; the first time counts."""
    seed, released_ns = block[SEED]
    if released_ns > block["server_time_ns"]:
        raise Broken("journal.time", -1, "a seed was released after its block was sealed")
    if before is not None and before[0] != seed:
        raise Broken("journal.seed", -1, "two seeds were released for one ticket")
    return before or (seed, released_ns)


def _block(line: bytes) -> dict[str, Any]:
    try:
        block = json.loads(line)
    except (ValueError, RecursionError):
        raise Broken("journal.shape", -1, "a line is not JSON") from None
    if not isinstance(block, dict) or set(block) - {SEED} != set(FIELDS):
        raise Broken("journal.shape", -1, "a block lacks a field or has one too many")
    if any(type(block[name]) is not kind for name, kind in FIELDS.items()) or block["v"] != 1:
        raise Broken("journal.shape", -1, "a field of a block has a wrong type")
    if tickets.canonical(block) != line:
        raise Broken("journal.shape", -1, "a line is not in canonical form")
    rows = all(_is_frame(row) for row in block["frames"])
    rows = rows and (SEED not in block or _is_seed(block[SEED]))
    if not rows or not all(_is_commit(row) for row in block["inputs"]):
        raise Broken("journal.shape", -1, "a row of a block is malformed")
    return block


def _is_frame(row: object) -> bool:
    return (
        isinstance(row, list)
        and len(row) == 5
        and all(type(value) is int and 0 <= value < 1 << 63 for value in row[:3])
        and isinstance(row[3], str)
        and _PRINT.fullmatch(row[3]) is not None
        and isinstance(row[4], str)
        and _HEX64.fullmatch(row[4]) is not None
    )


def _is_seed(row: object) -> bool:
    return (
        isinstance(row, list)
        and len(row) == 2
        and all(type(value) is int for value in row)
        and 0 <= row[0] < 1 << 31
        and 0 <= row[1] < 1 << 63
    )


def _is_commit(row: object) -> bool:
    return (
        isinstance(row, list)
        and len(row) == 2
        and type(row[0]) is int
        and isinstance(row[1], str)
        and _HEX64.fullmatch(row[1]) is not None
    )


def journal(session: Session, evidence: Evidence) -> Finding:
    """Score: share of the pairs that are attested. Any contradiction rejects.

    Threshold 0: a recording without a journal is not false, its pairs are `self` and earn nothing.
    """
    path = session.folder / JOURNAL
    pairs = [pair.tick for pair in session.pairs()]
    lines = path.read_bytes().splitlines() if path.is_file() else []
    late = session.manifest.ticket.get("seed") == tickets.LATE_SEED
    if late and not lines:
        return _unreleased()
    if not lines:
        return _finding(0, len(pairs), "no journal: every pair is the player's own word")
    try:
        book = read(
            lines,
            session.manifest.session,
            tickets.digest(session.manifest.ticket),
            evidence.keys.get("journal", ()),
            evidence.keys.get("gateway", ()),
        )
        if late:
            _released(book, session)
        _commits(book, session, evidence)
        _styled(book, session)
        _prints(book, session, evidence)
        pace = _pace(book)
    except Broken as broken:
        score = 0.0
        return Finding("journal", False, score, 0.0, broken.reason, broken.tick, broken.why)
    if not late and evidence.policy not in tickets.SEEDED:
        told = "the seed came with the ticket and left time to prepare: every pair is `self`"
        return _finding(0, len(pairs), told)
    if pace is None:
        return _finding(0, len(pairs), "too short to show its pace: every pair is `self`")
    exact = {pair.tick for pair in session.pairs() if pair.pairing == Pairing.EXACT}
    witnessed = len(exact & book.witnessed)
    attested = len(exact & book.frames.keys()) - witnessed  # a guessed pair is nobody's testimony
    detail = f"pace {pace:.2f} ticks/s"
    more = {"pace": round(pace, 3), "model": book.model}
    return _finding(attested, len(pairs), detail, witnessed=witnessed, **more)


def _finding(attested: int, pairs: int, detail: str, witnessed: int = 0, **more: object) -> Finding:
    counts: dict[str, Any] = {
        "attested": attested, "witnessed": witnessed, "self": pairs - attested - witnessed, **more
    }  # fmt: skip
    share = attested / pairs if pairs else 0.0
    return Finding("journal", True, share, 0.0, detail=detail, evidence=counts)


def _unreleased() -> Finding:
    told = "no server of ours released the seed that it was driven with"
    return Finding("journal", False, 0.0, 0.0, "journal.seed", -1, told)


def _released(book: Journal, session: Session) -> None:
    """The seed was given out live, and the run began soon after: there was no time to rehearse."""
    if book.seed is None or book.seed[0] != session.manifest.seed:
        raise Broken("journal.seed", -1, "another seed than the one that was released")
    if not book.frames:
        return
    tick = min(book.frames)
    begun = book.frames[tick].received_ns / 1e9 - tick / TICK_HZ
    waited = begun - book.seed[1] / 1e9
    if not -1.0 <= waited <= thresholds.SEED_LEAD_S:
        told = f"the run began {waited:.1f} s after its seed was released"
        raise Broken("journal.late", tick, told)


def _commits(book: Journal, session: Session, evidence: Evidence) -> None:
    """The inputs that were committed live are those of our own replay."""
    chain = resim(session, evidence).inputs
    for tick, committed in book.inputs:
        if not 0 <= tick < len(chain) or chain[tick].hex() != committed:
            raise Broken("journal.inputs", tick, "other inputs were committed while driving")


def _styled(book: Journal, session: Session) -> None:
    for record in session.frames(TrackId.STYLED):
        sight = book.frames.get(record.tick)
        if sight is not None and sight.sha256 != record.sha256.hex():
            raise Broken("journal.styled", record.tick, "not the frame that the server sent")


def _prints(book: Journal, session: Session, evidence: Evidence) -> None:
    """What the server received is what the recording holds and what we draw."""
    views = seen(session, evidence)
    for tick, sight in book.frames.items():
        ours = views.decoded.prints.get((TrackId.SOURCE, tick))
        if ours is not None and _apart(sight.print, ours) > thresholds.LUMA_SOURCE:
            raise Broken("journal.source", tick, "the server received another picture")
        drawn = views.rendered.get(tick)
        if drawn is not None:
            apart = _apart(sight.print, luma_print(drawn.colour))
            if apart > thresholds.LUMA_RENDER:
                raise Broken("journal.render", tick, "the server received another place")


def _apart(one: bytes, other: np.ndarray[Any, np.dtype[np.uint8]]) -> float:
    difference = np.frombuffer(one, np.uint8).astype(np.int16) - other.astype(np.int16)
    return float(np.abs(difference).mean())


def _pace(book: Journal) -> float | None:
    """Ticks a second on the server's clock after the start-up; None where it is too short."""
    times = [(sight.received_ns, tick) for tick, sight in book.frames.items()]
    if not times:
        return None
    begin = times[0][0] + int(thresholds.PACE_SKIP_S * 1e9)
    steady = [(ns, tick) for ns, tick in times if ns >= begin]
    if len(steady) < 2 or steady[-1][0] - steady[0][0] < thresholds.PACE_LEAST_S * 1e9:
        return None
    pace = (steady[-1][1] - steady[0][1]) / ((steady[-1][0] - steady[0][0]) / 1e9)
    if abs(pace / TICK_HZ - 1.0) > thresholds.PACE:
        raise Broken("journal.pace", -1, f"{pace:.1f} ticks a second instead of {TICK_HZ}")
    return pace
