"""Clean showings: one drive sent through the stream again and again, as honest players differ.

The drive is simulated, drawn and recorded once. Each showing is a whole film of it with its own
painter, style, bitrates, lost frames and server clock, and is judged with several secrets.
"""

import hashlib
import random
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np

from game.session.format import FrameRecord, TrackId
from game.session.reader import Session
from game.session.track import segment_path, segments
from rewards.checks.decode import luma_print
from streaming.backends.filter import STYLES, Filter
from streaming.backends.tiny import Choice, Tiny
from streaming.backends.tiny_files import SIZES
from tests.rewards import tampering
from tests.rewards.decays import Picture, rewritten_film
from tests.rewards.recording import JOURNAL_KEY, Line, Made, sampled

SECRETS = 4
"""Judgements of one film; each looks at other frames."""
MOST_BPS, LEAST_BPS = 2_500_000, 800_000
SPAN = MOST_BPS / LEAST_BPS
JITTER_NS = 12_000_000
"""The server's clock reads a frame's time up to this much late."""


@dataclass(frozen=True, slots=True)
class Showing:
    """What differs. size, steps: of the network, 0 for the filter. turn: the style of the second
    half. up, down: of the codec [bit/s]. lost: share of frames lost in runs, half of them on the
    way there. sent: with the source's video, which clients keep at home unless asked."""

    backend: str
    size: int
    steps: int
    style: str
    turn: str
    up: int
    down: int
    lost: float
    sent: bool
    seed: int

    @property
    def painter(self) -> str:
        """For people."""
        return self.backend if self.backend == "filter" else f"tiny {self.size} px, {self.steps}"


def showing(drive: int, number: int) -> Showing:
    """The same for ever. Painters and styles in turn, the rest drawn."""
    draw, styles = random.Random(f"showing {drive} {number}"), tuple(STYLES)
    tiny = number % 2 == 1
    style = styles[(drive + number) % len(styles)]

    def rate() -> int:
        """Half of the lines carry what is asked for."""
        return MOST_BPS if draw.random() < 0.5 else int(LEAST_BPS * SPAN ** draw.random())

    return Showing(
        backend="tiny" if tiny else "filter",
        size=SIZES[1:][number // 2 % 2] if tiny else 0,
        steps=(1 + number // 4 % 2) if tiny else 0,
        style=style,
        turn=draw.choice(styles) if draw.random() < 0.3 else style,
        up=rate(),
        down=rate(),
        lost=draw.choice((0.0, 0.0, 0.03, 0.08)),
        sent=draw.random() < 0.2,
        seed=draw.randrange(1 << 31),
    )


class Reel:
    """One drive's frames as the game drew them, (h, w, 4) BGRA, by their place in the film."""

    def __init__(self, made: Made) -> None:
        self.made = made
        with Session.open(made.folder) as session:
            self.side = session.manifest.capture.width
            self.records: tuple[FrameRecord, ...] = session.frames(TrackId.STYLED)
            self.others = [r for r in session._frames if r.track != TrackId.STYLED]
            self._sources = [rgb for _, rgb in session.pictures(TrackId.SOURCE)]
        self.looked_at = tuple(
            sampled(made.folder, f"showing {n}".encode()) for n in range(SECRETS)
        )
        self.everything = tuple(sorted(set().union(*self.looked_at)))

    def source(self, at: int) -> Picture:
        """What leaves for the server."""
        rgb = self._sources[at]
        return np.dstack([rgb[..., ::-1], np.full(rgb.shape[:2], 255, np.uint8)])


def shown(reel: Reel, how: Showing, root: Path) -> Made:
    """The drive once more, as this player would have sent it in."""
    copy, draw, count = reel.made.copy(root), random.Random(how.seed), len(reel.records)
    never, lost = (_lost(draw, count, how.lost / 2) for _ in range(2))
    packets: list[bytes | None] = [None] * count
    keys, seen = [False] * count, dict[int, tuple[bytes, bytes]]()
    for at, data, key, luma in _streamed(reel, how, never, lost):
        seen[reel.records[at].tick] = data, luma
        packets[at], keys[at] = (None if at in lost else data), key
    rewritten_film(copy.folder, reel.records, reel.others, packets, keys, reel.side)
    _testify(copy.folder, how, draw, seen)
    if not how.sent:
        for track in (TrackId.SOURCE, TrackId.CHECK):
            for number in segments(copy.folder)[track]:
                segment_path(copy.folder, track, number).unlink()
    return copy


def _streamed(
    reel: Reel, how: Showing, never: set[int], lost: set[int]
) -> Iterator[tuple[int, bytes, bool, bytes]]:
    """Place, styled frame as sent, whether it is a key frame, print of the source as it arrived.

    never: places that do not reach the server. lost: those that do not come back. After each, as
    after each loss that could not be healed, comes a key frame.
    """
    there, back, painter = Line(how.up), Line(how.down), _painter(how)
    for at in range(len(reel.records)):
        if at in never:
            there.renew()
            continue
        arrived = there.receive(there.send(reel.source(at), at)[0])
        style = how.style if at < len(reel.records) // 2 else how.turn
        styled = painter.style(np.ascontiguousarray(arrived), "", how.seed, style)
        data, key = back.send(np.ascontiguousarray(styled), at)
        if at in lost:
            back.renew()
        yield at, data, key, luma_print(np.ascontiguousarray(arrived[..., 2::-1])).tobytes()


def _testify(
    folder: Path, how: Showing, draw: random.Random, seen: Mapping[int, tuple[bytes, bytes]]
) -> None:
    """Our server's journal. seen: tick -> frame as sent, print of its source, of all it got."""
    model = _tiny().model if how.backend == "tiny" else Filter().model

    def saw(block: dict[str, Any]) -> None:
        block["model"] = model
        block["frames"] = [row for row in block["frames"] if row[0] in seen]
        for row in block["frames"]:
            late, (data, luma) = draw.randrange(JITTER_NS), seen[row[0]]
            row[1:] = row[1] + late, row[2] + late, luma.hex(), hashlib.sha256(data).hexdigest()
        block["server_time_ns"] += JITTER_NS

    tampering.rewritten_journal(folder, saw, JOURNAL_KEY)


def _lost(draw: random.Random, count: int, share: float) -> set[int]:
    """Places of frames that do not arrive: runs of one to eight, `share` of all."""
    gone: set[int] = set()
    while len(gone) < int(share * count):
        begin = draw.randrange(1, count)
        gone |= set(range(begin, min(count, begin + draw.randint(1, 8))))
    return set(sorted(gone)[: int(share * count)])


@cache
def _tiny() -> Tiny:
    return Tiny(budget_ms=1e9)


def _painter(how: Showing) -> Any:
    if how.backend == "filter":
        return _filter()
    _tiny().choice = Choice(how.size, how.steps)
    return _tiny().painter()


@cache
def _filter() -> Filter:
    return Filter()
