"""Whether a recording is what was announced, names its ticket, and agrees with itself."""

import hashlib
from collections.abc import Iterator
from pathlib import Path

from game.session import format as layout
from game.session.format import TrackId
from game.session.pictures import SegmentFile
from game.session.protocols import Evidence, Finding
from game.session.reader import Session
from game.session.track import segment_path, segments
from rewards import tickets
from rewards.refusal import TicketRefused

OFFLINE = "offline"
Fault = tuple[str, int, str]
"""Reason code, tick or -1, one line for people."""


def integrity(session: Session, evidence: Evidence) -> Finding:
    """Score: number of faults; none is allowed. The first one gives the reason."""
    faults: list[Fault] = []
    for group in (_ticket, _files, _ticks, _frames):
        faults.extend(group(session, evidence))
    if faults:
        code, tick, what = faults[0]
        return Finding("integrity", False, float(len(faults)), 0.0, code, tick, what)
    detail = f"{len(evidence.files)} files, {session.steps} steps"
    return Finding("integrity", True, 0.0, 0.0, detail=detail)


def _ticket(session: Session, evidence: Evidence) -> Iterator[Fault]:
    manifest = session.manifest
    if manifest.session != evidence.session:
        yield "integrity.session", -1, f"the recording is of session {manifest.session}"
        return
    if evidence.policy == OFFLINE:
        return  # driven without us: no ticket stands in it, and nothing is paid for it
    try:
        ticket = tickets.verify(manifest.ticket, evidence.keys.get("ticket", ()))
    except TicketRefused as refused:
        yield "integrity.ticket", -1, refused.detail
        return
    if ticket["session"] != manifest.session:
        yield "integrity.ticket", -1, f"its ticket is of session {ticket['session']}"
        return
    if (manifest.payee, manifest.claim) != (ticket["payee"], ticket["claim"]):
        yield "integrity.payee", -1, "the payee is not the one that the ticket was given to"
    if manifest.driver.kind != ticket["driver"]:
        yield "integrity.driver", -1, f"driven by a {manifest.driver.kind}, not {ticket['driver']}"
    for name in ("scenario", "scenario_digest", "seed", "world_version", "pack_digest"):
        if name == "seed" and ticket["seed"] == tickets.LATE_SEED:
            continue  # the journal says which one was released
        if getattr(manifest, name) != ticket[name]:
            yield "integrity.terms", -1, f"{name} is not what the ticket says"


def _files(session: Session, evidence: Evidence) -> Iterator[Fault]:
    present = {path.name: path for path in sorted(session.folder.iterdir())}
    for name in sorted(set(present) ^ set(evidence.files)):
        where = "was not announced" if name in present else "is missing"
        yield "integrity.files", -1, f"{name} {where}"
    for name, announced in sorted(evidence.files.items()):
        if name in present and _sha256(present[name]) != announced:
            yield "integrity.hash", -1, f"{name} is not what was announced"
    for name in (layout.MANIFEST, layout.INPUTS, layout.TICKS, layout.FRAMES, layout.END):
        if name not in present:
            yield "integrity.files", -1, f"{name} is missing"


def _ticks(session: Session, evidence: Evidence) -> Iterator[Fault]:
    if session.end is None or (session.folder / layout.TICKS).exists() is False:
        yield "integrity.end", -1, "the recording was not ended"
        return
    ticks = session.ticks()
    if ticks.torn or len(ticks) < 2:
        yield "integrity.ticks", len(ticks), "the table of ticks is torn or empty"
    session.controls()  # raises SessionCorrupt where a line is out of order


def _frames(session: Session, evidence: Evidence) -> Iterator[Fault]:
    """The frame table against the packets, byte for byte, both ways.

    The pictures of the game itself may be left out, all of a track: we draw them again.
    """
    on_disk = segments(session.folder)
    lacking = set(session.tracks()) - set(on_disk)
    if not set(on_disk) <= set(session.tracks()) or not lacking <= {TrackId.SOURCE, TrackId.CHECK}:
        yield "integrity.frames", -1, "tracks in the table and on disk differ"
        return
    last = session.steps
    for track, numbers in on_disk.items():
        records = {(r.segment, r.packet): r for r in session.frames(track)}
        before, stored = -1, set[int]()
        for number in numbers:
            try:
                file = SegmentFile(segment_path(session.folder, track, number))
            except (ValueError, OSError) as error:
                yield "integrity.video", -1, str(error)
                return
            try:
                for packet, block in enumerate(file.blocks):
                    if block.tick in stored:
                        continue  # stored once more by a recorder that came after a crash
                    record = records.pop((number, packet), None)
                    if record is None or record.tick != block.tick or record.size != block.size:
                        yield "integrity.frames", block.tick, f"packet {packet} is not in the table"
                        return
                    if hashlib.sha256(file.packet(packet)).digest() != record.sha256:
                        yield "integrity.frames", block.tick, "a frame is not the one in the table"
                        return
                    if not before < block.tick <= last:
                        yield "integrity.order", block.tick, f"after a frame of tick {before}"
                        return
                    before = block.tick
                    stored.add(before)
            finally:
                file.close()
        if records:
            yield "integrity.frames", -1, f"{len(records)} frames of the table are not on disk"
    if not session.frames(TrackId.SOURCE):
        yield "integrity.frames", -1, "there are no pictures"


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
