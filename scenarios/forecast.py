"""Where the others will be in the next seconds, as far as their last two states tell.

Owns the assumption: speed kept, the turn and the braking of the last tenth of a second kept for a
while. Knows nothing of scripts: a bot sees what a person could see. Exact.
"""

from dataclasses import dataclass
from math import sqrt

from game.world.entity import BODIES, Body, EntityState, Kind
from game.world.state import WorldState
from game.world.trig import sincos, wrap
from game.world.version import DT

STEP_S = 0.25
STEPS = 16
"""Four seconds ahead."""
SIGHT_M = 90.0
TURN_S = 1.0
"""How long a turn is believed to go on [s]."""
MAX_TURN = 0.8
"""Turn rates are believed up to this [rad/s]."""

BRAKING_S = 2.0
"""How long braking is believed to go on [s]."""
MAX_BRAKING = 8.0
"""Braking is believed up to this [m/s^2]."""
SETTLED_TICKS = 240
"""A vehicle that has not moved for so long is taken to stay where it is."""

Disc = tuple[float, float, float]
Row = tuple[tuple[float, float, float, tuple[Disc, ...], float], ...]
"""Per step ahead: centre x, y, cover radius [m], discs, and the margin that is in both [m]."""


@dataclass(frozen=True, slots=True)
class Sight:
    """What is in sight: everybody's forecast, and who of them is taken to stay where it is."""

    rows: tuple[Row, ...]
    actors: tuple[EntityState, ...]
    standing: tuple[EntityState, ...]


class Forecast:
    """Predicted rows of discs of everyone in sight, one per step ahead."""

    def __init__(self) -> None:
        self._seen: dict[int, tuple[int, float, float]] = {}
        self._still: dict[int, int] = {}

    def look(self, state: WorldState) -> Sight:
        """Predictions for all that are near enough to matter, by id."""
        rows: list[Row] = []
        near: list[EntityState] = []
        seen: dict[int, tuple[int, float, float]] = {}
        still: dict[int, int] = {}
        for actor in state.actors:
            seen[actor.id] = (state.tick, actor.heading, actor.speed)
            if actor.speed == 0.0:
                new = SETTLED_TICKS if actor.id not in self._seen else 0
                still[actor.id] = self._still.get(actor.id, state.tick - new)
            dx, dy = actor.x - state.ego.x, actor.y - state.ego.y
            if dx * dx + dy * dy <= SIGHT_M * SIGHT_M:
                near.append(actor)
                rows.append(_row(actor, *self._change(actor, state.tick)))
        self._seen, self._still = seen, still
        standing = [actor for actor in near if self._stays(actor, state.tick)]
        return Sight(tuple(rows), tuple(near), tuple(standing))

    def _change(self, actor: EntityState, tick: int) -> tuple[float, float]:
        """Turn rate [rad/s] and braking [m/s^2] since the last look, 0 for whom was not seen."""
        before = self._seen.get(actor.id)
        if before is None or before[0] >= tick:
            return 0.0, 0.0
        time = (tick - before[0]) * DT
        rate = wrap(actor.heading - before[1]) / time
        braking = (before[2] - actor.speed) / time
        return (
            max(-MAX_TURN, min(MAX_TURN, rate)),
            max(0.0, min(MAX_BRAKING, braking)),
        )

    def _stays(self, actor: EntityState, tick: int) -> bool:
        kind = BODIES[actor.body].kind
        if kind in (Kind.PEDESTRIAN, Kind.EMERGENCY_WORKER) or actor.id not in self._still:
            return False
        return kind == Kind.OBSTACLE or tick - self._still[actor.id] >= SETTLED_TICKS


def _row(actor: EntityState, turn: float, braking: float) -> Row:
    body = BODIES[actor.body]
    margin = margin_of(body.kind)
    discs = _thin(body)
    steps: list[tuple[float, float, float, tuple[Disc, ...], float]] = []
    x, y, heading, speed = actor.x, actor.y, actor.heading, actor.speed
    for k in range(STEPS + 1):
        sine, cosine = sincos(heading)
        placed = tuple((x + a * cosine, y + a * sine, r + margin) for a, r in discs)
        steps.append((x, y, body.cover + margin, placed, margin))
        if k * STEP_S < TURN_S:
            heading += turn * STEP_S
        if k * STEP_S < BRAKING_S and braking > 0.0:
            speed = max(0.0, speed - braking * STEP_S)
        x += speed * cosine * STEP_S
        y += speed * sine * STEP_S
    return tuple(steps)


def margin_of(kind: Kind) -> float:
    """Room that a careful driver leaves around one of this kind [m]."""
    if kind in (Kind.PEDESTRIAN, Kind.EMERGENCY_WORKER):
        return 0.9
    if kind == Kind.BICYCLE:
        return 0.7
    return 0.35


def _thin(body: Body) -> tuple[tuple[float, float], ...]:
    """The body's row, or four wider discs that cover it where it has more."""
    if len(body.discs) <= 4:
        return body.discs
    pitch = body.length / 4.0
    radius = sqrt(0.25 * (pitch * pitch + body.width * body.width))
    return tuple((pitch * (i - 1.5), radius) for i in range(4))
