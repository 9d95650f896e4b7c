"""How the styled frames of a recording are changed: pictures in, pictures out, the rest made good.

What a check looks at is drawn with a secret that a test knows. So only the frames around those
are encoded again, each run beginning with a key frame as after a lost packet; every other packet
stays. Which frames change, and their hashes, are those of the whole film.
"""

import hashlib
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import cv2
import numpy as np

from game.session import framefile
from game.session.format import FRAMES, FrameRecord, TrackId
from game.session.reader import Session
from game.session.track import StyledTrack, segment_path
from tests.rewards import tampering
from tests.rewards.recording import JOURNAL_KEY, Line, sampled

Picture = np.ndarray[Any, np.dtype[np.uint8]]
Change = Callable[["Film", int], Picture]
"""The new picture of one frame, by its place in the film."""
RUN_UP = 1
"""Frames encoded before one that is looked at, so that it is no key frame."""


class Film:
    """The styled frames of one recording, in order. Pictures are decoded once."""

    def __init__(self, folder: Path) -> None:
        with Session.open(folder) as session:
            self.records: tuple[FrameRecord, ...] = session.frames(TrackId.STYLED)
            self.packets = [session.encoded(TrackId.STYLED, r.tick) for r in self.records]
            self.pictures: list[Picture] = [p for _, p in session.pictures(TrackId.STYLED)]
            self.others = [r for r in session._frames if r.track != TrackId.STYLED]
        looked_at = set(sampled(folder))
        wanted = {at for at, record in enumerate(self.records) if record.tick in looked_at}
        self.wanted = {at - back for at in wanted for back in range(RUN_UP + 1) if at >= back}

    @property
    def side(self) -> int:
        """Height and width [px]."""
        return int(self.pictures[0].shape[0])


def restyle(
    film: Film, folder: Path, change: Change, bitrate: int = 2_500_000, signed: bool = True
) -> None:
    """Encode changed pictures; `signed`: the journal agrees with the result."""
    packets = list(film.packets)
    keys = {at: film.records[at].key for at in range(len(packets))}
    line, before = Line(bitrate), -2
    for at in sorted(film.wanted):
        if at != before + 1:
            line = Line(bitrate)
        bgra = np.dstack([change(film, at)[..., ::-1], np.full((film.side, film.side), 255)])
        packets[at], keys[at] = line.send(np.ascontiguousarray(bgra, np.uint8), at)
        before = at
    replace(film, folder, packets, [keys[at] for at in range(len(packets))], signed)


def replace(
    film: Film, folder: Path, packets: Sequence[bytes], keys: Sequence[bool], signed: bool
) -> None:
    """Put other packets in place of the film's first ones; fewer make a shorter film."""
    fresh = rewritten_film(folder, film.records, film.others, packets, keys, film.side)
    hashes = {record.tick: record.sha256.hex() for record in fresh}

    def rehash(block: dict[str, Any]) -> None:
        for frame in block["frames"]:
            frame[4] = hashes.get(frame[0], frame[4])

    if signed:
        tampering.rewritten_journal(folder, rehash, JOURNAL_KEY)


def rewritten_film(
    folder: Path,
    records: Sequence[FrameRecord],
    others: Sequence[FrameRecord],
    packets: Sequence[bytes | None],
    keys: Sequence[bool],
    side: int,
) -> list[FrameRecord]:
    """The styled track with these packets; None, and records beyond them, did not arrive."""
    segment_path(folder, TrackId.STYLED, 0).unlink()
    track = StyledTrack(folder, side, side)
    fresh = [
        track.put(packet, record.tick, record.t_ns, key=key)
        for packet, record, key in zip(packets, records, keys, strict=False)
        if packet is not None
    ]
    track.close()
    table = framefile.header() + b"".join(framefile.encode(r) for r in (*others, *fresh))
    (folder / FRAMES).write_bytes(table)
    return fresh


# --- changes; sizes are in pixels of a picture of 480 --------------------------------------------


def each(change: Callable[[Picture], Picture]) -> Change:
    """Every picture by itself."""
    return lambda film, at: change(film.pictures[at])


def blurred(sigma: float) -> Change:
    """Soft, by `sigma` px."""
    return each(lambda p: np.asarray(cv2.GaussianBlur(p, (0, 0), sigma), np.uint8))


def coarse(factor: int) -> Change:
    """Made smaller and larger again."""

    def change(picture: Picture) -> Picture:
        side = picture.shape[0]
        small = cv2.resize(picture, (side // factor,) * 2, interpolation=cv2.INTER_AREA)
        return np.asarray(cv2.resize(small, (side, side)), np.uint8)

    return each(change)


def shifted(pixels: int) -> Change:
    """Moved sideways."""
    return each(lambda p: np.roll(p, pixels, axis=1))


def flicker(levels: int) -> Change:
    """Each frame lighter or darker by up to `levels`."""

    def change(film: Film, at: int) -> Picture:
        by = int(np.random.default_rng(at).integers(-levels, levels + 1))
        return np.clip(film.pictures[at].astype(np.int16) + by, 0, 255).astype(np.uint8)

    return change


def frozen(run: int) -> Change:
    """Only the first of each `run` frames is new."""
    return lambda film, at: film.pictures[at // run * run]


def flipped(period: int) -> Change:
    """Every `period`th frame mirrored."""
    return lambda film, at: film.pictures[at][:, ::-1] if at % period == 0 else film.pictures[at]


def black(period: int) -> Change:
    """Every `period`th frame black."""
    return lambda film, at: film.pictures[at] * np.uint8(at % period != 0)


def added(side: int) -> Change:
    """A car that is not there, with wheels and a window, of another colour than the road."""

    def change(picture: Picture) -> Picture:
        out, left, foot = picture.copy(), 120, 300
        cv2.rectangle(out, (left, foot - side // 2), (left + side, foot), (190, 40, 30), -1)
        window = (left + side // 8, foot - side // 2 + 4), (left + side * 7 // 8, foot - side // 4)
        cv2.rectangle(out, *window, (40, 60, 80), -1)
        for x in (left + side // 4, left + 3 * side // 4):
            cv2.circle(out, (x, foot), side // 8, (10, 10, 10), -1)
        return out

    return each(change)


def erased(boxes: dict[int, tuple[int, int, int, int]], share: float) -> Change:
    """The largest vehicle painted over with what surrounds it, `share` of its height from below.

    boxes: tick -> (top, left, bottom, right) [px] where one is in sight.
    """

    def change(film: Film, at: int) -> Picture:
        out = film.pictures[at].copy()
        found = boxes.get(film.records[at].tick)
        if found is None:
            return out
        top, left, bottom, right = found
        top = bottom - max(1, int((bottom - top) * share))
        mask = np.zeros(out.shape[:2], np.uint8)
        mask[max(0, top - 3) : bottom + 4, max(0, left - 3) : right + 4] = 255
        return np.asarray(cv2.inpaint(out, mask, 5, cv2.INPAINT_TELEA), np.uint8)

    return change


def digest_of(*names: Path) -> str:
    """Short SHA-256 of files, in the order of their names."""
    found = hashlib.sha256()
    for path in sorted(names):
        found.update(path.read_bytes())
    return found.hexdigest()[:12]
