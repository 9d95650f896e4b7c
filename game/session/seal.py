"""Finishes a session, after a clean stop and after a crash alike: one code for both.

Owns `end.json` and the repair of the frame table from what the segments really hold.
"""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from game.session import framefile
from game.session.append import sha256_file, write_json, write_whole
from game.session.format import END, FRAMES, FrameRecord, Pairing, TrackId
from game.session.pictures import SegmentFile
from game.session.reader import Session
from game.session.track import label, segment_path, segments
from game.world.digest import checkpoint


@dataclass(frozen=True, slots=True)
class Mended:
    """What `mend_frames` changed. broken: segments that hold nothing readable."""

    kept: int = 0
    added: int = 0
    dropped: int = 0
    broken: tuple[str, ...] = ()


def seal(
    folder: Path, outcome: Mapping[str, Any], *, stopped: str = "", recovered: bool = False
) -> dict[str, Any]:
    """Mend the frame table, count, hash, write `end.json`; returns what it holds.

    Call it when nobody writes the session any more. Raises SessionCorrupt, OSError.
    """
    mend_frames(folder, deep=recovered)
    with Session.open(folder) as session:
        ticks = session.ticks()
        last = checkpoint(ticks[-1]) if len(ticks) else None
        end: dict[str, Any] = {
            "session": session.manifest.session,
            "ticks": len(ticks),
            "digest": last.digest.hex() if last else "",
            "inputs": last.inputs.hex() if last else "",
            "frames": {label(t): len(session.frames(t)) for t in session.tracks()},
            "pairs": len(session.pairs()),
            "outcome": dict(outcome),
            "stopped": stopped,
            "recovered": recovered,
            "files": {path.name: described(path) for path in files(folder)},
        }
    write_json(folder / END, end)
    return end


def files(folder: Path) -> tuple[Path, ...]:
    """The files that belong to a session, `end.json` and hidden ones apart, by name."""
    return tuple(
        path
        for path in sorted(folder.iterdir())
        if path.is_file() and not path.is_symlink() and path.name[0] != "." and path.name != END
    )


def described(path: Path) -> dict[str, Any]:
    """Size and hash of one file."""
    return {"bytes": path.stat().st_size, "sha256": sha256_file(path)}


def mend_frames(folder: Path, deep: bool = True) -> Mended:
    """Make `frames.bin` say exactly what the segments hold: each packet once.

    deep: compare hashes too. Rewrites the table whole when something is off, else leaves it.
    """
    table = folder / FRAMES
    found = segments(folder)
    data = table.read_bytes() if table.exists() else b""
    if not data and not found:
        return Mended()
    try:
        records, sound = framefile.sound(data)
    except ValueError:
        records, sound = [], 0
    kept: list[FrameRecord] = []
    added: list[FrameRecord] = []
    broken: list[str] = []
    for track, numbers in found.items():
        ours = [record for record in records if record.track == track]
        for number in numbers:
            path = segment_path(folder, track, number)
            try:
                file = SegmentFile(path)
            except ValueError:
                broken.append(path.name)
                continue
            mine = {r.packet: r for r in ours if r.segment == number}
            good, new = _compare(file, track, number, mine, deep)
            file.close()
            kept += good
            added += new
    dropped = len(records) - len(kept)
    if added or dropped or sound != len(data):
        table_of = sorted([*kept, *added], key=_by_storage)
        write_whole(table, framefile.header() + b"".join(map(framefile.encode, table_of)))
    return Mended(len(kept), len(added), dropped, tuple(broken))


def _by_storage(record: FrameRecord) -> tuple[int, int, int]:
    return record.segment, record.tick, record.track


def _compare(
    file: SegmentFile,
    track: int,
    number: int,
    mine: Mapping[int, FrameRecord],
    deep: bool,
) -> tuple[list[FrameRecord], list[FrameRecord]]:
    """Records that a segment bears out, and records made for packets that had none."""
    good: list[FrameRecord] = []
    new: list[FrameRecord] = []
    pairing = Pairing.EXACT if track >= TrackId.STYLED else Pairing.NONE
    last = FrameRecord(track, 0, number, 0, 0, 0, b"", pairing)
    for packet, block in enumerate(file.blocks):
        record = mine.get(packet)
        fits = record is not None and (record.tick, record.size) == (block.tick, block.size)
        if record is None or not fits or deep:
            sha256 = hashlib.sha256(file.packet(packet)).digest()
            fits = fits and record is not None and record.sha256 == sha256
        if record is not None and fits:
            good.append(record)
            last = record
        else:
            # t_ns 0: nobody knows any more when it was received
            new.append(
                replace(
                    last, tick=block.tick, packet=packet, size=block.size, t_ns=0,
                    sha256=sha256, key=block.key,
                )
            )  # fmt: skip
    return good, new
