"""What several checks need of one session, worked out once: its replay, and its sampled pictures.

Owns the order of the expensive parts. Judges nothing: a fault found on the way is handed on as
part of the value, for the check whose matter it is.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from game.session.format import CaptureProfile, TrackId
from game.session.protocols import Evidence, Picture, Renderer, Viewpoint
from game.session.reader import Session
from game.session.track import segments
from game.world.digest import pack_state
from game.world.state import WorldState
from game.world.step import step
from game.world.version import TICK_HZ, WORLD_VERSION
from rewards.checks.decode import Decoded, Order, decode
from rewards.errors import RewardsError
from rewards.rates import cell_of
from scenarios.cases import case, is_known
from scenarios.errors import ScenarioError
from scenarios.expect import Outcome, Referee
from scenarios.spawn import Stage

Rgb = NDArray[np.uint8]
T = TypeVar("T")

GRACE_TICKS = 10 * TICK_HZ
"""A recording may go on this long after the time limit of its scenario."""


class CannotJudge(RewardsError):
    """The judge lacks something (a renderer, a scenario, a world version); the session waits."""

    def __init__(self, what: str) -> None:
        super().__init__(what)
        self.what = what

    def __str__(self) -> str:
        return f"cannot judge: {self.what}"


@dataclass(frozen=True, slots=True)
class Resim:
    """The drive done again. fault: (tick, code, what) where it parts from the recording, or None.

    states: of the sampled ticks. inputs: the chain after each tick. begun: the tick of each
    contact's first touch. outcome: None where the run was given up before its end.
    cells: place and heading -> seconds driven there. path: the car's place each second [m].
    """

    fault: tuple[int, str, str] | None
    states: Mapping[int, WorldState]
    inputs: tuple[bytes, ...]
    begun: tuple[int, ...]
    outcome: Outcome | None
    collisions: int
    cells: Mapping[str, int] = field(default_factory=dict)
    path: tuple[tuple[float, float], ...] = ()


@dataclass(frozen=True, slots=True)
class Rendered:
    """Our own drawing of one sampled tick, and where from. depth [m], the rest as in Renderer."""

    pose: Viewpoint
    colour: Rgb
    depth: Picture
    classes: Picture
    instances: Picture


@dataclass(frozen=True, slots=True)
class Seen:
    """The sampled pictures: decoded from the recording, and drawn again by us.

    family: of our renderer; same: the recording names the same one. sent: the recording's own
    pictures of the game came with it; without, our drawing stands for them.
    """

    decoded: Decoded
    rendered: Mapping[int, Rendered]
    family: str
    same: bool
    sent: bool = True

    def source(self, tick: int) -> Rgb | None:
        """The recording's picture of the game at a tick, if there is one."""
        if not self.sent:
            return self.rendered[tick].colour if tick in self.rendered else None
        return self.decoded.pictures.get((TrackId.SOURCE, tick))

    def styled(self, tick: int) -> Rgb | None:
        """The recording's styled picture of a tick, if there is one."""
        return self.decoded.pictures.get((TrackId.STYLED, tick))


def _once(evidence: Evidence, name: str, make: Callable[[], T]) -> T:
    if name not in evidence.memo:
        evidence.memo[name] = make()
    value: T = evidence.memo[name]
    return value


def resim(session: Session, evidence: Evidence) -> Resim:
    """The drive done again from its inputs. Raises CannotJudge, SessionCorrupt."""
    return _once(evidence, "resim", lambda: _resim(session, evidence))


def seen(session: Session, evidence: Evidence) -> Seen:
    """The sampled pictures of both kinds. Raises CannotJudge, DecoderFailed, SessionCorrupt."""
    return _once(evidence, "seen", lambda: _seen(session, evidence))


def model(session: Session) -> str:
    """Name of what made the styled frames: the journal's word, else the recording's own."""
    for block in session.journal():
        name = block.get("model")
        if isinstance(name, str):
            return name.split("/", 1)[0]
    return session.manifest.backend


def staged(session: Session, evidence: Evidence) -> Stage:
    """What the recording says that it drove, as we know it. Raises ScenarioError."""
    manifest = session.manifest
    return _once(evidence, "staged", lambda: case(manifest.scenario, evidence.city, manifest.seed))


def _resim(session: Session, evidence: Evidence) -> Resim:
    manifest = session.manifest
    if manifest.world_version != WORLD_VERSION:
        raise CannotJudge(f"world version {manifest.world_version}, this is {WORLD_VERSION}")
    if not is_known(manifest.scenario):
        raise CannotJudge(f"scenario {manifest.scenario} is not in the library")
    if evidence.city.digest != manifest.pack_digest:
        return _parted(0, "replay.pack", "the city pack is not the one that we know")
    try:
        known = staged(session, evidence)
    except ScenarioError as error:  # a free drive from a place that this pack does not have
        return _parted(0, "replay.scenario", str(error))
    if known.digest != manifest.scenario_digest:
        return _parted(0, "replay.scenario", "the scenario is not the one that we know")
    if session.steps > known.duration_ticks + GRACE_TICKS:
        return _parted(0, "replay.length", f"{session.steps} steps are longer than the scenario")
    ticks, referee, state = session.ticks(), Referee(known), known.state
    if len(ticks) == 0 or ticks.record(0).packed != pack_state(state):
        return _parted(0, "replay.start", "it does not start where the scenario starts")
    wanted = set(evidence.sample_ticks)
    states = {0: state} if 0 in wanted else {}
    inputs: list[bytes] = [state.inputs]
    begun: list[int] = []
    cells: dict[str, int] = {}
    path: list[tuple[float, float]] = []
    referee.observe(state)
    for controls in session.controls():
        after = step(evidence.city, state, controls)
        if ticks.record(after.tick).packed != pack_state(after):
            code, what = _difference(ticks[after.tick], after)
            return _parted(after.tick, code, what)
        begun += [after.tick for contact in after.contacts if contact.since == after.tick]
        state = after
        inputs.append(state.inputs)
        referee.observe(state)
        if state.tick in wanted:
            states[state.tick] = state
        if state.tick % TICK_HZ == 0:
            path.append((state.ego.x, state.ego.y))
            cell = _cell(state)
            cells[cell] = cells.get(cell, 0) + 1
    return Resim(
        None, states, tuple(inputs), tuple(begun), referee.leave(state), state.collisions, cells,
        tuple(path),
    )  # fmt: skip


def _cell(state: WorldState) -> str:
    """A square of 40 m and one of eight headings: what counts as the same view of a street."""
    return cell_of(state.ego.x, state.ego.y, state.ego.heading)


def _parted(tick: int, code: str, what: str) -> Resim:
    return Resim((tick, code, what), {}, (), (), None, 0)


def _difference(stored: WorldState, ours: WorldState) -> tuple[str, str]:
    if stored.controls != ours.controls:
        return "replay.controls", "the stored state was made with other controls"
    if stored.inputs != ours.inputs:
        return "replay.inputs", "the chain of inputs is another"
    if stored.collisions != ours.collisions or stored.contacts != ours.contacts:
        return "replay.collisions", f"{stored.collisions} collisions, ours {ours.collisions}"
    return "replay.state", f"the car is at ({stored.ego.x:.3f}, {stored.ego.y:.3f}), ours " + (
        f"({ours.ego.x:.3f}, {ours.ego.y:.3f})"
    )


def _seen(session: Session, evidence: Evidence) -> Seen:
    if evidence.renderer is None:
        raise CannotJudge("no renderer here")
    ticks = evidence.sample_ticks
    checks = tuple(r.tick for r in session.frames(TrackId.CHECK) if r.tick in set(ticks))
    here = segments(session.folder)
    wanted = {TrackId.SOURCE: ticks, TrackId.STYLED: ticks, TrackId.CHECK: checks}
    order = Order(
        session.folder,
        evidence.scratch / "decoded",
        {track: at for track, at in wanted.items() if track in here},
        prints=(TrackId.SOURCE,) if TrackId.SOURCE in here else (),
    )
    decoded = decode(order)
    states, profile = resim(session, evidence).states, session.manifest.capture
    renderer = evidence.renderer(evidence.city, profile)
    try:
        drawn = {tick: _render(renderer, states[tick], profile) for tick in ticks if tick in states}
        family = renderer.family
    finally:
        renderer.close()
    same, sent = family == session.manifest.renderer, TrackId.SOURCE in here
    return Seen(decoded, drawn, family, same, sent)


def _render(renderer: Renderer, state: WorldState, profile: CaptureProfile) -> Rendered:
    wanted = ("colour", "depth", "class", "instance")
    channels = renderer.render(state, wanted, profile.width, profile.height)
    colour = np.ascontiguousarray(channels["colour"], dtype=np.uint8)
    return Rendered(
        renderer.eye(state), colour, channels["depth"], channels["class"], channels["instance"]
    )
