"""What a player lives through: one scenario ends, the next one loads, the data keeps flowing."""

import logging
import secrets
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from functools import partial

from game.outbox.job import JobStore
from game.play import screen
from game.play.blend import Blend
from game.play.drive import Drive
from game.play.embedded import Backing, Embedded
from game.play.human import Human, bound
from game.play.intake import Intake, Payee, ServiceUnreachable, payee
from game.play.opening import Opened, Wanted, open_session
from game.play.prompt import LONGEST_TYPED, Style, next_style, style_named, typed_style
from game.play.runner import Driven, run, wait_for_stream
from game.session.format import CaptureProfile, InputEvent
from game.session.format import Driver as Declared
from game.settings import Settings
from game.view.window import Window
from game.world.city import City
from game.world.version import TICK_HZ
from scenarios.driver import DRIVERS
from scenarios.load import library

log = logging.getLogger(__name__)

Say = Callable[[str], None]
TAIL_TICKS = 120
"""The outcome stays on the screen this long before the next scenario loads."""
_SEEDS = 2**31 - 1


@dataclass(slots=True)
class Tally:
    """What one sitting came to."""

    drives: int = 0
    passed: int = 0
    sessions: tuple[str, ...] = ()


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
    ) -> None:
        self._settings, self._city, self._window = settings, city, window
        self._services, self._backing, self._say = services, backing, say
        self._intake = Intake(backing.rewards_url) if backing.rewards_url else None
        self._capture = CaptureProfile()
        self._payee: Payee = payee(settings.wallet.address, settings.paths.data)
        self._style: Style = style_named(settings.stream.style)
        self._typed: tuple[Style, ...] = ()
        self._bindings = bound(settings.play)
        window.bind(self._bindings)
        self._blend = Blend()
        self._graphed = False
        self._over = False
        self.tally = Tally()

    def drive_all(self, most: int = 0) -> Tally:
        """One drive after the other; `most` 0 goes on until the window closes or Esc is hit."""
        line = _line(self._settings.play.scenario)
        while not self._over and (most == 0 or self.tally.drives < most):
            scenario = line[self.tally.drives % len(line)]
            self._one(scenario)
        return self.tally

    def _one(self, scenario: str) -> None:
        opened = self._open(scenario)
        human = Human(self._bindings) if self._settings.play.driver == "human" else None
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
            hud=lambda turn: screen.hud(turn, self._city, self._payee, self._last),
            capture=self._capture,
        )
        drive.blend.raw, drive.blend.opacity = self._blend.raw, self._blend.opacity
        self._blend, drive.graphed = drive.blend, self._graphed
        wait_for_stream(drive, 5.0)
        events = partial(self._events, human=human)
        driven = run(drive, opened, events, TAIL_TICKS, self._each_second)
        self._finish(driven, opened)

    def _open(self, scenario: str) -> Opened:
        """Open a session; without the rewards service it is kept here and nothing is owed."""
        kind = Declared(self._settings.play.driver, "keyboard and mouse")
        if kind.kind == "bot":
            kind = Declared("bot", "calm")
        seed = self._settings.play.seed or None
        if seed is None and self._settings.rewards.policy == "demo":
            seed = secrets.randbelow(_SEEDS - 1) + 1
        wanted = Wanted(scenario, seed, kind, self._payee)
        parts = (self._settings, self._city, self._capture, self._window.family, self._backing)
        try:
            opened = open_session(*parts, self._intake, wanted)
        except ServiceUnreachable as error:
            self._say(f"{error}; this drive is kept on this machine")
            opened = open_session(*parts, None, wanted)
        return opened

    def _events(self, drive: Drive, human: Human | None) -> Iterable[InputEvent] | None:
        raw = self._window.poll()
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
        return None if self._over else events

    def _obey(self, command: str, drive: Drive) -> None:
        if command == "quit":
            self._over = True
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


def _line(first: str) -> Sequence[str]:
    """The order of scenarios: the one asked for first, then round the library."""
    every = library()
    if not first:
        return every
    if first not in every:  # a file, or a free drive
        return (first,)
    at = every.index(first)
    return (*every[at:], *every[:at])
