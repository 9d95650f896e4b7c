"""One run at the kiosk: the bot's show or a visitor's drive, opened, driven, and handed in.

Owns the visitor's claim and code; both are gone with the object, only the code's hash stays.
"""

import dataclasses
import threading
import time
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor, wait
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

import numpy as np
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from numpy.typing import NDArray

from game.kiosk import code as codes
from game.kiosk.hands import KEYS, at_wheel
from game.kiosk.machine import Sign, State
from game.kiosk.screens import Card
from game.kiosk.script import Script
from game.kiosk.spool import Slip, Spool
from game.kiosk.visit import Visit
from game.outbox.job import JobStore
from game.play import screen
from game.play.app.consent import VERSION
from game.play.drive import Drive
from game.play.embedded import Backing
from game.play.human import Human
from game.play.intake import Intake, Payee, ServiceSaysNo, ServiceUnreachable
from game.play.opening import Opened, Wanted, open_session
from game.play.prompt import Style
from game.play.runner import Driven, close, drive_through, wait_for_stream
from game.session.format import CaptureProfile, InputEvent
from game.session.format import Driver as Declared
from game.settings import Settings
from game.view.hud import Hud
from game.view.window import Window
from game.world.chance import integer
from game.world.city import City
from scenarios.driver import DRIVERS, Driver
from scenarios.free import Level, free_at
from scenarios.load import library

if TYPE_CHECKING:
    from game.kiosk.standby import Warm

TAIL_TICKS = 90
CLOSING_S = 60.0
"""A run's processes have ended by then, or nobody speaks for this one any more."""
_BEAT_S = 0.5
_WAIT_S = 3.0
_STREAM_TICK = 40


@dataclass(frozen=True, slots=True)
class RunParts:
    """What every run needs. root: the kiosk's folder."""

    settings: Settings
    backing: Backing
    root: Path
    city: City
    profile: CaptureProfile
    window: Window
    style: Style


@dataclass(frozen=True, slots=True)
class Finished:
    """What came of it."""

    driven: Driven
    session: str
    folder: Path | None


class Run:
    """A drive that is open. Make it with `open_run`, then `go` once."""

    def __init__(
        self, parts: RunParts, opened: Opened, visit: Visit | None, claim: str,
        bot: Driver | None = None,
    ) -> None:  # fmt: skip
        self._parts, self._opened, self._visit, self._claim = parts, opened, visit, claim
        self._human = Human(KEYS)
        if visit is None:
            bot = bot or DRIVERS["bot"](opened.stage, parts.city)
        self.drive = Drive(
            parts.city, opened.stage, parts.window, bot or self._human,
            parts.style, parts.profile.every_ticks, writer=opened.writer, link=opened.link,
            tape=opened.tape, hud=self._hud,
            capture=parts.profile,
        )  # fmt: skip

    def _hud(self, drive: Drive) -> Hud:
        """What is said beside the picture: no wallet; of the show its title alone."""
        hud = screen.hud(drive, self._parts.city, Payee(claim=self._claim), "")
        if self._visit is None:
            return Hud(title=hud.title)
        return dataclasses.replace(hud, wallet="")

    def go(
        self, events: Callable[[Drive], Iterable[InputEvent] | None], beat: Callable[[], None]
    ) -> Finished:
        """Drive to the end and close everything. Peer and recorder are revived by the drive.

        beat: called while the closing waits for other processes, as long as it may take.
        """
        wait_for_stream(self.drive, _WAIT_S)
        with ThreadPoolExecutor(1, "closing") as aside:
            try:
                drive_through(self.drive, events, TAIL_TICKS, lambda _: None)
            finally:
                closing = aside.submit(close, self.drive, self._opened)
                until = time.monotonic() + CLOSING_S
                while not wait((closing,), _BEAT_S).done:
                    if time.monotonic() < until:
                        beat()
        driven = closing.result()
        writer = self._opened.writer
        return Finished(driven, self._opened.session, writer.folder if writer else None)

    def show(self, events: Callable[[Drive], Iterable[InputEvent] | None]) -> threading.Thread:
        """Drive at once, the stream begins a little later, and leave the closing to a thread:
        whoever touches the screen waits for neither, and at once costs no stream at all.
        """
        link = self._opened.link

        def streamed(drive: Drive) -> Iterable[InputEvent] | None:
            if link is not None and drive.state.tick == _STREAM_TICK:
                link.start()
            return events(drive)

        closing = threading.Thread(target=close, args=(self.drive, self._opened), daemon=True)
        try:
            drive_through(self.drive, streamed, TAIL_TICKS, lambda _: None)
        finally:
            closing.start()
        return closing

    def pids(self) -> dict[str, int]:
        """The processes of this run."""
        opened = self._opened
        return {
            "peer_pid": opened.link.pid if opened.link is not None else 0,
            "recorder_pid": opened.tape.pid if opened.tape is not None else 0,
        }

    def heard(
        self, drive: Drive, script: Script | None, state: State, now_ms: int
    ) -> tuple[Iterable[InputEvent], list[Sign]]:
        """What the visitor did in this tick: events for the recording, signs for the machine."""
        raw = self._parts.window.poll() if script is None else script.keys(drive.state.tick, now_ms)
        events = self._human.feed(raw, drive.state.tick)
        signs = at_wheel(raw, self._human.commands())
        if script is not None:
            signs += script.signs(state, now_ms, drive.state.tick)
        return events, signs

    def card(self, finished: Finished, spool: Spool) -> tuple[Card, NDArray[np.uint8] | None]:
        """Hand the recording in and make its code, which is in what is returned alone."""
        outcome = finished.driven.outcome
        said = "You made it" if outcome is not None and outcome.success else "That was a drive"
        seconds = finished.driven.ticks / 60
        card = Card(self._opened.stage.scenario.title, said, seconds)
        if finished.folder is None or self._visit is None or not finished.driven.end:
            return card, None
        kiosk, now_s = self._parts.settings.kiosk, int(time.time())
        handed = self._visit.hand_in(finished.folder)
        JobStore(self._parts.root / "outbox").add(handed)
        host = kiosk.host or self._parts.backing.rewards_url
        if not host:
            return card, None
        code = codes.new_code()
        spool.add(
            Slip(
                session=finished.session, code=codes.hashed(code), claim=self._claim,
                made_s=now_s, ends_s=now_s + kiosk.code_days * 86400,
                clip="wanted" if kiosk.clip_s > 0 else "none",
            )
        )  # fmt: skip
        shown = host.split("://", 1)[-1].rstrip("/") + "/c"
        card = dataclasses.replace(card, code=codes.grouped(code), link=shown)
        return card, codes.picture(codes.address(host, code))


def open_run(
    parts: RunParts, visit: Visit | None, *, recorded: bool, turn: int, warm: "Warm | None" = None
) -> Run:
    """Open a run. visit: whose it is, None for the bot's show. turn: picks the scenario.

    warm: the show, where it is there already. Raises what opening a session raises.
    """
    settings = parts.settings
    who = Declared("human", "kiosk") if visit is not None else Declared("bot", "calm")
    claim = _fresh_claim() if recorded else ""
    data = visit.folder if visit is not None else settings.paths.data
    settings = dataclasses.replace(
        settings,
        record=dataclasses.replace(settings.record, enabled=recorded),
        paths=dataclasses.replace(settings.paths, data=data),
    )
    seed = seed_of(turn)
    served = settings.rewards.policy == "demo"
    wanted = Wanted(
        chosen(settings, parts.city, turn), seed if served or not recorded else None, who,
        Payee(claim=claim), consent=VERSION if recorded else "none",
    )  # fmt: skip
    intake = Intake(parts.backing.rewards_url) if recorded and parts.backing.rewards_url else None
    common = (settings, parts.city, parts.profile, parts.window.family, parts.backing)
    own: Any = {"staged": warm.stage if warm else None, "stream_later": visit is None}
    try:
        opened = open_session(*common, intake, wanted, **own)
    except (ServiceUnreachable, ServiceSaysNo):  # kept here, and taken in without a ticket later
        opened = open_session(*common, None, wanted, **own)
    return Run(parts, opened, visit, claim, warm.bot if warm else None)


def seed_of(turn: int) -> int:
    """A seed that nobody foresees, for a run of this number."""
    return integer(time.time_ns() & 0x7FFFFFFF, turn, 0, "kiosk seed", 1, 2**31 - 1)


def chosen(settings: Settings, city: City, turn: int) -> str:
    """What is driven: what the host chose, else freely, or the library's scenarios in turns."""
    if settings.play.scenario:
        return settings.play.scenario
    if settings.kiosk.drive == "free":
        return free_at(city, settings.play.place, cast(Level, settings.play.city)).name
    every = library()
    return every[turn % len(every)]


def _fresh_claim() -> str:
    """A claim whose key nobody keeps: the code alone speaks for it."""
    return Ed25519PrivateKey.generate().public_key().public_bytes_raw().hex()
