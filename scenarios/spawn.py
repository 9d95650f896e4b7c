"""A scenario, a city and a seed into the concrete case: tick 0, the cast, what is expected.

Bit-exact, since all of it feeds the state. Every draw is keyed by (seed, entity, purpose), so a
seed names its case; `Stage.drawn` says what it drew.
"""

from dataclasses import dataclass, field, replace
from math import sqrt

from game.world import chance, step, trig
from game.world.city import City, Point
from game.world.entity import EGO_ID, EntityState, Kind
from game.world.signals import Light, light, place_of
from game.world.state import Part, Track, Trigger, WorldState
from game.world.version import TICK_HZ
from scenarios.errand_way import WayLost, errand_way
from scenarios.errors import PlaceUnknown, StageImpossible
from scenarios.goals import (
    Condition,
    Failure,
    ReachPosition,
    SpeedLimit,
    StayOnRoad,
    Stop,
    SurviveDuration,
    TimeOut,
)
from scenarios.model import Actor, Ego, Member, Scenario, Signal, Start, digest
from scenarios.place import Frame, anchor_frame, junction_at, unit
from scenarios.terms import Knot, MetreRange, SpeedRange, TimeRange, Way
from scenarios.trajectory import bezier_track, line_track


@dataclass(frozen=True, slots=True)
class Expectation:
    """One condition of success, in metres of the city and ticks.

    kind: no_collision, reach_position (x, y, radius [m]), survive_duration (ticks), or stop: come
    to rest within the radius for `ticks`, by tick `by` (0: no matter when); title: what for.
    """

    kind: str
    x: float = 0.0
    y: float = 0.0
    radius: float = 0.0
    ticks: int = 0
    title: str = ""
    by: int = 0


@dataclass(frozen=True, slots=True)
class Limit:
    """What must not come true. value: speed [m/s] or margin [m]; ticks: how long it is allowed."""

    kind: str
    value: float = 0.0
    ticks: int = 0


@dataclass(frozen=True, slots=True)
class Stage:
    """One concrete case, ready to be driven.

    state: tick 0. duration_ticks: the time limit. route: where the ego is meant to go, as points
    [m] from its start on; limit: the speed a reasonable driver keeps to [m/s].
    limits: what a driver fails by. drawn: (name, value) of every parameter that the seed chose.
    digest: of what is driven, hex, as tick 0 chains it. free: it ends well whenever its driver
    ends it.
    """

    scenario: Scenario
    seed: int
    frame: Frame
    state: WorldState
    duration_ticks: int
    route: tuple[Point, ...]
    limit: float
    expectations: tuple[Expectation, ...]
    drawn: tuple[tuple[str, float], ...]
    limits: tuple[Limit, ...]
    digest: str
    city: City = field(repr=False, compare=False)
    free: bool = False


class _Draws:
    """Draws from ranges, remembering what was drawn."""

    def __init__(self, seed: int) -> None:
        self.seed = seed
        self.drawn: list[tuple[str, float]] = []

    def value(
        self, drawn: SpeedRange | TimeRange | MetreRange, entity: int, name: str, what: str
    ) -> float:
        low, high = drawn.min, drawn.max
        if low == high:
            return low
        share = chance.uniform(self.seed, 0, entity, f"scenario.{what}")
        value = _spread(low, high, drawn.likely, share)
        self.drawn.append((f"{name}.{what}", value))
        return value

    def body(self, bodies: tuple[str, ...], entity: int) -> str:
        """One of the bodies, each as likely as the others."""
        if len(bodies) == 1:
            return bodies[0]
        share = chance.uniform(self.seed, 0, entity, "scenario.body")
        return bodies[int(share * len(bodies))]

    def ticks(self, drawn: TimeRange, entity: int, name: str, what: str) -> int:
        return ticks_of(self.value(drawn, entity, name, what))


def _spread(low: float, high: float, likely: float | None, share: float) -> float:
    """The value below which `share` of all draws lie: uniform, or triangular with its peak."""
    if likely is None:
        return low + (high - low) * share
    peak = (likely - low) / (high - low)
    if share < peak:
        return low + sqrt(share * (high - low) * (likely - low))
    return high - sqrt((1.0 - share) * (high - low) * (high - likely))


def ticks_of(seconds: float) -> int:
    """Seconds as the nearest whole number of ticks."""
    return int(seconds * TICK_HZ + 0.5)


def stage(scenario: Scenario, city: City, seed: int, named: str = "") -> Stage:
    """The concrete case that `seed` names. Raises PlaceUnknown and StageImpossible.

    named: the digest that tick 0 chains, where it is not the scenario's own.
    """
    named = named or digest(scenario)
    frame = anchor_frame(scenario.place, city, scenario.id)
    expectations = tuple(
        _expectation(condition, frame, city, scenario.id) for condition in scenario.success
    )
    draws = _Draws(seed)
    cast = _cast(scenario, city, frame, draws)
    route = _track(scenario.ego, frame, (0.0, 0.0))
    ego = _ego(scenario.ego, route, draws)
    try:
        state = step.begin(city, cast, ego, seed, named, scenario.city)
    except ValueError as wrong:
        raise StageImpossible(scenario.id, seed, str(wrong)) from wrong
    return Stage(
        scenario=scenario,
        seed=seed,
        frame=frame,
        state=state,
        duration_ticks=ticks_of(scenario.duration_s),
        route=_way(scenario, city, seed, route, expectations),
        limit=scenario.ego.limit,
        expectations=expectations,
        drawn=tuple(draws.drawn),
        limits=tuple(_limit(failure) for failure in scenario.failure),
        digest=named,
        city=city,
    )


def _way(
    scenario: Scenario, city: City, seed: int, track: Track, wanted: tuple[Expectation, ...]
) -> tuple[Point, ...]:
    """The ego's own path, or, where there are stops, the way along lanes through all of them."""
    own = tuple(zip(track.x, track.y, strict=True))
    stops = [(each.x, each.y) for each in wanted if each.kind == "stop"]
    if not stops:
        return own
    try:
        return errand_way(city, own[0], own[-1], stops)
    except WayLost as lost:
        raise StageImpossible(scenario.id, seed, str(lost)) from lost


def _ego(ego: Ego, route: Track, draws: _Draws) -> EntityState:
    speed = draws.value(ego.speed, EGO_ID, "ego", "speed")
    return EntityState(
        id=EGO_ID, body=ego.body, x=route.x[0], y=route.y[0], heading=route.heading[0], speed=speed
    )


def _cast(scenario: Scenario, city: City, frame: Frame, draws: _Draws) -> tuple[Part, ...]:
    """Parts numbered from 1 in the order of the file: single actors first, then the waves."""
    ids = _numbers(scenario)
    parts: list[Part] = []
    for actor in scenario.actors:
        trigger = _trigger(actor.trigger, ids[actor.id], actor.id, ids, frame, draws)
        trigger = _lit(trigger, actor.trigger.signal, city, scenario)
        parts.append(_part(actor, trigger, 0, ids, frame, draws))
    for number, wave in enumerate(scenario.waves, start=1):
        leader = ids[wave.actors[0].id]
        trigger = _trigger(wave.trigger, leader, wave.id, ids, frame, draws)
        trigger = _lit(trigger, wave.trigger.signal, city, scenario)
        parts.extend(_part(member, trigger, number, ids, frame, draws) for member in wave.actors)
    return tuple(parts)


def _numbers(scenario: Scenario) -> dict[str, int]:
    ids: dict[str, int] = {}
    for actor in scenario.actors:
        ids[actor.id] = len(ids) + 1
    for wave in scenario.waves:
        for member in wave.actors:
            ids[member.id] = len(ids) + 1
    for wave in scenario.waves:
        ids[wave.id] = ids[wave.actors[0].id]
    return ids


def _trigger(
    start: Start, entity: int, name: str, ids: dict[str, int], frame: Frame, draws: _Draws
) -> Trigger:
    near: tuple[float, float, float] | None = None
    beside = -1
    if start.near is not None:
        x, y = frame.point(start.near.at if start.near.at is not None else (0.0, 0.0))
        near = (x, y, start.near.radius)
        beside = ids[start.near.of] if start.near.of is not None else -1
    return Trigger(
        at_tick=draws.ticks(start.at_s, entity, name, "at_s"),
        near=near,
        after=ids[start.after] if start.after is not None else -1,
        delay=draws.ticks(start.delay_s, entity, name, "delay_s"),
        beside=beside,
    )


def _lit(trigger: Trigger, signal: Signal | None, city: City, scenario: Scenario) -> Trigger:
    """The trigger not before the light shows its colour: lights are a function of the tick."""
    if signal is None:
        return trigger
    junction = junction_at(signal.at, city, scenario.id)
    if not junction.signal:
        raise PlaceUnknown(scenario.id, signal.at, city.name, "that crossing has no light")
    tick, axis = trigger.at_tick, 0 if signal.along == "avenue" else 1
    while light(place_of(junction.name), axis, tick) != Light[signal.shows.upper()]:
        tick += 1
    return replace(trigger, at_tick=tick)


def _part(
    member: Member | Actor,
    trigger: Trigger,
    wave: int,
    ids: dict[str, int],
    frame: Frame,
    draws: _Draws,
) -> Part:
    number, name = ids[member.id], member.id
    offset = draws.ticks(member.offset_s, number, name, "offset_s")
    moved = (
        draws.value(member.ahead, number, name, "ahead"),
        draws.value(member.shift, number, name, "shift"),
    )
    profile = tuple(
        (
            _knot_ticks(knot, i, number, name, draws),
            draws.value(knot.speed, number, name, f"speed.{i}"),
        )
        for i, knot in enumerate(member.speed)
    )
    return Part(
        id=number,
        name=name,
        kind=Kind[member.kind.upper()],
        body=draws.body(member.bodies, number),
        track=_track(member, frame, moved),
        profile=profile,
        trigger=replace(trigger, delay=trigger.delay + offset),
        waits=member.waits,
        ending=member.ending,
        yields=member.yields or member.reacts == "brake",
        wave=wave,
        reacts=member.reacts if member.reacts in ("swerve", "stop") else "",
    )


def _knot_ticks(knot: Knot, i: int, entity: int, name: str, draws: _Draws) -> int:
    if isinstance(knot.at_s, TimeRange):
        return draws.ticks(knot.at_s, entity, name, f"speed.{i}.at_s")
    return ticks_of(knot.at_s)


def _track(way: Way | Member, frame: Frame, moved: Point) -> Track:
    """The way in metres of the city, moved [along, to the left of] its first-to-last direction.

    What stands is moved forward and left as the place counts them, however it is turned.
    """
    if isinstance(way, Member) and way.stands is not None:
        turn = way.stands.turn * trig.PI / 180.0
        sine, cosine = trig.sincos(turn)
        fx, fy = frame.fx * cosine - frame.fy * sine, frame.fy * cosine + frame.fx * sine
        x, y = Frame(*frame.point(way.stands.at), frame.fx, frame.fy).point(moved)
        return Track((0.0,), (x,), (y,), (trig.atan2(fy, fx),))
    points = way.path if way.path is not None else way.line
    if points is None:
        raise ValueError("a way has a path or a line")
    placed = [frame.point(point) for point in points]
    if moved != (0.0, 0.0):
        (ax, ay), (bx, by) = placed[0], placed[-1]
        sx, sy = Frame(0.0, 0.0, *unit(bx - ax, by - ay)).point(moved)
        placed = [(x + sx, y + sy) for x, y in placed]
    if way.path is None:
        return line_track(placed[0], placed[1])
    return bezier_track(tuple(placed))


def _expectation(condition: Condition, frame: Frame, city: City, scenario: str) -> Expectation:
    if isinstance(condition, Stop):
        own = frame if condition.place is None else anchor_frame(condition.place, city, scenario)
        x, y = own.point(condition.at)
        by = 0 if condition.by_s is None else ticks_of(condition.by_s)
        ticks = ticks_of(condition.stand_s)
        return Expectation("stop", x, y, condition.radius, ticks, condition.title, by)
    if isinstance(condition, ReachPosition):
        x, y = frame.point(condition.at)
        return Expectation("reach_position", x, y, condition.radius)
    if isinstance(condition, SurviveDuration):
        return Expectation("survive_duration", ticks=ticks_of(condition.seconds))
    return Expectation("no_collision")


def _limit(failure: Failure) -> Limit:
    if isinstance(failure, SpeedLimit):
        return Limit("speed_limit", failure.speed, ticks_of(failure.for_s))
    if isinstance(failure, StayOnRoad):
        return Limit("stay_on_road", failure.margin, ticks_of(failure.for_s))
    if isinstance(failure, TimeOut):
        return Limit("time_out", ticks=ticks_of(failure.seconds))
    return Limit("red_light")
