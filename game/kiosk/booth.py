"""The booth: one process that owns the window and lives the states of the machine, one visitor
after the other.

Every visitor has a folder of their own, which is wiped before the next one is invited. It may be
killed at any moment: the next start wipes what it finds.
"""

import gc
import logging
import threading
import time
from collections.abc import Iterable
from dataclasses import dataclass, replace
from multiprocessing.connection import Connection
from pathlib import Path

from game.kiosk.machine import Mode, Order, Rules, Sign, State, Step, advance, begin
from game.kiosk.panel import Panel
from game.kiosk.run import CLOSING_S, Finished, Run, RunParts, open_run
from game.kiosk.screens import Card, View
from game.kiosk.script import Script, script_of
from game.kiosk.spool import Spool
from game.kiosk.standby import Warm, warmed
from game.kiosk.visit import Visit, wipe_all
from game.play.drive import Drive
from game.play.embedded import Backing
from game.play.prompt import next_style, style_named
from game.session.format import InputEvent
from game.settings import Settings
from game.view.screen.theme import Theme
from streaming.ring import sweep

log = logging.getLogger(__name__)
_BEAT_MS = 500
_FRAME_S = 1 / 30


@dataclass(frozen=True, slots=True)
class BoothConfig:
    """settings: of the kiosk. backing: where the services are. mode: window or offscreen.

    script: seed of visitors that a program plays, 0 for people. device: public key of this kiosk.
    """

    settings: Settings
    backing: Backing
    root: Path
    rules: Rules
    mode: str = "window"
    script: int = 0


def run_booth(config: BoothConfig, ready: Connection, warm: Warm | None = None) -> None:
    """Process entry: reports when the first screen is up; returns when the window is taken away.

    warm: what takes long, where a process that stood by has it already.
    """
    sweep()
    code = config.settings.kiosk.staff_code.reveal()
    known = config.settings.devices.known
    panel = Panel(config.mode, Theme(text=1.0, calm=True), code, known)
    panel.screen(View(Mode.RESET))
    booth = Booth(config, panel, warm or warmed(config.settings))
    ready.send("up")
    try:
        booth.live()
    finally:
        booth.close()


def run_standby(config: BoothConfig, ready: Connection) -> None:
    """Process entry of the booth that waits: says "warm", and opens when it is told a config."""
    warm = warmed(config.settings)
    ready.send("warm")
    try:
        told = ready.recv()
    except EOFError:
        return
    run_booth(told, ready, warm)


class Booth:
    """One window, one machine, at most one visitor."""

    def __init__(self, config: BoothConfig, panel: Panel, warm: Warm) -> None:
        self._config, self._spool = config, Spool(config.root)
        self._city, self._profile, self._panel = warm.city, warm.profile, panel
        panel.furnish(warm.city, warm.profile, warm.scene)
        self._warm: Warm | None = warm
        self._script: Script | None = script_of(config.script) if config.script else None
        self._state = State()
        self._orders: list[Order] = []
        self._visit: Visit | None = None
        self._card: Card | None = None
        self._run: Run | None = None
        self._closing: threading.Thread | None = None
        self._notice = ""
        self._style = style_named(config.settings.stream.style)
        self._beat_ms = -_BEAT_MS
        self._sent_off = self._spool.orders().sent_off
        self._counts = {
            "visitors": 0,
            "recorded": 0,
            "dropped": 0,
            "failed": 0,
            "shows": 0,
            "opened": 0,
        }
        self._take(begin(self._now()))

    def live(self) -> None:
        """Go on until the window is gone."""
        while not self._panel.closed:
            self._carry_out()
            if self._state.mode is Mode.ATTRACT:
                self._show()
            elif self._state.mode is Mode.DRIVING:
                self._drive()
            else:
                self._wait()

    def close(self) -> None:
        """Leave nothing."""
        self._shown_out()
        self._forget()
        self._panel.close()

    # -- signs and orders

    def _now(self) -> int:
        return self._panel.now_ms()

    def _take(self, step: Step) -> None:
        before = self._state.mode
        self._state = step[0]
        self._orders += step[1]
        if self._state.mode is not before:
            log.info("kiosk.mode mode=%s", self._state.mode.value)
            self._beat()  # whoever watches knows it before anything is done

    def _hear(self, signs: Iterable[Sign]) -> None:
        """Let the machine live what was done, what staff wants, and the time."""
        now = self._now()
        orders = self._spool.orders() if now - self._beat_ms >= _BEAT_MS else None
        for sign in (*signs, Sign.CLOCK):
            self._take(advance(self._state, sign, now, self._config.rules))
        if orders is None:
            return
        if orders.closed != (self._state.closing or self._state.mode is Mode.CLOSED):
            sign = Sign.CLOSE if orders.closed else Sign.OPEN
            self._take(advance(self._state, sign, now, self._config.rules))
        if orders.sent_off != self._sent_off:
            self._sent_off = orders.sent_off
            self._take(advance(self._state, Sign.NEXT, now, self._config.rules))
        self._beat()

    def _staff(self, signs: list[Sign]) -> list[Sign]:
        """The staff's code at the kiosk itself is kept where the status page keeps its orders."""
        for sign in signs:
            if sign in (Sign.CLOSE, Sign.OPEN):
                closed = sign is Sign.CLOSE
                self._spool.order(replace(self._spool.orders(), closed=closed))
        return signs

    def _beat(self) -> None:
        """Say how it is, twice a second: who falls silent is started again."""
        self._beat_ms = self._now()
        told: dict[str, object] = {
            "mode": self._state.mode.value,
            "held_flashes": self._panel.window.guard.held,
        }
        told |= self._run.pids() if self._run is not None else {}
        self._spool.tell("booth", {**told, **self._counts, "at_s": time.time()})

    def _carry_out(self) -> None:
        """What the machine ordered besides driving and showing, which are states."""
        while self._orders:
            order = self._orders.pop(0)
            if order is Order.WIPE:
                self._forget()
                self._take(advance(self._state, Sign.WIPED, self._now(), self._config.rules))
            elif order is Order.DROP_RUN:
                self._counts["dropped"] += 1

    def _forget(self) -> None:
        """Everything of the visitor goes: files first, then what is held and seen."""
        self._card, self._run, self._notice = None, None, ""
        self._style = style_named(self._config.settings.stream.style)
        if self._visit is not None:
            self._visit.wipe()
            self._visit = None
        wipe_all(self._config.root)
        self._panel.forget()
        gc.collect()

    # -- states

    def _view(self) -> View:
        rules, state = self._config.rules, self._state
        whole = {Mode.DRIVING: rules.run_ms, Mode.CLAIM: rules.claim_ms}.get(state.mode, 0)
        left = max(0, state.since_ms + whole - self._now()) / 1000
        return View(
            state.mode, self._panel.focus, left, self._style.title, self._notice, self._card
        )

    def _signs(self, view: View) -> list[Sign]:
        if self._script is not None:
            return self._script.signs(self._state, self._now())
        return self._staff(self._panel.touched(view))

    def _wait(self) -> None:
        """One frame of a screen that has no city behind it."""
        self._panel.screen(view := self._view())
        self._hear(self._signs(view))
        time.sleep(_FRAME_S)

    def _parts(self) -> RunParts:
        return RunParts(
            self._config.settings, self._config.backing, self._config.root, self._city,
            self._profile, self._panel.window, self._style,
        )  # fmt: skip

    def _show(self) -> None:
        """The bot drives and its looks change, until somebody touches the screen."""
        kiosk = self._config.settings.kiosk
        self._counts["shows"] += 1
        self._shown_out()
        warm, self._warm = self._warm, None
        turn = self._counts["shows"]
        run = open_run(self._parts(), None, recorded=False, turn=turn, warm=warm)
        self._run = run
        worn = 0

        def events(drive: Drive) -> Iterable[InputEvent] | None:
            nonlocal worn
            self._counts["opened"] = turn  # its first picture is up
            second = drive.state.tick // 60
            if second // kiosk.style_s != worn:
                worn = second // kiosk.style_s
                self._style = next_style(self._style, 1, ())
                drive.set_style(self._style)
            self._panel.over(view := self._view(), driving=False)
            self._hear(self._signs(view))
            gone = self._state.mode is not Mode.ATTRACT or self._panel.closed
            return None if gone or second >= kiosk.attract_s else ()

        self._closing = run.show(events)
        self._run = None

    def _shown_out(self) -> None:
        """Wait until the show's stream has ended: two runs would share the names of their rings."""
        until = time.monotonic() + CLOSING_S
        while self._closing is not None:
            self._closing.join(_BEAT_MS / 1000)
            if not self._closing.is_alive():
                self._closing = None
            elif time.monotonic() < until:
                self._beat()  # it waits for others, and says so; past the bound it hangs

    def _drive(self) -> None:
        """A visitor's run, from the first picture to the card of the last screen."""
        recorded = self._state.recorded
        self._visit = Visit(self._config.root)
        self._counts["visitors"] += 1
        self._counts["recorded"] += recorded
        self._panel.screen(replace(self._view(), mode=Mode.RESET))
        self._shown_out()
        try:
            turn = self._counts["visitors"]
            run = self._run = open_run(self._parts(), self._visit, recorded=recorded, turn=turn)
            started = replace(self._state, since_ms=self._now(), touched_ms=self._now())
            self._state = started  # loading is not the visitor's time
            finished = run.go(lambda drive: self._driven(drive, run), self._beat)
            self._card = self._sealed(run, finished)
        except Exception:  # whatever breaks: the visitor goes home, the kiosk goes on
            log.exception("kiosk.run.failed")
            self._counts["failed"] += 1
            self._hear([Sign.FAILED])
            return
        self._hear([Sign.ENDED, Sign.CARD] if self._state.mode is Mode.DRIVING else [Sign.CARD])

    def _driven(self, drive: Drive, run: Run) -> Iterable[InputEvent] | None:
        view = self._view()
        self._panel.over(view, driving=True)
        events, signs = run.heard(drive, self._script, self._state, self._now())
        self._hear(signs)
        if Order.WARN_IDLE in self._orders:
            self._orders.remove(Order.WARN_IDLE)
            self._notice = "Steer, or the next driver takes the wheel"
        elif not self._state.warned:
            self._notice = "Press again to end your run" if Sign.BACK in signs else self._notice
            if Sign.DRIVES in signs:
                self._notice = ""
        return None if self._state.mode is not Mode.DRIVING or self._panel.closed else events

    def _sealed(self, run: Run, finished: Finished) -> Card | None:
        """What is kept of a run that was not dropped: handed in, with a code of its own."""
        if self._state.mode not in (Mode.DRIVING, Mode.ENDING):
            return None
        card, code = run.card(finished, self._spool)
        if code is not None:
            self._panel.code(code)
        return card
