"""Clean drives to measure detection on: recorded once, judged many times in one warm process.

Owns what makes judging cheap without changing what is judged: one renderer that remembers what it
drew of a state, the drive simulated again once for the same inputs and states, and decoding in this
process with the source pictures remembered. The checks, and the code that decodes, are the real
ones.
"""

import hashlib
import json
import shutil
from collections.abc import Callable, Iterable, Sequence
from dataclasses import asdict, dataclass
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np

import game.view
from game.atlas.load import load as load_city
from game.session import framefile
from game.session.format import FRAMES, INPUTS, MANIFEST, TICKS, CaptureProfile, TrackId
from game.session.protocols import Finding
from game.session.reader import Session
from game.session.track import segment_path, segments
from game.world.city import City
from game.world.digest import pack_state
from game.world.state import WorldState
from rewards.checks import case, decode
from rewards.checks.table import CHECKS
from rewards.renderers import KeptRenderer
from scenarios.load import library
from streaming.backends.filter import STYLES, Filter
from streaming.backends.tiny import Choice, Tiny
from tests.rewards.decays import digest_of
from tests.rewards.recording import Made, make, make_ticket

SIDE, EVERY, SECONDS = 480, 2, 8
DRIVEN = {"resim", "staged"}
"""Of a judge's memo: what follows from the drive alone, whatever its pictures are."""
Painted = Callable[[np.ndarray, int], np.ndarray]


@dataclass(frozen=True, slots=True)
class Plan:
    """What one drive is. bot: the driver's manner. backend, style: who paints, and how."""

    number: int
    scenario: str
    seed: int
    bot: str
    backend: str
    style: str
    bitrate: int


def plan(number: int) -> Plan:
    """The drive of this number, the same for ever: scenarios, manners, painters in turn."""
    names, styles = library(), tuple(STYLES)
    return Plan(
        number,
        names[number % len(names)],
        100 + number,
        ("calm", "brisk")[number % 2],
        ("filter", "tiny")[number // 2 % 2],
        styles[number % len(styles)],
        (2_500_000, 1_200_000)[number // 3 % 2],
    )


def drive(root: Path, judge: "Judge", number: int) -> Made:
    """The clean drive of this number; recorded at first, found again afterwards."""
    folder, wanted = root / f"{number:04}", plan(number)
    told, body = folder / "plan.json", asdict(wanted) | {"view": _view()}
    if told.is_file() and json.loads(told.read_text()) == body:
        (session,) = (path.parent for path in folder.glob("sessions/*/session.json"))
        ticket = json.loads((session / "session.json").read_text())["ticket"]
        return Made(session, judge.city, ticket)
    shutil.rmtree(folder, ignore_errors=True)
    paint, model = _painter(wanted)
    made = make(
        folder / "sessions", judge.renderer, seconds=SECONDS, side=SIDE, every=EVERY,
        ticket=make_ticket(judge.city, scenario=wanted.scenario, seed=wanted.seed),
        style=wanted.bot, styled=paint, model=model, bitrate=wanted.bitrate,
    )  # fmt: skip
    told.write_text(json.dumps(body))
    return made


@cache
def _view() -> str:
    """What draws: when it changes, recordings made before are no clean ones any more."""
    here = Path(next(iter(game.view.__path__)))
    return digest_of(
        *(p for p in here.rglob("*") if p.suffix in (".py", ".vert", ".frag", ".glsl"))
    )


def _painter(wanted: Plan) -> tuple[Painted, str]:
    if wanted.backend == "tiny":
        tiny = Tiny(budget_ms=1e9)
        tiny.choice = Choice(320, 1)
        painter = tiny.painter()
        return (
            lambda bgra, tick: np.ascontiguousarray(painter.style(bgra, "", 0, wanted.style))
        ), tiny.model
    backend = Filter()
    return (
        lambda bgra, tick: np.ascontiguousarray(backend.style(bgra, "", 0, wanted.style))
    ), "filter/test"


class Judge:
    """A warm judge. `forget` before another drive; `close` at the end."""

    def __init__(self, scratch: Path) -> None:
        from game.view.renderer import make_renderer

        self.city, self.scratch = load_city(), scratch
        self._kept = KeptRenderer(make_renderer)
        self._drawn: dict[Any, Any] = {}
        self._decoded: dict[Any, Any] = {}
        self._memos: dict[Any, tuple[frozenset[int], dict[str, Any]]] = {}

    def renderer(self, city: City, profile: CaptureProfile) -> Any:
        """A renderer factory, as a worker has one."""
        return _Remembering(self._kept(city, profile), self._drawn)

    def reason(self, made: Made, **changes: Any) -> str:
        """Of the first failed check, '' where the drive is accepted and earns something."""
        setattr(case, "decode", self._decode)  # noqa: B010  the checks' own name for it
        try:
            found = list(self._findings(made, changes))
        except Exception as error:  # a recording that does not open is refused as well
            if type(error).__name__ != "SessionCorrupt":
                raise
            return "integrity.unreadable"
        finally:
            setattr(case, "decode", decode.decode)  # noqa: B010
        return verdict(found)

    def findings(self, made: Made, ticks: tuple[int, ...]) -> list[Finding]:
        """All that every check says of an honest recording, the ones after a failed one too."""
        setattr(case, "decode", self._decode)  # noqa: B010
        try:
            return list(self._findings(made, {"sample_ticks": ticks}, stop=False))
        finally:
            setattr(case, "decode", decode.decode)  # noqa: B010

    def _findings(
        self, made: Made, changes: dict[str, Any], stop: bool = True
    ) -> Iterable[Finding]:
        evidence = made.evidence(self.scratch, self.renderer, **changes)
        looked_at, driven = frozenset(evidence.sample_ticks), _driven(made)
        known_for, known = self._memos.get(driven, (frozenset[int](), {}))
        if not looked_at <= known_for:
            known_for, known = self._memos[driven] = looked_at, {}
        evidence.memo.update(known)
        with Session.open(made.folder) as session:
            for check in CHECKS:
                found = check(session, evidence)
                known.update({n: evidence.memo[n] for n in DRIVEN & evidence.memo.keys()})
                yield found
                if stop and not found.passed:  # one is enough to refuse it
                    return

    def _decode(self, order: decode.Order) -> decode.Decoded:
        """As the child does it, without the child; what was the source stays known."""
        pictures: dict[Any, Any] = {}
        prints: dict[Any, Any] = {}
        problems: list[Any] = []
        for track in sorted({*order.pictures, *order.prints}):
            name = None if track >= TrackId.STYLED else _content(order, track)
            found = None if name is None else self._decoded.get(name)
            if found is None:
                order.out.mkdir(parents=True, exist_ok=True)
                answer: dict[str, list[Any]] = {"pictures": [], "prints": [], "problems": []}
                decode._one_track(order, track, answer)
                found = decode._collect(order, answer)
                kept = {key: np.array(value) for key, value in found.pictures.items()}
                found = decode.Decoded(kept, found.prints, found.problems)
                if name is not None:
                    self._decoded[name] = found
            pictures |= found.pictures
            prints |= found.prints
            problems += found.problems
        return decode.Decoded(pictures, prints, tuple(problems))

    def boxes(self, made: Made, ticks: Iterable[int]) -> dict[int, tuple[int, int, int, int]]:
        """tick -> (top, left, bottom, right) [px] of the largest vehicle in sight but the player's
        own, if one is."""
        from game.view.labels import entity_instance
        from rewards.checks.things import LEAST_PX, VEHICLES

        found: dict[int, tuple[int, int, int, int]] = {}
        with Session.open(made.folder) as session:
            stored, profile = session.ticks(), session.manifest.capture
            drawer = self.renderer(made.city, profile)
            for tick in ticks:
                seen = drawer.render(
                    stored[tick], ("colour", "depth", "class", "instance"),
                    profile.width, profile.height,
                )  # fmt: skip
                ours = seen["instance"] == entity_instance(stored[tick].ego.id)
                others = np.isin(seen["class"], VEHICLES) & ~ours
                names, counts = np.unique(seen["instance"][others], return_counts=True)
                if counts.size and counts.max() > LEAST_PX:
                    ys, xs = np.nonzero(others & (seen["instance"] == names[counts.argmax()]))
                    found[tick] = int(ys.min()), int(xs.min()), int(ys.max()), int(xs.max())
        return found

    def foresee(self, made: Made, ticks: Iterable[int]) -> None:
        """Do the drive again once for all judgements that will look at some of these ticks."""
        wanted = tuple(ticks)
        evidence = made.evidence(self.scratch, self.renderer, sample_ticks=wanted)
        with Session.open(made.folder) as session:
            case.resim(session, evidence)
        known = {n: evidence.memo[n] for n in DRIVEN & evidence.memo.keys()}
        self._memos[_driven(made)] = frozenset(wanted), known

    def forget(self) -> None:
        """Drop what was remembered of the drive before."""
        self._drawn.clear()
        self._decoded.clear()
        self._memos.clear()

    def close(self) -> None:
        """Give the renderer back."""
        self._kept.close()


def verdict(findings: Sequence[Finding]) -> str:
    """Reason of the first failed check; '' where the recording is accepted and earns."""
    failed = (found.reason for found in findings if not found.passed)
    journal = next((found for found in findings if found.check == "journal"), None)
    earns = journal is not None and journal.evidence.get("attested", 0)
    return next(failed, "" if earns else "earns nothing")


def _driven(made: Made) -> tuple[bytes, ...]:
    """All that the second run of a drive depends on."""
    return tuple((made.folder / name).read_bytes() for name in (MANIFEST, INPUTS, TICKS))


def _content(order: decode.Order, track: int) -> tuple[Any, ...]:
    """All that the decoding of a track depends on."""
    records, _ = framefile.sound((order.folder / FRAMES).read_bytes())
    digest = hashlib.sha256(repr([r for r in records if r.track == track]).encode())
    for number in segments(order.folder).get(track, ()):
        digest.update(segment_path(order.folder, track, number).read_bytes())
    return track, order.pictures.get(track, ()), track in order.prints, digest.digest()


class _Remembering:
    """Draws each state once."""

    def __init__(self, renderer: Any, drawn: dict[Any, Any]) -> None:
        self._renderer, self._drawn = renderer, drawn
        self.family, self.eye = renderer.family, renderer.eye

    def render(self, state: WorldState, wanted: Any, width: int, height: int) -> Any:
        """As the renderer itself; single channels, as a recorder asks for, are not kept."""
        if len(wanted) == 1:
            return self._renderer.render(state, wanted, width, height)
        name = (pack_state(state), tuple(wanted), width, height)
        if name not in self._drawn:
            shown = self._renderer.render(state, wanted, width, height)
            self._drawn[name] = {key: np.array(value) for key, value in shown.items()}
        return self._drawn[name]

    def close(self) -> None:
        """Stays open."""
