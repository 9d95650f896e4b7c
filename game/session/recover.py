"""Finishes what a crash left: cuts torn tails, mends the frame table, seals. Also deletes.

Running it again changes nothing. It refuses a session that somebody still writes.
"""

import os
import shutil
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from game.errors import SessionBusy, SessionCorrupt
from game.session import framefile, lines
from game.session.append import is_being_written
from game.session.format import EVENTS, FRAMES, INPUTS, JOURNAL, MANIFEST, TICKS
from game.session.pictures import SegmentFile
from game.session.reader import Session
from game.session.seal import Mended, mend_frames, seal
from game.session.ticks import Ticks
from game.session.track import segment_path, segments


@dataclass(frozen=True, slots=True)
class RecoverReport:
    """What was done. sealed_before: nothing had to be. cut: bytes cut off the end of each file."""

    session: str
    folder: Path
    sealed_before: bool
    ticks: int
    cut: dict[str, int] = field(default_factory=dict)
    frames: Mended = field(default_factory=Mended)
    end: dict[str, Any] = field(default_factory=dict)


def recover(folder: Path) -> RecoverReport:
    """Bring the session in `folder` to its sealed form with all that can be saved.

    Raises SessionBusy while a process writes it, SessionCorrupt where the manifest is lost.
    """
    with Session.open(folder) as session:
        manifest = session.manifest
        if session.end is not None:
            ticks = int(session.end.get("ticks", 0))
            return RecoverReport(manifest.session, folder, True, ticks, end=session.end)
    refuse_busy(folder)
    cut: dict[str, int] = {}
    for name, sound in (
        (INPUTS, _sound_inputs),
        (TICKS, _sound_ticks),
        (EVENTS, _sound_lines),
        (JOURNAL, _sound_lines),
        (FRAMES, _sound_frames),
    ):
        _cut(folder / name, sound, cut)
    for track, numbers in segments(folder).items():
        for number in numbers:
            _cut(segment_path(folder, track, number), _sound_segment, cut)
    mended = mend_frames(folder)
    end = seal(folder, _outcome(folder), recovered=True)
    return RecoverReport(manifest.session, folder, False, int(end["ticks"]), cut, mended, end)


def delete(folder: Path) -> None:
    """Remove a session for good. Raises SessionCorrupt for a folder that is none, SessionBusy."""
    if not (folder / MANIFEST).is_file():
        raise SessionCorrupt(folder, 0, "no recording lies here")
    refuse_busy(folder)
    # renamed first: a deletion that is cut off never leaves half a session under its name
    aside = folder.with_name(f".deleted-{folder.name}")
    os.replace(folder, aside)
    shutil.rmtree(aside)


def refuse_busy(folder: Path) -> None:
    """Raise SessionBusy while any process writes in `folder`."""
    for path in sorted(folder.iterdir()):
        if path.is_file() and not path.name.startswith(".") and is_being_written(path):
            raise SessionBusy(folder, path.name)


def _cut(path: Path, sound: Callable[[Path], int], cut: dict[str, int]) -> None:
    if not path.exists():
        return
    length, size = sound(path), path.stat().st_size
    if length < size:
        os.truncate(path, length)
        cut[path.name] = size - length


def _sound_lines(path: Path) -> int:
    """Up to the last line that reads as an object."""
    data = path.read_bytes()
    length = lines.whole(data)
    try:
        for _ in lines.objects(data[:length]):
            pass
    except lines.BadLine as error:
        return _start_of(data, error.number)
    return length


def _sound_inputs(path: Path) -> int:
    data = path.read_bytes()
    length = lines.whole(data)
    try:
        lines.InputChain(data[:length])
    except lines.BadLine as error:
        return _start_of(data, error.number)
    return length


def _start_of(data: bytes, number: int) -> int:
    return sum(len(line) for line in data.splitlines(keepends=True)[:number])


def _sound_ticks(path: Path) -> int:
    try:
        ticks = Ticks(path)
    except ValueError:
        return path.stat().st_size  # nothing to save; the seal will say so
    ticks.close()
    return ticks.sound


def _sound_frames(path: Path) -> int:
    try:
        return framefile.sound(path.read_bytes())[1]
    except ValueError:
        return 0


def _sound_segment(path: Path) -> int:
    try:
        file = SegmentFile(path)
    except ValueError:
        return path.stat().st_size
    file.close()
    return file.sound


def _outcome(folder: Path) -> dict[str, Any]:
    with Session.open(folder) as session:
        found = [each.get("outcome") for each in session.events("outcome")]
    return dict(found[-1]) if found and isinstance(found[-1], dict) else {}
