"""What a run was like, tick by tick and as a whole. The figures that QA compares.

Owns the definitions below. Watches states like the referee, changes none, and is exact. Formulae
of one moment are in `criticality`, post-encroachment time in `encroach`.

collision       a contact of the ego, one from first touch to separation; speed is the relative one
fault           'other' where the ego stood still or was struck from behind, 'ego' where it ran into
                something that stood or into something with its front; at the side it is whoever
                brought more of the closing speed (after nuPlan's collision types, H. Caesar et al.,
                nuPlan, 2021: stopped ego, stopped track, front, rear, lateral)
near miss       no contact, but disc TTC under 1.5 s or a clearance under 0.5 m at a closing or
                passing speed over 2 m/s (TTC threshold: R. van der Horst and J. Hogema, Time to
                collision and collision avoidance systems, ICTCT 1993); one per meeting
hard braking    deceleration of 4.4 m/s^2 (0.45 g) or more over a tenth of a second, one per braking
                (threshold: B. G. Simons-Morton et al., Am. J. Public Health 99, 2009)
red light       the nose crosses a stop line of the route while its light is red
off-road share  of the ticks in motion, those with the ego's middle off every roadway
completion      share of the route up to the goal (or its end) that was driven, 1 on success
driving score   100 x completion on the road x product of penalties: pedestrian 0.50, vehicle 0.60,
                static 0.65 per collision, red light 0.70 each, time-out 0.70 (CARLA Autonomous
                Driving Leaderboard 2.0; as there, the off-road share is taken off the completion)
"""

from dataclasses import asdict, dataclass
from math import inf
from typing import Any

from game.world.entity import BODIES, EntityState, Kind
from game.world.state import Contact, WorldState
from game.world.trig import sincos
from game.world.version import DT
from scenarios.criticality import clearance, lead, ttc_pair
from scenarios.encroach import Encroachment
from scenarios.errand_way import BEYOND_M
from scenarios.expect import TIMEOUT, Outcome
from scenarios.law import RedLights, roadway_of
from scenarios.road import survey
from scenarios.spawn import Stage

NEAR_TTC_S = 1.5
NEAR_M = 0.5
NEAR_SPEED = 2.0
"""Below this relative speed closeness is no danger [m/s]."""
APART_M = 3.0
"""A meeting is over once the two are so far apart [m]."""
HARD_BRAKE = 4.4
"""[m/s^2]"""
WINDOW = 6
"""Ticks over which decelerations are taken."""
ENCROACH_TICKS = 3
"""Every so many ticks the traces for PET are taken."""
STOPPED = 0.05
"""An ego slower than this stands [m/s]."""
PENALTIES = {"pedestrian": 0.50, "vehicle": 0.60, "static": 0.65, "red_light": 0.70}
TIMEOUT_PENALTY = 0.70


@dataclass(frozen=True, slots=True)
class TickMeasures:
    """One moment. inf where a measure has no value: nobody on a collision course, nobody ahead."""

    tick: int
    ttc_s: float
    thw_s: float
    drac: float
    distance_m: float
    acceleration: float
    off_road: bool
    red_light: bool


@dataclass(frozen=True, slots=True)
class Collision:
    """With whom (id in the file, or 'building'), what that was, when, how fast, whose fault."""

    tick: int
    other: str
    kind: str
    speed: float
    fault: str


@dataclass(frozen=True, slots=True)
class Measures:
    """A whole run. None where a measure has no value in it."""

    collisions: tuple[Collision, ...]
    near_misses: tuple[tuple[int, str], ...]
    min_ttc_s: float | None
    min_thw_s: float | None
    max_drac: float
    min_distance_m: float | None
    min_pet_s: float | None
    pet_with: str
    hard_brakings: int
    red_lights: int
    off_road_share: float
    distance_m: float
    completion: float
    score: float

    def as_dict(self) -> dict[str, Any]:
        """The measures as plain values, for JSON."""
        return asdict(self)


class Meter:
    """Observes every state of a run, tick 0 included; `measures` adds up what it saw."""

    def __init__(self, stage: Stage) -> None:
        self._stage = stage
        self._road = survey(stage.route, stage.city)
        self._lights = RedLights(stage, self._road)
        self._roadway = roadway_of(stage)
        self._encroachment = Encroachment()
        self._names = {part.id: part.name for part in stage.state.cast}
        self._before: WorldState | None = None
        self._speeds: list[float] = []
        self._collisions: list[Collision] = []
        self._near: list[tuple[int, str]] = []
        self._meetings: dict[int, bool] = {}
        self._ttc = self._thw = self._distance = inf
        self._drac = self._driven = self._start = self._furthest = 0.0
        self._moving = self._off = self._hard = 0
        self._braking = False

    def observe(self, state: WorldState) -> TickMeasures:
        """Take one tick into account."""
        ahead = lead(state)
        closest, nearest = self._meet(state)
        red = self._lights.observe(state)
        off = self._roadway.beyond(state.ego.x, state.ego.y) > 0.0
        pull = self._pull(state)
        self._touch(state)
        if state.tick % ENCROACH_TICKS == 0:
            self._encroachment.observe(state.tick, state.ego, state.actors)
        self._progress(state, off)
        self._before = state
        thw, drac = (inf, 0.0) if ahead is None else (ahead.thw, ahead.drac)
        self._ttc, self._distance = min(self._ttc, closest), min(self._distance, nearest)
        self._thw, self._drac = min(self._thw, thw), max(self._drac, drac)
        return TickMeasures(state.tick, closest, thw, drac, nearest, pull, off, red)

    def measures(self, outcome: Outcome) -> Measures:
        """The whole run, which ended like this."""
        pet, who = self._encroachment.smallest()
        completion = 1.0 if outcome.success else self._completion()
        share = self._off / self._moving if self._moving else 0.0
        return Measures(
            tuple(self._collisions),
            tuple(self._near),
            _known(self._ttc),
            _known(self._thw),
            self._drac,
            _known(self._distance),
            _known(pet),
            self._names.get(who, ""),
            self._hard,
            len(self._lights.run),
            share,
            self._driven,
            completion,
            self._score(completion * (1.0 - share), outcome),
        )

    def _meet(self, state: WorldState) -> tuple[float, float]:
        """(smallest TTC [s], smallest distance [m]); notes near misses on the way."""
        closest = nearest = inf
        touching = {contact.other: True for contact in state.contacts}
        for actor in state.actors:
            time = ttc_pair(state.ego, actor)
            away = clearance(state.ego, actor, max(APART_M, nearest))
            closest, nearest = min(closest, time), min(nearest, away)
            if actor.id in touching:
                self._meetings[actor.id] = True
                name = self._names.get(actor.id, actor.body)
                self._near = [miss for miss in self._near if miss[1] != name]
            elif away >= APART_M and time > 2.0 * NEAR_TTC_S:
                self._meetings.pop(actor.id, None)
            elif actor.id not in self._meetings and is_near(state.ego, actor, time, away):
                self._meetings[actor.id] = True
                self._near.append((state.tick, self._names.get(actor.id, actor.body)))
        return closest, nearest

    def _pull(self, state: WorldState) -> float:
        """Acceleration over the last tenth of a second [m/s^2]; counts hard brakings."""
        self._speeds.append(state.ego.speed)
        if len(self._speeds) <= WINDOW:
            return 0.0
        pull = (state.ego.speed - self._speeds.pop(0)) / (WINDOW * DT)
        struck = bool(state.contacts)
        if pull <= -HARD_BRAKE and not self._braking and not struck:
            self._hard += 1
        self._braking = pull <= -HARD_BRAKE
        return pull

    def _touch(self, state: WorldState) -> None:
        for contact in state.contacts:
            if contact.since == state.tick:
                self._collisions.append(self._collision(state, contact))

    def _collision(self, state: WorldState, contact: Contact) -> Collision:
        before = self._before if self._before is not None else state
        if contact.other < 0:
            return Collision(state.tick, "building", "static", contact.speed, "ego")
        other = next(actor for actor in state.actors if actor.id == contact.other)
        was = next((actor for actor in before.actors if actor.id == contact.other), other)
        kind = _class_of(BODIES[other.body].kind)
        name = self._names.get(contact.other, other.body)
        return Collision(state.tick, name, kind, contact.speed, fault(before.ego, was))

    def _progress(self, state: WorldState, off: bool) -> None:
        before = self._before
        if before is None:
            self._start = self._furthest = self._lights.s
            return
        self._furthest = max(self._furthest, self._lights.s)
        pace = state.ego.speed if state.ego.speed > 0.0 else -state.ego.speed
        if pace > STOPPED:
            self._moving += 1
            self._off += off
            self._driven += pace * DT

    def _completion(self) -> float:
        end = self._road.length
        for wanted in self._stage.expectations:
            if wanted.kind == "reach_position":
                s, _ = self._road.project(wanted.x, wanted.y, 0.0, self._road.length)
                end = min(end, s - wanted.radius)
            elif wanted.kind == "stop":  # the way ends a little behind the last of them
                end = min(end, self._road.length - BEYOND_M - wanted.radius)
        whole = end - self._start
        return max(0.0, min(1.0, (self._furthest - self._start) / whole)) if whole > 0.0 else 1.0

    def _score(self, completion: float, outcome: Outcome) -> float:
        score = 100.0 * completion
        for collision in self._collisions:
            score *= PENALTIES[collision.kind]
        for _ in self._lights.run:
            score *= PENALTIES["red_light"]
        return score * TIMEOUT_PENALTY if outcome.reason == TIMEOUT else score


def fault(ego: EntityState, other: EntityState) -> str:
    """Whose fault a contact is, from the last states before it: 'ego' or 'other'."""
    if -STOPPED < ego.speed < STOPPED:
        return "other"
    if other.speed <= STOPPED:
        return "ego"
    sine, cosine = sincos(ego.heading)
    dx, dy = other.x - ego.x, other.y - ego.y
    along, aside = dx * cosine + dy * sine, dy * cosine - dx * sine
    body = BODIES[ego.body]
    ahead, behind = along > 0.4 * body.length, along < -0.4 * body.length
    inside = -body.width < aside < body.width
    if ahead and inside:
        return "ego"
    if behind and inside:
        return "other"
    s, c = sincos(other.heading)
    mine = ego.speed * (dx * cosine + dy * sine)
    theirs = -other.speed * (dx * c + dy * s)
    return "ego" if mine >= theirs else "other"


def is_near(ego: EntityState, actor: EntityState, time: float, away: float) -> bool:
    """Whether two who move against each other are in danger: little time, or little room."""
    sine, cosine = sincos(ego.heading)
    s, c = sincos(actor.heading)
    vx, vy = ego.speed * cosine - actor.speed * c, ego.speed * sine - actor.speed * s
    fast = vx * vx + vy * vy > NEAR_SPEED * NEAR_SPEED
    return fast and (time < NEAR_TTC_S or away < NEAR_M)


def _class_of(kind: Kind) -> str:
    if kind in (Kind.PEDESTRIAN, Kind.EMERGENCY_WORKER):
        return "pedestrian"
    return "static" if kind == Kind.OBSTACLE else "vehicle"


def _known(value: float) -> float | None:
    return None if value == inf else value
