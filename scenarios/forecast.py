"""Where the others will be in the next seconds, as far as their last two states tell.

Owns the assumption: speed kept, the turn of the last tenth of a second kept for a while. Knows
nothing of scripts: a bot sees what a person could see. Exact.
"""

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

Disc = tuple[float, float, float]
Row = tuple[tuple[float, float, float, tuple[Disc, ...], float], ...]
"""Per step ahead: centre x, y, cover radius [m], discs, and the margin that is in both [m]."""


class Forecast:
    """Predicted rows of discs of everyone in sight, one per step ahead."""

    def __init__(self) -> None:
        self._seen: dict[int, tuple[int, float]] = {}

    def look(self, state: WorldState) -> tuple[Row, ...]:
        """Predictions for all that are near enough to matter, nearest first by id."""
        rows: list[Row] = []
        seen: dict[int, tuple[int, float]] = {}
        for actor in state.actors:
            seen[actor.id] = (state.tick, actor.heading)
            dx, dy = actor.x - state.ego.x, actor.y - state.ego.y
            if dx * dx + dy * dy <= SIGHT_M * SIGHT_M:
                rows.append(_row(actor, self._turn(actor, state.tick)))
        self._seen = seen
        return tuple(rows)

    def _turn(self, actor: EntityState, tick: int) -> float:
        """Turn rate [rad/s] since the last look, 0 for whom was not seen then."""
        before = self._seen.get(actor.id)
        if before is None or before[0] >= tick:
            return 0.0
        rate = wrap(actor.heading - before[1]) / ((tick - before[0]) * DT)
        return max(-MAX_TURN, min(MAX_TURN, rate))


def _row(actor: EntityState, turn: float) -> Row:
    body = BODIES[actor.body]
    margin = margin_of(body.kind)
    discs = _thin(body)
    steps: list[tuple[float, float, float, tuple[Disc, ...], float]] = []
    x, y, heading = actor.x, actor.y, actor.heading
    for k in range(STEPS + 1):
        sine, cosine = sincos(heading)
        placed = tuple((x + a * cosine, y + a * sine, r + margin) for a, r in discs)
        steps.append((x, y, body.cover + margin, placed, margin))
        if k * STEP_S < TURN_S:
            heading += turn * STEP_S
        x += actor.speed * cosine * STEP_S
        y += actor.speed * sine * STEP_S
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
