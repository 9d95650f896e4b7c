"""How far an errand has come: which stop is next, how long one has stood there, what is late.

One state after the other in. Exact, since the outcome of a run hangs on it. Draws nothing.
"""

from game.world.state import WorldState
from scenarios.spawn import Expectation, Stage

STOP = "stop"
AT_REST = 0.5
"""Slower than this one stands [m/s]."""


class Errand:
    """The stops of a stage, in order. A stage without stops is done from the beginning."""

    def __init__(self, stage: Stage) -> None:
        self.stops: tuple[Expectation, ...] = tuple(
            wanted for wanted in stage.expectations if wanted.kind == STOP
        )
        self.made: list[int] = []
        """Tick at which each stop that is behind was finished."""
        self.late = False
        """A stop was not finished by its time."""
        self._since = -1

    @property
    def next(self) -> Expectation | None:
        """The stop to be made now, None when all are made."""
        at = len(self.made)
        return self.stops[at] if at < len(self.stops) else None

    @property
    def done(self) -> bool:
        """Whether nothing is left to do."""
        return len(self.made) == len(self.stops)

    def stood(self, state: WorldState) -> int:
        """Ticks that the car has stood at the next stop."""
        return 0 if self._since < 0 else state.tick - self._since

    def observe(self, state: WorldState) -> None:
        """Take one tick into account."""
        wanted = self.next
        if wanted is None:
            return
        if not (is_there(wanted, state) and -AT_REST < state.ego.speed < AT_REST):
            self._since = -1
        elif self._since < 0:
            self._since = state.tick
        if self._since >= 0 and state.tick - self._since >= wanted.ticks:
            self.made.append(state.tick)
            self._since = -1
        elif 0 < wanted.by <= state.tick:
            self.late = True


def is_there(wanted: Expectation, state: WorldState) -> bool:
    """Whether the ego's centre is inside the circle of a place."""
    dx, dy = state.ego.x - wanted.x, state.ego.y - wanted.y
    return dx * dx + dy * dy <= wanted.radius * wanted.radius
