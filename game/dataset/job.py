"""Runs an export: session by session into a work folder, then whole into its place.

Owns progress, resume and the one rename at the end. A session that is done is never done again
as long as neither it nor the options change; whatever kills the export costs one session at most.
Formats are modules with `make(drive, folder, options) -> facts` and `finish(plan)`.
"""

import hashlib
import importlib
import json
import shutil
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from game.dataset import ids, licence, splits
from game.dataset.drive import SURE, Drive
from game.dataset.errors import FolderTaken, NothingToExport, TrackMissing
from game.dataset.pool import HERE, Workers, run
from game.dataset.video import GOP
from game.errors import MissingPart
from game.session.format import Manifest, Pairing, TrackId
from game.session.reader import Session
from game.session.track import label

FORMATS = {
    name: f"game.dataset.{name}"
    for name in ("lerobot", "webdataset", "parquet", "mcap", "rerun", "coco")
}
_NEEDS = {
    "lerobot": ("pyarrow", "dataset"), "parquet": ("pyarrow", "dataset"),
    "mcap": ("mcap", "dataset"), "rerun": ("rerun", "rerun"),
}  # fmt: skip
"""The package that a format needs, and the extra that brings it."""
_DONE = "done.json"

Progress = Callable[[str, int, int], None]
"""Told the session just finished, how many are, and how many there are."""


@dataclass(frozen=True, slots=True)
class Options:
    """What decides the contents of an export.

    frames: length of every clip, 0 for runs as long as they are. shortest: runs below it are left
    out. size: (width, height) [px], None as captured. stated: licences that the player states.
    sure: confidence from which an estimated pair is taken; above 1 takes exact ones alone.
    """

    fps: float = 30.0
    frames: int = 0
    shortest: int = 8
    gop: int = GOP
    size: tuple[int, int] | None = None
    track: int = TrackId.STYLED
    stated: tuple[tuple[str, str], ...] = ()
    shares: tuple[tuple[str, float], ...] = (("train", 0.8), ("validation", 0.1), ("test", 0.1))
    sure: float = SURE
    salt: bytes = field(default=b"", repr=False)

    def digest(self) -> str:
        """Names the options, the salt too."""
        return hashlib.sha256(repr((asdict(self), self.salt)).encode()).hexdigest()


@dataclass(frozen=True, slots=True)
class Part:
    """One session's finished share. name: its alias. facts: what the format and the card need."""

    name: str
    folder: Path
    facts: dict[str, Any]
    split: str = ""


@dataclass(frozen=True, slots=True)
class Plan:
    """What `finish` gets. parts: those with frames, ordered train, validation, test."""

    folder: Path
    parts: tuple[Part, ...]
    options: Options
    licence: str
    groups: int
    kind: str

    def frames(self, split: str | None = None) -> int:
        """Frames of one split, or of all."""
        return sum(p.facts["frames"] for p in self.parts if split in (None, p.split))


@dataclass(frozen=True, slots=True)
class Result:
    """What an export made. reused: sessions found done from an earlier try. empty: without runs."""

    out: Path
    kind: str
    sessions: int
    episodes: int
    frames: int
    reused: int
    empty: tuple[str, ...]
    licence: str
    splits: dict[str, int]
    groups: int


def export(
    kind: str, folders: Sequence[Path], out: Path, options: Options,
    progress: Progress = lambda name, done, of: None, workers: Workers = HERE,
) -> Result:  # fmt: skip
    """Write the sessions in `folders` as a data set of `kind` into the new folder `out`.

    Raises FolderTaken, LicenceClash, NothingToExport, SessionError, MissingPart.
    """
    if out.exists() and (not out.is_dir() or any(out.iterdir())):
        raise FolderTaken(out)
    _need(kind)
    read = [_terms(folder, options) for folder in folders]
    whole = licence.combine(t.licence for _, terms in read for t in terms)
    work = out.with_name(f".{out.name}.work")
    work.mkdir(parents=True, exist_ok=True)
    tasks = [
        (kind, folder, work / ids.alias(options.salt, "session", manifest.session), options)
        for folder, (manifest, _) in zip(folders, read, strict=True)
    ]
    reused = sum(_is_done(task) is not None for task in tasks)
    parts = []
    for number, part in enumerate(run(_make, tasks, workers), 1):
        parts.append(part)
        progress(part.name, number, len(tasks))
    plan = _plan(kind, work, parts, options, whole)
    importlib.import_module(FORMATS[kind]).finish(plan)
    _put_in_place(plan, out)
    shutil.rmtree(work)
    return Result(
        out, kind, len(plan.parts), sum(p.facts["episodes"] for p in plan.parts), plan.frames(),
        reused, tuple(sorted(p.name for p in parts if not p.facts["frames"])), whole,
        {name: plan.frames(name) for name in splits.NAMES}, plan.groups,
    )  # fmt: skip


def _need(kind: str) -> None:
    if kind not in _NEEDS:
        return
    package, extra = _NEEDS[kind]
    try:
        importlib.import_module(package)
    except ImportError as error:
        raise MissingPart(
            f"the {kind} export needs {package} ({error})",
            f"install the extra: pip install 'scale-diffusion[{extra}]'",
        ) from error


def _terms(folder: Path, options: Options) -> tuple[Manifest, tuple[licence.TrackTerms, ...]]:
    """Raises TrackMissing, LicenceClash."""
    with Session.open(folder) as session:
        painted = _painted(session, options.track)
        return session.manifest, licence.tracks(session.manifest, dict(options.stated), painted)


def _painted(session: Session, track: int) -> dict[str, Any] | None:
    """What the session notes of a track that was painted after the drive; None of the drive's own.

    Raises TrackMissing where there is no such track.
    """
    if track <= TrackId.STYLED:
        return None
    for each in session.events("dreamt"):
        if each.get("track") == track:
            return each
    there = tuple(label(one) for one in session.tracks() if one >= TrackId.STYLED)
    raise TrackMissing(session.manifest.session, label(track), there)


Task = tuple[str, Path, Path, Options]


def _stamp(task: Task) -> str:
    """Changes with the session's files, the format and the options."""
    kind, folder, _, options = task
    sizes = sorted((p.name, p.stat().st_size) for p in folder.iterdir() if p.is_file())
    return hashlib.sha256(repr((kind, sizes, options.digest())).encode()).hexdigest()


def _is_done(task: Task) -> Part | None:
    path = task[2] / _DONE
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None
    return Part(task[2].name, task[2], found["facts"]) if found["stamp"] == _stamp(task) else None


def _make(task: Task) -> Part:
    """One session, from scratch unless it is done already."""
    done = _is_done(task)
    if done is not None:
        return done
    kind, source, folder, options = task
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    with Session.open(source) as session:
        drive = Drive(session, options.track, options.sure)
        facts = about(drive, options)
        facts.update(importlib.import_module(FORMATS[kind]).make(drive, folder, options))
    part = folder / f"{_DONE}.part"
    part.write_text(json.dumps({"stamp": _stamp(task), "facts": facts}), encoding="utf-8")
    part.replace(folder / _DONE)
    return Part(folder.name, folder, facts)


def about(drive: Drive, options: Options) -> dict[str, Any]:
    """What may be said of a session in public: nothing that leads back to it or to its player."""
    manifest, salt = drive.session.manifest, options.salt
    painted = _painted(drive.session, options.track)
    player = ids.alias(salt, "player", ids.player_of(manifest))
    seed = ids.alias(salt, "seed", f"{manifest.scenario_digest}:{manifest.seed}")
    end = drive.session.end or {}
    pairs = drive.pairs.values()
    return {
        "session": ids.alias(salt, "session", manifest.session),
        "player": player,
        "keys": sorted({f"player:{player}", f"seed:{seed}", *drive.places()}),
        "scenario": manifest.scenario,
        "pack": manifest.pack,
        "pack_digest": manifest.pack_digest,
        "world_version": manifest.world_version,
        "driver": manifest.driver.kind,
        "backend": str(painted["model"]) if painted else manifest.backend,
        "renderer": manifest.renderer or "not stated",
        "month": manifest.created[:7],
        "source_codec": manifest.source_codec,
        "capture": asdict(manifest.capture),
        "tick_hz": manifest.tick_hz,
        "success": bool((end.get("outcome") or {}).get("success")),
        "sealed": bool(end),
        "ticks": len(drive.session.ticks()),
        "source_frames": len(drive.session.frames(TrackId.SOURCE)),
        "pairs": len(drive.pairs),
        "exact": sum(p.pairing == Pairing.EXACT for p in pairs),
        "estimated": sum(p.pairing == Pairing.ESTIMATED for p in pairs),
        "unsure_left_out": len(drive.every_pair) - len(drive.pairs),
        "prompts": sorted({p.prompt for p in pairs if p.prompt}),
        "styles": sorted({p.style for p in pairs if p.style}),
        "terms": [asdict(t) for t in licence.tracks(manifest, dict(options.stated), painted)],
    }


def _plan(kind: str, work: Path, parts: Sequence[Part], options: Options, whole: str) -> Plan:
    full = [part for part in parts if part.facts["frames"]]
    if not full:
        longest = max((part.facts.get("longest", 0) for part in parts), default=0)
        raise NothingToExport(options.frames or options.shortest, longest)
    traits = [splits.Traits(p.name, frozenset(p.facts["keys"]), p.facts["frames"]) for p in full]
    chosen, groups = splits.assign(traits, dict(options.shares))
    placed = [Part(p.name, p.folder, p.facts, chosen[p.name]) for p in full]
    placed.sort(key=lambda p: (splits.NAMES.index(p.split), p.name))
    folder = work / "_whole"
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir()
    return Plan(folder, tuple(placed), options, whole, groups, kind)


def _put_in_place(plan: Plan, out: Path) -> None:
    from game.dataset.card import write_card

    write_card(plan)
    if out.exists():
        out.rmdir()
    plan.folder.replace(out)


def write_json(path: Path, data: Mapping[str, Any]) -> None:
    """A JSON file inside a data set."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(data, indent=1, allow_nan=False), encoding="utf-8")
