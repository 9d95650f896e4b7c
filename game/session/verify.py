"""Proves a recording: hashes, ticks, controls, frame table against packets, and a full replay.

Every fault becomes a Problem with the first tick it touches. Changes nothing on disk.
"""

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from game.errors import GameError, SessionCorrupt
from game.session import hostile
from game.session.append import sha256_file
from game.session.chain import broken
from game.session.format import FRAMES, TICKS, FrameRecord
from game.session.pictures import SegmentFile
from game.session.reader import Session
from game.session.replay import StageFactory, replay
from game.session.track import label, segment_path, segments
from game.world.city import City
from game.world.digest import checkpoint, pack_state
from game.world.state import WorldState
from game.world.version import WORLD_VERSION


@dataclass(frozen=True, slots=True)
class Problem:
    """One fault. kind: end, hash, ticks, inputs, world, pack, scenario, controls, digest, state,
    frames or video. tick: the first one touched, -1 where none is.
    """

    kind: str
    tick: int
    detail: str


@dataclass(frozen=True, slots=True)
class Report:
    """Result of `verify`. ticks: states stored. digest: final one of the replay, hex."""

    session: str
    folder: Path
    ok: bool
    ticks: int
    pairs: int
    digest: str
    problems: tuple[Problem, ...]


def verify(session: Session, city: City, stage_factory: StageFactory) -> Report:
    """Check everything that a recording claims of itself. Never raises for a bad recording."""
    problems: list[Problem] = []
    digest, pairs, ticks = "", 0, 0
    problems += _hashes(session)
    try:
        ticks = len(session.ticks())
        pairs = len(session.pairs())
        if session.ticks().torn:
            detail = f"{TICKS} has {session.ticks().torn} bytes that are no record"
            problems.append(Problem("ticks", ticks, detail))
        problems += _counts(session, ticks, pairs)
    except SessionCorrupt as error:
        problems.append(Problem(_kind_of(error), error.tick, error.why))
    found, digest = _replayed(session, city, stage_factory)
    problems += found
    problems += _video(session)
    return Report(
        session.manifest.session, session.folder, not problems, ticks, pairs, digest,
        tuple(problems),
    )  # fmt: skip


def _kind_of(error: SessionCorrupt) -> str:
    name = error.why.split(".")[0].split(" ")[0]
    return name if name in ("ticks", "inputs", "events", "frames", "journal", "end") else "state"


def _hashes(session: Session) -> Iterator[Problem]:
    """Every file against what `end.json` says of it."""
    try:
        end = session.end
        if end is None:
            yield Problem("end", -1, "not sealed; run: scale-diffusion session recover")
            return
        listed = end.get("files")
        if not isinstance(listed, dict):
            raise ValueError("end.json lists no files")
        for name, claim in listed.items():
            path = session.folder / name
            if path.parent != session.folder or path.is_symlink() or not path.is_file():
                yield Problem("hash", -1, f"{name[:80]} is missing")
            elif path.stat().st_size != hostile.integer(claim, "bytes", 0, 1 << 62):
                yield Problem("hash", -1, f"{name} has {path.stat().st_size} bytes, not as sealed")
            elif sha256_file(path) != claim.get("sha256"):
                yield Problem("hash", -1, f"{name} is not the file that was sealed")
    except (SessionCorrupt, ValueError, AttributeError) as error:
        yield Problem("end", -1, str(error))


def _counts(session: Session, ticks: int, pairs: int) -> Iterator[Problem]:
    end = session.end or {}
    for name, counted in (("ticks", ticks), ("pairs", pairs)):
        if end and end.get(name) != counted:
            yield Problem("end", -1, f"end.json counts {end.get(name)} {name}, there are {counted}")


def _replayed(
    session: Session, city: City, stage_factory: StageFactory
) -> tuple[list[Problem], str]:
    """Re-simulate and compare each state bit for bit, up to the first difference."""
    manifest = session.manifest
    if manifest.world_version != WORLD_VERSION:
        return [_too_old(session)], ""
    if manifest.pack_digest != city.digest:
        return [
            Problem("pack", 0, f"pack {manifest.pack_digest[:12]}, here {city.digest[:12]}")
        ], ""
    state: WorldState | None = None
    try:
        ticks = session.ticks()
        for state in replay(session, city, stage_factory(manifest, city)):
            if state.tick < len(ticks) and pack_state(state) != ticks.record(state.tick).packed:
                return [_difference(state, session)], ""
    except SessionCorrupt as error:
        return [Problem(_kind_of(error), error.tick, error.why)], ""
    except GameError as error:
        return [Problem("scenario", 0, str(error))], ""
    if state is None:
        return [], ""
    digest = checkpoint(state).digest.hex()
    if session.end is not None and session.end.get("digest") != digest:
        return [Problem("digest", state.tick, "end.json names another final digest")], digest
    return [], digest


def _too_old(session: Session) -> Problem:
    """What still holds of a drive in a world that this build cannot simulate any more."""
    what = (
        f"driven in world version {session.manifest.world_version}, this build has {WORLD_VERSION}"
    )
    try:
        found = broken(session)
    except SessionCorrupt as error:
        found = (error.tick, error.why)
    if found is not None:
        return Problem("world", found[0], f"{what}; {found[1]} at tick {found[0]}")
    return Problem(
        "world", 0, f"{what}; its {len(session.ticks())} stored states agree with their digests "
        "and can be drawn: session render --from-states",
    )  # fmt: skip


def _difference(state: WorldState, session: Session) -> Problem:
    """Name what differs first between a replayed state and the stored one."""
    try:
        stored = session.ticks()[state.tick]
    except SessionCorrupt as error:
        return Problem("state", state.tick, error.why)
    if stored.controls != state.controls:
        detail = "the stored controls are not those of the inputs"
        return Problem("controls", max(0, state.tick - 1), detail)
    for name in (
        "seed",
        "ego",
        "actors",
        "contacts",
        "collisions",
        "progress",
        "visited",
        "living",
    ):
        if getattr(stored, name) != getattr(state, name):
            return Problem("state", state.tick, f"{name} differs from the replay")
    return Problem("digest", state.tick, "the digest differs, the state does not")


def _video(session: Session) -> Iterator[Problem]:
    """The frame table against the packets, both ways."""
    try:
        found = segments(session.folder)
        for track in sorted({*found, *session.tracks()}):
            records = session.frames(track)
            for number in sorted({*found.get(track, ()), *(r.segment for r in records)}):
                mine = [r for r in records if r.segment == number]
                yield from _segment(session.folder, track, number, mine)
    except SessionCorrupt as error:
        yield Problem("frames", error.tick, error.why)


def _segment(folder: Path, track: int, number: int, mine: list[FrameRecord]) -> Iterator[Problem]:
    try:
        file = SegmentFile(segment_path(folder, track, number))
    except ValueError as error:
        yield Problem("video", mine[0].tick if mine else -1, str(error))
        return
    name = f"{label(track)} segment {number}"
    for record in mine:
        if record.packet >= len(file.blocks):
            yield Problem("video", record.tick, f"{name} ends before packet {record.packet}")
            break
        block = file.blocks[record.packet]
        data = file.packet(record.packet)
        if block.tick != record.tick or hashlib.sha256(data).digest() != record.sha256:
            detail = f"packet {record.packet} of {name} is not the frame that was recorded"
            yield Problem("video", record.tick, detail)
            break
    known = {record.packet for record in mine}
    for packet, block in enumerate(file.blocks):
        if packet not in known:
            yield Problem("frames", block.tick, f"{FRAMES} lacks packet {packet} of {name}")
            break
    if file.torn:
        last = file.blocks[-1].tick if file.blocks else -1
        yield Problem("video", last, f"{name} has {file.torn} bytes that are no frame")
    file.close()
