"""One session being driven, a tick at a time. Owns the order in which a tick is lived.

Nothing that comes back, styled frame or receipt, is ever an argument of `step`.
"""

# One turn of the loop: t is the tick that everything carries, [ ] is another process.
#
#   keys ──> InputEvent ──> Controls(t) ──> step ──> WorldState(t+1) ──> draw, every second tick
#                 │              │                        │                   │
#                 └──────────────┴── inputs, ticks ───────┘                   │
#                         (appended to disk right here)                       │
#             [recorder] <──── ring of sources, in order ─────────────────────┤
#                 ^                                                           v
#                 └── ring of encoded frames, in order ── [peer] <── ring, latest wins
#                                                           │
#             present(newest styled) <── ring, latest wins ─┘

import dataclasses
import time
from collections import deque
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import partial
from typing import Protocol

from game.play.between import Between
from game.play.blend import Blend, mixed
from game.play.fault import fault
from game.play.ghost import Race
from game.play.link import Link
from game.play.prompt import Follower, Style, scene
from game.play.tape import Tape
from game.session.clocks import Clocks
from game.session.format import CaptureProfile, InputEvent
from game.session.writer import SessionWriter
from game.view.hud import Hud
from game.view.window import Window
from game.world.city import City
from game.world.controls import Controls
from game.world.state import WorldState
from game.world.step import step
from game.world.version import TICK_HZ
from scenarios.expect import Outcome, Referee
from scenarios.spawn import Stage
from streaming.frames import Frame, Pixels
from streaming.stages import STAGES

_LOOK_TICKS = TICK_HZ // 2
"""How often the street is looked up for the prompt."""
_WARM_FRAMES = 8
_GRAPH = 60
"""Readings of the stages that the latency graph holds."""


class Driver(Protocol):
    """Whoever holds the wheel: a person's device, a bot."""

    def controls(self, state: WorldState) -> Controls: ...


@dataclass(slots=True)
class Counts:
    """What a drive has done so far."""

    frames: int = 0
    shown: int = 0
    skipped: int = 0


class Drive:
    """Everything that belongs to one session while it is driven."""

    def __init__(
        self,
        city: City,
        stage: Stage,
        window: Window,
        driver: Driver,
        style: Style,
        every_ticks: int,
        *,
        writer: SessionWriter | None = None,
        link: Link | None = None,
        tape: Tape | None = None,
        hud: Callable[["Drive"], Hud] | None = None,
        capture: CaptureProfile = CaptureProfile(),  # noqa: B008 - frozen
        shown: bool = True,
        race: Race | None = None,
        between: Between | None = None,
    ) -> None:
        """shown: whether pictures go to the window, too; whoever hides the first one says when.

        between: when the window gets pictures of its own between two captured ones, None: never.
        """
        self.shown = shown
        self.city, self.stage, self.window, self.driver = city, stage, window, driver
        self.writer, self.link, self.tape = writer, link, tape
        self.state = stage.state
        self.referee = Referee(stage)
        self.style, self.blend = style, Blend()
        self.graph: deque[tuple[float, ...]] = deque(maxlen=_GRAPH)
        self.graphed = False
        self.typing: str | None = None  # what the player has typed so far of a prompt
        self.counts = Counts()
        self.race, self.between = race, between or Between(False)
        self.rested = False  # somebody paused since the last tick
        self._hud = hud
        self.every_ticks = every_ticks
        self._styled_tick = -1
        self._styled: Pixels | None = None
        self._picture: Pixels | None = None
        self._drawn: Pixels | None = None
        self._capture, self._follower = capture, Follower()
        self._arrived = self.state.tick
        self._shown_ms: deque[float] = deque(maxlen=90)
        self._place = (-1, "")
        self._clocks = Clocks(self.state.tick)
        if writer is not None:
            writer.tick(self.state)
        self.referee.observe(self.state)
        self._ask()
        self._draw()

    @property
    def outcome(self) -> Outcome | None:
        """How it ended, None while it goes on."""
        return self.referee.outcome

    def leave(self) -> None:
        """The driver gets out: that ends a free drive well, and gives up another one."""
        self.referee.leave(self.state)

    def turn(self, events: Iterable[InputEvent] = (), draw: bool = True, behind: int = 1) -> None:
        """Live one tick. draw: false leaves this tick's picture out, where time is short.

        behind: how many ticks wait to be lived, this one among them.
        """
        if self.writer is not None:
            for event in events:
                self.writer.input(event)
        controls = self.driver.controls(self.state)
        self.state = step(self.city, self.state, controls)
        if self.writer is not None:
            self.writer.tick(self.state)
        self.referee.observe(self.state)
        self._note_contacts()
        if self.state.tick % self.every_ticks == 0:
            if draw:
                self._draw()
            else:
                self.counts.skipped += 1
        elif self.shown and self.between.due(behind):
            self._glimpse()
        if self.state.tick % _LOOK_TICKS == 0:
            self._ask()
        if self.state.tick % TICK_HZ == 0:
            self._every_second()
        if self.graphed and self.state.tick % 12 == 0:
            told = self.stages()
            self.graph.append(tuple(told.get(name, 0.0) for name in STAGES))

    def pause(self, paused: bool) -> None:
        """Stop or go on keeping pictures; inputs and ticks are always kept, for the replay."""
        if self.tape is not None:
            self.tape.paused = paused
        if self.writer is not None:
            self.writer.event("pause" if paused else "resume", self.state.tick)

    def place(self, city: City, address: Callable[[City, float, float], str]) -> str:
        """Where the car is, looked up once a second."""
        second = self.state.tick // TICK_HZ
        if self._place[0] != second:
            self._place = (second, address(city, self.state.ego.x, self.state.ego.y))
        return self._place[1]

    def message(self) -> str:
        """The one thing the player should know now, '' mostly."""
        if self.typing is not None:
            return f"prompt: {self.typing}_"
        if self.link is None:
            return ""
        missing = self.state.tick - self._arrived > TICK_HZ
        return fault(self.link.gauges(), missing, self.blend.faulted)

    def stages(self) -> dict[str, float]:
        """Median [ms] of each part of a frame's way, the last of them on this side of the rings."""
        told = dict(self.link.gauges().stages) if self.link is not None else {}
        if told and self._shown_ms:
            told["show"] = round(sorted(self._shown_ms)[len(self._shown_ms) // 2], 2)
        return told

    def set_style(self, style: Style) -> None:
        """Ask the model for another look from now on."""
        self.style = style
        self._ask()

    def _note_contacts(self) -> None:
        if self.writer is None:
            return
        for contact in self.state.contacts:
            if contact.since == self.state.tick:
                self.writer.event(
                    "contact", self.state.tick, other=contact.other, speed=contact.speed
                )

    @property
    def street(self) -> str:
        """The street that the car was on when it was last looked up, '' before."""
        return self._place[1].split(" near ")[0]

    @property
    def picture(self) -> Pixels | None:
        """What the window shows of the world now: drawn, styled or both mixed."""
        return self._picture

    def _draw(self) -> None:
        tick, began_ns = self.state.tick, time.monotonic_ns()
        picture = self._drawn = self.window.capture(self.state)
        drawn_ns = time.monotonic_ns()
        self.between.took((drawn_ns - began_ns) / 1e6)
        self.counts.frames += 1
        if self.link is not None:
            self.link.send(tick, drawn_ns, picture)
        if self.tape is not None and not self.tape.paused:
            self.tape.source(tick, drawn_ns, picture)
        self._present(picture)

    def _glimpse(self) -> None:
        """A picture for the screen alone: never sent, never kept, and the game's own part of it is
        drawn only where it is seen."""
        if self._drawn is None or self._styled is None or self.blend.share(self.state.tick) < 1.0:
            self._drawn = self.window.capture(self.state)
        self._present(self._drawn)

    def _present(self, drawn: Pixels) -> None:
        tick = self.state.tick
        styled = self.link.newest(self._styled_tick) if self.link is not None else None
        if styled is not None:
            self._styled_tick, self._styled, self._arrived = styled.tick, styled.pixels, tick
            self.blend.came(tick)
        share = self.blend.share(tick)
        if styled is not None:
            self._seen(styled, share)
        picture = drawn if self._styled is None else mixed(drawn, self._styled, share)
        self._picture = picture
        if not self.shown:
            return
        hud = self._hud(self) if self._hud else Hud()
        if self.race is None:
            self.window.present(picture, hud)
            return
        self.window.present(picture, hud, partial(self.race.marks, self.state))

    def _seen(self, styled: Frame, share: float) -> None:
        if self.counts.frames > _WARM_FRAMES:  # the first one waited for the drive to begin
            self._shown_ms.append((time.monotonic_ns() - styled.t_ns) / 1e6)
        if share <= 0.0:
            return
        self.counts.shown += 1
        if self.writer is not None:
            self.writer.shown(styled.tick, self.state.tick)

    def _every_second(self) -> None:
        tick = self.state.tick
        if self.link is not None:
            self.link.commit(tick, self.state.inputs)
            self.link.revive()
            if self.writer is not None:
                self.writer.event("gauges", tick, **self.link.reading())
        if self.tape is not None:
            self.tape.revive()
        clocks = self._clocks.note(tick)
        if clocks is not None and self.writer is not None:
            self.writer.event("clock", tick, **clocks)

    def _ask(self) -> None:
        """Compose the prompt for this place and send it when it is time for another."""
        told = self.stage.scenario
        where = scene(self.city, self.state, self._capture, told.id, told.title)
        prompt = self._follower.due(where, self.style, self.state.tick)
        if prompt is None:
            return
        number = self.link.set_prompt(prompt, self.style) if self.link is not None else 0
        if self.writer is not None:
            self.writer.event(
                "prompt",
                self.state.tick,
                number=number,
                style=self.style.name,
                prompt=prompt,
                scene=dataclasses.asdict(where),
            )
