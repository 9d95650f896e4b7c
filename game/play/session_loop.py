"""What a player lives through: one scenario ends, the next one loads, the data keeps flowing."""

import dataclasses
import logging
import secrets
import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Protocol

from game.outbox.job import JobStore
from game.play import screen
from game.play.between import Between
from game.play.blend import Blend
from game.play.drive import Drive
from game.play.embedded import Backing, Embedded
from game.play.ghost import Ghost, Race
from game.play.human import Human, bound
from game.play.intake import Intake, Payee, ServiceUnreachable, payee
from game.play.listen import FineTimes
from game.play.opening import Opened, Wanted, open_session
from game.play.prompt import LONGEST_TYPED, Style, next_style, style_named, typed_style
from game.play.runner import Driven, close, run, wait_for_stream
from game.play.waiting import Alive, AtWindow, GaveUp, nobody
from game.session.format import Driver as Declared
from game.session.format import InputEvent
from game.settings import Settings
from game.view.hud import Hud
from game.view.pads import Pads
from game.view.window import Window
from game.world.city import City
from game.world.version import TICK_HZ
from scenarios.cases import is_known
from scenarios.daily import day_seed, today
from scenarios.driver import DRIVERS
from scenarios.load import library

log = logging.getLogger(__name__)

Say = Callable[[str], None]
TAIL_TICKS = 120
"""The outcome stays on the screen this long before the next scenario loads."""
_SEEDS = 2**31 - 1
DAILY = "daily"
"""The policy of drives whose seed everybody knows."""


@dataclass(slots=True)
class Tally:
    """What one sitting came to."""

    drives: int = 0
    passed: int = 0
    sessions: tuple[str, ...] = ()


class Host(Protocol):
    """What the app does around a drive. A wish is '', restart, next, menu or quit."""

    def begun(self, drive: Drive, opened: Opened) -> None:
        """Everything stands, the first tick has not been lived."""

    def paused(self, drive: Drive) -> str:
        """The player asked for a break; returns the wish that ends the drive, '' to go on."""

    def screen(self, drive: Drive, hud: Hud) -> Hud:
        """The HUD of a tick, with what the app knows besides."""

    def siren(self) -> None:
        """The player switched the siren."""

    def second(self, drive: Drive) -> None:
        """Called once a second of driving."""

    def waiting(self, what: str, waited_s: float, limit_s: float) -> None:
        """Called while a service is waited for; raises GaveUp or DriveUnpaid."""


class Sitting:
    """Drives until the player has had enough. Owns style, payee and the line of scenarios."""

    def __init__(
        self,
        settings: Settings,
        city: City,
        window: Window,
        services: Embedded,
        backing: Backing,
        say: Say,
        host: Host | None = None,
        pads: Pads | None = None,
        consent: str = "none",
    ) -> None:
        """consent: version of the text on recording that the player agreed to, none: to none."""
        self.consent = consent
        self._host, self.wish, self._pads = host, "", pads
        self._settings, self._city, self._window = settings, city, window
        self._services, self._backing, self._say = services, backing, say
        self._intake = Intake(backing.rewards_url) if backing.rewards_url else None
        self._capture = settings.graphics.profile
        self._payee: Payee = payee(settings.wallet.address, settings.paths.data)
        self._style: Style = style_named(settings.stream.style)
        self._typed: tuple[Style, ...] = ()
        self._bindings = bound(settings.play)
        window.bind(self._bindings, settings.devices.mouse_pace)
        self._finer: FineTimes | None = None
        if settings.record.fine_times and settings.play.driver == "human" and window.has_screen:
            self._finer = FineTimes(self._bindings)
            self._finer.start()
        self._blend = Blend()
        self._graphed = False
        self._over = False
        self.ghost: Ghost | None = None
        self.tally = Tally()

    def drive_all(self, most: int = 0) -> Tally:
        """One drive after the other; `most` 0 goes on until the window closes or Esc is hit."""
        line = line_of(self._settings.play.scenario)
        try:
            while not self._over and (most == 0 or self.tally.drives < most):
                scenario = line[self.tally.drives % len(line)]
                self.drive(scenario, self._ghost_seed(scenario))
        except GaveUp:
            self._over = True
        finally:
            self.stop()
        return self.tally

    def stop(self) -> None:
        """End what listens beside the window."""
        if self._finer is not None:
            self._finer.stop()

    @property
    def over(self) -> bool:
        """Whether the player has closed the window or asked for the end."""
        return self._over

    def take_up(self, settings: Settings) -> None:
        """Other settings from the next drive on: keys at once, wallet, recording."""
        self._settings = settings
        self._payee = payee(settings.wallet.address, settings.paths.data)
        self._bindings = bound(settings.play)
        self._window.bind(self._bindings, settings.devices.mouse_pace)

    def drive(self, scenario: str, seed: int | None = None) -> tuple[Driven, Opened]:
        """One drive from its ticket to its seal. Raises GaveUp where the player does not wait."""
        self.wish = ""
        self._capture = self._settings.graphics.profile  # never within a drive: its manifest says
        self._window.redraw(self._capture.edges)
        opened = self._open(scenario, seed)
        human = None
        if self._pads is not None:
            self._pads.rest()
        if self._settings.play.driver == "human":
            human = Human(self._bindings, self._finer)
        drive = Drive(
            self._city,
            opened.stage,
            self._window,
            human or DRIVERS["bot"](opened.stage, self._city),
            self._style,
            self._capture.every_ticks,
            writer=opened.writer,
            link=opened.link,
            tape=opened.tape,
            hud=self._hud,
            capture=self._capture,
            shown=self._host is None,  # the host breaks its own screen before the first picture
            race=self._race(opened),
            between=Between(self._window.has_screen and self._settings.app.frames != "30"),
        )
        drive.blend.raw, drive.blend.opacity = self._blend.raw, self._blend.opacity
        self._blend, drive.graphed = drive.blend, self._graphed
        try:
            if self._host is None:
                wait_for_stream(drive, 5.0, self._alive)
            else:
                self._host.begun(drive, opened)
                drive.shown = True
        except BaseException:
            close(drive, opened)
            raise
        events = partial(self._events, human=human)
        driven = run(drive, opened, events, TAIL_TICKS, self._each_second)
        self._finish(driven, opened)
        return driven, opened

    def _ghost_seed(self, scenario: str) -> int | None:
        """The ghost's seed for its own scenario, the first one that was asked for."""
        first = self._settings.play.scenario
        return self.ghost.seed if self.ghost is not None and scenario == first else None

    def _race(self, opened: Opened) -> Race | None:
        """Against the ghost, where the very same case is driven."""
        if self.ghost is None:
            return None
        stage = opened.stage
        if (stage.digest, stage.seed) != (self.ghost.digest, self.ghost.seed):
            return None
        return Race(self.ghost, self._city, self._capture)

    def _hud(self, drive: Drive) -> Hud:
        hud = screen.hud(drive, self._city, self._payee, self._last)
        return hud if self._host is None else self._host.screen(drive, hud)

    def _open(self, scenario: str, seed: int | None = None) -> Opened:
        """Open a session; without the rewards service it is kept here and nothing is owed."""
        devices = self._devices()
        kind = Declared(self._settings.play.driver, ", ".join(devices))
        if kind.kind == "bot":
            kind = Declared("bot", "calm")
        seed = seed or self._settings.play.seed or None
        if seed is None and self._settings.rewards.policy == "demo":
            seed = secrets.randbelow(_SEEDS - 1) + 1
        wanted = Wanted(scenario, seed, kind, self._payee, devices, self.consent)
        settings, intake = self._terms(scenario, seed)
        parts = (settings, self._city, self._capture, self._window.family, self._backing)
        try:
            opened = open_session(*parts, intake, wanted, self._alive)
        except ServiceUnreachable as error:
            self._say(f"{error}; this drive is kept on this machine")
            opened = open_session(*parts, None, wanted)
        return opened

    @property
    def _alive(self) -> Alive:
        """What keeps the window alive while a service is waited for."""
        if self._host is not None:
            return self._host.waiting
        return AtWindow(self._window, self._bindings) if self._window.has_screen else nobody

    def _devices(self) -> tuple[str, ...]:
        """Kinds of what a person can drive with here, for the manifest."""
        if self._settings.play.driver == "bot":
            return ()
        return ("keyboard", "mouse", *(self._pads.kinds() if self._pads is not None else ()))

    def _terms(self, scenario: str, seed: int | None) -> tuple[Settings, Intake | None]:
        """Under which policy the drive is: who knows the seed beforehand is not paid for it.

        The seed of the day has a policy of its own, whose drives count on the boards; every other
        one that is chosen stays on this machine.
        """
        rules = self._settings.rewards
        if seed is None or rules.policy == "demo" or self._intake is None:
            return self._settings, self._intake
        if seed == day_seed(today()) and is_known(scenario):
            rules = dataclasses.replace(rules, policy=DAILY)
            return dataclasses.replace(self._settings, rewards=rules), self._intake
        self._say("its seed was chosen beforehand, so this drive is kept here and earns nothing")
        return self._settings, None

    def _events(self, drive: Drive, human: Human | None) -> Iterable[InputEvent] | None:
        raw = self._window.poll()
        if self._pads is not None:
            raw = [*raw, *self._pads.keys(time.monotonic_ns())]
        if self._window.closed:
            self._over = True
            return None
        most = self._settings.play.seconds
        if 0.0 < most * TICK_HZ <= drive.state.tick:
            return None
        if human is None:
            return ()
        events = human.feed(raw, drive.state.tick)
        drive.blend.peek = human.peeking()
        for command in human.commands():
            self._obey(command, drive)
        if drive.typing is not None:
            self._type(drive)
        return None if self._over or self.wish else events

    def _obey(self, command: str, drive: Drive) -> None:
        if command == "quit" and self._host is not None:
            self.wish = self._host.paused(drive)
            self._over = self._window.closed
            drive.rested = True
        elif command == "quit":
            self._over = True
        elif command == "siren" and self._host is not None:
            self._host.siren()
        elif command == "toggle-styled":
            drive.blend.raw = not drive.blend.raw
        elif command in ("less-dream", "more-dream"):
            drive.blend.dim(1 if command == "more-dream" else -1)
        elif command == "latency-graph":
            self._graphed = drive.graphed = not drive.graphed
        elif command == "type-prompt":
            drive.typing = ""
            self._window.type(True)
        elif command in ("next-style", "previous-style"):
            by = 1 if command == "next-style" else -1
            self._wear(next_style(self._style, by, self._typed), drive)
        elif command == "pause-recording" and drive.tape is not None:
            drive.pause(not drive.tape.paused)

    def _wear(self, style: Style, drive: Drive) -> None:
        self._style = style
        drive.set_style(style)

    def _type(self, drive: Drive) -> None:
        """Take what was typed of a prompt: enter asks for it, escape forgets it."""
        text = drive.typing or ""
        for stroke in self._window.typed():
            if stroke == "backspace":
                text = text[:-1]
            elif stroke in ("enter", "escape"):
                self._window.type(False)
                drive.typing = None
                if stroke == "enter" and text.strip():
                    style = typed_style(text)
                    self._typed = (*(s for s in self._typed if s != style), style)[-8:]
                    self._wear(style, drive)
                return
            elif stroke.isprintable():
                text = (text + stroke)[:LONGEST_TYPED]
        drive.typing = text

    def _each_second(self, drive: Drive) -> None:
        for name in self._services.revive():
            log.warning("play.revived name=%s", name)
        if self._host is not None:
            self._host.second(drive)

    def _finish(self, driven: Driven, opened: Opened) -> None:
        self.tally.drives += 1
        success = driven.outcome is not None and driven.outcome.success
        self.tally.passed += success
        said = "passed" if success else "failed" if driven.outcome else "ended early"
        self._say(f"{opened.stage.scenario.title}: {said}, {driven.ticks / 60:.1f} s")
        if opened.writer is None:
            return
        self.tally.sessions += (opened.session,)
        self._say(f"recorded in {opened.writer.folder}")
        if opened.ticket:
            try:
                JobStore(self._services.outbox).add(opened.writer.folder)
            except (OSError, ValueError) as error:
                self._say(f"it could not be queued for upload: {error}")

    @property
    def _last(self) -> str:
        """One line on the newest session that was handed in."""
        return screen.hand_in_line(self._services.outbox, self.tally.sessions)


def line_of(first: str) -> Sequence[str]:
    """The order of scenarios: the one asked for first, then round the library."""
    every = library()
    if not first:
        return every
    if first not in every:  # a file, or a free drive
        return (first,)
    at = every.index(first)
    return (*every[at:], *every[:at])
