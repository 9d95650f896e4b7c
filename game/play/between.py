"""Whether there is time for one more picture between two captured ones, for the screen alone.

Owns the rule and nothing else: costs go in, a yes or no comes out. What is captured, sent and kept
never asks it.
"""

BUDGET_MS = 6.0
"""A picture may cost so much of the 16.7 ms of a tick: a graphics card takes 1 to 3, a processor
that draws alone 8 and more, which then keeps all its time for the captured ones."""
_EASE = 0.1
"""Share of the newest cost in what a picture is held to cost."""


class Between:
    """One drive's. on: whether the player wants them."""

    def __init__(self, on: bool, budget_ms: float = BUDGET_MS) -> None:
        self._on, self._budget = on, budget_ms
        self._costs = -1.0

    def took(self, cost_ms: float) -> None:
        """What it cost to draw a captured picture."""
        ease = 1.0 if self._costs < 0.0 else _EASE
        self._costs += (cost_ms - self._costs) * ease

    def due(self, behind: int) -> bool:
        """Whether to draw one now. behind: ticks that wait to be lived, this one among them."""
        return self._on and behind <= 1 and 0.0 <= self._costs <= self._budget
