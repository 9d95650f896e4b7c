"""Paints recorded sessions anew, offline, as further styled tracks of the sessions themselves.

Owns the writing back: pictures go into a hidden folder first; then segments, frame table, events
and end.json follow, and a note says so last. What a kill leaves is taken away by the next run, and
a session that holds the track already is passed over. The drive itself is never touched.
"""

import hashlib
import json
import shutil
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np

from game.errors import SessionCorrupt
from game.session import framefile
from game.session.append import AppendFile, write_json, write_whole
from game.session.format import EVENTS, FRAMES, FrameRecord, Pairing, TrackId
from game.session.reader import Session
from game.session.recover import refuse_busy
from game.session.seal import seal
from game.session.track import NEAR_LOSSLESS, SourceTrack, segment_path, segments

NOTE = ".dreaming.json"
WORK = ".dreaming"

Painted = Iterator[tuple[int, Any]]
"""Tick and (height, width, 4) BGRA picture, in the order of the frames that went in."""
Progress = Callable[[int, int], None]


@dataclass(frozen=True, slots=True)
class Wish:
    """What to paint with. weights: folder of the card, None for the bundled one.

    prompt, style: for the whole drive; both '' take those in force when it was driven.
    """

    weights: Path | None = None
    device: str = ""
    prompt: str = ""
    style: str = ""
    seed: int = 0


@dataclass(frozen=True, slots=True)
class Dreamt:
    """What was done to one session. before: it held the track already."""

    session: str
    folder: str
    track: int
    frames: int
    model: str
    before: bool = False


def dream(
    folder: Path, wish: Wish, progress: Progress = lambda done, of: None, paint: Any = None
) -> Dreamt:
    """Add a styled track to the session in `folder`, unless the same one is there.

    paint: an opened painter (see opened), by default one of this process. Raises SessionCorrupt
    where the session is not sealed, SessionBusy, DiffusionError.
    """
    refuse_busy(folder)
    _sweep(folder)
    painter = paint if paint is not None else opened(wish.weights, wish.device)
    stamp = _stamp(painter.rig.digest, wish)
    with Session.open(folder) as session:
        name = session.manifest.session
        if session.end is None:
            raise SessionCorrupt(folder, 0, "not sealed")
        for each in session.events("dreamt"):
            if each.get("stamp") == stamp:
                return Dreamt(name, str(folder), int(each["track"]), int(each["frames"]),
                              str(each["model"]), True)  # fmt: skip
        track = max(TrackId.STYLED, *session.tracks(), *segments(folder)) + 1
        numbers = [int(e["number"]) for e in session.events("prompt") if "number" in e]
        own = max(numbers, default=-1) + 1 if wish.prompt or wish.style else -1
        records = _painted(session, painter, wish, track, own, progress)
    model = f"wan/{painter.rig.card.model}/{painter.rig.digest[:16]}"
    last = records[-1].tick if records else 0
    told = {"k": "dreamt", "tick": last, "track": track, "stamp": stamp, "frames": len(records),
            "model": model, "seed": wish.seed, "licence": painter.rig.card.licence,
            "notice": painter.rig.card.notice}  # fmt: skip
    said = {"k": "prompt", "tick": last, "number": own, "prompt": wish.prompt,
            "style": wish.style, "track": track}  # fmt: skip
    _put_in_place(folder, track, records, [said, told] if own >= 0 else [told])
    return Dreamt(name, str(folder), track, len(records), model)


def dream_here(task: tuple[Path, Wish]) -> Dreamt:
    """One session, for worker processes and clusters."""
    return dream(*task)


@lru_cache(maxsize=1)
def opened(weights: Path | None, device: str) -> Any:
    """A painter of this process: the card's network, loaded once."""
    from streaming.diffusion.wan.card import bundled, read_card
    from streaming.diffusion.wan.offline import Alone

    return Alone(read_card(weights or bundled()), device)


def shots(session: Session, wish: Wish) -> Iterator[Any]:
    """The source frames of a drive, each with the words in force at its tick."""
    from streaming.diffusion.wan.offline import Shot

    spoken = sorted(
        (int(e["tick"]), str(e.get("prompt", "")), str(e.get("style", "")))
        for e in session.events("prompt")
        if type(e.get("tick")) is int and "track" not in e
    )
    words, at = (wish.prompt, wish.style), 0
    for tick, rgb in session.pictures(TrackId.SOURCE):
        while at < len(spoken) and spoken[at][0] <= tick:
            if not wish.prompt and not wish.style:
                words = spoken[at][1:]
            at += 1
        yield Shot(tick, bgra(rgb), *words)


def bgra(rgb: Any) -> Any:
    """(height, width, 3) RGB as (height, width, 4) BGRA."""
    out = np.full((*rgb.shape[:2], 4), 255, np.uint8)
    out[..., :3] = rgb[..., ::-1]
    return out


def _painted(
    session: Session, painter: Any, wish: Wish, track: int, own: int, progress: Progress
) -> list[FrameRecord]:
    """Paint every source frame into segments of the hidden folder."""
    work, source = session.folder / WORK, session.frames(TrackId.SOURCE)
    write_json(session.folder / NOTE, {"track": track})
    work.mkdir()
    numbers = {r.tick: r.prompt for r in session.frames(TrackId.STYLED)}
    records: list[FrameRecord] = []
    film: SourceTrack | None = None
    for tick, pixels in painter.paint(shots(session, wish), wish.seed):
        if film is None:
            film = SourceTrack(work, pixels.shape[1], pixels.shape[0], NEAR_LOSSLESS, track)
        record = film.put(np.ascontiguousarray(pixels), tick, 0)
        prompt = own if own >= 0 else numbers.get(tick, -1)
        records.append(replace(record, pairing=Pairing.EXACT, prompt=prompt, seed=wish.seed))
        progress(len(records), len(source))
    if film is not None:
        film.close()
    return records


def _put_in_place(
    folder: Path, track: int, records: list[FrameRecord], lines: list[dict[str, Any]]
) -> None:
    work = folder / WORK
    for number in segments(work).get(track, ()):
        segment_path(work, track, number).replace(segment_path(folder, track, number))
    table = folder / FRAMES
    before = table.read_bytes() if table.exists() else framefile.header()
    write_whole(table, before + b"".join(map(framefile.encode, records)))
    events = AppendFile(folder / EVENTS, fresh=False)
    for line in lines:
        events.put(json.dumps(line, separators=(",", ":")).encode() + b"\n")
    events.close()
    _sealed_again(folder)
    shutil.rmtree(work)
    (folder / NOTE).unlink()


def _sealed_again(folder: Path) -> None:
    with Session.open(folder) as session:
        end = session.end or {}
    seal(
        folder, end.get("outcome") or {}, stopped=str(end.get("stopped", "")),
        recovered=bool(end.get("recovered")),
    )  # fmt: skip


def _sweep(folder: Path) -> None:
    """Take away what a run that was killed left, unless only the last step was missing."""
    note = folder / NOTE
    if not note.exists():
        shutil.rmtree(folder / WORK, ignore_errors=True)
        return
    try:
        track = int(json.loads(note.read_text("utf-8"))["track"])
    except (ValueError, KeyError, TypeError) as error:
        raise SessionCorrupt(folder, 0, f"{NOTE}: {error}") from error
    with Session.open(folder) as session:
        noted = any(each.get("track") == track for each in session.events("dreamt"))
    if track > TrackId.STYLED and not noted:
        table = folder / FRAMES
        records, _ = framefile.sound(table.read_bytes()) if table.exists() else ([], 0)
        kept = [record for record in records if record.track != track]
        if len(kept) != len(records):
            write_whole(table, framefile.header() + b"".join(map(framefile.encode, kept)))
        for number in segments(folder).get(track, ()):
            segment_path(folder, track, number).unlink()
    _sealed_again(folder)
    shutil.rmtree(folder / WORK, ignore_errors=True)
    note.unlink()


def _stamp(digest: str, wish: Wish) -> str:
    """Names what would be painted, so that it is not painted twice."""
    told = repr((digest, wish.prompt, wish.style, wish.seed))
    return hashlib.sha256(told.encode()).hexdigest()[:32]
