"""What the recorder does with each picture: encode or store it, note it in the frame table.

Owns the tracks of one session. An item leaves its ring only once it is on file, so a recorder
that is killed and started again goes on where it stopped, in new segments.
"""

import hashlib
import logging
import time
from dataclasses import dataclass
from enum import IntEnum
from pathlib import Path
from typing import Protocol

from game.session import framefile
from game.session.append import AppendFile
from game.session.format import FRAMES, FrameRecord, Pairing, TrackId
from game.session.seal import mend_frames
from game.session.track import CHECK, ENCODINGS, SourceTrack, StyledTrack
from game.world.version import TICK_HZ
from streaming.frames import unpack_encoded
from streaming.ring import FifoRing, Item

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class RecorderConfig:
    """What to record, and where. width, height [px] of captured pictures.

    source, encoded: names of the rings, encoded '' for none. mode: near-lossless or lossless.
    nice: how far the process steps back behind the game. log: its log file, None for stderr.
    """

    folder: Path
    width: int
    height: int
    source: str
    encoded: str = ""
    mode: str = "near-lossless"
    nice: int = 5
    log: Path | None = None

    def __post_init__(self) -> None:
        if self.mode not in ENCODINGS:
            raise ValueError(f"record mode {self.mode!r}: choose one of {', '.join(ENCODINGS)}")


class Count(IntEnum):
    """Places in the array of counters that child and parent share."""

    SOURCE = 0
    CHECK = 1
    STYLED = 2
    BYTES = 3
    CPU_US = 4
    FAILED = 5  # pictures that the encoder or the disk refused
    GAPS = 6  # drops of the encoded ring that have been seen
    STOPPED = 7  # 1: the disk is full, pictures are let go
    READY = 8


class Counters(Protocol):
    """A row of integers."""

    def __getitem__(self, index: int, /) -> int: ...
    def __setitem__(self, index: int, value: int, /) -> None: ...


class Deck:
    """Both rings of one session and the tracks that they fill. `step` until idle, then `close`."""

    def __init__(
        self,
        config: RecorderConfig,
        source: FifoRing,
        encoded: FifoRing | None,
        counters: Counters,
    ) -> None:
        """Opens new segments in the session's folder; mends the frame table first if need be."""
        folder, size = config.folder, (config.width, config.height)
        self._source, self._encoded, self._counters = source, encoded, counters
        mend_frames(folder, deep=False)
        self._table = AppendFile(folder / FRAMES, fresh=False)
        self._last = _last_of(folder)
        if self._table.size == 0:
            self._table.put(framefile.header())
        self._pictures = SourceTrack(folder, *size, ENCODINGS[config.mode])
        lossless = config.mode == "lossless"
        self._check = None if lossless else SourceTrack(folder, *size, CHECK, TrackId.CHECK)
        self._styled = StyledTrack(folder, *size)
        self._check_second = self._last[TrackId.CHECK].tick // TICK_HZ
        self._unsound_until_ns = 0

    def step(self) -> int:
        """Handle what waits, styled first; returns how many items left the rings."""
        return self._step_styled() + self._step_source()

    def _step_styled(self) -> int:
        ring, done = self._encoded, 0
        while ring is not None:
            if ring.dropped > self._counters[Count.GAPS]:
                # what comes after a loss decodes again from the first key frame received after now
                self._counters[Count.GAPS] = ring.dropped
                self._unsound_until_ns = time.monotonic_ns()
            item = ring.peek()
            if item is None:
                break
            self._guarded(self._store_styled, item)
            ring.advance()
            done += 1
        return done

    def _step_source(self) -> int:
        item = self._source.peek()
        if item is None:
            return 0
        self._guarded(self._store_source, item)
        self._source.advance()
        return 1

    def _guarded(self, store: "Store", item: Item) -> None:
        if self._counters[Count.STOPPED]:
            return
        try:
            store(item)
        except OSError as error:
            self._counters[Count.STOPPED] = error.errno or 1
            self._counters[Count.FAILED] += 1
            log.error("recorder.stopped tick=%d why=%s", item.tick, error)
        except ValueError as error:
            self._counters[Count.FAILED] += 1
            log.warning("recorder.failed tick=%d why=%s", item.tick, error)

    def _store_source(self, item: Item) -> None:
        if item.tick == self._last[TrackId.SOURCE].tick:
            return  # stored already, just before a kill
        second = item.tick // TICK_HZ
        if self._check is not None and second != self._check_second:
            self._check_second = second
            self._note(self._check.put(item.data, item.tick, item.t_ns))
        self._note(self._pictures.put(item.data, item.tick, item.t_ns))

    def _store_styled(self, item: Item) -> None:
        frame = unpack_encoded(item.data)
        last = self._last[TrackId.STYLED]
        if frame.tick == last.tick and hashlib.sha256(frame.data).digest() == last.sha256:
            return
        if self._unsound_until_ns and frame.key and frame.received_ns > self._unsound_until_ns:
            self._unsound_until_ns = 0
        pairing = Pairing.EXACT if frame.exact else Pairing.ESTIMATED
        self._note(
            self._styled.put(
                frame.data,
                frame.tick,
                frame.received_ns,
                key=frame.key,
                pairing=Pairing.NONE if self._unsound_until_ns else pairing,
                confidence=frame.confidence,
                prompt=frame.prompt,
                seed=frame.seed,
            )
        )

    def _note(self, record: FrameRecord) -> None:
        self._table.put(framefile.encode(record))
        self._last[record.track] = record
        self._counters[record.track] += 1
        self._counters[Count.BYTES] += record.size + framefile.RECORD_BYTES

    def close(self) -> None:
        """Close all files; what the disk refuses now is logged."""
        for each in (self._pictures, self._check, self._styled, self._table):
            try:
                if each is not None:
                    each.close()
            except OSError as error:
                log.error("recorder.close why=%s", error)


class Store(Protocol):
    """Puts one item on file."""

    def __call__(self, item: Item, /) -> None: ...


def _last_of(folder: Path) -> dict[int, FrameRecord]:
    """The last stored frame of each track, of tick -60 where there is none."""
    last = {int(track): FrameRecord(track, -TICK_HZ, 0, 0, 0, 0, b"") for track in TrackId}
    path = folder / FRAMES
    data = path.read_bytes() if path.exists() else b""
    if data:
        for record in framefile.sound(data)[0]:
            last[record.track] = record
    return last
