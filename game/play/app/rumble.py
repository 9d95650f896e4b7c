"""What a pad's motors do: a blow in a collision, a tremble in a slide. Pure; felt and never kept.

Panda3D offers the two motors of a pad and no force on a wheel; where a device has none, nothing.
"""

from collections.abc import Callable

from game.play.app.feel import Heard

Motors = Callable[[float, float], None]
"""Set the strong (low) and the weak (high) motor, 0 to 1."""
_STEPS = 8
_DIES = 0.8  # of a blow is left at the next picture
_SLIDE = 0.5


class Rumble:
    """motors: told only what is another than before, in so many steps."""

    def __init__(self, motors: Motors) -> None:
        self._motors = motors
        self._blow = 0.0
        self._told = (0, 0)

    def step(self, heard: Heard, on: bool) -> None:
        """At every picture of a drive."""
        self._blow = max(self._blow * _DIES, heard.blow)
        self._tell(self._blow if on else 0.0, _SLIDE * heard.tyres if on else 0.0)

    def rest(self) -> None:
        """Stand still: a break, a screen, the end."""
        self._blow = 0.0
        self._tell(0.0, 0.0)

    def _tell(self, strong: float, weak: float) -> None:
        wanted = round(strong * _STEPS), round(weak * _STEPS)
        if wanted != self._told:
            self._told = wanted
            self._motors(wanted[0] / _STEPS, wanted[1] / _STEPS)
