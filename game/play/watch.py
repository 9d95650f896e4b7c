"""A recorded drive in the window: from any tick, at any pace, with a camera of one's own.

Owns the keys of watching. Simulates forward and never back; nothing is recorded or sent.
"""

import math
import time
from collections.abc import Callable
from dataclasses import dataclass

from game.session.replay import Driven, Staged, replay
from game.view.camera import Eye, eye
from game.view.hud import Chip, Hud
from game.view.keys import BINDINGS, Deed, RawInput
from game.view.window import Window
from game.world.city import City
from game.world.state import WorldState
from game.world.version import TICK_HZ

KEYS = "W A S D fly, right mouse looks, C car or free, space pauses, Esc ends"
_PACE, _RISE = 0.6, 0.004
"""A flying camera's way [m] and turn per pixel [rad] in one picture."""


@dataclass(slots=True)
class Flight:
    """A camera that hangs in the air and goes where its keys say."""

    view: Eye | None = None
    free: bool = False
    paused: bool = False
    over: bool = False
    _down: frozenset[Deed] = frozenset()

    def feed(self, events: list[RawInput], state: WorldState) -> None:
        """Take in what the window saw since the last picture."""
        for event in events:
            deed = BINDINGS.get(event.code)
            if event.kind == "look" and self.view is not None:
                self._look(event)
            elif event.kind == "key" and deed is not None:
                self._down = self._down | {deed} if event.value else self._down - {deed}
                if event.value:
                    self._press(deed, state)

    def _press(self, deed: Deed, state: WorldState) -> None:
        if deed is Deed.QUIT:
            self.over = True
        elif deed is Deed.HANDBRAKE:
            self.paused = not self.paused
        elif deed is Deed.CAMERA:
            self.free = not self.free
            self.view = eye(state) if self.free else None

    def _look(self, event: RawInput) -> None:
        assert self.view is not None
        turn = event.value * _RISE
        yaw, pitch = self.view.yaw, self.view.pitch
        if event.code == "mouse-x":
            yaw -= turn
        else:
            pitch = max(-1.5, min(1.5, pitch - turn))
        self.view = Eye(self.view.x, self.view.y, self.view.z, yaw, pitch)

    def move(self) -> None:
        """One picture's way in the direction of the keys that are held."""
        if self.view is None:
            return
        ahead = (Deed.THROTTLE in self._down) - (Deed.BRAKE in self._down)
        left = (Deed.LEFT in self._down) - (Deed.RIGHT in self._down)
        at, level = self.view, math.cos(self.view.pitch)
        dx = math.cos(at.yaw) * level * ahead - math.sin(at.yaw) * left
        dy = math.sin(at.yaw) * level * ahead + math.cos(at.yaw) * left
        z = max(0.5, at.z + math.sin(at.pitch) * ahead * _PACE)
        self.view = Eye(at.x + dx * _PACE, at.y + dy * _PACE, z, at.yaw, at.pitch)

    def eye(self, state: WorldState) -> Eye:
        """Where to look from now."""
        return self.view if self.view is not None else eye(state)


def watch(
    driven: Driven, city: City, stage: Staged, first: int = 0, speed: float = 1.0,
    window: Window | None = None, now: Callable[[], float] = time.monotonic,
    wait: Callable[[float], None] = time.sleep,
) -> WorldState:  # fmt: skip
    """Show the drive from tick `first` on until its end or until somebody closes the window.

    Returns the last state shown. Raises MissingPart where there is no display.
    """
    capture = driven.manifest.capture
    own = window is None
    window = window or Window(city, capture, "window", f"Replay: {driven.manifest.scenario}")
    flight, every = Flight(), capture.every_ticks
    total = len(driven.controls())
    states = replay(driven, city, stage, first)
    state = next(states)
    due, owed = now(), 0.0
    try:
        while not (flight.over or window.closed):
            flight.feed(window.poll(), state)
            flight.move()
            owed += 0.0 if flight.paused else every * speed
            while owed >= 1.0:
                owed -= 1.0
                after = next(states, None)
                if after is None:
                    return state
                state = after
            picture = window.capture_from(flight.eye(state), state)
            window.present(picture, _hud(driven, state, flight, total, speed))
            due += every / TICK_HZ
            pause = due - now()
            if pause > 0:
                wait(pause)
            else:
                due = now()
    finally:
        if own:
            window.close()
    return state


def _hud(driven: Driven, state: WorldState, flight: Flight, total: int, speed: float) -> Hud:
    clock = f"{state.tick / TICK_HZ:.1f} of {total / TICK_HZ:.1f} s, tick {state.tick}"
    chips = [Chip("REPLAY", "good"), Chip("free camera" if flight.free else "as driven")]
    if flight.paused:
        chips.append(Chip("paused", "warn"))
    if speed != 1.0:
        chips.append(Chip(f"{speed:g} times"))
    return Hud(
        lines=(clock, KEYS), chips=tuple(chips), title=driven.manifest.scenario,
        speed=state.ego.speed,
    )  # fmt: skip
