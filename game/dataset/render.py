"""Draws any channel of recorded drives afterwards: any size, any camera, from the inputs alone.

Owns the order of work. One process simulates and hands states to processes that draw them; each
piece of a session that is on disk is never drawn again, and a session that is done is left alone.
Where this build cannot simulate a recording, or on request, its stored states are drawn instead,
and `render.json` says so.
"""

import hashlib
import importlib
import json
import os
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from contextlib import ExitStack
from dataclasses import asdict, dataclass, field, replace
from functools import partial
from multiprocessing import get_context
from pathlib import Path
from typing import Any

import numpy as np

from game.atlas.load import bundled_names
from game.atlas.load import load as load_city
from game.dataset.camera import Camera
from game.dataset.errors import DatasetError
from game.dataset.job import write_json
from game.dataset.pool import HERE, Workers, run
from game.dataset.video import Mp4
from game.errors import MissingPart
from game.session.format import CaptureProfile
from game.session.protocols import CHANNELS
from game.session.reader import Session
from game.session.replay import need_this_world, replay, stage_of
from game.session.share import Share, read
from game.world.city import City
from game.world.digest import checkpoint, pack_state, unpack_state
from game.world.state import WorldState

EVERY_CHANNEL = (*CHANNELS, "boxes")
FORMS = ("npy", "npz", "mp4")
RENDERER = "game.view.renderer:make_renderer"
DONE = "render.json"
PIECE = 60
"""Pictures of one piece of work: what a kill costs, and what processes take turns with."""
_AHEAD = 2  # pieces that wait for each process

Progress = Callable[[int, int], None]
"""Told how many pictures of a session are there, and how many there will be."""


@dataclass(frozen=True, slots=True)
class Wanted:
    """What to draw. every: ticks from picture to picture. size: (width, height), None as captured.

    form: npy one plain array a picture and channel, npz one compressed file a picture, mp4 one
    film of the colours. states: from the stored states, whatever this build could simulate.
    """

    channels: tuple[str, ...] = ("colour",)
    every: int = 2
    size: tuple[int, int] | None = None
    camera: Camera = field(default_factory=Camera)
    form: str = "npy"
    states: bool = False
    first: int = 0
    last: int = -1

    def __post_init__(self) -> None:
        unknown = [name for name in self.channels if name not in EVERY_CHANNEL]
        if unknown or not self.channels:
            raise DatasetError(f"no channel {unknown}; there are {', '.join(EVERY_CHANNEL)}")
        if self.form not in FORMS or self.every < 1 or self.first < 0:
            raise DatasetError(f"--as is one of {', '.join(FORMS)}; --every is 1 or more")
        if self.form == "mp4" and self.channels != ("colour",):
            raise DatasetError("a film holds the channel colour alone; others as npy or npz")


@dataclass(frozen=True, slots=True)
class Rendered:
    """What became of one session. reused: pictures of an earlier try. states: drawn from the
    stored ones, with the reason. digest: of the last tick drawn, hex, '' where none was simulated.
    """

    session: str
    folder: Path
    pictures: int
    reused: int
    states: str
    renderer: str
    digest: str


@dataclass(frozen=True, slots=True)
class _Piece:
    """One stretch of pictures. before: the state in front of it, for the flow."""

    folder: Path
    pack: str
    capture: CaptureProfile
    wanted: Wanted
    size: tuple[int, int]
    states: tuple[bytes, ...]
    before: bytes | None

    @property
    def first(self) -> int:
        return unpack_state(self.states[0], ()).tick

    @property
    def mark(self) -> Path:
        return self.folder / "pieces" / f"{self.first:06d}.json"


_kept: dict[tuple[str, CaptureProfile], Any] = {}  # this process's renderer: opening one takes 3 s


def renderer_of(pack: str, capture: CaptureProfile) -> Any:
    """The renderer of this process for a city, opened once and kept. Raises MissingPart."""
    if (pack, capture) not in _kept:
        while _kept:
            _kept.popitem()[1].close()
        module, name = RENDERER.split(":")
        try:
            make = getattr(importlib.import_module(module), name)
        except ImportError as error:
            raise MissingPart(
                f"the renderer does not load ({error})", "see: scale-diffusion doctor"
            ) from error
        _kept[pack, capture] = make(_city(pack), capture)
    return _kept[pack, capture]


def close_renderer() -> None:
    """Give back what this process keeps between sessions."""
    while _kept:
        _kept.popitem()[1].close()


def _city(pack: str) -> City:
    return load_city(Path(pack) if pack in bundled_names() else None)


def _draw(piece: _Piece) -> tuple[int, str]:
    """Draw one piece into files; returns its pictures and the renderer's family."""
    renderer, wanted = renderer_of(piece.pack, piece.capture), piece.wanted
    before = None if piece.before is None else unpack_state(piece.before, ())
    with ExitStack() as stack:
        film = None
        if wanted.form == "mp4":
            rate = 60.0 / wanted.every
            film = stack.enter_context(
                Mp4(piece.mark.with_suffix(".part.mp4"), rate, piece.size, gop=30)
            )
        for packed in piece.states:
            state = unpack_state(packed, ())
            drawn = _picture(renderer, wanted, piece.size, state, before)
            if film is not None:
                film.put(drawn["colour"])
            else:
                _save(piece.folder, wanted.form, state.tick, drawn)
            before = state
    if film is not None:
        piece.mark.with_suffix(".part.mp4").replace(piece.mark.with_suffix(".mp4"))
    mark = {"pictures": len(piece.states), "renderer": renderer.family}
    part = piece.mark.with_suffix(f".{os.getpid()}.part")
    part.write_text(json.dumps(mark), encoding="utf-8")
    part.replace(piece.mark)
    return len(piece.states), renderer.family


def _picture(
    renderer: Any, wanted: Wanted, size: tuple[int, int], state: WorldState,
    before: WorldState | None,
) -> dict[str, Any]:  # fmt: skip
    """Channels of one state; the first picture of a drive has none before it, so no flow."""
    view = wanted.camera.eye(state)
    was = None if before is None else (wanted.camera.eye(before), before)
    names = [c for c in wanted.channels if c != "boxes" and (c != "flow" or was is not None)]
    drawn = dict(renderer.render_from(view, state, names, *size, before=was)) if names else {}
    if "boxes" in wanted.channels:
        drawn["boxes"] = [asdict(box) for box in renderer.boxes_from(view, state, *size)]
    return drawn


def _save(folder: Path, form: str, tick: int, drawn: dict[str, Any]) -> None:
    boxes = drawn.pop("boxes", None)
    if boxes is not None:
        text = json.dumps(boxes, default=float)
        (folder / f"boxes-{tick:06d}.json").write_text(text, encoding="utf-8")
    if form == "npz" and drawn:
        np.savez_compressed(folder / f"{tick:06d}.npz", **drawn)
    elif form == "npy":
        for name, picture in drawn.items():
            np.save(folder / f"{name}-{tick:06d}.npy", picture)


def render(
    drives: Iterable[Path], out: Path, wanted: Wanted, workers: Workers = HERE,
    progress: Callable[[str, int, int], None] = lambda name, done, of: None,
) -> Iterator[Rendered]:  # fmt: skip
    """Draw every drive (session folders or shared files) into `out/<its id>`, one after the other.

    Several drives on Ray: each in one process of the cluster. Raises ReplayImpossible,
    ScenarioChanged, SessionError, DatasetError, MissingPart.
    """
    paths = list(drives)
    if workers.ray:
        yield from run(partial(_alone, out, wanted), paths, workers)
        return
    jobs = max(1, workers.jobs)
    with ExitStack() as stack:
        pool = None
        if jobs > 1:
            pool = stack.enter_context(ProcessPoolExecutor(jobs, mp_context=get_context("spawn")))
        for path in paths:
            yield _session(path, out, wanted, pool, jobs, progress)
    close_renderer()


def _alone(out: Path, wanted: Wanted, path: Path) -> Rendered:
    """One session in this process alone: what a cluster runs."""
    return _session(path, out, wanted, None, 1, lambda name, done, of: None)


def _session(
    path: Path, out: Path, wanted: Wanted, pool: ProcessPoolExecutor | None, jobs: int,
    progress: Callable[[str, int, int], None],
) -> Rendered:  # fmt: skip
    with ExitStack() as stack:
        driven: Session | Share
        if path.is_file():
            driven = read(path)
        else:
            driven = stack.enter_context(Session.open(path))
        manifest = driven.manifest
        folder = out / manifest.session
        stamp = _stamp(path, wanted)
        done = _finished(folder, stamp)
        if done is not None:
            return done
        _begin(folder, stamp)
        city = _city(manifest.pack)
        why = _why_states(driven, city, wanted)
        states = _states(driven, city, bool(why), wanted)
        capture = manifest.capture
        size = wanted.size or (capture.width, capture.height)
        last = wanted.last if wanted.last >= 0 else len(driven.controls())
        total = len(range(_up(wanted.first, wanted.every), last + 1, wanted.every))
        pieces = _pieces(states, wanted, folder, manifest.pack, capture, size)
        seen = _Seen()
        found = _run(seen.through(pieces), pool, jobs)
        count, reused, family = 0, 0, ""
        for pictures, renderer, again in found:
            count += pictures
            reused += pictures * again
            family = renderer
            progress(manifest.session, count, total)
    if not count:
        raise DatasetError(f"{manifest.session} has no tick from {wanted.first} on to draw")
    digest = "" if why else seen.digest
    made = Rendered(manifest.session, folder, count, reused, why, family, digest)
    _finish(folder, made, wanted, size, stamp)
    return made


class _Seen:
    """Remembers the digest of the last state that went by."""

    digest = ""

    def through(self, pieces: Iterable[_Piece]) -> Iterator[_Piece]:
        for piece in pieces:
            self.digest = checkpoint(unpack_state(piece.states[-1], ())).digest.hex()
            yield piece


def _up(first: int, every: int) -> int:
    """The first tick from `first` on that is drawn."""
    return -(-first // every) * every


def _why_states(driven: Session | Share, city: City, wanted: Wanted) -> str:
    """Why stored states are drawn, '' where the inputs are simulated again."""
    from game.errors import ReplayImpossible, ScenarioChanged

    if wanted.states:
        if isinstance(driven, Share):
            raise DatasetError("a shared drive holds no states, only inputs; leave --from-states")
        return "asked for"
    try:
        need_this_world(driven, city)
        if isinstance(driven, Session):
            stage_of(driven.scenario_text())(driven.manifest, city)
    except (ReplayImpossible, ScenarioChanged) as error:
        if isinstance(driven, Share):
            raise
        return str(error).split(";")[0]
    return ""


def _states(
    driven: Session | Share, city: City, stored: bool, wanted: Wanted
) -> Iterator[WorldState]:
    first = _up(wanted.first, wanted.every)
    if stored and isinstance(driven, Session):
        ticks = driven.ticks()
        found: Iterator[WorldState] = (ticks[tick] for tick in range(first, len(ticks)))
    else:
        text = driven.scenario_text() if isinstance(driven, Session) else driven.scenario
        stage = stage_of(text)(driven.manifest, city)
        found = replay(driven, city, stage, 0 if first == 0 else first)
    for state in found:
        if 0 <= wanted.last < state.tick:
            return
        if state.tick % wanted.every == 0:
            yield state


def _pieces(
    states: Iterator[WorldState], wanted: Wanted, folder: Path, pack: str,
    capture: CaptureProfile, size: tuple[int, int],
) -> Iterator[_Piece]:  # fmt: skip
    held: list[bytes] = []
    before: bytes | None = None
    for state in states:
        held.append(pack_state(state))
        if len(held) == PIECE:
            yield _Piece(folder, pack, capture, wanted, size, tuple(held), before)
            before, held = held[-1], []
    if held:
        yield _Piece(folder, pack, capture, wanted, size, tuple(held), before)


def _run(
    pieces: Iterable[_Piece], pool: ProcessPoolExecutor | None, jobs: int
) -> Iterator[tuple[int, str, bool]]:
    """(pictures, renderer, found done) of every piece, a few of them waiting at any time."""
    running: set[Future[tuple[int, str]]] = set()
    for piece in pieces:
        if piece.mark.exists():
            mark = json.loads(piece.mark.read_text(encoding="utf-8"))
            yield int(mark["pictures"]), str(mark["renderer"]), True
        elif pool is None:
            yield (*_draw(piece), False)
        else:
            running.add(pool.submit(_draw, piece))
            while len(running) >= jobs * _AHEAD:
                done, running = wait(running, return_when=FIRST_COMPLETED)
                for each in done:
                    yield (*each.result(), False)
    for each in running:
        yield (*each.result(), False)


def _stamp(path: Path, wanted: Wanted) -> str:
    """Changes with the recording's inputs and with what is wanted."""
    files = [path] if path.is_file() else [path / "session.json", path / "inputs.jsonl"]
    told = [hashlib.sha256(each.read_bytes()).hexdigest() for each in files]
    return hashlib.sha256(repr((told, asdict(wanted))).encode()).hexdigest()


def _finished(folder: Path, stamp: str) -> Rendered | None:
    try:
        found = json.loads((folder / DONE).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None
    if found.get("stamp") != stamp:
        raise DatasetError(f"{folder} holds other pictures of this drive; name another --out")
    return Rendered(
        found["session"], folder, found["pictures"], found["pictures"], found["from_states"],
        found["renderer"], found["digest"],
    )  # fmt: skip


def _begin(folder: Path, stamp: str) -> None:
    """A folder that belongs to this very work, so that its pieces may be trusted."""
    (folder / "pieces").mkdir(parents=True, exist_ok=True)
    mine = folder / "pieces" / "stamp"
    if mine.exists() and mine.read_text(encoding="utf-8") != stamp:
        raise DatasetError(f"{folder} holds a part of other pictures; name another --out")
    mine.write_text(stamp, encoding="utf-8")


def _finish(
    folder: Path, made: Rendered, wanted: Wanted, size: tuple[int, int], stamp: str
) -> None:
    if wanted.form == "mp4":
        _joined(folder)
    write_json(folder / DONE, {
        "session": made.session, "pictures": made.pictures, "from_states": made.states,
        "renderer": made.renderer, "digest": made.digest, "channels": list(wanted.channels),
        "size": list(size), "every_ticks": wanted.every, "form": wanted.form, "stamp": stamp,
        "camera": asdict(replace(wanted.camera, knots=())),
        "units": "depth [m] along the viewing axis; flow [px] since the picture before, right and "
        "up; normal in world axes; class Cityscapes train ids; colour RGB",
    })  # fmt: skip
    for path in (folder / "pieces").iterdir():
        path.unlink()
    (folder / "pieces").rmdir()


def _joined(folder: Path) -> None:
    """The films of all pieces end to end, without encoding again."""
    import av

    parts = sorted((folder / "pieces").glob("*.mp4"))
    with av.open(str(folder / "colour.part.mp4"), "w", options={"movflags": "+faststart"}) as out:
        stream, at = None, 0
        for path in parts:
            with av.open(str(path)) as piece:
                given = piece.streams.video[0]
                if stream is None:
                    stream = out.add_stream_from_template(given)
                    stream.time_base = given.time_base
                length = 0
                for packet in piece.demux(given):
                    if packet.pts is None or packet.dts is None:
                        continue
                    length = max(length, packet.pts + (packet.duration or 0))
                    packet.pts, packet.dts = packet.pts + at, packet.dts + at
                    packet.stream = stream
                    out.mux(packet)
                at += length
    (folder / "colour.part.mp4").replace(folder / "colour.mp4")
