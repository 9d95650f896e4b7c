"""The program as a player lives it: opening, menu, drives, breaks, results, until it is left.

Owns what comes after what. Screens are in `menus`, settings in `settings_pages`, a drive is lived
by `Sitting`. Nothing here reaches into a drive's world.
"""

import dataclasses
import gc
import logging
import time
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, cast

from game.errors import GameError
from game.play.app.boot import Boot, told
from game.play.app.curtain import Curtain, Raised, fracture
from game.play.app.desk import Desk, WindowClosed
from game.play.app.ears import Ears
from game.play.app.feel import Feel
from game.play.app.memory import Memory, keep, recall
from game.play.app.rumble import Rumble
from game.play.app.settings_file import Value
from game.play.app.settings_pages import shown
from game.play.app.siren import has_siren
from game.play.human import bound
from game.play.services import Begun
from game.processes import Supervisor
from game.settings import Settings
from game.view.front import Front
from game.view.keys import Deed
from game.view.scene import Scene
from game.view.screen.theme import HUD_SIZES
from game.view.window import Window
from game.world.city import City
from game.world.version import TICK_HZ
from scenarios.daily import today
from scenarios.near import Watcher

if TYPE_CHECKING:
    from game.play.drive import Drive
    from game.play.opening import Opened
    from game.play.runner import Driven
    from game.play.session_loop import Sitting, Tally
    from game.view.hud import Chip, Hud
    from game.world.state import WorldState

log = logging.getLogger(__name__)
Say = Callable[[str], None]
SETTLED_TICKS = 5 * TICK_HZ
"""So much of the first drive is over before its machine is asked for more than the drive."""


class App:
    """One run of the program. Host of its drives."""

    def __init__(
        self, settings: Settings, file: Path, front: Front, children: Supervisor, say: Say,
        began: float, begun: Begun,
    ) -> None:  # fmt: skip
        """began: monotonic second at which the program started, for the table of times."""
        self._begun, self._finished = begun, False
        self.window: Window
        self._warmed: Window | None = None
        self.settings, self.file, self.front, self.say = settings, file, front, say
        self._children, self._began = children, began
        self.memory: Memory = recall(settings.paths.data)
        self._dress()
        self.desk = Desk(front, settings.app.theme)
        self.desk.pads.calibrate(settings.devices.known)
        self._rumble = Rumble(self.desk.pads.shake)
        self.times: dict[str, float] = {}
        self.sitting: Sitting
        self._short, self._raised, self._shown = False, False, ""
        self._feel = Feel()
        self._patience = ""  # what has the focus while a service is waited for
        self.near = Watcher()
        self.ears = Ears(settings.paths.data / "sounds", lambda: self.settings.app)
        self.scenario = ""
        self.seed: int | None = None

    def run(self, most: int = 0) -> "Tally":
        """Open, then drive after drive."""
        from game.play.session_loop import Tally

        if self.settings.app.opening != "off" or self.settings.app.full_screen:
            self.front.full_screen(True, self._size)
        self.times["window"] = time.monotonic() - self._began
        try:
            raised = self._open()
        except WindowClosed:
            if self._warmed is not None:
                self._warmed.close()
            return Tally()
        except Exception as error:
            self._explain(error)
            raise
        try:
            self._live(raised, most)
        except WindowClosed:
            pass
        finally:
            self.sitting.stop()
            self.ears.close()
            self.window.close()
            keep(self.settings.paths.data, self.memory)
        return self.sitting.tally

    @property
    def _size(self) -> tuple[int, int]:
        return self.settings.app.size, self.settings.app.size

    def _open(self) -> Raised:
        curtain = Curtain(self.desk, self.settings, self.memory, self._children, self._begun)
        curtain.warm = self._warm
        self._short = curtain.short or curtain.off
        if not curtain.off:
            curtain.alive = self.ears.hum()
        try:
            raised = curtain.raise_()
        finally:
            self._quiet()
        shift = time.monotonic() - self._began - raised.times["ready"]
        self.times |= {name: took + shift for name, took in raised.times.items()
                       if not name.startswith("boot ")}  # fmt: skip
        self.memory = raised.memory
        record = dataclasses.replace(self.settings.record, enabled=raised.recording)
        wallet = dataclasses.replace(self.settings.wallet, address=raised.wallet)
        self.settings = dataclasses.replace(self.settings, record=record, wallet=wallet)
        self._build(raised)
        return raised

    def _build(self, raised: Raised) -> None:
        from game.play.app.consent import VERSION
        from game.play.session_loop import Sitting

        gc.collect()
        gc.freeze()  # a full collection would walk the whole city and cost a frame
        self.city, self.services, self.backing = raised.city, raised.services, raised.backing
        self.window = self._warmed or self._window(raised.city, raised.scene)
        self.sitting = Sitting(
            self.settings,
            raised.city,
            self.window,
            raised.services,
            raised.backing,
            self.say,
            self,
            self.desk.pads,
            VERSION if self.memory.consent == VERSION else "none",
        )

    def _window(self, city: City, scene: Scene) -> Window:
        return Window(city, self.settings.graphics.profile, front=self.front, scene=scene)

    def _warm(self, boot: Boot) -> None:
        """Draw the street of the first drive once, unseen: its programs are compiled then."""
        self._warmed = self._window(boot.city, boot.scene)
        if boot.first is not None:
            self._warmed.capture(boot.first)

    def _explain(self, error: BaseException) -> None:
        """What stopped the start, on the screen, until a key is hit."""
        from game.play.app.menus import notice

        try:
            self.desk.ask(notice("It cannot start", told(error), "bad"), until_s=60.0)
        except WindowClosed:
            return

    def _live(self, raised: Raised, most: int) -> None:
        """Drives and menus until somebody leaves."""
        from game.play.app.pages import Pages

        self.pages = Pages(self)
        wish = self._first()
        while wish != "quit" and not self.sitting.over:
            if wish == "menu":
                self._finish()
                wish = self.pages.main()
                continue
            if wish != "restart" or not self.scenario:
                self._choose(wish)
            wish = self._drive()
            if most and self.sitting.tally.drives >= most:
                break

    def _first(self) -> str:
        if self.settings.app.begin == "menu":
            self._unfold()
            return "menu"
        try:
            return self._start_name() or "next"
        except GameError as error:
            self._unfold()
            return self.pages.trouble(told(error))

    def _start_name(self) -> str:
        """What the command or the settings ask for, '' for the line of scenarios."""
        play = self.settings.play
        if play.ghost:
            from game.play.ghost import load_ghost

            ghost = self.sitting.ghost = load_ghost(Path(play.ghost), self.city)
            return f"{play.scenario or ghost.scenario}#{ghost.seed}"
        if play.free:
            from scenarios.free import Level, free_at

            return free_at(self.city, play.place, cast(Level, play.city)).name
        return play.scenario

    def _choose(self, wish: str) -> None:
        """wish: 'next', or 'NAME' or 'NAME#SEED'."""
        from game.play.app.cards import cards, upcoming

        if wish == "next":
            self.scenario, self.seed = upcoming(self.memory, cards(), self.scenario).id, None
            return
        name, _, seed = wish.partition("#")
        self.scenario, self.seed = name, int(seed) if seed else None

    def _drive(self) -> str:
        """One drive and its results; returns the next wish."""
        from game.play.waiting import GaveUp

        try:
            self.front.listen(False)
            driven, opened = self.sitting.drive(self.scenario, self.seed)
        except GaveUp:
            self._unfold()
            return "menu"
        except GameError as error:
            return self.pages.trouble(told(error))
        finally:
            self._quiet()
        if self.front.closed:
            return "quit"
        self._finish()
        found = self._note(driven, opened)
        if self.sitting.wish and driven.outcome is None:
            return self.sitting.wish
        if opened.stage.free:
            return self.sitting.wish or "menu"
        return self.pages.results(driven, opened, found)

    def _note(self, driven: "Driven", opened: "Opened") -> "tuple[str, str]":
        """Keep what the drive was worth; returns the session and what to say of the best."""
        from game.play.app.medal import merit, noted

        if driven.outcome is None:
            return opened.session, ""
        found = merit(opened.stage, driven.outcome)
        before = self.memory.best.get(self.scenario)
        self.memory = noted(
            self.memory, self.scenario, found, driven.outcome, opened.session, opened.stage.seed,
            today(),
        )  # fmt: skip
        keep(self.settings.paths.data, self.memory)
        after = self.memory.best.get(self.scenario)
        if after is None or after == before:
            told = f"your best: {after.medal}, {after.seconds:.1f} s" if after else ""
            return opened.session, told
        return opened.session, "your best drive of it so far"

    def agree(self) -> bool:
        """Ask for consent to recording unless it was given; whether it is."""
        from game.play.app import consent

        while self.memory.consent != consent.VERSION:
            _, act = self.desk.ask(consent.ask())
            if act.id == "facts":
                self.desk.ask(consent.facts(self.settings.paths.sessions))
            elif act.id == "agree":
                self.memory = dataclasses.replace(self.memory, consent=consent.VERSION)
                keep(self.settings.paths.data, self.memory)
            else:
                return False
        self.sitting.consent = self.memory.consent
        return True

    def take_up(self, key: str, value: Value) -> None:
        """A setting was changed: use it as soon as it can be used."""
        section, _, name = key.partition(".")
        old = getattr(self.settings, section)
        if isinstance(getattr(old, name), str | bool | int | tuple):
            changed = dataclasses.replace(old, **{name: value})
            self.settings = dataclasses.replace(self.settings, **{section: changed})
        self.desk.theme = self.settings.app.theme
        self._dress()
        if key in ("app.size", "app.full_screen"):
            self.front.full_screen(self.settings.app.full_screen, self._size)
        self.sitting.take_up(self.settings)

    def _dress(self) -> None:
        """What of the graphics settings the window itself keeps."""
        self.front.stage.hud_size = HUD_SIZES[self.settings.app.hud]
        self.front.stage.scale(self.settings.app.scaling)

    # what a drive asks of its host

    def begun(self, drive: "Drive", opened: "Opened") -> None:
        """Break the glass before the very first drive."""
        self._unfold(drive)
        self.front.listen(False)
        self._street = ("", 0.0, 0.0)
        self._feel = Feel()
        self.near = Watcher()
        self.ears.siren = True

    def _unfold(self, drive: "Drive | None" = None) -> None:
        if self._raised:
            return
        self._raised = True
        self.times["city drawn"] = time.monotonic() - self._began
        calm = self.settings.app.calm
        if drive is not None and drive.picture is not None and self.settings.app.opening != "off":
            self.front.listen(True)
            alive = self.ears.shatter()
            side = max(self.front.size) if self.settings.app.full_screen else self.settings.app.size
            fracture(self.desk, drive.picture, self._short, calm, alive, side)
        if not self.settings.app.full_screen:
            self.front.full_screen(False, self._size)
        self.front.listen(False)
        if drive is None:
            self._finish()
        else:  # the window is another one now: it is not left black until the next picture
            self.front.show((), drive.picture)
        self.times["driving"] = time.monotonic() - self._began
        row = " ".join(f"{name}={took:.2f}" for name, took in self.times.items())
        log.warning("app.start %s", row)

    def _finish(self) -> None:
        """Start who checks, pays and uploads; they have nothing to do before a drive has ended."""
        if not self._finished:
            self._finished = True
            self.services.finish()

    def waiting(self, what: str, waited_s: float, limit_s: float) -> None:
        """A service is waited for: say so, and let it be given up."""
        from game.play.app.menus import waits
        from game.play.waiting import QUIET_S, DriveUnpaid, GaveUp

        if waited_s < QUIET_S:
            self._patience = ""
            return
        if not self._patience:
            self.front.listen(True)
        shown, act = self.desk.glance(waits(what, waited_s, limit_s).at(self._patience))
        self._patience = shown.focused.id if shown.focused is not None else ""
        if act is not None and act.id == "unpaid":
            raise DriveUnpaid(self.backing.rewards_url, what)
        if act is not None and act.id in ("menu", "back"):
            raise GaveUp

    def paused(self, drive: "Drive") -> str:
        """A break; the world stands still."""
        self._quiet()
        try:
            return self.pages.paused(drive)
        except WindowClosed:
            return "quit"
        finally:
            self.front.listen(False)

    def screen(self, drive: "Drive", hud: "Hud") -> "Hud":
        """The HUD as the drive makes it; sounds and sways on the way."""
        self.near.observe(drive.state)
        app, heard, sway = self.settings.app, *self._feel.step(drive.state)
        moved = (sway.x, sway.y, sway.turn) if app.shake and not app.calm else (0.0, 0.0, 0.0)
        self.front.stage.sway(*moved)
        self.ears.drive(drive.state, heard)
        self._rumble.step(heard, self.settings.devices.rumble)
        return dataclasses.replace(hud, chips=(*hud.chips, *self._siren_chip(drive.state)))

    def siren(self) -> None:
        """Switch the siren of one's own car."""
        self.ears.siren = not self.ears.siren

    def _siren_chip(self, state: "WorldState") -> "tuple[Chip, ...]":
        if not has_siren(state.ego.body):
            return ()
        keys = (code for code, deed in bound(self.settings.play).items() if deed is Deed.SIREN)
        return (self.ears.chip(shown(next(keys, "no key"))),)

    def _quiet(self) -> None:
        """Nothing sounds and nothing moves while a screen is shown."""
        self.front.stage.sway(0.0, 0.0, 0.0)
        self.ears.hush()
        self._rumble.rest()

    def second(self, drive: "Drive") -> None:
        """Remember the streets that were driven."""
        if drive.state.tick >= SETTLED_TICKS:
            self._finish()
        ego = drive.state.ego
        name, x, y = self._street
        here = drive.street
        if name and here == name:
            way = ((ego.x - x) ** 2 + (ego.y - y) ** 2) ** 0.5
            if way < 60.0:
                streets = dict(self.memory.streets)
                streets[here] = round(streets.get(here, 0.0) + way, 1)
                self.memory = dataclasses.replace(self.memory, streets=streets)
        self._street = (here, ego.x, ego.y)
