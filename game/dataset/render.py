"""Draws any channel of recorded drives afterwards: any size, any camera, from the inputs alone.

Owns the order of work. One process simulates and hands states to processes that draw them; each
piece of a session that is on disk is never drawn again, and a session that is done is left alone.
Where this build cannot simulate a recording, or on request, its stored states are drawn instead,
and `render.json` says so.
"""

import hashlib
import json
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from contextlib import ExitStack
from dataclasses import asdict, dataclass, replace
from functools import partial
from multiprocessing import get_context
from pathlib import Path

from game.dataset.errors import DatasetError
from game.dataset.job import write_json
from game.dataset.piece import Piece, Wanted, city_of, close_renderer, draw
from game.dataset.pool import HERE, Workers, run
from game.session.format import CaptureProfile
from game.session.reader import Session
from game.session.replay import need_this_world, replay, stage_of
from game.session.share import Share, read
from game.world.city import City
from game.world.digest import checkpoint, pack_state, unpack_state
from game.world.state import WorldState

DONE = "render.json"
PIECE = 60
"""Pictures of one piece of work: what a kill costs, and what processes take turns with."""
_AHEAD = 2  # pieces that wait for each process


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
        city = city_of(manifest.pack)
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

    def through(self, pieces: Iterable[Piece]) -> Iterator[Piece]:
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
) -> Iterator[Piece]:  # fmt: skip
    held: list[bytes] = []
    before: bytes | None = None
    for state in states:
        held.append(pack_state(state))
        if len(held) == PIECE:
            yield Piece(folder, pack, capture, wanted, size, tuple(held), before)
            before, held = held[-1], []
    if held:
        yield Piece(folder, pack, capture, wanted, size, tuple(held), before)


def _run(
    pieces: Iterable[Piece], pool: ProcessPoolExecutor | None, jobs: int
) -> Iterator[tuple[int, str, bool]]:
    """(pictures, renderer, found done) of every piece, a few of them waiting at any time."""
    running: set[Future[tuple[int, str]]] = set()
    for piece in pieces:
        if piece.mark.exists():
            mark = json.loads(piece.mark.read_text(encoding="utf-8"))
            yield int(mark["pictures"]), str(mark["renderer"]), True
        elif pool is None:
            yield (*draw(piece), False)
        else:
            running.add(pool.submit(draw, piece))
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
