"""Runs the opening on the window: boot beside the terminal, services, then the glass breaks.

Owns the order of the start and its times. What is asked is in `overture`.
"""

import logging
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from game.play.app.boot import Boot
from game.play.app.desk import FRAME_S, Desk
from game.play.app.graphics import is_software
from game.play.app.memory import Memory, keep
from game.play.app.overture import Overture, Phase
from game.play.services import Begun
from game.processes import Supervisor
from game.settings import Settings
from game.view.screen.model import Event, Go

if TYPE_CHECKING:
    from game.play.embedded import Backing, Embedded

log = logging.getLogger(__name__)
FRACTURE_S, SHORT_S, CALM_S = 2.8, 1.1, 0.5
WAIT_FRAME_S = 1.0 / 5.0
"""Pace of the terminal once it is skipped and everything is answered."""
POLL_S = 0.02
"""How often it looks then whether all is there."""
PLAIN_FRAME_S = 1.0 / 15.0
"""Pace of the terminal where the processor that loads the city draws it, too."""


@dataclass(slots=True)
class Raised:
    """What the opening leaves. times [s] since the start of the program's own clock."""

    memory: Memory
    wallet: str
    recording: bool
    services: "Embedded"
    backing: "Backing"
    city: Any
    scene: Any
    times: dict[str, float] = field(default_factory=dict)


class Curtain:
    """One opening. `raise_` blocks until there is something to drive."""

    def __init__(
        self, desk: Desk, settings: Settings, memory: Memory, children: Supervisor,
        begun: Begun,
    ) -> None:  # fmt: skip
        """begun: the services, which come up meanwhile."""
        self._desk, self._settings, self._memory = desk, settings, memory
        self._children, self._notes = children, begun.notes
        kind = settings.app.opening
        self.off = kind == "off"
        self.alive: Callable[[], None] = lambda: None
        """Called at every picture of the terminal."""
        self.warm: Callable[[Boot], None] = lambda boot: None
        """Called once, when all is answered and the city is there: time to draw it unseen."""
        self.short = kind == "short" or (kind == "auto" and memory.starts > 0)
        self.times: dict[str, float] = {}
        self._began = desk.now()
        self._services = begun.services
        self._backing: Backing | None = None
        self._named: set[str] = set()

    def raise_(self) -> Raised:
        """Terminal, consent, wallet, and everything that has to be there. Raises what is wrong."""
        desk, settings = self._desk, self._settings
        show = Overture(
            replace(self._memory, starts=self._memory.starts + 1), desk.theme,
            self.short or self.off, settings.wallet.address, settings.record.enabled,
            settings.paths.sessions,
        )  # fmt: skip
        boot = self._booted(show)
        usual = PLAIN_FRAME_S if is_software(desk.front.device.family) else FRAME_S
        desk.front.listen(True)
        if self.off:
            show.feed(Event(Go.OK))
        self._play(boot, show, usual)
        keep(settings.paths.data, show.memory)
        last = f"{'first picture':<16}{'now':<9}shaders are compiled, the street is drawn"
        show.say(last, self._now(), True)
        show.hurry = True
        desk.turn(show.marks(self._now(), desk.front.canvas))
        self._mark("ready")
        self.times |= {f"boot {name}": took for name, took in boot.took.items()}
        assert self._backing is not None
        return Raised(
            show.memory, show.answered, show.wanted, self._services, self._backing, boot.city,
            boot.scene, self.times,
        )  # fmt: skip

    def _play(self, boot: Boot, show: Overture, usual: float) -> None:
        """The terminal until somebody can drive. usual: pace of its pictures [s]."""
        desk = self._desk
        phase, drawn = None, -1.0
        while show.phase is not Phase.OVER:
            if show.phase is not phase:
                phase = show.phase
                log.debug("app.phase name=%s", phase.value)
            self._pump(boot, show)
            for event in desk.events():
                self._mark("first key")
                if show.phase is Phase.WAIT and event.go is Go.BACK and boot.done:
                    self._without(show)
                show.feed(event)
            show.falling = boot.streets
            show.step(self._now(), boot.done, self._ready(boot))
            if show.phase in (Phase.WALLET, Phase.CONSENT):
                self._mark("asked")
            if show.phase is Phase.WAIT:
                self._mark("answered")
                self._draw(boot)
                if boot.done and not self._ready(boot) and "told" not in self._named:
                    self._named.add("told")
                    choice = "Esc drives now, without the services that are not up yet (unpaid)"
                    show.say(choice, self._now(), True)
            self.alive()
            idle = show.phase is Phase.WAIT and show.hurry  # the processor has better things to do
            if idle and self._now() < drawn + WAIT_FRAME_S:
                desk.rest(POLL_S)
                continue
            drawn = self._now()
            desk.turn(show.marks(drawn, desk.front.canvas), frame_s=POLL_S if idle else usual)

    def _booted(self, show: Overture) -> Boot:
        """What has to be there, begun: its lines go to the terminal under the first ones."""
        device = self._desk.front.device

        def say(text: str, bright: bool) -> None:
            show.say(text, self._now(), bright)

        boot = Boot(self._settings, device.family, say, device.number, memory=self._memory)
        for line in ("SCALE DIFFUSION", "drive Manhattan, dreamt anew", ""):
            show.say(line, 0.0, bright=line.isupper())
        for line in self._notes:
            show.say(line, 0.0, bright=True)
        boot.start()
        return boot

    def _now(self) -> float:
        return self._desk.now() - self._began

    def _mark(self, what: str) -> None:
        self.times.setdefault(what, self._now())

    def _pump(self, boot: Boot, show: Overture) -> None:
        """What has to be done on the main thread, as soon as it can be."""
        if boot.error is not None:
            raise boot.error
        if self._backing is not None:
            return
        services = self._children.services
        for name, service in services.items():
            if name not in self._named and service.is_ready():
                self._named.add(name)
                show.say(f"{name:<16}{'up':<9}process {service.pid}", self._now())
        if boot.done and self._named >= set(self._services.needed):
            from game.play.services import ready

            self._backing = ready(self._services, lambda text: show.say(text, self._now(), True))
            self._mark("services")

    def _draw(self, boot: Boot) -> None:
        if boot.done and boot.error is None and "warm" not in self._named:
            self._named.add("warm")
            self.warm(boot)

    def _ready(self, boot: Boot) -> bool:
        return boot.done and boot.city is not None and self._backing is not None

    def _without(self, show: Overture) -> None:
        """Drive now; services that come up later serve the next start."""
        from game.play.embedded import Backing

        if self._backing is None:
            log.warning("app.unbacked up=%s", ",".join(sorted(self._named)))
            show.say("driving without services: drives are kept on this machine", self._now(), True)
            self._backing = Backing()


def fracture(
    desk: Desk, new: NDArray[np.uint8], short: bool, calm: bool, alive: Callable[[], None],
    side: int = 480,
) -> None:  # fmt: skip
    """The screen breaks and rebuilds as a square of the city, the city itself behind it.

    side: of the window that follows [px].
    """
    from game.view.shatter import Shatter

    front = desk.front
    old = front.look()
    takes = CALM_S if calm else SHORT_S if short else FRACTURE_S
    dark = (cover(new, front.size) * np.array([0.30, 0.30, 0.30, 1.0])).astype(np.uint8)
    pieces = None if calm else Shatter(front, old, new)
    log.debug("app.fracture short=%s calm=%s", short, calm)
    began = desk.now()
    try:
        while (share := (desk.now() - began) / takes) < 1.0 and not front.closed:
            alive()
            if any(each.go is not Go.POINT for each in desk.events()):
                break
            if pieces is not None:
                pieces.show(share, square(front.size, side))
            front.show((), dark if pieces is not None else new)
    finally:
        if pieces is not None:
            pieces.close()


def square(size: tuple[int, int], side: int = 480) -> tuple[float, float, float, float]:
    """Left, top, width, height of a square of so many pixels in the middle, as shares of a screen.

    On a screen that is smaller it is nine tenths of the shorter side.
    """
    wide, high = size
    edge = min(float(side), 0.9 * min(wide, high))
    return (wide - edge) / 2 / wide, (high - edge) / 2 / high, edge / wide, edge / high


def cover(picture: NDArray[np.uint8], size: tuple[int, int]) -> NDArray[np.uint8]:
    """The middle of a picture, cut to the shape of a window."""
    high, wide = picture.shape[:2]
    shape = size[0] / max(size[1], 1)
    rows = min(high, round(wide / shape))
    columns = min(wide, round(high * shape))
    top, left = (high - rows) // 2, (wide - columns) // 2
    return picture[top : top + rows, left : left + columns]
